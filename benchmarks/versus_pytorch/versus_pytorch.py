#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Trains the same networks on the same batches in frostline and in PyTorch, and compares speed and memory.

Every measurement is a process of its own. Both sides begin from the same weights and run three steps, whose
losses (in inference: logits; online: losses of test and step) must agree. PyTorch then runs in the fastest of
its configurations, which is looked for once a case. Speeds are medians over rounds that alternate between the two. Memory is the growth of
the peak resident memory (VmHWM) from before the network is built to the end: weights, gradients, optimiser
state, activations and scratch, without the libraries and the batches; `resident` is the whole peak.
"""

import argparse
import itertools
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
import typing

FOLDER = pathlib.Path(__file__).resolve().parent
TOLERANCE = 1e-3  # of losses and logits, relative

TRAINING = {
    "vgg11": ("vgg11", 32, 128),
    "vgg16": ("vgg16", 32, 128),
    "resnet18-imagenet-stem": ("resnet18", 32, 128),
    "resnet50-imagenet-stem": ("resnet50", 32, 128),
    "resnet18-cifar-stem": ("resnet18-cifar", 32, 64),
    "resnet18-224": ("resnet18", 224, 16),
    "resnet50-224": ("resnet50", 224, 16),
    "vgg16-224": ("vgg16", 224, 8),
    "vgg11-batch-1": ("vgg11", 32, 1),
    "vgg11-batch-8": ("vgg11", 32, 8),
}


def worker_arguments(network, size, batch, *more):
    return [network, f"--size={size}", f"--batch={batch}", *more]


# Each sample is predicted, then learnt with seven that are replayed: partial_fit tests, trains and keeps it.
ONLINE = {
    "vgg11-online": ("vgg11", 32, 1),
    "resnet18-cifar-stem-online": ("resnet18-cifar", 32, 1),
}

# What both workers are called with.
CASES = {
    **{name: worker_arguments(*case) for name, case in TRAINING.items()},
    **{f"{name}-inference": worker_arguments(*case, "--inference") for name, case in TRAINING.items()},
    **{name: worker_arguments(*case, "--online") for name, case in ONLINE.items()},
}

# Variables that would hold one side back, or steer it.
REMOVED_PREFIXES = ("OPENBLAS_", "ATEN_", "DNNL_", "ONEDNN_", "OMP_", "GOMP_", "MALLOC_")
# glibc then never gives memory back; the page faults would cost PyTorch a large part of each step.
KEEPING_MEMORY = {f"MALLOC_{name}_": str(1 << 30) for name in ("MMAP_THRESHOLD", "TRIM_THRESHOLD", "TOP_PAD")}


class Configuration(typing.NamedTuple):
    name: str
    arguments: tuple
    environment: dict


def configurations(inference):
    """What is worth trying: the fastest depends on network, batch and machine."""
    features = cpu_field("flags").split()
    formats = {"contiguous": (), "channels-last": ("--channels-last",)}
    kernels = {"": {}}
    if {"avx512f", "avx512vl", "avx512bw", "avx512dq"} <= set(features):
        kernels["avx512"] = {"ATEN_CPU_CAPABILITY": "avx512"}  # PyTorch takes AVX2 by itself
    modes = {"": ()}
    if inference:
        modes["frozen"] = ("--frozen",)
    for (layout, first), (mode, second), (level, environment) in itertools.product(
            formats.items(), modes.items(), kernels.items()):
        yield Configuration(" ".join(filter(None, (layout, mode, level))), first + second, environment)


def cpu_field(name):
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        return next((line.split(":", 1)[1].strip() for line in info if line.startswith(name)), "")


def run(command, environment):
    clean = {name: value for name, value in os.environ.items() if not name.startswith(REMOVED_PREFIXES)}
    clean["OMP_NUM_THREADS"] = str(len(os.sched_getaffinity(0)))
    finished = subprocess.run(command, env={**clean, **environment}, capture_output=True, text=True,
                              check=False)
    if finished.returncode != 0:
        sys.exit(f"{' '.join(command)} failed ({finished.returncode}):\n{finished.stderr}")
    return json.loads(finished.stdout)


def largest_difference(found, expected, each):
    """Relative to each value, or to the largest one; infinite where values are missing or not finite."""
    if len(found) != len(expected) or not all(map(is_finite, [*found, *expected])):
        return math.inf
    largest = max(map(abs, expected))
    return max(abs(a - b) / (abs(b) if each else largest) for a, b in zip(found, expected))


def is_finite(value):
    return value is not None and math.isfinite(value)  # frostline's worker writes null for NaN


class Comparison:
    """One case: runs the workers, and checks the outcome of each run against frostline's first."""

    def __init__(self, case, program):
        self.case = case
        self.program = program
        self.is_inference = "--inference" in CASES[case]
        self.expected = None

    def check(self, result, what):
        compared = result["compared"]
        self.expected = self.expected or compared
        difference = largest_difference(compared, self.expected, each=not self.is_inference)
        if not difference <= TOLERANCE:
            sys.exit(f"{self.case}: {what} differs by {difference:.1e} from frostline, at most {TOLERANCE} "
                     f"was expected: {compared[:3]} and {self.expected[:3]}")
        return {**result, "difference": difference}

    def frostline(self, seconds):
        command = [self.program, *CASES[self.case], f"--seconds={seconds}"]
        return self.check(run(command, {}), "frostline")

    def pytorch(self, configuration, seconds, allocator=KEEPING_MEMORY):
        command = ["/usr/bin/python3", str(FOLDER / "pytorch_worker.py"), *CASES[self.case],
                   f"--seconds={seconds}", *configuration.arguments]
        return self.check(run(command, {**configuration.environment, **allocator}),
                          f"PyTorch ({configuration.name})")

    def run(self, rounds, seconds, probe_seconds):
        if self.case in ONLINE:
            seconds *= 5  # for the slowest call in a hundred
        print(f"{self.case}: comparing the first steps", file=sys.stderr)
        self.frostline(0)
        best, speed = None, 0.0
        for configuration in configurations(self.is_inference):
            probe = self.pytorch(configuration, probe_seconds)
            print(f"{self.case}: PyTorch {configuration.name}: {probe['images_per_second']:.1f} images/s, "
                  f"differs by {probe['difference']:.0e}", file=sys.stderr)
            if probe["images_per_second"] > speed:
                best, speed = configuration, probe["images_per_second"]
        pairs = []
        for number in range(rounds):
            pairs.append((self.frostline(seconds), self.pytorch(best, seconds)))
            print(f"{self.case}: round {number + 1} of {rounds}", file=sys.stderr)
        ours, theirs = zip(*pairs)
        # An allocator that keeps what is freed is faster, but takes more: here the default one counts, too.
        plain = self.pytorch(best, 0, allocator={})
        summary = {"case": self.case, **speeds("frostline", ours), **speeds("pytorch", theirs)}
        if self.case in ONLINE:
            summary.update(latencies(ours, theirs))
        summary["ratio"] = summary["frostline_images_per_second"] / summary["pytorch_images_per_second"]
        summary.update({**memory("frostline", ours), **memory("pytorch", [*theirs, plain])})
        summary.update({"pytorch_configuration": best.name, "rounds": rounds, "seconds": seconds,
                        "largest_difference": max(side["difference"] for side in theirs)})
        return summary, pairs[-1]


def speeds(name, results):
    values = [result["images_per_second"] for result in results]
    return {f"{name}_images_per_second": statistics.median(values),
            f"{name}_images_per_second_min": min(values),
            f"{name}_images_per_second_max": max(values)}


def latencies(ours, theirs):
    """Seconds of one call, medians over the rounds, and how many times as long PyTorch takes."""
    found = {}
    for call in ("predict", "partial_fit"):
        for quantile in ("p50", "p99"):
            mine, other = (statistics.median(result[f"{call}_seconds"][quantile] for result in side)
                           for side in (ours, theirs))
            found.update({f"frostline_{call}_{quantile}_seconds": mine, f"pytorch_{call}_{quantile}_seconds": other,
                          f"{call}_{quantile}_ratio": other / mine})
    return found


def memory(name, results):
    return {f"{name}_peak_memory_bytes": min(result["memory_bytes"] for result in results),
            f"{name}_peak_resident_bytes": min(result["resident_bytes"] for result in results)}


def print_versions(ours, theirs):
    print(f"{cpu_field('model name')}, {ours['threads']} threads\n"
          f"frostline {ours['version']}, OpenBLAS for {ours['blas_core']}\n"
          f"PyTorch {theirs['version']}, {theirs['threads']} threads, {theirs['onednn']}, OpenBLAS for "
          f"{theirs['blas_core']}\n")
    print(f"{'':33}{'frostline images/s':>28}{'PyTorch images/s':>28}{'ratio':>7}{'peak memory, MB':>20}\n"
          f"{'case':33}{'median    (min .. max)':>28}{'median    (min .. max)':>28}{'':7}{'frostline':>10}"
          f"{'PyTorch':>10}  PyTorch's configuration", flush=True)


def print_row(summary):
    def spread(name):
        median, low, high = (summary[f"{name}_images_per_second{end}"] for end in ("", "_min", "_max"))
        return f"{median:8.1f} {f'({low:.1f} .. {high:.1f})':>19}"

    megabytes = [summary[f"{name}_peak_memory_bytes"] / 1e6 for name in ("frostline", "pytorch")]
    print(f"{summary['case']:33}{spread('frostline')}{spread('pytorch')}{summary['ratio']:7.2f}"
          f"{megabytes[0]:10.0f}{megabytes[1]:10.0f}  {summary['pytorch_configuration']}", flush=True)
    for call in ("predict", "partial_fit"):
        if f"{call}_p50_ratio" in summary:
            print(f"  {call}: " + ", ".join(
                f"{quantile} {1e3 * summary[f'frostline_{call}_{quantile}_seconds']:.2f} ms, PyTorch "
                f"{1e3 * summary[f'pytorch_{call}_{quantile}_seconds']:.2f} ms, "
                f"ratio {summary[f'{call}_{quantile}_ratio']:.2f}" for quantile in ("p50", "p99")), flush=True)


def parse_arguments():
    parser = argparse.ArgumentParser(prog="run.sh", description=__doc__.splitlines()[0])
    parser.add_argument("--program", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--quick", action="store_true",
                        help="one round of half a second, without --case on 32x32 only: for a first look")
    parser.add_argument("--case", action="append", choices=CASES, metavar="NAME",
                        help="run this case only; may be repeated: " + ", ".join(CASES))
    parser.add_argument("--rounds", type=int, help="measurements of each side (default: 3)")
    parser.add_argument("--output", type=pathlib.Path, metavar="FILE", help="write the JSON lines there, too")
    arguments = parser.parse_args()
    if arguments.rounds is None:
        arguments.rounds = 1 if arguments.quick else 3
    if arguments.rounds < 1:
        parser.error(f"--rounds: expected at least 1, found {arguments.rounds}")
    if not arguments.case:
        arguments.case = [case for case in CASES if not (arguments.quick and "224" in case)]
    return arguments


def main():
    arguments = parse_arguments()
    seconds, probe_seconds = (0.5, 0.5) if arguments.quick else (6.0, 2.0)
    if arguments.output:
        arguments.output.write_text("", encoding="utf-8")
    lines = []
    try:
        for case in arguments.case:
            summary, sides = Comparison(case, arguments.program).run(arguments.rounds, seconds, probe_seconds)
            if not lines:
                print_versions(*sides)
            print_row(summary)
            lines.append(json.dumps(summary))
            if arguments.output:
                with arguments.output.open("a", encoding="utf-8") as output:
                    output.write(lines[-1] + "\n")
    finally:
        print("", *lines, sep="\n")


main()
