#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs frostline-train with every feature store: the same results wherever the outputs lie, also where the disk is
full; nothing left on the disk by a program that is killed; costs that repeat a run's decisions; views of random images.
Usage: stores_test.py FROSTLINE_TRAIN"""

import json
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from small_set import small_set, write_set
from tool_under_test import ToolUnderTest

EPOCHS = 5
FREEZE = "linear:start=0.2,end=0.2,share=0.5"

tool = ToolUnderTest(sys.argv[1])
check = tool.check


def command(data, record, *more):
    return [str(part) for part in (
        tool.path, "--model", "lenet5", "--data", "mnist", "--data-dir", data, "--batch-size", 32, "--epochs", EPOCHS,
        "--threads", 1, "--quiet", "--policy", FREEZE, "--record", record, *more)]


def lines_of(record):
    return [json.loads(line) for line in record.read_text().splitlines()]


def whole_lines(record):
    """Of a record that is still being written: its last line may be half there."""
    text = record.read_text() if record.exists() else ""
    return [json.loads(line) for line in text[:text.rfind("\n") + 1].splitlines()]


def until(condition, process):
    """Whether `condition` came to hold while the process ran, within a minute."""
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        if condition():
            return True
        time.sleep(0.05)
    return False


def events(lines, name):
    return [line for line in lines if line["event"] == name]


def run(what, data, record, *more, **options):
    finished = subprocess.run(command(data, record, *more), capture_output=True, text=True, timeout=300,
                              check=False, **options)
    check(finished.returncode == 0, f"{what}: exit code", finished.returncode, finished.stderr)
    return lines_of(record), finished.stderr


def results(lines):
    """All that depends on the weights."""
    return [(epoch["train_loss"], epoch["test_accuracy"]) for epoch in events(lines, "epoch")]


def eager(record):
    """Costs by which storing pays everywhere."""
    blocks = len(events(lines_of(record), "start")[0]["blocks"])
    costs = {"schema": 1, "event": "costs", "epoch": 0, "step": 0, "block_seconds": [1.0] * blocks,
             "row_bytes": [1] * blocks, "grows": True,
             "tiers": [{"name": "any", "budget": 1, "read_ahead": False, "write_bytes_per_second": 1e9,
                        "read_bytes_per_second": 1e9}]}
    path = record.with_suffix(".costs")
    path.write_text(json.dumps(costs) + "\n")
    return path


def every_store(data, folder):
    record, disk = folder / "run.jsonl", folder / "disk"
    disk.mkdir()
    without, _ = run("no store", data, record, "--store", "none")
    check(events(without, "epoch")[-1]["frozen"] > 0, "blocks freeze")
    one = eager(record)
    for what, *more in (("memory", "--store", "memory", "--plan-costs", one),
                        ("a little memory", "--store", "memory", "--store-budget", "500kB", "--plan-costs", one),
                        ("disk", "--store", f"disk:{disk}", "--plan-costs", one),
                        ("a little disk", "--store", f"disk:{disk}", "--store-budget", "500kB", "--plan-costs", one)):
        lines, errors = run(what, data, record, *more)
        check(results(lines) == results(without), f"{what}: the same results", results(lines), results(without))
        check(events(lines, "epoch")[-1]["dropped"] > 0, f"{what}: blocks are dropped")
        check(not errors, f"{what}: says nothing", errors)
    check(not list(disk.iterdir()), "nothing is left on the disk")

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    lines, errors = run("full disk", data, record, "--store", f"disk:{disk}", "--plan-costs", one, preexec_fn=limit)
    check(results(lines) == results(without), "full disk: the same results")
    check(len(events(lines, "store_failed")) == 1, "full disk: the record says so once")
    check(errors.count("\n") == 1 and "lost rows, which are computed again: File too large" in errors,
          "full disk: it says so once", errors)


def costs_repeat(data, folder):
    first, again = folder / "first.jsonl", folder / "again.jsonl"
    measured, _ = run("measured", data, first)
    check(len(events(measured, "costs")) == 1, "costs are recorded once")
    check(all(freeze["options"] for freeze in events(measured, "freeze")), "options are recorded")
    repeated, _ = run("repeated", data, again, "--plan-costs", first)
    check(events(measured, "costs")[0]["block_seconds"] == events(repeated, "costs")[0]["block_seconds"],
          "the costs are the given ones")
    decisions = [[(line["epoch"], line["frozen"], line["dropped"]) for line in events(lines, "freeze")]
                 for lines in (measured, repeated)]
    check(decisions[0] == decisions[1], "the same costs, the same decisions", *decisions)


def views(data, folder):
    record = folder / "views.jsonl"
    without, _ = run("views, recomputed", data, record, "--augment", "--views", 2, "--store", "none")
    lines, _ = run("views", data, record, "--augment", "--views", 2, "--store", "memory",
                   "--plan-costs", eager(record))
    check(events(lines, "epoch")[-1]["dropped"] > 0, "views: blocks are dropped")
    check(results(lines) == results(without), "views: the same results")
    check(events(lines, "start")[0]["views"] == 2, "views: the record tells them")
    stored = ("--store", "memory", "--plan-costs", eager(record))
    exact, _ = run("exact", data, record, *stored)
    for encoding in ("bfloat16", "uint8"):
        lines, _ = run(encoding, data, record, *stored, "--store-encoding", encoding)
        check(events(lines, "epoch")[-1]["dropped"] > 0, f"{encoding}: blocks are dropped")
        check(results(lines) != results(exact), f"{encoding}: what is stored is not exact")


def killed(data, folder):
    disk, costs_of, record = folder / "killed", folder / "costs.jsonl", folder / "killed.jsonl"
    disk.mkdir()
    run("costs of a killed run", data, costs_of, "--store", "none")
    costs = eager(costs_of)
    epochs = 100_000
    with subprocess.Popen(command(data, record, "--store", f"disk:{disk}", "--plan-costs", costs, "--epochs", epochs,
                                  "--policy", f"linear:start={1 / epochs},end={1 / epochs},share=0.5")) as process:
        try:
            stored = until(lambda: any(line.get("store_bytes", 0) > 0 for line in whole_lines(record)), process)
            check(stored, "a store is on the disk when the program is killed")
            check(not list(disk.iterdir()), "the files of a store have no name")
        finally:
            process.send_signal(signal.SIGKILL)
    check(process.returncode == -signal.SIGKILL, "it ran until it was killed")
    check(not list(disk.iterdir()), "a killed program leaves nothing on the disk")


def main():
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        data = write_set(folder / "mnist", small_set(training_images=512))
        every_store(data, folder)
        costs_repeat(data, folder)
        views(data, folder)
        killed(data, folder)
    return tool.exit_code()


if __name__ == "__main__":
    sys.exit(main())
