#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Kills frostline-train at random moments and resumes it: the same weights and the same record as without a break,
with every kind of run; damaged checkpoints and those of another run are refused in one line.
Usage: resume_test.py FROSTLINE_TRAIN [KILLS]

KILLS, or the environment's FROSTLINE_KILLS, is how many kills have to hit each kind of run, 3 if not given."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from small_set import small_set, write_set
from tool_under_test import ToolUnderTest

tool = ToolUnderTest(sys.argv[1])
kills = int(sys.argv[2] if len(sys.argv) > 2 else os.environ.get("FROSTLINE_KILLS", 3))
moments = random.Random(11)
EPOCHS = 4
FREEZE = "linear:start=0.2,end=0.6,share=0.8"
# What differs from run to run.
TIMES = {"seconds", "evaluation_seconds", "peak_memory_bytes", "time_ratio"}


def events(record, wanted):
    lines = [json.loads(line) for line in record.read_text().splitlines()]
    return [{key: value for key, value in line.items() if key not in TIMES} for line in lines
            if line["event"] in wanted]


def costs_file(folder, data):
    """Costs by which storing pays everywhere, so that blocks are dropped as soon as they are frozen."""
    record = folder / "for_costs.jsonl"
    tool.run("--summary", "--model", "lenet5", "--data", "mnist", "--data-dir", data, "--record", record, "--quiet")
    blocks = sum(json.loads(line)["event"] == "block" for line in record.read_text().splitlines())
    one = {"name": "any", "budget": 1, "read_ahead": False, "write_bytes_per_second": 1e9,
           "read_bytes_per_second": 1e9}
    costs = {"schema": 1, "event": "costs", "epoch": 0, "step": 0, "block_seconds": [1.0] * blocks,
             "row_bytes": [1] * blocks, "grows": True, "tiers": [one]}
    path = folder / "costs.jsonl"
    path.write_text(json.dumps(costs) + "\n")
    return path


class Run:
    """A command line with everything that it writes in a folder of its own."""

    def __init__(self, folder, data, *more):
        self.folder = folder
        folder.mkdir()
        self.record, self.weights, self.saved = folder / "run.jsonl", folder / "weights", folder / "saved"
        self.arguments = ["--model", "lenet5", "--data", "mnist", "--data-dir", data, "--batch-size", 50, "--epochs",
                          EPOCHS, "--threads", 1, "--quiet", "--record", self.record, "--save", self.weights, *more]

    def start(self, *more):
        return subprocess.Popen([str(part) for part in (tool.path, *self.arguments, *more)],
                                stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def finish(self, what, *more):
        status, _, errors = tool.run(*self.arguments, *more)
        tool.check(status == 0 and not errors, f"{what}: finishes", status, errors)

    def is_training(self):
        return self.record.exists() and '"event":"start"' in self.record.read_text()

    def written(self):
        """What changes as soon as it goes on."""
        def time_of(path):
            try:
                return path.stat().st_mtime_ns
            except FileNotFoundError:  # it has just been removed for a newer one
                return None
        return [(path, time_of(path)) for path in [self.record, *sorted(self.saved.rglob("*.safetensors"))]]

    def saving(self, every):
        return "--checkpoint", self.saved, "--checkpoint-every", every


def timed(run, what, *more):
    """Seconds from the start of the program until training begins, and until it has ended."""
    begun = time.monotonic()
    process = run.start(*more)
    training = None
    while process.poll() is None and training is None:
        if run.is_training():
            training = time.monotonic() - begun
        time.sleep(0.002)
    _, errors = process.communicate(timeout=300)
    seconds = time.monotonic() - begun
    tool.check(process.returncode == 0 and not errors, f"{what}: finishes", process.returncode, errors)
    return min(training or seconds, seconds), seconds


def killed_and_resumed(folder, data, what, every, *more):
    whole = Run(folder / f"{what}-whole", data, *more)
    whole.finish(f"{what}, whole")
    cut = Run(folder / f"{what}-cut", data, *more)
    begins, ends = timed(cut, f"{what}, timed", *cut.saving(every))

    def check_finished():
        tool.check(cut.weights.read_bytes() == whole.weights.read_bytes(), f"{what}: the same weights")
        wanted = {"start", "epoch", "decision", "freeze", "summary", "comparison"}
        expected, found = events(whole.record, wanted), events(cut.record, wanted)
        tool.check(found == expected, f"{what}: the same record", *(line for line in found if line not in expected))
        tool.check(not list(cut.folder.rglob("*.part")), f"{what}: no half files are left")

    def begin_anew():
        shutil.rmtree(cut.folder)
        cut.folder.mkdir()

    check_finished()
    begin_anew()
    # Each kill hits a run that trains. One that comes too late does not count: the run has finished, and the next begins
    # from the start.
    hits = attempts = runs = 0
    while hits < kills and attempts < 10 + 4 * kills:
        attempts += 1
        before = cut.written()
        process = cut.start(*cut.saving(every), "--resume")
        end = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < end and not (
                cut.is_training() and cut.written() != before):
            time.sleep(0.002)
        time.sleep(moments.uniform(0, 0.5) * (ends - begins))
        process.send_signal(signal.SIGKILL)
        _, errors = process.communicate()
        tool.check(not errors, f"{what}: kill {attempts} leaves nothing said", errors)
        if process.returncode == -signal.SIGKILL:
            hits += 1
        else:
            runs += 1
            check_finished()
            begin_anew()
    tool.check(hits >= kills, f"{what}: {kills} kills hit", f"{hits} of {attempts} did, in a run of {ends:.2f} s")
    cut.finish(f"{what}, resumed", *cut.saving(every), "--resume")
    check_finished()
    print(f"{what}: {hits} of {attempts} kills hit {runs + 1} runs, {ends:.1f} s a whole one")
    return whole


def signalled(folder, data, number, whole, quiet):
    what = f"{number.name}, quiet" if quiet else number.name
    run = Run(folder / what, data, "--policy", "never")
    if not quiet:
        run.arguments.remove("--quiet")
    process = run.start(*run.saving("1000epochs"))
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline and not (
            run.record.exists() and '"event":"epoch"' in run.record.read_text()):
        time.sleep(0.005)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    left = list(run.saved.iterdir())
    tool.check(len(left) == 1, f"{what}: leaves a checkpoint")
    if quiet:
        tool.check(process.returncode in (0, 130) and not errors, f"{what}: ends", process.returncode, errors)
        run.finish(f"{what}, resumed", *run.saving("1000epochs"), "--resume")
        tool.check(run.weights.read_bytes() == whole.weights.read_bytes(), f"{what}: the same weights")
    else:
        told = f"interrupted, --resume goes on from {left[0]}\n" in errors
        tool.check(process.returncode in (0, 130) and told == (process.returncode == 130),
                   f"{what}: names the checkpoint", process.returncode, errors)


def damaged(folder, data, whole):
    run = Run(folder / "damaged", data, "--policy", "never")
    saving = run.saving("1epochs")
    run.finish("before the damage", *saving)
    names = sorted(path.name for path in run.saved.iterdir())
    tool.check(names == [f"step-{40 * epoch:012}.safetensors" for epoch in (2, 3, 4)], "the last three are kept", names)
    newest = run.saved / names[-1]

    def refused(what, phrase, *more):
        tool.refused(what, phrase, *run.arguments, *more)

    refused("a folder that is used", f"{newest} is a checkpoint of an earlier run: --resume goes on from it", *saving)
    refused("another seed", f"{newest}: the seed of its run is 0, but of this run 1", *saving, "--resume", "--seed", 1)
    refused("another momentum", f"{newest}: the option momentum of its run is 0.9, but of this run 0.8", *saving,
            "--resume", "--momentum", 0.8)
    refused("another model", "the option model of its run is \"lenet5\", but of this run \"vgg11\"", *saving,
            "--resume", "--model", "vgg11")
    refused("no folder", "--checkpoint does not tell in which folder", "--resume")
    record = run.record.read_bytes()
    run.record.write_bytes(b"")
    refused("a record that is gone", "but had", *saving, "--resume")
    run.record.write_bytes(record)

    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 4
    newest.write_bytes(content)
    refused("a flipped bit", f"{newest}: is damaged, cut off or no checkpoint", *saving, "--resume")
    refused("a flipped bit, and what to do", "; --resume-older goes on from the newest", *saving, "--resume")
    tool.check(run.record.read_bytes() == record, "what is refused leaves the record")
    run.weights.unlink()
    run.finish("an older checkpoint", *saving, "--resume-older")
    tool.check(run.weights.read_bytes() == whole.weights.read_bytes(), "an older checkpoint: the same weights")
    tool.check(events(run.record, {"epoch"}) == events(whole.record, {"epoch"}), "an older checkpoint: the same record")
    tool.refused("a count of no unit", "as 2epochs, 500steps or 10minutes", *run.arguments, *run.saving("3hours"),
                 code=2)


def main():
    with tempfile.TemporaryDirectory(prefix="frostline_resume_") as name:
        folder = Path(name)
        data = write_set(folder / "mnist", small_set())
        costs = costs_file(folder, data)
        whole = killed_and_resumed(folder, data, "plain", "7steps", "--policy", "never")
        killed_and_resumed(folder, data, "frozen", "1epochs", "--policy", FREEZE, "--store", "none")
        killed_and_resumed(folder, data, "memory", "7steps", "--policy", FREEZE, "--store", "memory", "--plan-costs",
                           costs)
        killed_and_resumed(folder, data, "disk", "11steps", "--policy", FREEZE, "--store", f"disk:{folder}",
                           "--plan-costs", costs)
        killed_and_resumed(folder, data, "compare", "15steps", "--policy", FREEZE, "--store", "memory",
                           "--plan-costs", costs, "--compare", "--decide-every", 15, "--scorer", "gradient_change")
        for number in (signal.SIGINT, signal.SIGTERM):
            signalled(folder, data, number, whole, quiet=True)
            signalled(folder, data, number, whole, quiet=False)
        damaged(folder, data, whole)
        shutil.rmtree(folder / "damaged")
    return tool.exit_code()


if __name__ == "__main__":
    # Inherited by what is started here, and a background job ignores it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(main())
