#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs frostline-reproduce on a small matrix: what it trains, what it leaves alone, its tables, what it refuses.
Usage: reproduce_test.py FROSTLINE_REPRODUCE"""

import csv
import json
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tool_under_test import ToolUnderTest

MATRIX = {
    "name": "A small matrix",
    "train_less": True,
    "options": {"data": "fashion-mnist", "train-limit": 256, "test-limit": 100, "epochs": 6, "batch-size": 32},
    "workloads": [{"name": "LeNet-5", "options": {"model": "lenet5"}, "seeds": [1, 2]}],
    "methods": [
        {"name": "never", "options": {"policy": "never"}},
        {"name": "linear, early", "options": {"policy": "linear:start=0.2,end=0.5,share=0.5"}},
    ],
}

tool = ToolUnderTest(sys.argv[1])
run, check = tool.run, tool.check


def write(path, matrix):
    path.write_text(json.dumps(matrix))
    return path


def started(output):
    return sum(line.startswith("[") for line in output.splitlines())


def runs_what_is_missing(folder):
    matrix, results = write(folder / "matrix.json", MATRIX), folder / "results"
    status, output, errors = run(matrix, results, "--expected-hours")
    check(status == 0 and started(output) == 0 and not list(results.rglob("*.*")), "--expected-hours trains nothing",
          output, errors)
    hours = re.search(r"expected: about ([0-9.]+) hours", output)
    check("LeNet-5: " in output and hours and float(hours[1]) < 0.5, "and says how long it takes", output)
    status, output, errors = run(matrix, results)
    check(status == 0, "a small matrix runs", status, errors)
    check(output.find("expected: about") in range(output.find("[")), "it says first how long it takes", output)
    check((results / "index.html").stat().st_size > 10000, "there is a page")
    records = sorted(str(path.relative_to(results)) for path in results.rglob("*.jsonl"))
    whole = [f"LeNet-5/{method}-seed-{seed}.jsonl" for method in ("linear--early", "never") for seed in (1, 2)]
    check(set(whole) <= set(records), "every cell has a record", records)
    less = [name for name in records if "epochs" in name]
    check(len(less) in (2, 4) and all(name.startswith("LeNet-5/never-") for name in less),
          "never is trained with the FLOPs of the other method", records)
    check(started(output) == len(records), "every record is one run", output)
    counts = re.findall(r"^\[([0-9]+) of ([0-9]+)\]", output, re.MULTILINE)
    check([int(number) for number, _ in counts] == list(range(1, len(records) + 1)) and
          counts[-1][1] == str(len(records)) and counts[0][1] == "8", "and counted to the last", counts)
    check("about 0.00 s left" in output.split("[")[-1] and
          output.count("about 0.00 s left") == 1, "time is left until the last run has ended", output)

    with (results / "cells.csv").open() as file:
        cells = list(csv.DictReader(file))
    check(len(cells) == len(records), "every record is one line of the CSV", cells)
    for cell in cells:
        summary = json.loads((results / cell["record"]).read_text().splitlines()[-1])
        check(abs(float(cell["test_accuracy"]) - summary["test_accuracy"]) < 1e-4, "accuracies are those of records",
              cell, summary)
        if cell["epochs"] == "6":
            check(abs(float(cell["training_flops_saved"]) - summary["training_flops_saved"]) < 1e-4,
                  "saved FLOPs are those of records", cell, summary)
        else:
            check(abs(float(cell["training_flops_saved"]) - (1 - int(cell["epochs"]) / 6)) < 1e-4,
                  "fewer epochs save their share", cell)

    table = (results / "table.md").read_text()
    never, early = ([row for row in cells if row["method"] == name and row["epochs"] == "6"]
                    for name in ("never", "linear, early"))
    difference = sum(float(b["test_accuracy"]) - float(a["test_accuracy"]) for a, b in zip(never, early)) / 2
    line = next((line for line in table.splitlines() if line.startswith("| linear, early |")), "")
    check(f"| {100 * difference:+.2f} ± " in line, "the table has the paired difference", difference, table)
    for column, passes in ((5, ["forward"]), (6, ["backward"]), (7, ["forward", "backward"])):
        spent, full = (sum(json.loads((results / cell["record"]).read_text().splitlines()[-1])[f"{name}_flops{whole}"]
                           for cell in early for name in passes) for whole in ("", "_full"))
        check(abs(float(line.split("|")[column].strip(" %")) - 100 * (1 - spent / full)) < 0.01,
              f"the table has the {' and '.join(passes)} FLOPs saved", line, spent, full)
    check("± inf" not in table and "nan" not in table, "the table has numbers", table)

    status, output, errors = run(matrix, results)
    check(status == 0 and started(output) == 0, "what is finished is not run again", output, errors)
    check("expected: nothing, all cells are finished" in output, "and takes no time", output)
    for name in ("two-steps.jsonl", "summary.jsonl"):
        (results / name).write_text("mine")
    (results / "LeNet-5/never-seed-2.jsonl").unlink()
    with (results / "LeNet-5/never-seed-1.jsonl").open("r+") as file:
        file.truncate(200)
    status, output, errors = run(matrix, results)
    check(status == 0 and started(output) == 2, "a missing and a cut off record are run again", output, errors)
    check(all((results / name).read_text() == "mine" for name in ("two-steps.jsonl", "summary.jsonl")),
          "files of others in the folder are left alone")

    def without_times(text):
        return re.sub(r"^((?:\|[^|]*){7})\|[^|]*", r"\1", text, flags=re.MULTILINE)

    check(without_times((results / "table.md").read_text()) == without_times(table),
          "and come out as before", table)


def runs_what_has_changed(folder):
    matrix, results = folder / "matrix.json", folder / "results"
    changed = json.loads(json.dumps(MATRIX))
    changed["methods"][1]["options"]["policy"] = "linear:start=0.2,end=0.5,share=0.6"
    before = (results / "LeNet-5/linear--early-seed-1.jsonl").read_text()
    status, output, errors = run(write(folder / "changed.json", changed), results)
    check(status == 1 and started(output) == 0 and "holds 2 finished cells that other options" in errors,
          "what is finished is not overwritten by other options", status, output, errors)
    check((results / "LeNet-5/linear--early-seed-1.jsonl").read_text() == before, "and stays")
    status, _, errors = run(folder / "changed.json", results, "--tables-only")
    check(status == 0 and "holds 2 finished cells" in errors and "leave them out" in errors,
          "tables tell what they leave out", status, errors)
    record = results / "LeNet-5/linear--early-seed-1.jsonl"
    record.write_text(before.replace('"share":0.5', '"share":0.4'))
    status, output, errors = run(matrix, results)
    check(status == 1 and started(output) == 0 and "holds 1 finished cell that" in errors,
          "a preset of another version is other options", status, output, errors)
    record.write_text(before)
    (results / "commands.json").rename(folder / "commands.json")
    status, output, errors = run(matrix, results)
    check(status == 1 and started(output) == 0 and "does not tell the options" in errors,
          "records whose commands are lost are not overwritten", status, output, errors)
    (folder / "commands.json").rename(results / "commands.json")
    status, output, errors = run(folder / "changed.json", results, "--retrain")
    check(status == 0 and started(output) >= 2, "unless that is wished", output, errors)
    narrow = json.loads(json.dumps(MATRIX))
    narrow["train_less"] = False
    narrow["methods"] += [{"name": "elsewhere", "data": ["mnist"], "options": {"policy": "linear"}},
                          {"name": "here", "data": ["fashion-mnist"], "options": {"policy": "linear"}},
                          {"name": "here 5 epochs", "options": {"policy": "linear"}}]
    status, output, errors = run(write(folder / "narrow.json", narrow), folder / "narrow")
    check(status == 0 and started(output) == 8 and "elsewhere" not in output and "here-seed-1" in output,
          "a method is run on the data that it is for", output, errors)
    check(len((folder / "narrow/cells.csv").read_text().splitlines()) == 9, "a cell a run, whatever methods are called")
    status, output, _ = run(matrix, folder / "empty", "--tables-only")
    check(status == 0 and started(output) == 0, "--tables-only runs nothing", output)
    check("Of 1 workload 1 has no finished run of `never`, and no table: LeNet-5." in
          (folder / "empty/table.md").read_text(), "and says what is missing")


def commands_repeat(folder):
    """What the table says to type gives the same accuracy and FLOPs: it plans with the record's costs."""
    results = folder / "results"
    table = (results / "table.md").read_text()
    words = re.search(r"frostline-train (--.*)  # linear, early", table)[1].split()
    check("--plan-costs" in words, "a command replays the costs of the plan", words)
    record = folder / "again.jsonl"
    subprocess.run([Path(tool.path).with_name("frostline-train"), "--quiet", "--record", record, *words], cwd=results,
                   check=True)
    first, again = (json.loads(path.read_text().splitlines()[-1])
                    for path in (results / words[words.index("--plan-costs") + 1], record))
    for name in ("test_accuracy", "forward_flops", "backward_flops"):
        check(first[name] == again[name], f"a command of the table repeats the {name}", first[name], again[name])


def compares_times_on_one_machine(folder):
    """Cells that were trained elsewhere are compared in accuracy and FLOPs, not in time."""
    elsewhere = folder / "elsewhere"
    shutil.copytree(folder / "results", elsewhere)

    def move(seed):
        record = elsewhere / f"LeNet-5/linear--early-seed-{seed}.jsonl"
        record.write_text(re.sub(r'"blas_core":"[^"]*"', '"blas_core":"Elsewhere"', record.read_text()))
        status, _, errors = run(folder / "matrix.json", elsewhere, "--tables-only")
        check(status == 0, "tables of two machines", errors)
        lines = (elsewhere / "table.md").read_text().splitlines()
        return next(line for line in lines if line.startswith("| linear, early |")).split("|")

    def ratio(seed):
        never, early = (json.loads((elsewhere / f"LeNet-5/{name}-seed-{seed}.jsonl").read_text().splitlines()[-1])
                        for name in ("never", "linear--early"))
        return f" {never['seconds'] / early['seconds']:.2f} "

    check(move(1)[8] == ratio(2), "the time ratio is that of the seed whose runs share a machine", move(1), ratio(2))
    line = move(2)
    check(line[8] == "  " and "±" in line[3], "without such a seed there is none", line)
    with (elsewhere / "cells.csv").open() as file:
        machines = {cell["machine"].split(", ")[1] for cell in csv.DictReader(file)}
    check(len(machines) == 2 and "Elsewhere" in machines, "cells tell their machine", machines)
    page = (elsewhere / "index.html").read_text()
    times = page[page.index("seconds an epoch"):]
    times = times[:times.index("</svg>")]
    check(" never " in times and " linear, early " not in times, "nor is it drawn", times)
    check(not re.search(r"\b-?(nan|inf)\b", page), "the page has numbers")


def seeds_that_lack_are_not_the_front(folder):
    partial = folder / "partial"
    shutil.copytree(folder / "results", partial)

    def cheapest():
        status, _, errors = run(folder / "matrix.json", partial, "--tables-only")
        check(status == 0, "tables of some seeds", errors)
        return [line for line in (partial / "table.md").read_text().splitlines() if line.startswith("| never, ")][-1]

    if cheapest().endswith("| 2 |"):
        check(cheapest().endswith("| yes | 2 |"), "nothing beats the fewest epochs in FLOPs", cheapest())
        epochs = re.match(r"\| never, ([0-9]+) epochs", cheapest())[1]
        (partial / f"LeNet-5/never-{epochs}-epochs-seed-1.jsonl").unlink()
    check(cheapest().endswith("|  | 1 |"), "a line with one of two seeds is not on the front", cheapest())


def draws_means_that_differ_by_rounding(folder):
    """The same three accuracies in another order: an axis a rounding error wide would have ticks without end."""
    results = folder / "rounding"
    matrix = json.loads(json.dumps(MATRIX))
    matrix["train_less"] = False
    matrix["workloads"][0]["seeds"] = [1, 2, 3]
    write(folder / "rounding.json", matrix)
    (results / "LeNet-5").mkdir(parents=True)
    commands = {}
    for method, policy, accuracies in (("never", "never", (0.10, 0.12, 0.16)),
                                       ("linear--early", "linear:start=0.2,end=0.5,share=0.5", (0.10, 0.16, 0.12))):
        for seed, accuracy in zip((1, 2, 3), accuracies):
            name = f"LeNet-5/{method}-seed-{seed}.jsonl"
            text = (folder / f"results/LeNet-5/{method}-seed-1.jsonl").read_text()
            (results / name).write_text(re.sub(r'"test_accuracy":[0-9.]+', f'"test_accuracy":{accuracy}', text))
            commands[name] = json.loads((folder / "results/commands.json").read_text())[
                f"LeNet-5/{method}-seed-1.jsonl"].replace("--seed 1", f"--seed {seed}")
    (results / "commands.json").write_text(json.dumps(commands))
    status, _, errors = run(folder / "rounding.json", results, "--tables-only")
    check(status == 0 and "| 12.67 ± " in (results / "table.md").read_text(), "means that are equal but for rounding",
          status, errors)
    record = results / "LeNet-5/never-seed-1.jsonl"
    start = next(line for line in record.read_text().splitlines() if '"event":"start"' in line)
    record.write_text(record.read_text() + start + "\n")
    status, _, errors = run(folder / "rounding.json", results, "--tables-only")
    check(status == 1 and "holds more than one run" in errors, "a record of two runs is refused", status, errors)


def refuses_damaged_records(folder):
    shutil.copytree(folder / "results", folder / "damaged")
    record = folder / "damaged/LeNet-5/linear--early-seed-1.jsonl"
    whole = record.read_text()

    def tables_of(text):
        record.write_text(text)
        status, _, errors = run(folder / "matrix.json", folder / "damaged", "--tables-only")
        return status, errors

    lines = whole.splitlines(keepends=True)
    epoch = next(line for line in lines if '"event":"epoch"' in line)
    summary = lines[-1]
    for what, text, message in (
            ("an epoch is lost", whole.replace(epoch, ""), "holds 5 of the epochs of its summary, 6"),
            ("it took no time", re.sub(r'"seconds":[^,]*', '"seconds":0', summary), "no positive number in the field sec"),
            ("FLOPs are negative", re.sub(r'"forward_flops":', '"forward_flops":-', summary), "no number in the field fo"),
            ("blocks are text", re.sub(r'"frozen":[0-9]*', '"frozen":"3"', epoch), "no number of blocks in the field fr"),
            ("there are too many", re.sub(r'"frozen":[0-9]*', '"frozen":99', epoch), "no number of blocks in the field fr")):
        changed = text if len(text.splitlines()) > 1 else whole.replace(summary if "summary" in text else epoch, text)
        status, errors = tables_of(changed)
        check(status == 1 and message in errors, f"a record is refused where {what}", status, errors)
    status, errors = tables_of(whole + "\n")
    check(status == 0 and not errors, "an empty line is nothing", errors)


def begins_with_a_dash(folder):
    finished = subprocess.run([tool.path, "matrix.json", "--expected-hours", "--", "-dash"], cwd=folder, check=False,
                              capture_output=True, text=True)
    check(finished.returncode == 0 and "cannot be timed" not in finished.stdout, "a folder may begin with a dash",
          finished.stdout, finished.stderr)


def projects(folder):
    large = json.loads(json.dumps(MATRIX))
    large["name"] = "A large matrix"
    large["options"].update({"epochs": 24, "train-limit": 0})
    wide, small, results = write(folder / "large.json", large), folder / "matrix.json", folder / "results"
    status, output, errors = run(wide, folder / "large", "--project", small, results)
    check(status == 0 and started(output) == 0, "a projection trains nothing", output, errors)

    def projected():
        line = next(line for line in (folder / "large/projection.md").read_text().splitlines()
                    if line.startswith("| LeNet-5 | linear, early | 2 |"))
        return [cell.strip(" %") for cell in line.split("|")[1:-1]]

    forward, training = (float(projected()[column]) for column in (5, 8))

    summary = folder / "summary.jsonl"
    subprocess.run([Path(tool.path).with_name("frostline-train"), "--quiet", "--summary", "--model", "lenet5",
                    "--record", summary], check=True, stdout=subprocess.DEVNULL)
    blocks = [json.loads(text) for text in summary.read_text().splitlines()]
    flops = [block["forward_flops"] for block in blocks]
    record = results / "LeNet-5/linear--early-seed-1.jsonl"
    frozen = [line["frozen"] for line in map(json.loads, record.read_text().splitlines()) if line["event"] == "epoch"]

    def reckoned(views=1, budget=4 << 30):
        forward = training = 0
        for epoch in range(24):
            now, before = frozen[epoch // 4], frozen[(epoch - views) // 4] if epoch >= views else 0
            if now:
                training += blocks[now - 1]["frozen_saves"] / 24
            cuts = [(min(1, budget / (60000 * views * block["cut_bytes"])), sum(flops[:index + 1]) / sum(flops), block)
                    for index, block in enumerate(blocks[:before])]
            if cuts:
                share, saved, block = max(cuts, key=lambda cut: cut[0] * cut[1])
                forward += share * saved / 24
                training += share * (block["dropped_saves"] - block["frozen_saves"]) / 24
        return 100 * forward, 100 * training

    saved_forward, saved_training = reckoned()
    check(frozen[-1] > 0 and abs(forward - saved_forward) < 0.01, "forward FLOPs as reckoned by hand", forward,
          saved_forward)
    check(abs(training - saved_training) < 0.01, "training FLOPs as reckoned by hand", training, saved_training)

    def gflops(column):
        number, unit = projected()[column].split()
        return float(number) * {"GFLOP": 1, "TFLOP": 1000}[unit]

    check(abs(gflops(3) - 60000 * 24 * sum(flops) / 1e9) < 0.01 * gflops(3) and
          abs(gflops(4) - gflops(3) * (1 - forward / 100)) < 0.01 * gflops(3), "and told themselves", projected())
    large["options"].update({"augment": True, "views": 3})
    status, _, errors = run(write(folder / "views.json", large), folder / "large", "--project", small, results)
    check(status == 0 and all(abs(float(projected()[column]) - wanted) < 0.01 for column, wanted in
                              zip((5, 8), reckoned(views=3))), "the store fills once a view", projected(), errors)
    budget = int(0.25 * 60000 * blocks[frozen[-1] - 1]["cut_bytes"])
    large["options"].update({"views": 1, "store-budget": f"{budget}B"})
    status, _, errors = run(write(folder / "budget.json", large), folder / "large", "--project", small, results)
    check(status == 0 and reckoned(budget=budget)[0] < 0.5 * saved_forward and
          all(abs(float(projected()[column]) - wanted) < 0.01 for column, wanted in
              zip((5, 8), reckoned(budget=budget))), "as far as the store has room", projected(), errors)
    large["options"]["store-encoding"] = "uint8"
    status, _, errors = run(write(folder / "encoded.json", large), folder / "large", "--project", small, results)
    check(status == 0 and all(abs(float(projected()[column]) - wanted) < 0.01 for column, wanted in
                              zip((5, 8), reckoned(budget=4 * budget))), "encoded rows take less", projected(), errors)
    whole = gflops(3)
    large["options"].update({"store": "none", "validation": 0.5})
    status, _, errors = run(write(folder / "none.json", large), folder / "large", "--project", small, results)
    check(status == 0 and projected()[5] == "0.00" and abs(gflops(3) - whole / 2) < 0.01 * whole,
          "without a store nothing is dropped, and what is held out is not trained on", projected(), errors)
    large["options"]["data"] = "mnist"
    large["options"]["data-dir"] = str(folder / "nowhere")
    status, output, errors = run(write(folder / "absent.json", large), folder / "large", "--project", small, results)
    check(status == 0 and "cannot be timed" in output and projected()[9:] == ["", ""], "without data it has no hours",
          output, errors)
    large["methods"][1]["options"]["policy"] = "linear:start=0.9"
    status, _, errors = run(write(folder / "other.json", large), folder / "large", "--project", small, results)
    check(status == 1 and "has a finished cell" in errors, "another policy of that name is another", errors)
    status, _, errors = run(wide, folder / "large", "--project", small, folder / "empty")
    check(status == 1 and "has a finished cell" in errors, "nothing to project from", errors)


def wait_until(condition):
    for _ in range(600):
        if condition():
            return True
        time.sleep(0.1)
    return False


def has_begun(record):
    return record.exists() and '"event":"epoch"' in record.read_text()


def start_of(matrix, folder):
    return subprocess.Popen([tool.path, matrix, folder], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def is_interrupted(folder, number):
    long = json.loads(json.dumps(MATRIX))
    long["options"].update({"epochs": 100000, "test-limit": 10})
    with start_of(write(folder / "long.json", long), folder / "long") as process:
        record = folder / "long/LeNet-5/never-seed-1.jsonl"
        check(wait_until(lambda: has_begun(record)), "a matrix runs, after an interrupted run, too")
        status, _, locked = run(folder / "long.json", folder / "long")
        check(status == 1 and "another frostline-reproduce" in locked, "one at a time writes to a folder", locked)
        status, _, errors = run(folder / "long.json", folder / "long", "--tables-only")
        check(status == 0, "tables of what is finished can be had meanwhile", errors)
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    check(process.returncode == 130 and "goes on from here" in errors, f"a matrix interrupted by {number} says so",
          process.returncode, errors)
    status, _, errors = run(folder / "long.json", folder / "long", "--tables-only")
    check(status == 0 and not errors and "never" not in (folder / "long/cells.csv").read_text(),
          "what was interrupted is not finished", status, errors)
    record.write_text("")  # for the next wait


def is_killed(folder):
    """The run goes on, keeps the folder, and is finished for those who come after it."""
    brief = json.loads(json.dumps(MATRIX))
    brief["train_less"] = False
    brief["workloads"][0]["seeds"] = [1]
    brief["options"].update({"epochs": 300, "test-limit": 10, "evaluate-every": 300})
    matrix, results = write(folder / "brief.json", brief), folder / "killed"
    record = results / "LeNet-5/never-seed-1.jsonl"
    with start_of(matrix, results) as process:
        check(wait_until(lambda: has_begun(record)), "a matrix runs")
        process.kill()
        process.wait()
        status, _, errors = run(matrix, results)
        check(status == 1 and "a run that one left behind" in errors, "a run left behind keeps the folder", errors)
        check(wait_until(lambda: '"event":"summary"' in record.read_text()), "and goes on to its end")
    whole = record.read_text()
    attempts = []

    def is_free():  # a run keeps the folder until it has ended, a moment after its summary
        attempts.append(run(matrix, results))
        return "left behind" not in attempts[-1][2]

    check(wait_until(is_free), "a run left behind gives the folder up when it ends", attempts[-1][2])
    status, output, errors = attempts[-1]
    check(status == 0 and started(output) == 1 and record.read_text() == whole, "it is not run again", output, errors)


def passes_over_failures(folder):
    matrix = json.loads(json.dumps(MATRIX))
    matrix["train_less"] = False
    matrix["workloads"][0]["seeds"] = [1]
    # The steps that are timed first are those of never.
    matrix["methods"].insert(1, {"name": "diverges", "options": {"policy": "linear", "lr": 1e30}})
    matrix["methods"].insert(2, {"name": "diverges, too", "options": {"policy": "linear", "lr": 1e31}})
    matrix["methods"].append({"name": "late", "train_less": True, "options": {"policy": "linear:start=1"}})
    status, output, errors = run(write(folder / "failing.json", matrix), folder / "failing")
    check(status == 1 and "the tables lack 2 cells; this cell failed: frostline-train" in errors and
          all(f"--lr {rate}" in errors for rate in ("1e+30", "1e+31")), "cells that fail are told at the end", status,
          errors)
    check("diverges-seed-1.jsonl: failed" in output, "and when it fails", output)
    table = (folder / "failing/table.md").read_text()
    check("| linear, early |" in table and "| diverges |" not in table, "the others are in the table", table)
    check(re.search(r"\| late \| [0-9.]+ \| \+0\.00 \| \+0\.00 \| 0", table),
          "what saves nothing is compared with the whole run of never", table)
    check(re.search(r"\| never \| [0-9.]+ \|  \|  \| 0.*\| 1 \|", table), "never is not compared with itself", table)


def keeps_cells_without_never(folder):
    """Where never fails, the others are no rows, but cells they are."""
    matrix = json.loads(json.dumps(MATRIX))
    matrix["train_less"] = False
    matrix["workloads"][0]["seeds"] = [1]
    matrix["methods"][0]["options"]["lr"] = 1e30
    status, output, errors = run(write(folder / "no_never.json", matrix), folder / "no_never")
    check(status == 1 and "LeNet-5: cannot be timed" in output and "the tables lack 1 cell;" in errors,
          "a workload that cannot be timed is trained", status, output, errors)
    check(sorted(path.name for path in (folder / "no_never").glob("*")) ==
          ["LeNet-5", "cells.csv", "commands.json", "index.html", "table.md"], "nothing else is left")
    with open(folder / "no_never/cells.csv", newline="") as file:
        cells = list(csv.DictReader(file))
    check([cell["method"] for cell in cells] == ["linear, early"], "its cells are kept", cells)


def refused(folder, what, phrase, matrix):
    path = folder / "bad.json"
    path.write_text(matrix if isinstance(matrix, str) else json.dumps(matrix))
    status, _, errors = run(path, folder / "bad")
    check(status == 1, f"{what}: exit code", status, errors)
    check(errors.splitlines() and errors.splitlines()[-1].startswith(f"{tool.path.name}: "), f"{what}: one line", errors)
    check(phrase in errors, f"{what}: says {phrase!r}", errors)


def refuses(folder):
    refused(folder, "no JSON", "is no JSON object", "{")
    refused(folder, "a misspelt field", "unknown field method", {**MATRIX, "method": []})
    refused(folder, "no methods", "no list in the field methods", {**MATRIX, "methods": []})
    refused(folder, "first method", "another first method than the policy never",
            {**MATRIX, "methods": MATRIX["methods"][1:]})
    refused(folder, "the first method not everywhere", "another first method than the policy never on all data",
            {**MATRIX, "methods": [{**MATRIX["methods"][0], "data": ["fashion-mnist"]}]})
    refused(folder, "no method at all for its data", "another first method than the policy never on all data",
            {**MATRIX, "methods": [{**MATRIX["methods"][0], "data": ["cifar10"]}]})
    refused(folder, "no list of data", "no list in the field data",
            {**MATRIX, "methods": [*MATRIX["methods"], {"name": "a", "data": "mnist", "options": {"policy": "never"}}]})
    refused(folder, "no switch", "no true or false in the field train_less",
            {**MATRIX, "methods": [{**MATRIX["methods"][0], "train_less": 1}]})
    refused(folder, "two of one name", "two entries called never",
            {**MATRIX, "methods": MATRIX["methods"][:1] * 2})
    for epochs in ("many", 0, 1000001):
        refused(folder, "no epochs", "without a whole number of epochs from 1 to 1000000",
                {**MATRIX, "options": {"epochs": epochs}})
    refused(folder, "a misspelt policy", 'has the method a, but there is no policy "lern_and_drop"',
            {**MATRIX, "methods": [*MATRIX["methods"], {"name": "a", "options": {"policy": "lern_and_drop"}}]})
    refused(folder, "a seed among the options", "has the option seed", {**MATRIX, "options": {"seed": 1}})
    refused(folder, "an option within an option", "which is no name of one",
            {**MATRIX, "options": {"record=elsewhere.jsonl": True}})
    refused(folder, "an option without a text", "has the option lr with an empty text",
            {**MATRIX, "options": {**MATRIX["options"], "lr": ""}})
    for option in ("save", "checkpoint", "summary", "help"):
        refused(folder, f"{option} among the options", f"has the option {option}", {**MATRIX, "options": {option: "x"}})
    refused(folder, "a seed twice", "has a seed twice: 1",
            {**MATRIX, "workloads": [{**MATRIX["workloads"][0], "seeds": [1, 2, 1]}]})
    refused(folder, "data of a method", "has a method with the option train-limit of its own",
            {**MATRIX, "methods": [MATRIX["methods"][0], {"name": "a", "options": {"policy": "linear",
                                                                                   "train-limit": 3}}]})
    refused(folder, "epochs of a method", "has a method with the option epochs of its own",
            {**MATRIX, "methods": [MATRIX["methods"][0], {"name": "a", "options": {"policy": "linear", "epochs": 3}}]})
    refused(folder, "no validation", "but no option validation for never of LeNet-5",
            {**MATRIX, "accuracy": "validation_accuracy"})
    refused(folder, "an empty validation", "but no option validation for never of LeNet-5",
            {**MATRIX, "accuracy": "validation_accuracy", "options": {**MATRIX["options"], "validation": 0}})
    refused(folder, "views", "has no whole number in the option views for never of LeNet-5",
            {**MATRIX, "options": {**MATRIX["options"], "views": "abc"}})
    refused(folder, "a policy that ends before it starts", "linear: end is 0.1, expected no less than start, 0.9",
            {**MATRIX, "methods": [*MATRIX["methods"],
                                   {"name": "a", "options": {"policy": "linear:start=0.9,end=0.1"}}]})
    refused(folder, "the record of never in fewer epochs", "has the method Never 5 epochs, but that is Never in fewer",
            {**MATRIX, "methods": [{**MATRIX["methods"][0], "name": "Never"},
                                   {"name": "Never 5 epochs", "options": {"policy": "linear"}}]})
    for name in ("a|b", "a\nb"):
        refused(folder, "a name that breaks tables", "has a name with a control character or |",
                {**MATRIX, "workloads": [{**MATRIX["workloads"][0], "name": name}]})
    refused(folder, "a schedule that is not compressed", "has the schedule cosine:warm_up=1, which counts in epochs",
            {**MATRIX, "options": {**MATRIX["options"], "schedule": "cosine:warm_up=1"}})
    refused(folder, "a bad option", "this cell failed: frostline-train",
            {**MATRIX, "options": {**MATRIX["options"], "lr": "fast"}})
    status, _, errors = run(folder / "none.json", folder / "bad")
    check(status == 1 and "cannot read the matrix" in errors, "no file", errors)


def has_matching_matrices():
    """Only the same blocks can be projected from two-cores.json to paper.json."""
    folder = Path(__file__).parents[2] / "docs/results"
    models = [{work["name"]: work["options"]["model"] for work in json.loads((folder / name).read_text())["workloads"]}
              for name in ("paper.json", "two-cores.json")]
    check(models[0] == models[1] and len(models[0]) == 27, "the small matrix has the models of the large one", models)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        refuses(folder)
        runs_what_is_missing(folder)
        commands_repeat(folder)
        compares_times_on_one_machine(folder)
        seeds_that_lack_are_not_the_front(folder)
        draws_means_that_differ_by_rounding(folder)
        refuses_damaged_records(folder)
        begins_with_a_dash(folder)
        projects(folder)
        runs_what_has_changed(folder)
        is_interrupted(folder, signal.SIGTERM)
        is_interrupted(folder, signal.SIGINT)
        is_killed(folder)
        passes_over_failures(folder)
        keeps_cells_without_never(folder)
        has_matching_matrices()
    return tool.exit_code()


sys.exit(main())
