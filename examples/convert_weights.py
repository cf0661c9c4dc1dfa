#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Turns a state dict of PyTorch's, such as torchvision publishes, into safetensors, and back.

    convert_weights.py resnet18.pth resnet18.safetensors
    convert_weights.py weights.safetensors weights.pth

Needs torch and nothing else. Elements of half precision become float32; whole numbers become int64, but for uint8.
"""
import contextlib
import ctypes
import inspect
import json
import os
import pickle
import struct
import sys

import torch

# Names in safetensors, the widest first: each array then starts at a multiple of its element's size.
FORMATS = {torch.float64: "F64", torch.int64: "I64", torch.float32: "F32", torch.uint8: "U8"}
TYPES = {**{name: dtype for dtype, name in FORMATS.items()}, "F16": torch.float16, "BF16": torch.bfloat16,
         "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "BOOL": torch.bool}
LENGTH = struct.Struct("<Q")


def storable(tensor):
    """The tensor on the CPU, contiguous, and of a type that frostline reads."""
    tensor = tensor.detach().cpu().contiguous()
    if tensor.dtype in FORMATS:
        return tensor
    if tensor.is_floating_point():
        return tensor.to(torch.float32)
    if tensor.is_complex():
        raise ValueError("complex numbers have no place in safetensors")
    return tensor.to(torch.uint8 if tensor.dtype == torch.bool else torch.int64)


@contextlib.contextmanager
def replacing(path):
    """A name to write to, which takes the place of `path` once it is whole: a failure leaves what stood there."""
    unfinished = f"{path}.unfinished"
    try:
        yield unfinished
        os.replace(unfinished, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.remove(unfinished)


def save_safetensors(state, path):
    tensors = {name: storable(tensor) for name, tensor in state.items()}
    order = sorted(tensors, key=lambda name: list(FORMATS).index(tensors[name].dtype))
    header, end = {"__metadata__": {"format": "pt"}}, 0
    for name in order:
        begin, end = end, end + tensors[name].numel() * tensors[name].element_size()
        header[name] = {"dtype": FORMATS[tensors[name].dtype], "shape": list(tensors[name].shape),
                        "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with replacing(path) as unfinished, open(unfinished, "wb") as file:
        file.write(LENGTH.pack(len(text)) + text)
        for name in order:
            tensor = tensors[name]
            size = tensor.numel() * tensor.element_size()
            if size > 0:
                file.write((ctypes.c_char * size).from_address(tensor.data_ptr()))


def load_safetensors(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(LENGTH.unpack(file.read(LENGTH.size))[0]))
        data = bytearray(file.read())
    header.pop("__metadata__", None)
    state = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        if entry["dtype"] not in TYPES:
            raise ValueError(f"{path}: '{name}' is {entry['dtype']}, expected one of {', '.join(TYPES)}")
        dtype = TYPES[entry["dtype"]]
        flat = torch.frombuffer(data[begin:end], dtype=dtype) if end > begin else torch.empty(0, dtype=dtype)
        state[name] = storable(flat.reshape(entry["shape"]))
    return state


def load_state_dict(path):
    # Without it, a file from elsewhere may run code.
    safe = {"weights_only": True} if "weights_only" in inspect.signature(torch.load).parameters else {}
    state = torch.load(path, map_location="cpu", **safe)
    if not isinstance(state, dict):
        raise ValueError(f"{path}: holds a {type(state).__name__}, expected a state dict")
    for wrapper in ("state_dict", "model"):  # as training scripts save it, among other things
        if isinstance(state.get(wrapper), dict):
            state = state[wrapper]
    others = [name for name, value in state.items() if not isinstance(value, torch.Tensor)]
    if others:
        raise ValueError(f"{path}: '{others[0]}' is no tensor, expected a state dict")
    return state


def main(arguments):
    if sys.byteorder != "little":
        sys.exit("convert_weights.py: safetensors is little-endian, this machine is not")
    if len(arguments) != 2 or sum(path.endswith(".safetensors") for path in arguments) != 1:
        sys.exit(__doc__)
    source, target = arguments
    if target.endswith(".safetensors"):
        save_safetensors(load_state_dict(source), target)
    else:
        with replacing(target) as unfinished:
            torch.save(load_safetensors(source), unfinished)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (OSError, ValueError, RuntimeError, KeyError, struct.error, pickle.UnpicklingError) as problem:
        sys.exit(f"convert_weights.py: {problem}")
