#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints docs/scaling.md: what training on 1 to 1,024 nodes would cost, by a model of one step.

    scaling.py FROSTLINE_TRAIN              prints the page; FROSTLINE_TRAIN tells parameters and FLOPs of every block
    scaling.py FROSTLINE_TRAIN --check PAGE whether the page is what would be printed
"""
import argparse
import dataclasses
import json
import math
import pathlib
import subprocess
import sys
import tempfile

# Images a second of a node in training, from docs/benchmarks.md: two cores with AVX-512, batches of 128.
WORKLOADS = (
    ("ResNet-50", "resnet50:stem=imagenet", "ResNet-50 with ImageNet's stem", 720),
    ("VGG-16", "vgg16", "VGG-16", 391),
)
BATCH = 128  # of a node
BUCKET = 4 << 20  # bytes
NODES = tuple(2 ** power for power in range(11))


@dataclasses.dataclass(frozen=True)
class Network:
    name: str
    latency: float  # seconds, of a message
    bandwidth: float  # bytes a second, of a node, in each direction


NETWORKS = (Network("1 Gbit/s Ethernet", 50e-6, 0.117e9), Network("10 Gbit/s Ethernet", 25e-6, 1.17e9),
            Network("100 Gbit/s InfiniBand", 2e-6, 11.7e9))


@dataclasses.dataclass(frozen=True)
class Block:
    layers: str
    parameters: int
    forward: int  # FLOPs of an image
    backward: int
    output: tuple


class Model:
    def __init__(self, blocks, images_a_second):
        self.blocks = blocks
        self.seconds_a_flop = 1 / images_a_second / sum(block.forward + block.backward for block in blocks)

    def gradient_bytes(self, frozen):
        return 4 * sum(block.parameters for block in self.blocks[frozen:])

    def forward_seconds(self, dropped):
        return BATCH * self.seconds_a_flop * sum(block.forward for block in self.blocks[dropped:])

    def backward_seconds(self, frozen):
        return BATCH * self.seconds_a_flop * sum(block.backward for block in self.blocks[frozen:])

    def step_seconds(self, nodes, network, frozen, dropped):
        size = self.gradient_bytes(frozen)
        exchange = exchange_seconds(size, nodes, network)
        last = exchange_seconds(min(size, BUCKET), nodes, network)
        return self.forward_seconds(dropped) + max(self.backward_seconds(frozen), exchange) + last

    def boundaries(self):
        """Behind the last block of each width, the head left out."""
        return [cut for cut in range(1, len(self.blocks)) if self.blocks[cut].parameters > 0
                and self.blocks[cut].output[2] != self.blocks[cut - 1].output[2]]


def exchange_seconds(size, nodes, network):
    if nodes == 1:
        return 0.0
    buckets = math.ceil(size / BUCKET)
    return (2 * (nodes - 1) / nodes * size / network.bandwidth
            + 2 * math.ceil(math.log2(nodes)) * network.latency * buckets)


def blocks_of(program, model):
    with tempfile.TemporaryDirectory() as folder:
        record = pathlib.Path(folder, "blocks.jsonl")
        subprocess.run([program, "--summary", "--quiet", "--model", model, "--data", "cifar10", "--record", record],
                       check=True)
        lines = [json.loads(line) for line in record.read_text().splitlines()]
    return [Block(line["layers"], line["parameters"], line["forward_flops"], line["backward_flops"],
                  tuple(line["output"])) for line in lines if line["event"] == "block"]


def table(head, rows):
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(map(str, row)) + " |"


def megabytes(size):
    return f"{size / 1e6:.1f} MB"


def milliseconds(seconds):
    return f"{1e3 * seconds:.0f}"


def page(program):
    yield """<!-- SPDX-License-Identifier: MIT -->
<!-- Printed by benchmarks/scaling.py: change that, not this. -->
# Scaling

How data-parallel training is used, and what it promises, stands in [distributed.md](distributed.md). This page reckons what
a step would cost on 1 to 1,024 nodes, without freezing, with frozen blocks, and with dropped ones. It is a model, not a
measurement: what goes into it is measured, what comes out is as good as the model.

## The model

Every node takes a batch of its own, so that more nodes take larger batches (weak scaling).

```
step      = forward + max(backward, exchange(G)) + exchange(min(G, bucket))
forward   = b / v * FLOPs forward of the blocks from `dropped` on  / FLOPs of the whole network, forward and backward
backward  = b / v * FLOPs backward of the blocks from `frozen` on  / FLOPs of the whole network, forward and backward
exchange  = 2 (n - 1) / n * bytes / bandwidth  +  2 ceil(log2 n) * latency * ceil(bytes / bucket)
G         = 4 bytes * parameters of the blocks from `frozen` on
```

- `v` are images a second that a node trains on, `b` the images it takes a step, `n` the nodes.
- The exchange runs beside the backward pass, but for the last bucket, which is complete when nothing is left to do.
- Each node sums a part of the gradients, and the parts are gathered (Rabenseifner's algorithm, which `mpi` asks Open MPI
  for): each node sends and receives 2 (n - 1) / n of the bytes.
- Left out: nodes that are slower than others, a network that many share, reading the data, the processor's time that
  the exchange takes, and what the feature store costs."""
    yield f"""
Speeds from [benchmarks.md](benchmarks.md): nodes of two cores, {BATCH} images a step and node, buckets of
{BUCKET >> 20} MiB. A faster node spends a larger part of its step on the exchange, and gains more of what freezing saves there.
"""
    yield from table(("network", "latency of a message", "bandwidth of a node"),
                     ((network.name, f"{1e6 * network.latency:.0f} µs", f"{network.bandwidth / 1e9:.3g} GB/s")
                      for network in NETWORKS))

    models = {name: (Model(blocks_of(program, model), speed), told, speed) for name, model, told, speed in WORKLOADS}
    model = models["ResNet-50"][0]
    whole = model.gradient_bytes(0)
    yield """
## What ResNet-50 exchanges

Bytes of gradients that a process hands over in a step, by the number of leading blocks that are frozen; 10 classes. Without
synchronised batch norm the running statistics of the blocks that learn come on top, 0.5 % of it at most. Blocks at the
input have few parameters and much to compute: freezing them saves time first, and traffic when the line is deep.
"""
    rows = []
    for cut in (0, *model.boundaries()):
        size = model.gradient_bytes(cut)
        behind = "nothing" if cut == 0 else "x".join(map(str, model.blocks[cut - 1].output))
        rows.append((cut, behind, f"{size:,}", f"{100 * (1 - size / whole):.1f} %"))
    yield from table(("frozen blocks", "their output", "bytes a step", "traffic saved"), rows)

    for name, (model, told, speed) in models.items():
        cuts = model.boundaries()
        cut = cuts[-2]
        size, full = model.gradient_bytes(cut), model.gradient_bytes(0)
        yield f"""
## {told}, {speed} images a second a node

Frozen, and dropped, are the first {cut} of {len(model.blocks)} blocks. {megabytes(full)} of gradients a step, {megabytes(size)} with these
blocks frozen: {100 * (1 - size / full):.0f} % of the traffic saved, by freezing and by dropping alike. Milliseconds a step, and in brackets the
share of it that a single node would take."""
        for network in NETWORKS:
            rows = []
            for nodes in NODES:
                cells = []
                for frozen, dropped in ((0, 0), (cut, 0), (cut, cut)):
                    seconds = model.step_seconds(nodes, network, frozen, dropped)
                    alone = model.step_seconds(1, network, frozen, dropped)
                    cells.append(f"{milliseconds(seconds)} ({100 * alone / seconds:.0f} %)")
                rows.append((f"{nodes:,}", *cells))
            yield f"\n{network.name}:\n"
            yield from table(("nodes", "no freezing", "frozen", "dropped"), rows)

    yield """
## Run it again

```sh
python3 benchmarks/scaling.py build/release/examples/frostline-train > docs/scaling.md
sh benchmarks/distributed/overlap.sh               # what the exchange adds to a step of two processes
sh benchmarks/distributed/slow_link.sh 1gbit       # two processes with a slow link between them
```"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--check", type=pathlib.Path)
    options = parser.parse_args()
    text = "\n".join(page(options.program)) + "\n"
    if options.check is None:
        print(text, end="")
    elif options.check.read_text(encoding="utf-8") != text:
        sys.exit(f"{options.check} is not what {sys.argv[0]} prints: print it anew")


main()
