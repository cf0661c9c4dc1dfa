#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures what feature stores cost and save in whole runs of frostline-train, one line of JSON a result.

    stores.py FROSTLINE_TRAIN WHAT... [--data-dir DIR] [--epochs N] [--images N] [--seeds N] [--rounds N] [--disk DIR]

WHAT is one or more of
  readahead  VGG-16 dropped behind its second pooling: seconds an epoch from disk against from memory, while the system is
             told twice a second to forget what it has cached of the store
  plan       the plan against storing in memory at the frost line and against recomputing, on six workloads
  filling    the epoch that fills the store against the same epoch that only recomputes
  encodings  accuracy, bytes and seconds of float32, bfloat16 and uint8: VGG-11 on Fashion-MNIST, paired seeds
  views      ResNet-18 on CIFAR-10, 10,000 images: 4 views against random augmentation, recomputed; paired seeds
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

# Policy that freezes this share of the freezable blocks after a tenth of the run, and no more.
FREEZE = "linear:start={start},end={start},share={share}"

FEW_TESTED = ["--test-limit", 500]  # where accuracy is not asked for

WORKLOADS = {
    "vgg11-late": ["--model", "vgg11", "--train-limit", 10000, "--share", 0.6],
    "vgg16-second-pooling": ["--model", "vgg16", "--train-limit", 5000, "--share", 0.31],
    "resnet18-half": ["--model", "resnet18", "--train-limit", 2000, "--share", 0.5],
    "vgg11-small-budget": ["--model", "vgg11", "--train-limit", 10000, "--share", 0.4, "--store-budget", "20MB"],
    "resnet18-two-epochs-left": ["--model", "resnet18", "--train-limit", 1000, "--share", 0.3, "--start", 0.8,
                                 "--epochs", 10],
    "lenet5-first-block": ["--model", "lenet5", "--train-limit", 60000, "--share", 0.25],
}


class runner:
    def __init__(self, options):
        self.options = options
        self.images = ["--train-limit", options.images]

    def __call__(self, *arguments, share=0.5, start=0.1, seed=0, policy=None, beside=lambda process: None):
        """The lines of a run's record. `beside` is called with the process twice a second while it runs."""
        with tempfile.TemporaryDirectory() as folder:
            record = pathlib.Path(folder, "run.jsonl")
            command = [self.options.program, "--quiet", "--record", record, "--epochs", self.options.epochs,
                       "--evaluate-every", self.options.epochs, "--seed", seed, "--policy",
                       policy or FREEZE.format(start=start, share=share), *arguments]
            if self.options.data_dir:
                command += ["--data-dir", self.options.data_dir]
            with subprocess.Popen([str(part) for part in command]) as process:
                while process.poll() is None:
                    beside(process)
                    time.sleep(0.5)
            if process.returncode:
                raise SystemExit(f"frostline-train ended with {process.returncode}")
            return [json.loads(line) for line in record.read_text().splitlines()]

    def rounds(self):
        return range(self.options.rounds)


def events(lines, name):
    return [line for line in lines if line["event"] == name]


def epochs_behind_fill(lines):
    """Seconds of the epochs that only read."""
    dropped = [line for line in events(lines, "epoch") if line["dropped"] > 0]
    return [line["seconds"] for line in dropped[1:]]


def tell(what, **numbers):
    print(json.dumps({"what": what, **numbers}), flush=True)


def forced_costs(run, folder, arguments, share):
    """A file of costs by which the plan stores at the frost line whatever it costs."""
    lines = run(*arguments, "--store", "memory", "--epochs", 2, share=share, start=0.5)
    costs = events(lines, "costs")[-1]
    costs["block_seconds"] = [1.0] * len(costs["block_seconds"])
    path = pathlib.Path(folder, "forced.jsonl")
    path.write_text(json.dumps(costs) + "\n")
    return path


class cold_files:
    """Drops the page cache of the files without a name that a process has open in a folder, and counts its reads."""

    def __init__(self, folder):
        self.folder = os.path.realpath(folder)
        self.bytes_read = 0

    def __call__(self, process):
        try:
            for link in pathlib.Path(f"/proc/{process.pid}/fd").iterdir():
                target = os.readlink(link)
                if target.startswith(self.folder) and target.endswith("(deleted)"):
                    with open(link, "rb") as file:
                        os.fdatasync(file.fileno())
                        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            counts = pathlib.Path(f"/proc/{process.pid}/io").read_text().split()
            self.bytes_read = int(counts[counts.index("read_bytes:") + 1])
        except (FileNotFoundError, ProcessLookupError, ValueError):
            pass  # it has ended


def readahead(run):
    vgg16 = ["--model", "vgg16", *run.images, *FEW_TESTED]
    memory, disk = [], []
    for _ in run.rounds():
        memory += epochs_behind_fill(run(*vgg16, "--store", "memory", share=0.31))
        cold = cold_files(run.options.disk)
        lines = run(*vgg16, "--store", f"disk:{run.options.disk}", "--store-budget", "1TiB", share=0.31, beside=cold)
        disk += epochs_behind_fill(lines)
    tell("readahead", memory_seconds=statistics.median(memory), disk_seconds=statistics.median(disk),
         ratio=statistics.median(disk) / statistics.median(memory),
         store_bytes=max(line["store_bytes"] for line in events(lines, "epoch")), bytes_read_from_disk=cold.bytes_read,
         epochs_read=len(epochs_behind_fill(lines)))


def plan(run):
    for name, words in WORKLOADS.items():
        arguments, numbers = [*FEW_TESTED], {"share": 0.5, "start": 0.1}
        for option, value in zip(words[::2], words[1::2]):
            if option[2:] in numbers:
                numbers[option[2:]] = value
            else:
                arguments += [option, value]
        with tempfile.TemporaryDirectory() as folder:
            forced = forced_costs(run, folder, arguments, numbers["share"])
            choices = {
                "plan": ["--store", "auto"],
                "memory": ["--store", "memory", "--plan-costs", forced],
                "recompute": ["--store", "none"],
            }
            seconds, dropped = {choice: [] for choice in choices}, {}
            for _ in run.rounds():
                for choice, extra in choices.items():
                    lines = run(*arguments, *extra, **numbers)
                    seconds[choice].append(sum(line["seconds"] for line in events(lines, "epoch")))
                    dropped[choice] = events(lines, "epoch")[-1]["dropped"]
        medians = {choice: statistics.median(each) for choice, each in seconds.items()}
        tell("plan", workload=name, **medians, ratio=medians["plan"] / min(medians["memory"], medians["recompute"]),
             dropped=dropped, rounds=seconds)


def filling(run):
    for model in ("vgg11", "vgg16", "resnet18:stem=imagenet"):
        stores = {"none": "none", "memory": "memory", "disk": f"disk:{run.options.disk}"}
        seconds = {name: [] for name in stores}
        for _ in run.rounds():
            for name, store in stores.items():
                # Three epochs: all of it learns, then it fills, then it reads.
                _, fill, _ = events(run("--model", model, *run.images, *FEW_TESTED, "--store", store,
                                        "--store-budget", "1TiB", "--epochs", 3, start=0.3), "epoch")
                if (fill["dropped"] > 0) != (name != "none"):
                    raise SystemExit(f"{model}: the second epoch does not fill the store {name}")
                seconds[name].append(fill["seconds"])
        medians = {name: statistics.median(each) for name, each in seconds.items()}
        for name in ("memory", "disk"):
            tell("filling", model=model, store=name, filling_seconds=medians[name],
                 recomputing_seconds=medians["none"], ratio=medians[name] / medians["none"], rounds=seconds)


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
    common = ["--model", "resnet18:stem=imagenet", "--data", "cifar10", "--train-limit", 10000, "--augment"]
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
    parser.add_argument("--rounds", type=int, default=3, help="of readahead, plan and filling, whose medians are told")
    parser.add_argument("--disk", default="/var/tmp")
    options = parser.parse_args()
    for what in options.what:
        measurements[what](runner(options))


main()
