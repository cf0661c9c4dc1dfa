#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs frostline-train --verify on good and bad data sets. Usage: verify_test.py FROSTLINE_TRAIN OFFICIAL_FILES"""

import gzip
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

DEBIAN_FASHION_MNIST = Path("/usr/share/datasets/fashion-mnist")
program = Path(sys.argv[1]).resolve()
official = [line.split() for line in Path(sys.argv[2]).read_text().splitlines()]
failures = []


def verify(what, code, name, folder, *phrases, absent=()):
    environment = {key: value for key, value in os.environ.items() if key != "FROSTLINE_DATA"}
    place = ["--data-dir", folder] if folder else []
    done = subprocess.run([program, "--verify", "--data", name, *place], env=environment, capture_output=True,
                          text=True, timeout=300)
    said = done.stdout + done.stderr
    wrong = [phrase for phrase in phrases if phrase not in said] + [phrase for phrase in absent if phrase in said]
    if done.returncode != code or wrong or done.stderr.count("\n") != (1 if code else 0):
        failures.append(f"{what}: ended with {done.returncode}, expected {code}; {wrong}:\n{said}")


def fashion_mnist(root):
    files = [file for name, file, *_ in official if name == "fashion-mnist"]
    verify("Debian's package", 0, "fashion-mnist", None, f"{DEBIAN_FASHION_MNIST}, Debian's package",
           *(f"  {file}.gz: as published\n" for file in files))
    raw = root / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for file in files:
        with gzip.open(DEBIAN_FASHION_MNIST / f"{file}.gz") as packed, open(raw / file, "wb") as plain:
            shutil.copyfileobj(packed, plain)
    verify("torchvision's layout", 0, "fashion-mnist", root, f"{raw}, torchvision's layout",
           *(f"  {file}: as published\n" for file in files))
    verify("another set's name", 1, "mnist", raw.parent, "was not found")

    labels = raw / "t10k-labels-idx1-ubyte"
    content = bytearray(labels.read_bytes())
    content[-1] ^= 1
    labels.write_bytes(content)
    verify("one byte differs", 1, "fashion-mnist", root, "t10k-labels-idx1-ubyte: changed: the SHA-256 is",
           "of 4 files 1 are changed and 0 missing")
    labels.write_bytes(content[:-1])
    verify("one byte is missing", 1, "fashion-mnist", root, "changed: holds 10007 bytes, published are 10008")
    labels.unlink()
    os.mkfifo(labels)
    verify("a pipe", 1, "fashion-mnist", root, "changed: ", "is a pipe")
    labels.unlink()
    packed = gzip.compress(bytes(content))
    (raw / "t10k-labels-idx1-ubyte.gz").write_bytes(packed[: len(packed) // 2])
    verify("cut off", 1, "fashion-mnist", root, "t10k-labels-idx1-ubyte.gz: changed: ", "unexpected end of file")
    (raw / "train-images-idx3-ubyte").unlink()
    verify("the first is missing", 1, "fashion-mnist", root, "  train-images-idx3-ubyte: missing\n",
           "  t10k-images-idx3-ubyte: as published\n", "of 4 files 1 are changed and 1 missing")


def imagenette(root):
    folder = root / "imagenette2-160"
    for name, place, count, _ in official:
        if name == "imagenette":
            (folder / place).mkdir(parents=True)
            for number in range(int(count)):
                (folder / place / f"{number}.JPEG").touch()
    verify("all images", 0, "imagenette", root, f"{folder}, the official archive's layout",
           "  train/n01440764: as many images as published\n", "  val/n03888257: as many images as published\n")
    (folder / "val/n03888257/7.JPEG").unlink()
    (folder / "val/n03888257/8.JPEG").rename(folder / "val/n03888257/8.txt")
    shutil.rmtree(folder / "train/n03000684")
    verify("some images", 1, "imagenette", root, "  train/n03000684: missing\n",
           "  val/n03888257: changed: holds 388 images, published are 390\n", "of 20 folders 1 are changed and 1 missing")


def main():
    with tempfile.TemporaryDirectory(prefix="frostline_verify_") as name:
        root = Path(name)
        verify("nothing", 1, "cifar10", root, "the data set cifar10 was not found")
        verify("unknown set", 1, "kmnist", root, 'no data set named "kmnist"')
        batches = root / "cifar-10-batches-bin"
        batches.mkdir()
        (batches / "test_batch.bin").write_bytes(bytes(30_730_000))
        verify("a bad CIFAR-10", 1, "cifar10", root, f"cifar10 in {batches}, the official archive's layout",
               "  data_batch_1.bin: missing\n", "  test_batch.bin: changed: the SHA-256 is")
        imagenette(root)
        if DEBIAN_FASHION_MNIST.exists():
            fashion_mnist(root)
        else:
            print("SKIPPED in part: Fashion-MNIST is not installed (Debian: dataset-fashion-mnist)")
    print("\n".join(failures) or "--verify tells what was published from what was not")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
