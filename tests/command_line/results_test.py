# SPDX-License-Identifier: MIT
"""The tables in docs/results, reckoned again from their records alone, by other code than that which made them."""

import csv
import json
import math
import re
import statistics
import sys
from collections import defaultdict
from pathlib import Path

from tool_under_test import Checks

checks = Checks()
check = checks.check


def student_quantile(degrees):
    """Two-sided, of 95%: Student's density is integrated until it holds so much, by Simpson's rule."""
    scale = math.gamma((degrees + 1) / 2) / math.gamma(degrees / 2) / math.sqrt(degrees * math.pi)

    def density(at):
        return scale * (1 + at * at / degrees) ** (-(degrees + 1) / 2)

    held, at, width = 0, 0, 1e-3
    while held < 0.475:
        held += width / 6 * (density(at) + 4 * density(at + width / 2) + density(at + width))
        at += width
    return at


def mean_text(values, sign=True):
    mean = statistics.mean(values)
    text = f"{mean:+.2f}" if sign else f"{mean:.2f}"
    if len(values) == 1:
        return text
    half = student_quantile(len(values) - 1) * statistics.stdev(values) / math.sqrt(len(values))
    return f"{text} ± {half:.2f}"


def same(cell, wanted):
    """The same text, but for a last digit that was rounded the other way."""
    numbers = [[float(word) for word in text.replace("%", "").split() if word != "±"] for text in (cell, wanted)]
    return len(numbers[0]) == len(numbers[1]) and all(
        abs(a - b) < 0.0101 for a, b in zip(*numbers, strict=True))


class Cell:
    def __init__(self, row, folder, accuracy):
        self.epochs, self.machine = int(row["epochs"]), row["machine"]
        lines = [json.loads(line) for line in (folder / row["record"]).read_text().splitlines()]
        summary = next(line for line in lines if line["event"] == "summary")
        epochs = [line for line in lines if line["event"] == "epoch"]
        check(len(epochs) == self.epochs, "all epochs are in the record", row["record"])
        self.accuracy = 100 * epochs[-1][accuracy]
        self.seconds = summary["seconds"]
        self.forward = summary["forward_flops"]
        self.training = summary["forward_flops"] + summary["backward_flops"]
        self.scoring = summary["scoring_flops"]
        self.full = summary["forward_flops_full"] + summary["backward_flops_full"]
        check(math.isclose(self.accuracy, 100 * float(row[accuracy]), rel_tol=1e-4) and
              self.training == int(row["training_flops"]) and self.scoring == int(row["scoring_flops"]),
              "cells.csv is the record's", row)


def at_equal_flops(cell, never, epochs):
    """Accuracy of `never` for the training FLOPs of a cell, by number of epochs; None where it is not known."""
    wanted = cell.training / cell.full * epochs
    if cell.training >= cell.full:
        return never[epochs].accuracy
    lower = math.floor(wanted)
    if lower < 1 or lower not in never or lower + 1 not in never:
        return None
    share = wanted - lower
    return (1 - share) * never[lower].accuracy + share * never[lower + 1].accuracy


def beats(other, cells):
    """On all seeds of `cells`: as accurate for as few FLOPs, and better in one of both."""
    if not set(cells) <= set(other):
        return False
    accuracy = sum(round(other[seed].accuracy - cell.accuracy, 9) for seed, cell in cells.items())
    flops = sum(other[seed].training - cell.training for seed, cell in cells.items())
    return accuracy >= 0 and flops <= 0 and (accuracy > 0 or flops < 0)


def check_folder(matrix_file):
    folder = matrix_file.with_suffix("")
    matrix = json.loads(matrix_file.read_text())
    accuracy = matrix.get("accuracy", "test_accuracy")
    trained_less = {how["name"] for how in matrix["methods"] if how.get("train_less", matrix.get("train_less"))}
    seeds = {work["name"]: len(work["seeds"]) for work in matrix["workloads"]}
    works = defaultdict(lambda: defaultdict(dict))
    with (folder / "cells.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            works[row["workload"]][row["method"]][int(row["seed"])] = Cell(row, folder, accuracy)
    tables = dict(part.split("\n", 1) for part in (folder / "table.md").read_text().split("\n## ")[1:])
    rows = {name: [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()
                   if line.startswith("| ") and not line.startswith("| method")] for name, text in tables.items()}
    check(set(rows) - {"All workloads"} == set(works) and len(works) > 1, "each workload has a table", set(rows))

    together = defaultdict(lambda: ([], [], [], []))
    for work, methods in works.items():
        whole = methods["never"]
        epochs = next(iter(whole.values())).epochs
        lengths = [name for name in methods if re.fullmatch(r"never(, \d+ epochs)?", name)]
        never = defaultdict(dict)
        for name in lengths:
            for seed, cell in methods[name].items():
                never[seed][cell.epochs] = cell
        check({row[0] for row in rows[work]} == set(methods), f"{work}: each method has a line")
        for row in rows[work]:
            name, cells = row[0], {seed: cell for seed, cell in methods[row[0]].items() if seed in whole}
            where = f"{matrix_file.stem}, {work}, {name}"
            accuracies = [cell.accuracy for cell in cells.values()]
            check(same(row[1], mean_text(accuracies, sign=False)), f"{where}: accuracy", row, accuracies)
            differences = [cell.accuracy - whole[seed].accuracy for seed, cell in cells.items()]
            check(name == "never" and not row[2] or same(row[2], mean_text(differences)), f"{where}: against never",
                  row, differences)
            less = [at_equal_flops(cell, never[seed], epochs) for seed, cell in cells.items()]
            compared = name not in lengths and None not in less and name in trained_less
            against = [cell - other for cell, other in zip(accuracies, less, strict=True)] if compared else []
            if compared:
                check(same(row[3], mean_text(against)), f"{where}: against never with as many FLOPs", row, against)
            else:
                check(not row[3], f"{where}: nothing to compare with", row)
            for column, figure in ((4, lambda cell: cell.forward), (5, lambda cell: cell.training - cell.forward),
                                   (6, lambda cell: cell.training)):
                saved = 1 - sum(map(figure, cells.values())) / sum(figure(whole[seed]) for seed in cells)
                check(same(row[column], f"{100 * saved:.2f} %"), f"{where}: FLOPs saved", row[column], saved)
            ratios = [whole[seed].seconds / cell.seconds for seed, cell in cells.items()
                      if cell.machine == whole[seed].machine]
            check(same(row[7], f"{statistics.median(ratios):.2f}" if ratios else ""), f"{where}: times faster", row,
                  ratios)
            scoring = sum(cell.scoring for cell in cells.values()) / sum(whole[seed].training for seed in cells)
            check(same(row[8], f"{100 * scoring:.2f} %"), f"{where}: scoring", row, scoring)
            check(int(row[10]) == len(cells), f"{where}: seeds", row)
            saved = 1 - sum(cell.training for cell in cells.values()) / sum(whole[seed].training for seed in cells)
            on_all_seeds = len(cells) == seeds[work]
            check((row[9] == "yes") == (on_all_seeds and not any(
                beats(other, cells) for other in methods.values())), f"{where}: on the front", row)
            together[name][2].append(saved)
            if ratios:
                together[name][3].append(statistics.median(ratios))
            together[name][0].append(statistics.mean(differences))
            if compared:
                together[name][1].append(statistics.mean(against))
    for row in rows["All workloads"]:
        differences, against, saved, ratios = together[row[0]]
        check(same(row[4], f"{100 * statistics.median(saved):.2f} %"), f"{row[0]}: FLOPs saved", row, saved)
        check(same(row[5], f"{statistics.median(ratios):.2f}" if ratios else ""), f"{row[0]}: times faster", row)
        check(int(row[1]) == len(differences), f"{row[0]}: workloads", row)
        check(same(row[2], f"{statistics.median(differences):+.2f}"), f"{row[0]}: median", row, differences)
        if against:
            check(same(row[3].split("(")[0], mean_text(against)), f"{row[0]}: mean", row, mean_text(against))
    print(f"{matrix_file.stem}: {sum(len(table) for table in rows.values())} lines of tables")


def main():
    results = Path(sys.argv[1])
    quantiles = student_quantile(1), student_quantile(26)
    check(abs(quantiles[0] - 12.706) < 0.002 and abs(quantiles[1] - 2.056) < 0.002, "Student's quantiles", quantiles)
    for name in ("two-cores.json", "policies.json"):
        check_folder(results / name)
    return checks.exit_code()


sys.exit(main())
