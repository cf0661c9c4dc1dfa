#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs frostline-train on generated data: bad input, which it has to refuse in one line with the reason and
without a record, a good run, and runs that are interrupted. Usage: bad_input_test.py FROSTLINE_TRAIN"""

import gzip
import json
import os
import resource
import signal
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from small_set import idx_images, idx_labels, small_set, write_set
from tool_under_test import Checks

PREFIX = "frostline-train: "
TRAIN_IMAGES, TRAIN_LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
TEST_IMAGES, TEST_LABELS = "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"

program = Path(sys.argv[1]).resolve()
checks = Checks()
check = checks.check

GOOD = small_set(training_images=512, test_images=128)
train_labels = [index % 10 for index in range(512)]


def write_changed(folder, changed={}):
    """A good set in `folder`, with the files of `changed` (None: without)."""
    files = {**GOOD, **changed}
    return write_set(folder, {name: content for name, content in files.items() if content is not None})


def start(*arguments, **options):
    environment = {name: value for name, value in os.environ.items() if name != "FROSTLINE_DATA"}
    return subprocess.Popen([program, *map(str, arguments)], stdin=subprocess.DEVNULL, text=True,
                            env=environment,
                            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options})


def run(*arguments, **options):
    process = start(*arguments, **options)
    output, errors = process.communicate(timeout=300)
    return process.returncode, output, errors


def refused(what, phrase, *arguments, record=None, code=None, **options):
    status, _, errors = run(*arguments, **options)
    lines = errors.splitlines()
    check(status > 0 and code in (None, status), f"{what}: exit code", status, errors)
    check(len(lines) == 1 and lines[0].startswith(PREFIX) and errors.endswith("\n"),
          f"{what}: one line", errors)
    check(phrase in errors, f"{what}: says {phrase!r}", errors)
    if record:
        check(not record.exists(), f"{what}: leaves no record")


def lines_of(record):
    text = record.read_text()
    check(text.endswith("\n"), f"{record.name} ends with a whole line")
    return [json.loads(line) for line in text.splitlines()]


def tiny(data, record, *more):
    return ["--model", "lenet5", "--data", "mnist", "--data-dir", data, "--train-limit", 256,
            "--test-limit", 64, "--batch-size", 32, "--epochs", 2, "--threads", 1, "--quiet",
            "--record", record, *more]


def bad_command_lines(folder, data):
    record = folder / "refused.jsonl"

    def bad(what, phrase, *more, code=None):
        refused(what, phrase, *tiny(data, record, *more), record=record, code=code)

    at_least_1 = "expected a whole number of at least 1, found "
    bad("negative epochs", f'--epochs: {at_least_1}"-1"', "--epochs", "-1", code=2)
    bad("negative epochs after =", f'--epochs: {at_least_1}"-1"', "--epochs=-1", code=2)
    bad("no epochs", f'--epochs: {at_least_1}"0"', "--epochs", 0, code=2)
    bad("empty epochs", f'--epochs: {at_least_1}""', "--epochs", "", code=2)
    bad("half an epoch", f'--epochs: {at_least_1}"1.5"', "--epochs", "1.5", code=2)
    bad("too many samples", 'found "99999999999999999999"', "--train-limit", "99999999999999999999", code=2)
    bad("forgotten number", f'--batch-size: {at_least_1}"--quiet"', "--batch-size", "--quiet", code=2)
    bad("negative limit", '--test-limit: expected a whole number of at least 0, found "-5"',
        "--test-limit", "-5", code=2)
    bad("no threads", f'--threads: {at_least_1}"0"', "--threads", 0, code=2)
    bad("too many threads", "a whole number of at most 256", "--threads", 257, code=2)
    bad("negative rate", '--lr: expected a finite number of at least 0, found "-0.1"', "--lr", "-0.1", code=2)
    bad("rate nan", 'found "nan"', "--lr", "nan", code=2)
    bad("rate inf", 'found "inf"', "--lr", "inf", code=2)
    bad("momentum of 1", "momentum must be in [0, 1)", "--momentum", 1)
    bad("label smoothing above 1", "expected a number from 0 to 1", "--label-smoothing", 2, code=2)
    bad("unknown unit", "as 4GiB or 500MB", "--store-budget", "4 bananas", code=2)
    bad("budget beyond all", "as 4GiB or 500MB", "--store-budget", "99999999999GiB", code=2)
    bad("unknown store", "expected memory, disk, disk:DIR, auto or none", "--store", "tape", code=2)
    bad("store without folder", "expected memory, disk, disk:DIR, auto or none", "--store", "disk:", code=2)
    bad("store in no folder", "cannot make a temporary file in the folder /no/such", "--store", "disk:/no/such")
    bad("unknown encoding", "expected float32, bfloat16 or uint8", "--store-encoding", "int4", code=2)
    bad("views of nothing random", "--augment is not there", "--views", 4)
    bad("negative views", "expected a whole number", "--augment", "--views", "-1", code=2)
    bad("store of random images", "expected --views", "--augment", "--store", "memory")
    bad("checkpoints every so often nowhere", "--checkpoint-every requires --checkpoint", "--checkpoint-every", 2, code=2)
    bad("checkpoints kept nowhere", "--checkpoint-keep requires --checkpoint", "--checkpoint-keep", 2, code=2)
    bad("a summary of files", "--summary excludes --verify", "--verify", "--summary", code=2)
    bad("a summary of a class twice", "names a class twice", "--summary", "--classes", "0,0")
    bad("costs without file", "cannot read the record", "--plan-costs", folder / "none.jsonl")
    bad("unknown option", "--frozen", "--frozen", 3, code=2)
    bad("value missing at the end", "--epochs", "--epochs", code=2)
    bad("empty model", "--model: expected a model", "--model", "", code=2)
    bad("unknown model", "resnet", "--model", "resnet")
    bad("unknown data set", 'no data set named "kmnist"', "--data", "kmnist")
    bad("unknown policy", 'no policy "melt"', "--policy", "melt")
    bad("unknown key", "melting", "--policy", "learn_and_drop:melting=1")
    bad("key out of range", "warm_up", "--policy", "learn_and_drop:warm_up=-1")
    bad("unknown scorer", 'no scorer "melt"', "--scorer", "melt")
    bad("unknown key of a scorer", "melting", "--scorer", "linear_cka:melting=1")
    bad("unknown word of a scorer", "relative_l2 or mean_l1", "--scorer", "weight_change:measure=l3")
    bad("unknown other scorer", 'no scorer "melt"', "--also-score", "melt")
    refused("other scorers without a record", "--record does not tell", *tiny(data, record)[:-2], "--also-score", "svcca",
            record=record)
    bad("unknown schedule", 'no schedule "zigzag"', "--schedule", "zigzag")
    bad("names of several lines", "no policy", "--policy", "two\nlines")
    bad("comparison with itself", "--compare", "--policy", "never", "--compare")
    bad("batch larger than the set", "the batch size is 257", "--batch-size", 257)
    bad("all held out", "validation", "--validation", 1)
    bad("rate that diverges", "diverged", "--lr", "1e30")
    bad("rate that diverges with the last step", "after its update a weight of block", "--lr", "1e39",
        "--epochs", 1, "--batch-size", 256)
    bad("size for images that have one", "--image-size is for imagenette", "--image-size", 64)
    # Told without the data, which is not there.
    for what, phrase, *more in (("model", "no model", "--model", "alexnet"),
                                ("schedule", "no schedule", "--schedule", "zigzag"),
                                ("momentum", "momentum must be", "--momentum", 1)):
        bad(f"{what} before the data", phrase, *more, "--data-dir", folder / "none")

    refused("forgotten record", '--record: expected a file, found "--quiet"', "--record", "--quiet", code=2)
    refused("record without folder", "there is no folder", *tiny(data, folder / "none" / "run.jsonl"))
    refused("record that is a folder", "Is a directory", *tiny(data, data))
    notes = folder / "notes"
    notes.write_text("not to be lost\n")
    refused("record over something else", "it is there and no record", *tiny(data, notes))
    check(notes.read_text() == "not to be lost\n", "what is no record is left alone")
    refused("record below a file", "Not a directory", *tiny(data, notes / "run.jsonl"))
    old = folder / "old.jsonl"
    old.write_text('{"schema":1,"event":"run"}\n')
    refused("rate that diverges, over an old record", "diverged", *tiny(data, old, "--lr", "1e30"))
    check(old.read_text() == '{"schema":1,"event":"run"}\n',
          "a run that diverges at once leaves the old record")
    if os.path.exists("/dev/full"):
        refused("full disk", "No space left", *tiny(data, "/dev/full"))
        with open("/dev/full", "w") as full:
            refused("list to a full disk", "cannot write to standard output", "--list", stdout=full)


def bad_data(folder):
    def bad(what, phrase, changed):
        data = write_changed(folder / what.replace(" ", "-"), changed)
        record = folder / "refused.jsonl"
        refused(what, phrase, *tiny(data, record), record=record)

    good = GOOD[TRAIN_IMAGES]
    compressed = gzip.compress(good)
    bad("no bytes", "found 0 of its 4 bytes", {TRAIN_IMAGES: b""})
    bad("header cut", "ends inside the field", {TRAIN_IMAGES: good[:10]})
    bad("pixels cut", "bytes of data that its header promises", {TRAIN_IMAGES: good[:-100]})
    bad("pixels over", "goes on after", {TRAIN_IMAGES: good + b"x"})
    bad("labels for images", "the field magic", {TRAIN_IMAGES: GOOD[TRAIN_LABELS]})
    bad("images for labels", "the field magic", {TEST_LABELS: GOOD[TEST_IMAGES]})
    bad("empty set", "expected at least 1", {TRAIN_IMAGES: struct.pack(">4I", 0x803, 0, 28, 28)})
    bad("larger than memory", "larger than any memory",
        {TRAIN_IMAGES: struct.pack(">4I", 0x803, 2**32 - 1, 2**32 - 1, 2**32 - 1)})
    bad("fewer labels", "the field samples is 511", {TRAIN_LABELS: idx_labels(train_labels[:-1])})
    bad("label 10", "label 3 is 10", {TRAIN_LABELS: idx_labels([0, 1, 2, 10] + train_labels[4:])})
    bad("compressed and cut", "cannot be read (unexpected end of file)",
        {TRAIN_IMAGES: None, TRAIN_IMAGES + ".gz": compressed[: len(compressed) // 2]})
    corrupt = bytearray(compressed)
    corrupt[len(corrupt) // 2] ^= 0xFF
    bad("compressed and corrupt", "train-images-idx3-ubyte.gz: ",
        {TRAIN_IMAGES: None, TRAIN_IMAGES + ".gz": bytes(corrupt)})
    bad("no labels", "expected the file train-labels-idx1-ubyte or the same with .gz", {TRAIN_LABELS: None})
    bad("no test part", "expected the file t10k-images-idx3-ubyte or the same with .gz", {TEST_IMAGES: None})
    bad("test part of another size", "the test set has", {TEST_IMAGES: idx_images(train_labels[:128], 32)})
    (folder / "bare").mkdir()
    for what in ("bare", "missing"):
        record = folder / "refused.jsonl"
        refused(f"folder {what}", f"looked in: {folder / what}", *tiny(folder / what, record), record=record)
        refused(f"folder {what}, set of the system", f"looked in: {folder / what}",
                *tiny(folder / what, record, "--data", "fashion-mnist"), record=record)


def pipes(folder):
    """Nobody writes to them: who opened one to read it would wait for ever."""
    for name in GOOD:
        data = write_changed(folder / f"pipe-{name}", {name: None})
        os.mkfifo(data / name)
        refused(f"pipe {name}", "is a pipe, a socket or a device, expected a regular file",
                *tiny(data, folder / "refused.jsonl"), record=folder / "refused.jsonl")


def little_memory(folder):
    """Data that do not fit are what is told to lack memory, not training."""
    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))

    if run("--version", preexec_fn=limit)[0] != 0:
        print("SKIPPED in part: this build does not start with 1 GiB of memory (sanitizers do not)")
        return
    count = 1_000_000
    header = struct.pack(">4I", 0x803, count, 28, 28)
    large = gzip.compress(header + bytes(count * 28 * 28), compresslevel=1)
    data = write_changed(folder / "large", {TRAIN_IMAGES: None, TRAIN_IMAGES + ".gz": large})
    refused("little memory", "there is not enough memory to load the training part of mnist",
            *tiny(data, folder / "refused.jsonl"), record=folder / "refused.jsonl", preexec_fn=limit)


def summary_without_data(folder):
    for name in ("mnist", "cifar10"):
        status, output, errors = run("--summary", "--model", "vgg11", "--data", name, "--data-dir", folder / "none")
        check(status == 0 and errors == "" and output.count("\n") > 11, f"summary of {name} without data", status,
              output, errors)
    refused("summary of unknown classes", "the data set imagenette was not found", "--summary", "--data",
            "imagenette", "--data-dir", folder / "none")


def progress_without_terminal(folder, data):
    status, output, errors = run(*(word for word in tiny(data, folder / "loud.jsonl") if word != "--quiet"))
    lines = errors.splitlines()
    check(status == 0 and len(lines) == 2 and all(line.startswith("learn_and_drop  epoch ") for line in lines),
          "a line for each epoch where there is no terminal", status, output, errors)


def good_run(folder, data):
    record = folder / "good.jsonl"
    record.write_text('{"schema":1,"event":"run"}\n')
    status, _, errors = run(*tiny(data, record, "--compare", "--policy", "linear:start=0,end=0.5"))
    check(status == 0 and errors == "", "a good run", status, errors)
    lines = lines_of(record)
    for policy, part in (("never", lines[:7]), ("linear", lines[7:-1])):
        events = [line["event"] for line in part if line["event"] not in ("freeze", "costs")]
        check(events == ["run", "start", "epoch", "decision", "epoch", "decision", "summary"],
              f"events of {policy}", events)
        check(part[0]["policy"] == part[-1]["policy"] == policy, f"the policy {policy}", part)
        check(part[0]["data_folder"] == str(data), "the folder of the data", part[0])
        check(part[-1]["stopped"] is False, f"{policy} is not stopped", part[-1])
    check(lines[-1]["event"] == "comparison", "a comparison at the end", lines[-1])

    record.unlink()
    status, _, errors = run(*tiny(data, record, "--policy", "never", "--scorer", "linear_cka:samples=32"))
    check(status == 0 and errors == "", "a run with a scorer of outputs", status, errors)
    first, *_, last = lines_of(record)
    check(first["scorer"] == "linear_cka:samples=32", "the scorer and its options", first)
    decisions = [line for line in lines_of(record) if line["event"] == "decision"]
    check(all(each["score"] is not None for line in decisions for each in line["scores"]["linear_cka"]),
          "scores of every decision", decisions)
    check(last["scoring_flops"] > 0, "FLOPs of scoring", last)

    record.unlink()
    status, _, errors = run(*tiny(data, record, "--policy", "never", "--also-score", "all", "--also-score", "svcca",
                                  "--also-score", "gradient_norm"))
    check(status == 0 and errors == "", "a run with other scorers", status, errors)
    decisions = [line for line in lines_of(record) if line["event"] == "decision"]
    check(all(list(line["scores"]) == ["weight_change"] and set(line["other_scores"]) ==
              {"gradient_change", "similarity_preserving_loss", "gradient_delta", "svcca",
               "linear_cka:reference=initial", "gradient_norm"} for line in decisions),
          "scores of all that policies are meant for", decisions[0])

    for wish in ("--help", "--list", "--version"):
        status, output, errors = run("--epochs", "-1", wish)
        check(status == 0 and output.count("\n") >= 1 and errors == "", f"{wish} wins over errors", errors)


def interrupted_run(folder, data, number):
    record = folder / f"interrupted-{number}.jsonl"
    saved = folder / f"interrupted-{number}.safetensors"
    process = start(*tiny(data, record, "--epochs", 1_000_000, "--compare", "--save", saved))
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        if record.exists() and record.read_text().count('"event":"epoch"') >= 2:
            break
        time.sleep(0.02)
    process.send_signal(number)
    try:
        output, errors = process.communicate(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        output, errors = process.communicate()
    check(process.returncode == 130, f"{number.name} ends the run within 10 s", process.returncode, errors)
    check(output == "" and errors == "", f"{number.name} leaves nothing half printed", output, errors)
    lines = lines_of(record)
    check(lines[-1]["event"] == "summary" and lines[-1]["stopped"] is True,
          f"{number.name}: summary", lines[-1])
    check([line["event"] for line in lines].count("run") == 1, f"{number.name}: no second run")
    check(not saved.exists(), f"{number.name}: no weights of the run with never are saved")


def file_too_large(folder, data):
    """A record that does not fit ends with a sentence, and with a whole line."""
    record = folder / "limited.jsonl"
    status, _, errors = run(*tiny(data, record, "--epochs", 50), preexec_fn=lambda: resource.setrlimit(
        resource.RLIMIT_FSIZE, (3000, 3000)))
    check(status == 1 and "File too large" in errors and errors.count("\n") == 1,
          "a file limit", status, errors)
    check(len(lines_of(record)) >= 2, "the lines that fitted are there")


def main():
    # Inherited by what is started here, and a background job ignores them.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with tempfile.TemporaryDirectory(prefix="frostline_command_line_") as name:
        folder = Path(name)
        data = write_set(folder / "data", GOOD)
        bad_command_lines(folder, data)
        bad_data(folder)
        pipes(folder)
        little_memory(folder)
        summary_without_data(folder)
        progress_without_terminal(folder, data)
        good_run(folder, data)
        file_too_large(folder, data)
        for number in (signal.SIGINT, signal.SIGTERM):
            interrupted_run(folder, data, number)
    return checks.exit_code()


if __name__ == "__main__":
    sys.exit(main())
