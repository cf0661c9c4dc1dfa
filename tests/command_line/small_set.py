# SPDX-License-Identifier: MIT
"""A data set that trains in a second."""

import random
import struct


def write_set(folder, training_images=2000):
    """MNIST's files with noise in which a bright bar tells the class."""
    source = random.Random(7)
    folder.mkdir()
    for name, count in (("train", training_images), ("t10k", 100)):
        labels = bytes(index % 10 for index in range(count))
        pixels = bytearray()
        for label in labels:
            image = bytearray(source.randbytes(784))
            image[2 * label * 28:(2 * label + 2) * 28] = b"\xff" * 56
            pixels += image
        (folder / f"{name}-images-idx3-ubyte").write_bytes(struct.pack(">4I", 0x803, count, 28, 28) + pixels)
        (folder / f"{name}-labels-idx1-ubyte").write_bytes(struct.pack(">2I", 0x801, count) + labels)
    return folder
