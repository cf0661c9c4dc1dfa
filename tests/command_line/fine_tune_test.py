#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Trains on half of the classes, then fine-tunes on the other half from the weights: what is loaded, what is frozen from the
start, and what is refused in one line. Usage: fine_tune_test.py FROSTLINE_TRAIN"""

import json
import struct
import sys
import tempfile
from pathlib import Path

from small_set import small_set, write_set
from tool_under_test import ToolUnderTest

tool = ToolUnderTest(sys.argv[1])
check = tool.check


def arrays(path):
    """Name -> bytes of each array of a safetensors file."""
    content = path.read_bytes()
    size, = struct.unpack("<Q", content[:8])
    header = json.loads(content[8:8 + size])
    header.pop("__metadata__", None)
    return {name: content[8 + size:][slice(*array["data_offsets"])] for name, array in header.items()}


class Trainer:
    def __init__(self, folder, data):
        self.folder, self.data, self.number = folder, data, 0

    def arguments(self, *more):
        return ["--model", "lenet5", "--data", "mnist", "--data-dir", self.data, "--batch-size", 20, "--epochs", 2,
                "--threads", 1, *more]

    def __call__(self, what, *more):
        """Output, lines of the record, and weights of a run."""
        self.number += 1
        record, weights = self.folder / f"{self.number}.jsonl", self.folder / f"{self.number}.safetensors"
        status, output, errors = tool.run(*self.arguments("--record", record, "--save", weights, *more))
        check(status == 0, f"{what}: finishes", status, errors)
        return output, [json.loads(line) for line in record.read_text().splitlines()], weights


def event(lines, name):
    return [line for line in lines if line["event"] == name]


def main():
    with tempfile.TemporaryDirectory(prefix="frostline_fine_tune_") as name:
        folder = Path(name)
        train = Trainer(folder, write_set(folder / "mnist", small_set(training_images=400)))
        _, lines, first = train("five classes", "--classes", "0-4", "--policy", "never")
        check(event(lines, "start")[0]["training_samples"] == 200, "half of the samples are of five classes")
        check(event(lines, "run")[0]["classes"] == "0-4", "the record tells the classes")

        other = ("--classes", "5-9", "--weights", first, "--replace-head")
        output, lines, tuned = train("head only", *other, "--policy", "head_only", "--store", "memory")
        check(f"{first}: 8 arrays were loaded, 2 of the head are replaced (fc3.weight, ...)" in output,
              "the report is printed", output)
        check([line["frozen"] > 0 for line in event(lines, "epoch")] == [True, True], "frozen in epoch one already")
        moves = event(lines, "freeze")
        check(len(moves) == 1 and moves[0]["step"] == 0, "frozen before the first step", moves)
        before, after = arrays(first), arrays(tuned)
        check({key for key in before if before[key] != after[key]} == {"fc3.weight", "fc3.bias"},
              "the head alone has learnt")

        _, lines, kept = train("with its head", "--classes", "0-4", "--weights", first, "--lr", 0, "--policy", "never")
        check(arrays(kept) == arrays(first), "a head that fits is loaded, too")
        output, _, _ = train("fewer classes", "--classes", "7,9", "--weights", first, "--policy", "never")
        check("2 of the head are replaced" in output, "a head of other classes is replaced without being told", output)
        status, output, _ = tool.run(*train.arguments("--quiet", *other, "--train-limit", 40))
        check(status == 0 and not output, "--quiet prints no report", output)

        _, _, slow = train("rates", *other, "--policy", "never", "--rate-decay", 0, "--weight-decay", 0)
        after = arrays(slow)
        check({key for key in before if before[key] != after[key]} == {"fc3.weight", "fc3.bias"},
              "with a decay of 0 the head alone learns")

        # A comparison begins twice with the same weights, and a run that goes on needs no file to begin with.
        _, lines, _ = train("compared", *other, "--compare", "--policy", "gradual_thaw")
        check(len(event(lines, "summary")) == 2, "both runs of a comparison")
        saved = ("--checkpoint", folder / "saved")
        moved = folder / "moved.safetensors"
        moved.write_bytes(first.read_bytes())
        again = ("--classes", "5-9", "--weights", moved, "--replace-head", "--policy",
                 "gradual_thaw:start=0.3,end=0.9", "--store", "memory", *saved)
        _, _, whole = train("with checkpoints", *again)
        for path in sorted((folder / "saved").iterdir())[1:]:
            path.unlink()
        moved.unlink()
        record = folder / f"{train.number}.jsonl"
        status, _, errors = tool.run(*train.arguments("--record", record, "--save", folder / "resumed", *again, "--resume"))
        check(status == 0 and arrays(folder / "resumed") == arrays(whole), "a resumed run begins from its checkpoint", errors)

        def refused(what, phrase, *more, code=1):
            tool.refused(what, phrase, *train.arguments(*more), code=code)

        refused("no weights", "none.safetensors", "--weights", folder / "none.safetensors")
        refused("weights of another model", "are missing", "--weights", first, "--classes", "5-9", "--model", "vgg11")
        refused("a head of no weights", "--weights does not tell which", "--replace-head")
        refused("no such class", "asks for class 10, expected less than 10", "--classes", "5-10")
        refused("a class twice", "asks for class 3 twice", "--classes", "3,1-4")
        for text in ("", "5-", "4-2", "a", "1,,2", "-1", "1 2", "0-4,"):
            refused(f"classes {text!r}", "as 0-4 or 0,2,5-9", "--classes", text, code=2)
        refused("a rate that rises", "expected a number from 0 to 1", "--rate-decay", 1.5, code=2)
    return tool.exit_code()


if __name__ == "__main__":
    sys.exit(main())
