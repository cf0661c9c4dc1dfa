#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures fine-tuning: ResNet-18 learns five classes of CIFAR-10, then the other five from few images.

    fine_tuning.py FROSTLINE_TRAIN FOLDER [--images N...] [--seeds N...] [options]

Trains once on classes 0 to 4 (the weights stay in FOLDER for later runs), then on classes 5 to 9 by each method,
from the same weights and over the same batches: full fine-tuning, the head only, and Learn&Drop. One line of JSON a run as it
ends (also in FOLDER/runs.jsonl, so that what is there is not run again), and one for each method and number of images: accuracy,
its difference from full fine-tuning paired by seed with a 95% interval, and time as a share of that of full
fine-tuning, both without evaluation.
"""
import argparse
import hashlib
import json
import math
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

# Of Student's distribution, two-sided, by degrees of freedom.
T95 = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262, 10: 2.228}
EPOCHS = {500: 30, 2500: 20, 10000: 12}


class Bench:
    def __init__(self, options):
        self.options = options
        self.folder = options.folder
        self.folder.mkdir(parents=True, exist_ok=True)
        network = re.sub(r"\W+", "-", options.model)
        self.weights = self.folder / f"pretrained-{network}-{options.data}.safetensors"
        self.runs = self.folder / "runs.jsonl"

    def train(self, *arguments):
        """The line of event summary."""
        with tempfile.TemporaryDirectory() as folder:
            record = pathlib.Path(folder, "run.jsonl")
            command = [self.options.program, "--quiet", "--model", self.options.model, "--data", self.options.data,
                       "--record", record, "--test-limit", self.options.test_limit, *arguments]
            if self.options.data_dir:
                command += ["--data-dir", self.options.data_dir]
            subprocess.run([str(part) for part in command], check=True)
            lines = [json.loads(line) for line in record.read_text().splitlines()]
        return next(line for line in lines if line["event"] == "summary")

    def pretrain(self):
        if self.weights.exists():
            print(f"{self.weights} is there already", file=sys.stderr)
            return
        options = self.options
        begun = self.train("--classes", "0-4", "--policy", "never", "--epochs", options.pretrain_epochs,
                           "--evaluate-every", options.pretrain_epochs, "--train-limit", options.pretrain_images,
                           "--batch-size", 64, "--lr", 0.05, "--seed", 0, "--save", self.weights)
        self.tell({"what": "pretrained", "accuracy": begun["test_accuracy"], "seconds": begun["seconds"]})

    def methods(self):
        return {"full": "never", "head_only": "head_only", "learn_and_drop": self.options.policy}

    def tune(self, method, images, seed):
        options = self.options
        epochs = options.epochs or EPOCHS.get(images, 10)
        arguments = ["--classes", "5-9", "--weights", self.weights, "--replace-head", "--policy", self.methods()[method],
                     "--train-limit", images, "--epochs", epochs, "--evaluate-every", epochs, "--batch-size",
                     min(images, options.batch_size), "--lr", options.lr, "--rate-decay", options.rate_decay, "--store",
                     options.store, "--seed", seed]
        key = hashlib.sha256(json.dumps([options.model, options.data, options.test_limit, *map(str, arguments)])
                             .encode()).hexdigest()[:16]
        for line in self.finished():
            if line.get("key") == key:
                return line
        done = self.train(*arguments)
        line = {"what": "run", "method": method, "policy": self.methods()[method], "images": images, "seed": seed,
                "accuracy": done["test_accuracy"], "seconds": done["seconds"],
                "forward_flops_saved": done["forward_flops_saved"], "training_flops_saved": done["training_flops_saved"],
                "key": key}
        self.tell(line)
        return line

    def finished(self):
        return [json.loads(line) for line in self.runs.read_text().splitlines()] if self.runs.exists() else []

    def tell(self, line):
        with self.runs.open("a", encoding="utf-8") as output:
            output.write(json.dumps(line) + "\n")
        print(json.dumps(line), flush=True)


def mean_and_interval(values):
    """Mean and half the width of its 95% interval."""
    mean, count = statistics.mean(values), len(values)
    if count < 2:
        return mean, None
    return mean, T95[count - 1] * statistics.stdev(values) / math.sqrt(count)


def summary(method, images, runs, full):
    difference, interval = mean_and_interval([run["accuracy"] - other["accuracy"] for run, other in zip(runs, full)])
    return {"what": "fine_tuning", "method": method, "images": images, "seeds": [run["seed"] for run in runs],
            "accuracy": statistics.mean(run["accuracy"] for run in runs),
            "difference_from_full": difference, "interval_95": interval,
            "seconds": statistics.mean(run["seconds"] for run in runs),
            "share_of_full_time": sum(run["seconds"] for run in runs) / sum(run["seconds"] for run in full)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--images", type=int, nargs="+", default=[500, 2500, 10000])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--policy", default="learn_and_drop:remaining=2,at_most=0.4", help="of the method learn_and_drop")
    parser.add_argument("--epochs", type=int, help="of fine-tuning (default: 30, 20, 12 for 500, 2,500, 10,000 images)")
    parser.add_argument("--batch-size", type=int, default=64, help="of fine-tuning")
    parser.add_argument("--lr", type=float, default=0.02, help="of fine-tuning")
    parser.add_argument("--rate-decay", type=float, default=1, help="from block to block, for all methods")
    parser.add_argument("--store", default="memory", help="of frostline-train")
    parser.add_argument("--pretrain-epochs", type=int, default=10)
    parser.add_argument("--pretrain-images", type=int, default=0, help="0: all of the five classes")
    parser.add_argument("--test-limit", type=int, default=0, help="0: all of the five classes")
    parser.add_argument("--model", default="resnet18:stem=imagenet")
    parser.add_argument("--data", default="cifar10")
    parser.add_argument("--data-dir")
    options = parser.parse_args()
    if len(options.seeds) > len(T95) + 1:
        parser.error(f"found {len(options.seeds)} seeds, expected at most {len(T95) + 1}: no intervals are known for more")
    bench = Bench(options)
    bench.pretrain()
    for images in bench.options.images:
        # Seed by seed, so that a machine that slows down slows every method down.
        runs = {method: [] for method in bench.methods()}
        for seed in bench.options.seeds:
            for method, done in runs.items():
                done.append(bench.tune(method, images, seed))
        for method, done in runs.items():
            print(json.dumps(summary(method, images, done, runs["full"])), flush=True)


main()
