#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures what feature stores cost and save in whole runs of frostline-train, one line of JSON a result.

    stores.py FROSTLINE_TRAIN WHAT... [--data-dir DIR] [--epochs N] [--images N] [--seeds N] [--disk DIR]

WHAT is one or more of
  readahead  VGG-16 dropped behind its second pooling: seconds an epoch from disk against from memory; run it where the page
             cache holds a quarter of the store at most (systemd-run --scope -p MemoryMax=...)
  plan       the plan against storing in memory at the frost line and against recomputing, on six workloads
  filling    the epoch that fills the store against the same epoch that only recomputes
  encodings  accuracy, bytes and seconds of float32, bfloat16 and uint8: VGG-11 on Fashion-MNIST, paired seeds
  views      CIFAR-10, 10,000 images: 4 views against random augmentation, recomputed; paired seeds
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import tempfile

# Policy that freezes this share of the freezable blocks after a tenth of the run, and no more.
FREEZE = "linear:start={start},end={start},share={share}"

WORKLOADS = {
    # The last stores what is larger than its image and nearly as fast to compute: it must not pay.
    "vgg11-late": ["--model", "vgg11", "--train-limit", 10000, "--share", 0.6],
    "vgg16-second-pooling": ["--model", "vgg16", "--train-limit", 5000, "--share", 0.31],
    "resnet18-half": ["--model", "resnet18", "--train-limit", 5000, "--share", 0.5],
    "vgg11-small-budget": ["--model", "vgg11", "--train-limit", 10000, "--share", 0.4, "--store-budget", "20MB"],
    "resnet18-two-epochs-left": ["--model", "resnet18", "--train-limit", 3000, "--share", 0.3, "--start", 0.79],
    "lenet5-first-block": ["--model", "lenet5", "--train-limit", 60000, "--share", 0.25],
}


class runner:
    def __init__(self, options):
        self.options = options
        self.images = ["--train-limit", options.images]

    def __call__(self, *arguments, share=0.5, start=0.1, seed=0, policy=None):
        """The lines of a run's record."""
        with tempfile.TemporaryDirectory() as folder:
            record = pathlib.Path(folder, "run.jsonl")
            command = [self.options.program, "--quiet", "--record", record, "--epochs", self.options.epochs,
                       "--evaluate-every", self.options.epochs, "--seed", seed, "--policy",
                       policy or FREEZE.format(start=start, share=share), *arguments]
            if self.options.data_dir:
                command += ["--data-dir", self.options.data_dir]
            subprocess.run([str(part) for part in command], check=True)
            return [json.loads(line) for line in record.read_text().splitlines()]


def events(lines, name):
    return [line for line in lines if line["event"] == name]


def epochs_behind_fill(lines):
    """Seconds of the epochs that only read."""
    dropped = [line for line in events(lines, "epoch") if line["dropped"] > 0]
    return [line["seconds"] for line in dropped[1:]]


def tell(what, **numbers):
    print(json.dumps({"what": what, **numbers}), flush=True)


def forced_costs(run, folder, arguments, share, start):
    """A file of costs by which the plan stores at the frost line whatever it costs."""
    lines = run("--store", "memory", *arguments, share=share, start=start)
    costs = events(lines, "costs")[-1]
    costs["block_seconds"] = [1.0] * len(costs["block_seconds"])
    path = pathlib.Path(folder, "forced.jsonl")
    path.write_text(json.dumps(costs) + "\n")
    return path


def readahead(run):
    vgg16 = ["--model", "vgg16", *run.images]
    memory = epochs_behind_fill(run(*vgg16, "--store", "memory", share=0.31))
    disk = epochs_behind_fill(run(*vgg16, "--store", f"disk:{run.options.disk}",
                                  "--store-budget", "1TiB", share=0.31))
    tell("readahead", memory_seconds=statistics.median(memory), disk_seconds=statistics.median(disk),
         ratio=statistics.median(disk) / statistics.median(memory))


def plan(run):
    for name, words in WORKLOADS.items():
        arguments, numbers = [], {"share": 0.5, "start": 0.1}
        for option, value in zip(words[::2], words[1::2]):
            if option[2:] in numbers:
                numbers[option[2:]] = value
            else:
                arguments += [option, value]
        with tempfile.TemporaryDirectory() as folder:
            forced = forced_costs(run, folder, arguments, **numbers)
            choices = {
                "plan": ["--store", "auto"],
                "memory": ["--store", "memory", "--plan-costs", forced],
                "recompute": ["--store", "none"],
            }
            seconds = {choice: events(run(*arguments, *extra, **numbers), "summary")[0]["seconds"]
                       for choice, extra in choices.items()}
        tell("plan", workload=name, **seconds, ratio=seconds["plan"] / min(seconds["memory"], seconds["recompute"]))


def filling(run):
    for model in ("vgg11", "vgg16", "resnet18"):
        for store in ("memory", f"disk:{run.options.disk}"):
            stored = events(run("--model", model, *run.images, "--store", store, "--store-budget", "1TiB"), "epoch")
            plain = events(run("--model", model, *run.images, "--store", "none"), "epoch")
            first = next(line["epoch"] for line in stored if line["dropped"] > 0)
            fill, same = stored[first - 1]["seconds"], plain[first - 1]["seconds"]
            tell("filling", model=model, store=store.split(":")[0], filling_seconds=fill, recomputing_seconds=same,
                 ratio=fill / same)


def encodings(run):
    for encoding in ("float32", "bfloat16", "uint8"):
        accuracies, seconds, size = [], [], 0
        for seed in range(run.options.seeds):
            lines = run("--model", "vgg11", *run.images, "--store", "memory", "--store-encoding", encoding,
                        seed=seed)
            accuracies.append(events(lines, "summary")[0]["test_accuracy"])
            seconds += epochs_behind_fill(lines)
            size = max(line["store_bytes"] for line in events(lines, "epoch"))
        tell("encodings", encoding=encoding, accuracies=accuracies, mean=statistics.mean(accuracies),
             store_bytes=size, epoch_seconds=statistics.median(seconds))


def views(run):
    common = ["--model", "vgg11", "--data", "cifar10", "--train-limit", 10000, "--augment"]
    for name, extra in {"views": ["--views", 4, "--store", "memory"], "random": ["--store", "none"]}.items():
        summaries = [events(run(*common, *extra, seed=seed, policy="learn_and_drop"), "summary")[0]
                     for seed in range(run.options.seeds)]
        tell("views", mode=name, accuracies=[each["test_accuracy"] for each in summaries],
             forward_flops_saved=[each["forward_flops_saved"] for each in summaries])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    measurements = {each.__name__: each for each in (readahead, plan, filling, encodings, views)}
    parser.add_argument("program")
    parser.add_argument("what", nargs="+", choices=measurements)
    parser.add_argument("--data-dir")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--images", type=int, default=10000, help="of readahead, filling and encodings to train on")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--disk", default="/var/tmp")
    options = parser.parse_args()
    for what in options.what:
        measurements[what](runner(options))


main()
