#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures online training with and without freezing, one line of JSON a result.

    online.py FROSTLINE_ONLINE WHAT... [--seeds N...] [--data-dir DIR] [--output FILE] [-- OPTION...]

WHAT is one or more of
  accuracy  prequential accuracy and throughput of a stream without a drift, both against never freezing, paired by seed
  drift     a stream whose classes change half-way: samples until the recent accuracy is back, against never freezing
  memory    resident memory over 200,000 samples of LeNet-5 on Fashion-MNIST, with pixels and without
What stands behind -- goes to frostline-online after the options of the measurement, and so replaces them.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys

# ResNet-18 on Fashion-MNIST, sixteen new samples and sixteen replayed ones a step, each image once.
STREAM = ["--model", "resnet18:stem=imagenet", "--data", "fashion-mnist", "--samples", 40000, "--batch", 16,
          "--replayed", 16, "--buffer", 4000, "--byte-pixels", "--lr", 0.01, "--decide-every", 50, "--horizon", 500,
          "--window", 2000, "--tell-every", 160]
FREEZING = "learn_and_drop:deadline=2"
# The share of what never freezing reaches in the end at which the recent accuracy counts as back.
RECOVERED = 0.95


class Bench:
    def __init__(self, options):
        self.options = options

    def run(self, *arguments, seed=1, policy="never"):
        """The lines of progress, and the last."""
        command = [self.options.program, *arguments, "--seed", seed, "--policy", policy, *self.options.more]
        if self.options.data_dir:
            command += ["--data-dir", self.options.data_dir]
        finished = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
        if finished.returncode != 0:
            sys.exit(f"{' '.join(map(str, command))} failed ({finished.returncode}):\n{finished.stderr}")
        lines = [json.loads(line) for line in finished.stdout.splitlines()]
        return [line for line in lines if line["event"] == "progress"], lines[-1]

    def tell(self, what, **numbers):
        line = json.dumps({"what": what, **numbers})
        print(line, flush=True)
        if self.options.output:
            with self.options.output.open("a", encoding="utf-8") as output:
                output.write(line + "\n")

    def length(self, arguments):
        """The samples of the stream, as the last option that tells says."""
        words = [str(part) for part in (*arguments, *self.options.more)]
        return int(words[len(words) - 1 - words[::-1].index("--samples") + 1])

    def accuracy(self):
        pairs = []
        for seed in self.options.seeds:
            ends = [self.run(*STREAM, seed=seed, policy=policy)[1] for policy in ("never", self.options.policy)]
            pairs.append(ends)
            self.tell("accuracy", seed=seed, **compared(*ends))
        self.tell("accuracy", seeds=self.options.seeds, policy=self.options.policy,
                  difference=statistics.mean(after["accuracy"] - before["accuracy"] for before, after in pairs),
                  times_faster=statistics.mean(before["seconds"] for before, _ in pairs) /
                  statistics.mean(after["seconds"] for _, after in pairs))

    def drift(self):
        ratios = []
        for seed in self.options.seeds:
            half = self.length(STREAM) // 2
            runs = [self.run(*STREAM, "--drift-at", half, seed=seed, policy=policy)
                    for policy in ("never", self.options.policy)]
            goal = RECOVERED * runs[0][1]["recent_accuracy"]
            without, with_freezing = (samples_until(lines, half, goal) for lines, _ in runs)
            ratio = with_freezing / without if without and with_freezing else None
            ratios.append(ratio)
            self.tell("drift", seed=seed, goal=goal, samples_without=without, samples_with=with_freezing, ratio=ratio,
                      frozen_before=next(line["frozen"] for line in reversed(runs[1][0]) if line["samples"] <= half),
                      **compared(runs[0][1], runs[1][1]))
        known = [ratio for ratio in ratios if ratio is not None]
        self.tell("drift", seeds=self.options.seeds, policy=self.options.policy,
                  ratio=statistics.mean(known) if len(known) == len(ratios) else None)

    def memory(self):
        stream = ["--model", "lenet5", "--data", "fashion-mnist", "--samples", 200000, "--batch", 1, "--replayed", 3,
                  "--buffer", 2000, "--lr", 0.002, "--decide-every", 500, "--horizon", 5000, "--tell-every", 2000]
        for name, extra in {"pixels": [], "byte pixels": ["--byte-pixels"], "features alone": ["--drop-pixels"]}.items():
            lines, end = self.run(*stream, *extra, policy=self.options.policy)
            # From a quarter of the stream on nothing should grow.
            warm = [line["resident_bytes"] for line in lines if 4 * line["samples"] >= end["samples"]]
            self.tell("memory", kept=name, samples=end["samples"], dropped=end["dropped"],
                      bytes=end["bytes"], most_bytes=max(line["bytes"] for line in lines),
                      resident_bytes=end["resident_bytes"], growth=max(warm) - warm[0],
                      peak_resident_bytes=end.get("peak_resident_bytes"), accuracy=end["accuracy"],
                      samples_per_second=end["samples_per_second"])


def compared(without, with_freezing):
    return {"accuracy_without": without["accuracy"], "accuracy_with": with_freezing["accuracy"],
            "samples_per_second_without": without["samples_per_second"],
            "samples_per_second_with": with_freezing["samples_per_second"],
            "times_faster": without["seconds"] / with_freezing["seconds"], "frozen": with_freezing["frozen"],
            "dropped": with_freezing["dropped"]}


def samples_until(lines, drift, goal):
    """Samples from the drift on until the recent accuracy, once it has fallen, reaches the goal; nothing if it never does."""
    fallen = False
    for line in lines:
        if line["samples"] <= drift:
            continue
        fallen = fallen or line["recent_accuracy"] < goal
        if fallen and line["recent_accuracy"] >= goal:
            return line["samples"] - drift
    return None


def main():
    words = sys.argv[1:]
    more = words[words.index("--") + 1:] if "--" in words else []
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("what", nargs="+", choices=["accuracy", "drift", "memory"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--policy", default=FREEZING)
    parser.add_argument("--data-dir")
    parser.add_argument("--output", type=pathlib.Path, help="write the JSON lines there, too")
    options = parser.parse_args(words[:words.index("--")] if "--" in words else words)
    options.more = more
    bench = Bench(options)
    for what in options.what:
        getattr(bench, what)()


main()
