#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Trains a small network with frostline-train, and has frostline-predict say what it sees; then weights made by hand,
images as files, and what is refused in one line. Usage: predict_test.py FROSTLINE_PREDICT FROSTLINE_TRAIN"""

import gzip
import json
import math
import random
import struct
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

from tool_under_test import ToolUnderTest

TEST_SAMPLES = 100

tool, train = ToolUnderTest(sys.argv[1]), Path(sys.argv[2]).resolve()
run, check, refused = tool.run, tool.check, tool.refused


def idx_images(labels, seed):
    """Noise with a bar whose place tells the class, not always brightly."""
    source, pixels = random.Random(seed), bytearray()
    for label in labels:
        image = bytearray(source.randrange(160) for _ in range(28 * 28))
        image[2 * label * 28 : (2 * label + 2) * 28] = bytes([source.randrange(130, 256)] * 56)
        pixels += image[: 28 * 28]
    return struct.pack(">4I", 0x803, len(labels), 28, 28) + bytes(pixels)


def write_set(folder):
    folder.mkdir()
    for name, count in (("train", 512), ("t10k", TEST_SAMPLES)):
        labels = [index % 10 for index in range(count)]
        (folder / f"{name}-images-idx3-ubyte").write_bytes(idx_images(labels, name))
        (folder / f"{name}-labels-idx1-ubyte").write_bytes(struct.pack(">2I", 0x801, count) + bytes(labels))


def safetensors(path, arrays, metadata):
    """arrays: name -> (shape, value of every element, or a list of them)."""
    header, data = {"__metadata__": metadata}, b""
    for name, (shape, values) in arrays.items():
        count = math.prod(shape)
        bytes_ = struct.pack(f"<{count}f", *(values if isinstance(values, list) else [values] * count))
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(bytes_)]}
        data += bytes_
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


def lenet(path, metadata, channels=3, side=28, bias=(0.0, 2.0, 1.0), **changed):
    features = 16 * ((side // 2 - 4) // 2) ** 2
    arrays = {"conv1.weight": ([6, channels, 5, 5], 0.01), "conv1.bias": ([6], 0.0),
              "conv2.weight": ([16, 6, 5, 5], 0.01), "conv2.bias": ([16], 0.0),
              "fc1.weight": ([120, features], 0.01), "fc1.bias": ([120], 0.0),
              "fc2.weight": ([84, 120], 0.01), "fc2.bias": ([84], 0.0),
              "fc3.weight": ([len(bias), 84], 0.0), "fc3.bias": ([len(bias)], list(bias))}
    return safetensors(path, {**arrays, **changed}, metadata)


def png(path, height, width):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\0" + bytes(3 * width) for _ in range(height))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)) +
                     chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
    return path


def trained(folder):
    """What frostline-train measures on the test set, frostline-predict must find image by image."""
    write_set(folder / "mnist")
    weights, record = folder / "weights.safetensors", folder / "run.jsonl"
    for model in ("lenet5", "vgg11"):
        limit = ["--train-limit", "64", "--epochs", "1"] if model == "vgg11" else ["--epochs", "8"]
        subprocess.run([train, "--model", model, "--data", "mnist", "--data-dir", folder,
                        "--batch-size", "32", "--policy", "never", "--record", record, "--save", weights, "--quiet",
                        *limit], check=True, timeout=300)
        accuracy = [json.loads(line) for line in record.read_text().splitlines()][-1]["test_accuracy"]
        images = folder / "mnist" / "t10k-images-idx3-ubyte"
        status, output, errors = run("--weights", weights, images)
        check(status == 0 and errors == "", f"{model}: predicts", status, errors)
        rows = [line.split("\t") for line in output.splitlines()]
        check([row[0] for row in rows] == [f"{images}:{index}" for index in range(TEST_SAMPLES)], f"{model}: names")
        right = sum(int(row[1]) == index % 10 for index, row in enumerate(rows))
        check(right / TEST_SAMPLES == accuracy, f"{model}: accuracy", right, accuracy)
        if model == "lenet5":
            check(0.2 < accuracy, "the network has learnt something", accuracy)

        packed = folder / "images.gz"
        packed.write_bytes(gzip.compress(images.read_bytes()))
        again = run("--weights", weights, "--top", "10", packed)[1].splitlines()
        for line, row in zip(again, rows):
            _, *found = line.split("\t")
            check(found[:2] == row[1:], "the first of ten is the first of one", line, row)
            check(sorted(map(int, found[::2])) == list(range(10)), "all classes", line)
            check(abs(sum(map(float, found[1::2])) - 1) < 1e-4, "probabilities sum to 1", line)
        if model == "vgg11":
            refused_size = run("--weights", weights, "--image-size", "28", images)
            check(refused_size[0] == 1 and "there is none" in refused_size[2], "a size of no image", refused_size)
    status = subprocess.run([train, "--data", "mnist", "--data-dir", folder, "--save", folder], check=False,
                            capture_output=True, text=True, timeout=60)
    check(status.returncode == 1 and "cannot be written" in status.stderr, "a folder to save to", status.stderr)


def main():
    with tempfile.TemporaryDirectory(prefix="frostline_predict_") as name:
        folder = Path(name)
        trained(folder)

        weights = lenet(folder / "lenet.safetensors", {"model": "lenet5", "data": "cifar10", "image_size": "28"})
        pictures = [png(folder / f"{number}.png", 40 + number, 60) for number in range(40)]
        status, output, errors = run("--weights", weights, "--top", 2, *pictures)
        whole = sum(math.exp(value) for value in (0, 2, 1))
        expected = [f"{picture}\t1\t{math.exp(2) / whole:.6g}\t2\t{math.exp(1) / whole:.6g}" for picture in pictures]
        check(status == 0 and output.splitlines() == expected, "images as files", status, output, errors)
        check(run("--weights", weights, pictures[0])[1].split("\t")[1] == "1", "one image")

        plain = lenet(folder / "plain.safetensors", {})
        refused("no model", "does not name its model: expected --model", "--weights", plain, pictures[0])
        refused("no data", "does not name its data: expected --data", "--weights", plain, "--model", "lenet5",
                pictures[0])
        check(run("--weights", plain, "--model", "lenet5", "--data", "cifar10", "--image-size", "28",
                  pictures[0])[0] == 0, "what the weights do not name")
        refused("unknown model", 'there is no model "lenet6"', "--weights", weights, "--model", "lenet6", pictures[0])
        refused("unknown data", 'no data set named "cifar11"', "--weights", weights, "--data", "cifar11", pictures[0])
        refused("another size", "fc1.weight: found [120, 400], expected [120, 576]", "--weights", weights,
                "--image-size", "32", pictures[0])
        refused("a size of 0", "expected a whole number from 1 to 4096", "--weights", weights, "--image-size", "0",
                pictures[0])
        refused("another model", "are missing (features.0.weight", "--weights", weights, "--model", "vgg11",
                "--image-size", "32", pictures[0])
        gray = folder / "mnist" / "t10k-images-idx3-ubyte"
        refused("another number of channels", "expected 1 of each", "--weights",
                lenet(folder / "gray.safetensors", {"model": "lenet5", "data": "cifar10"}, channels=1), gray)
        refused("no weights", "--weights is required", pictures[0], code=2)
        refused("no image", "FILE is required", "--weights", weights, code=2)
        refused("missing weights", "none.safetensors: cannot be read", "--weights", folder / "none.safetensors",
                pictures[0])
        refused("missing image", "none.png: cannot be opened", "--weights", weights, folder / "none.png")
        broken = folder / "broken.png"
        broken.write_bytes(pictures[0].read_bytes()[:60])
        refused("a broken image", "broken.png", "--weights", weights, pictures[0], broken)
        refused("no images", "the field magic", "--weights", weights, folder / "run.jsonl")
        refused("no weights", "the length of its header is", "--weights", pictures[0], pictures[0])
        headless = safetensors(folder / "headless.safetensors", {"conv1.bias": ([6], 0.0)}, {"model": "lenet5",
                                                                                              "data": "cifar10"})
        refused("no head", "has no bias of a head", "--weights", headless, pictures[0])

        for wish in ("--help", "--version"):
            check(run(wish)[0] == 0, wish)
    return tool.exit_code()


sys.exit(main())
