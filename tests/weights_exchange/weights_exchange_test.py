#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Exchanges weights with PyTorch, both ways: what frostline saves, load_state_dict takes with strict=True, and the
logits agree; what PyTorch has, frostline loads completely, and the logits agree.

Usage: weights_exchange_test.py WORKER EXAMPLES_FOLDER MODEL HEIGHT WIDTH CHANNELS CLASSES
Exits with 77 (skipped) where there is no torch or numpy.
"""
import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy
    import torch
except ImportError as missing:
    print(f"SKIPPED: {missing} ({sys.executable}; Debian: apt-get install python3-torch python3-numpy)")
    sys.exit(77)

worker, examples, model, *numbers = sys.argv[1:]
sys.path.insert(0, examples)
import convert_weights  # noqa: E402
import torchvision_models  # noqa: E402

TOLERANCE = 1e-4


def by_frostline(action, folder):
    subprocess.run([worker, action, model, *numbers, folder], check=True)


def convert(source, target):
    subprocess.run([sys.executable, pathlib.Path(examples, "convert_weights.py"), source, target], check=True)


def difference(network, folder):
    """The largest between the logits of PyTorch and of frostline, relative to the largest logit or 1."""
    images = torch.from_numpy(numpy.load(folder / "images.npy")).permute(0, 3, 1, 2).contiguous()
    with torch.no_grad():
        theirs = network.eval()(images)
    ours = torch.from_numpy(numpy.load(folder / "logits.npy")).reshape(theirs.shape)
    assert theirs.std() > 1e-3, "the logits say nothing"
    return float((ours - theirs).abs().max() / max(1.0, float(theirs.abs().max())))


def wear_in(network):
    """Batch norm as training leaves it."""
    generator = torch.Generator().manual_seed(7)
    for name, values in network.state_dict().items():
        noise = torch.rand(values.shape, generator=generator)
        if name.endswith("running_var"):
            values.copy_(0.5 + noise)
        elif name.endswith("num_batches_tracked"):
            values.fill_(12)
        elif values.dim() == 1:
            values.add_(0.2 * (noise - 0.5))


def main():
    torch.manual_seed(3)
    torch.set_num_threads(2)
    with tempfile.TemporaryDirectory(prefix="frostline_exchange_") as name:
        folder = pathlib.Path(name)
        network = torchvision_models.make(model, *map(int, numbers))

        by_frostline("export", folder)
        convert(folder / "ours.safetensors", folder / "ours.pth")
        ours = torch.load(folder / "ours.pth")
        network.load_state_dict(ours, strict=True)
        assert set(ours) == set(network.state_dict()), "load_state_dict fills in what is missing"
        assert all(ours[name].dtype == values.dtype for name, values in network.state_dict().items())
        there = difference(network, folder)

        network = torchvision_models.make(model, *map(int, numbers))
        wear_in(network)
        torch.save(network.state_dict(), folder / "theirs.pth")
        convert(folder / "theirs.pth", folder / "theirs.safetensors")
        by_frostline("import", folder)
        back = difference(network, folder)
        state = convert_weights.load_safetensors(folder / "theirs.safetensors")
        assert all(torch.equal(state[name], values) for name, values in network.state_dict().items())

    print(f"{model}: logits differ by {there:.2g} in PyTorch, by {back:.2g} in frostline, relative")
    sys.exit(0 if there < TOLERANCE and back < TOLERANCE else "that is too much")


main()
