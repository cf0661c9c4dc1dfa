# SPDX-License-Identifier: MIT
"""A data set that trains in a second."""

import random
import struct


def idx_images(labels, extent=28, seed="train"):
    """Noise with a bright bar whose place tells the class."""
    source, pixels = random.Random(seed), bytearray()
    for label in labels:
        image = bytearray(source.randbytes(extent * extent))
        image[2 * label * extent:(2 * label + 2) * extent] = b"\xff" * (2 * extent)
        pixels += image
    return struct.pack(">4I", 0x803, len(labels), extent, extent) + bytes(pixels)


def idx_labels(labels):
    return struct.pack(">2I", 0x801, len(labels)) + bytes(labels)


def small_set(training_images=2000, test_images=100):
    """MNIST's files by name."""
    files = {}
    for part, count in (("train", training_images), ("t10k", test_images)):
        labels = [index % 10 for index in range(count)]
        files[f"{part}-images-idx3-ubyte"] = idx_images(labels, seed=part)
        files[f"{part}-labels-idx1-ubyte"] = idx_labels(labels)
    return files


def write_set(folder, files):
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder
