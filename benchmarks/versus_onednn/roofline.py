#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Prints the speed of every convolution as Markdown, from the JSON lines of versus_onednn and versus_pytorch.

    roofline.py versus_onednn.jsonl versus_pytorch.jsonl

A step's time is that of its images; the time of its convolutions is that of each pass of each of them, measured
alone. The rest is batch norm, ReLU, pooling, the head, the update, and what a pass costs more among the others.
"""
import collections
import json
import re
import sys

PASSES = ("forward", "backward_input", "backward_weights")
CASE = re.compile(r"(?P<network>.+?)/(?P<inputs>\d+)->(?P<outputs>\d+)@(?P<size>\d+)x\d+/kernel:(?P<kernel>\d+)"
                  r"/stride:(?P<stride>\d+)/batch:(?P<batch>\d+)/(?P<pass>\w+)")
# How often a distinct convolution occurs, where more than once: (inputs, outputs, kernel, stride) and its size.
VGG16 = {(256, 256, 3, 1): 2, (512, 512, 3, 1): {4: 2, 2: 3, 28: 2, 14: 3}}
RESNET50_BLOCKS = {64: 3, 128: 4, 256: 6, 512: 3}


def repeats(network, layer):
    key = tuple(int(layer[name]) for name in ("inputs", "outputs", "kernel", "stride"))
    if network.startswith("vgg16"):
        count = VGG16.get(key, 1)
        return count if isinstance(count, int) else count[int(layer["size"])]
    inputs, outputs, kernel, stride = key
    if kernel == 3 and stride == 1:
        return RESNET50_BLOCKS[outputs] - (outputs > 64)
    if kernel == 1 and stride == 1 and outputs == 4 * inputs and inputs > 64:
        return RESNET50_BLOCKS[inputs]
    if kernel == 1 and stride == 1 and inputs == 4 * outputs:
        return RESNET50_BLOCKS[outputs] - 1
    # 64 -> 256 ends three blocks and is the first one's shortcut.
    return 4 if key == (64, 256, 1, 1) else 1


def main(onednn, pytorch):
    steps = {}
    with open(pytorch, encoding="utf-8") as lines:
        for line in map(json.loads, lines):
            steps[line["case"]] = line["frostline_images_per_second"]
    tables = collections.OrderedDict()
    with open(onednn, encoding="utf-8") as lines:
        for line in map(json.loads, lines):
            layer = CASE.fullmatch(line["case"]).groupdict()
            rows = tables.setdefault(layer["network"], collections.OrderedDict())
            rows.setdefault(line["case"].rsplit("/", 1)[0], (layer, {}))[1][layer["pass"]] = line
    for network, rows in tables.items():
        print(f"### {network.replace('-', ', images of ')}\n\n| convolution | times | {' | '.join(PASSES)} |")
        print("|---|---|---|---|---|")
        seconds = 0
        for layer, passes in rows.values():
            size, count = int(layer["size"]), repeats(network, layer)
            name = f"{layer['inputs']} -> {layer['outputs']}, {layer['kernel']}x{layer['kernel']}"
            name += f" / {layer['stride']}" if layer["stride"] != "1" else ""
            cells = [f"{passes[each]['frostline_gflops']:.0f} ({passes[each]['ratio']:.1f})" if each in passes else "-"
                     for each in PASSES]
            print(f"| {name}, at {size}x{size} | {count} | {' | '.join(cells)} |")
            output = (size + int(layer["stride"]) - 1) // int(layer["stride"])
            operations = 2e-9 * output**2 * int(layer["kernel"])**2 * int(layer["inputs"]) * int(layer["outputs"])
            seconds += count * sum(operations / line["frostline_gflops"] for line in passes.values())
        case = {"vgg16-32": "vgg16", "resnet50-32": "resnet50-imagenet-stem"}.get(network, network)
        if case in steps:
            # Both are for one image.
            share = 1 - seconds * steps[case]
            print(f"\nOutside of convolutions: {100 * share:.0f} % of a step.")
        print()


main(*sys.argv[1:])
