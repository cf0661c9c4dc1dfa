#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""frostline-train under mpirun: two runs give the same bits; a process that is killed at a random moment ends the others,
and the run goes on from its checkpoint to the bits it would have had; another number of processes goes on nearly the
same; what only one process cannot do ends all of them with a sentence.
Usage: mpirun_test.py FROSTLINE_TRAIN MPIRUN [ARGUMENT...]"""

import array
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

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "command_line"))

from small_set import small_set, write_set  # noqa: E402
from tool_under_test import ToolUnderTest  # noqa: E402

tool = ToolUnderTest(sys.argv[1])
launcher = sys.argv[2:]
moments = random.Random(5)
EPOCHS = 6
STEPS = 34 * EPOCHS
KILLS = 10
SECONDS_TO_END = 30
FREEZE = "linear:start=0.2,end=0.6,share=0.8"
TIMES = {"seconds", "evaluation_seconds", "peak_memory_bytes"}


def words(*parts):
    return [str(part) for part in parts]


def start(processes, *arguments):
    return subprocess.Popen(words(*launcher, "-n", processes, tool.path, *arguments), stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def finish(what, processes, *arguments):
    process = start(processes, *arguments)
    output, _ = process.communicate(timeout=300)
    tool.check(process.returncode == 0, f"{what}: finishes", process.returncode, output)


def started_by(pid):
    """The processes that train."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        name, state, parent = status(folder.name)
        if name == tool.path.name[:15] and parent == pid and state != "Z":
            found.append(int(folder.name))
    return found


def status(pid):
    """Name, state and parent of a process; nothing where there is none."""
    try:
        before, after = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)
    except OSError:
        return None, None, None
    state, parent = after.split()[:2]
    return before.split("(", 1)[1], state, int(parent)


def is_alive(pid):
    return status(pid)[1] not in (None, "Z")


def newest_step(folder):
    """Of the checkpoints."""
    return max((int(path.stem.split("-")[1]) for path in folder.glob("step-*.safetensors")), default=0)


def events(record):
    lines = [json.loads(line) for line in record.read_text().splitlines()]
    return [{key: value for key, value in line.items() if key not in TIMES} for line in lines
            if line["event"] in {"start", "epoch", "decision", "freeze", "summary"}]


def values(weights):
    """All numbers of a safetensors file of float32."""
    content = weights.read_bytes()
    begin = 8 + int.from_bytes(content[:8], "little")
    found = array.array("f")
    found.frombytes(content[begin:])
    return found


def apart(left, right):
    return max(abs(a - b) for a, b in zip(values(left), values(right), strict=True))


class Run:
    def __init__(self, folder, data, *more):
        folder.mkdir()
        self.folder, self.record = folder, folder / "run.jsonl"
        self.weights, self.saved = folder / "weights", folder / "saved"
        self.arguments = ["--model", "lenet5", "--data", "mnist", "--data-dir", data, "--batch-size", 60, "--epochs",
                          EPOCHS,
                          "--threads", 1, "--quiet", "--store", "memory", "--shards", 4, "--policy", FREEZE, "--record",
                          self.record, "--save", self.weights, *more]

    def resuming(self, every):
        return *self.arguments, "--checkpoint", self.saved, "--checkpoint-every", every, "--resume"


def killed(folder, data):
    whole, again, cut = (Run(folder / name, data, "--store", "none") for name in ("whole", "again", "cut"))
    finish("a whole run", 2, *whole.arguments)
    finish("a second run", 2, *again.arguments)
    tool.check(whole.weights.read_bytes() == again.weights.read_bytes(), "two runs give the same bits")
    late = hung = 0
    slowest = 0
    for number in range(KILLS):
        process = start(2, *cut.resuming("7steps"))
        # Not so far on that the run ends before the kill.
        until = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < until and (
                len(started_by(process.pid)) < 2 or newest_step(cut.saved) < STEPS * number / (2 * KILLS)):
            time.sleep(0.01)
        time.sleep(moments.uniform(0, 0.3))
        ranks = started_by(process.pid)
        if len(ranks) < 2:
            late += 1
            process.communicate(timeout=60)
            shutil.rmtree(cut.folder)  # it has finished: the next begins anew
            cut.folder.mkdir()
            continue
        os.kill(moments.choice(ranks), signal.SIGKILL)
        begun = time.monotonic()
        while any(map(is_alive, ranks)) and time.monotonic() - begun < SECONDS_TO_END:
            time.sleep(0.02)
        slowest = max(slowest, time.monotonic() - begun)
        tool.check(not any(map(is_alive, ranks)), f"kill {number}: the others end in {SECONDS_TO_END} s")
        try:
            output, _ = process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            # When all processes are gone, Open MPI's mpirun now and then locks itself out in PMIx_server_finalize.
            hung += 1
            process.kill()
            process.communicate()
            continue
        tool.check(process.returncode != 0 and "signal 9" in output, f"kill {number}: a message", output)
    print(f"{KILLS} kills, {late} of them too late; the slowest end took {slowest:.1f} s; mpirun hung {hung} times")
    tool.check(late + hung <= KILLS // 2, "most kills are in time, and told", late, hung)
    finish("what was killed, resumed", 2, *cut.resuming("7steps"))
    tool.check(cut.weights.read_bytes() == whole.weights.read_bytes(), "what was killed gives the same weights")
    expected, found = events(whole.record), events(cut.record)
    tool.check(found == expected, "what was killed gives the same record",
               *(line for line in found if line not in expected))


def signalled(folder, data):
    """A signal to any of the processes ends all of them behind a step, with a checkpoint."""
    whole, cut = (Run(folder / name, data, "--store", "none") for name in ("unsignalled", "signalled"))
    finish("a run that no signal ends", 2, *whole.arguments)
    process = start(2, *cut.resuming("7steps"))
    until = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < until and newest_step(cut.saved) < 7:
        time.sleep(0.01)
    os.kill(max(started_by(process.pid)), signal.SIGTERM)
    process.communicate(timeout=SECONDS_TO_END)
    tool.check(7 <= newest_step(cut.saved) < STEPS, "a signal to the last process ends the run", newest_step(cut.saved))
    finish("what a signal ended, resumed", 2, *cut.resuming("7steps"))
    tool.check(cut.weights.read_bytes() == whole.weights.read_bytes(), "what a signal ended gives the same weights")


def another_number(folder, data):
    run = Run(folder / "two", data)
    finish("two processes", 2, *run.resuming("1epochs"))
    newest = sorted(run.saved.iterdir())
    result = run.folder / "of_two"
    run.weights.rename(result)
    for count in (4, 1):
        for path in sorted(run.saved.iterdir())[1:]:
            path.unlink()
        finish(f"{count} processes go on", count, *run.resuming("1000epochs"))
        far = apart(result, run.weights)
        tool.check(0 < far < 1e-3, f"{count} processes go on to nearly the same weights", far)
    tool.check(len(newest) == 3, "three checkpoints are kept", newest)


def weights_of_the_first(folder, data):
    """The first process reads the file of --weights and gives the others what is in it; who goes on from a checkpoint
    needs it no more."""
    here, elsewhere = folder / "here", folder / "elsewhere"
    elsewhere.mkdir()
    trained = Run(here, data)
    finish("weights to start from", 2, *trained.arguments)
    trained.weights.rename(here / "first")
    run = Run(folder / "started", data, "--weights", "first")

    def works(what):
        command = [*launcher]
        for number, place in enumerate((here, elsewhere)):
            command += [*([":"] if number else []), "-n", 1, "-wdir", place, tool.path, *run.resuming("1epochs")]
        process = subprocess.run(words(*command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, text=True, timeout=300, check=False)
        tool.check(process.returncode == 0, f"{what}: finishes", process.stdout)
        return run.weights.read_bytes()

    whole = works("with the file of --weights in the first process only")
    (here / "first").unlink()
    for path in sorted(run.saved.iterdir())[1:]:
        path.unlink()
    tool.check(works("resumed without it") == whole, "resumed without the file of --weights gives the same weights")


def refused(folder, data):
    run = Run(folder / "refused", data)

    def ends(what, phrase, *groups):
        command = [*launcher]
        for number, (processes, more) in enumerate(groups):
            command += [*([":"] if number else []), "-n", processes, tool.path, *run.arguments, *more]
        process = subprocess.run(words(*command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
        tool.check(process.returncode != 0 and phrase in process.stdout, f"{what}: says {phrase!r}", process.stdout)
        return process.stdout

    output = ends("shards", "the number of shards is 3, expected a multiple of 2", (2, ["--shards", 3]))
    tool.check(output.count("number of shards") == 1, "what all find is told once", output)
    for more in (["--seed", 8], ["--compare"], ["--evaluate-every", 2], ["--classes", "5-9"], ["--help"]):
        ends(f"one with {more}", "the command lines differ between the processes of the run", (1, []), (1, more))
    ends("one with a wrong option", "--nonsense", (1, []), (1, ["--nonsense"]))
    ends("no data", "frostline-train: process 1 of 2: ", (1, []), (1, ["--data-dir", folder / "nowhere"]))
    ends("no such option", "--nonsense", (2, ["--nonsense"]))


def main():
    with tempfile.TemporaryDirectory(prefix="frostline_mpirun_") as name:
        folder = Path(name)
        data = write_set(folder / "mnist", small_set())
        killed(folder, data)
        signalled(folder, data)
        another_number(folder, data)
        weights_of_the_first(folder, data)
        refused(folder, data)
    return tool.exit_code()


if __name__ == "__main__":
    sys.exit(main())
