#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""PyTorch's side of one measurement of versus_pytorch.py: trains or runs a network, prints one line of JSON.

The twin of frostline_worker.cpp: the same weights, batches and steps, by the formula of
tests/golden/make_golden.py. The networks are torchvision's, with its names, but for VGG's head: global
average pooling and one linear layer.
"""

import argparse
import ctypes
import json
import math
import time

import torch
from torch import nn
from torch.nn import functional

GAMMA = 0x9E3779B97F4A7C15
CLASSES = 10
COMPARED_STEPS = 3


class VGG(nn.Module):
    def __init__(self, repeats):
        super().__init__()
        layers, channels = [], 3
        for width, count in zip((64, 128, 256, 512, 512), repeats):
            for _ in range(count):
                layers += [nn.Conv2d(channels, width, 3, padding=1), nn.BatchNorm2d(width),
                           nn.ReLU(inplace=True)]
                channels = width
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Linear(channels, CLASSES)

    def forward(self, x):
        return self.classifier(functional.adaptive_avg_pool2d(self.features(x), 1).flatten(1))


class Residual(nn.Module):
    """A basic block (expansion 1) or a bottleneck (expansion 4), whose 3x3 convolution has the stride."""

    def __init__(self, inputs, width, expansion, stride):
        super().__init__()
        outputs = width * expansion
        if expansion == 1:
            kernels = [(inputs, width, 3, stride), (width, outputs, 3, 1)]
        else:
            kernels = [(inputs, width, 1, 1), (width, width, 3, stride), (width, outputs, 1, 1)]
        self.count = len(kernels)
        for number, (before, after, kernel, step) in enumerate(kernels, 1):
            self.add_module(f"conv{number}", nn.Conv2d(before, after, kernel, step, kernel // 2, bias=False))
            self.add_module(f"bn{number}", nn.BatchNorm2d(after))
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False),
                                            nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = x
        for number in range(1, self.count + 1):
            y = getattr(self, f"bn{number}")(getattr(self, f"conv{number}")(y))
            if number < self.count:
                y = functional.relu(y, inplace=True)
        y += x if self.downsample is None else self.downsample(x)
        return functional.relu(y, inplace=True)


class ResNet(nn.Module):
    def __init__(self, repeats, expansion, cifar_stem=False):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, *((3, 1, 1) if cifar_stem else (7, 2, 3)), bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.maxpool = nn.Identity() if cifar_stem else nn.MaxPool2d(3, 2, padding=1)
        channels = 64
        for stage, count in enumerate(repeats):
            blocks, width = [], 64 << stage
            for repeat in range(count):
                blocks.append(Residual(channels, width, expansion, 2 if stage and not repeat else 1))
                channels = width * expansion
            self.add_module(f"layer{stage + 1}", nn.Sequential(*blocks))
        self.fc = nn.Linear(channels, CLASSES)

    def forward(self, x):
        x = self.maxpool(functional.relu(self.bn1(self.conv1(x)), inplace=True))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(functional.adaptive_avg_pool2d(x, 1).flatten(1))


NETWORKS = {
    "vgg11": lambda: VGG((1, 1, 2, 2, 2)),
    "vgg16": lambda: VGG((2, 2, 3, 3, 3)),
    "resnet18": lambda: ResNet((2, 2, 2, 2), expansion=1),
    "resnet18-cifar": lambda: ResNet((2, 2, 2, 2), expansion=1, cifar_stem=True),
    "resnet50": lambda: ResNet((3, 4, 6, 3), expansion=4),
}


def fnv1a64(name):
    value = 0xCBF29CE484222325
    for byte in name.encode():
        value = ((value ^ byte) * 0x100000001B3) % 2**64
    return value


def hashes(name, begin, end):
    """splitmix64 of the indices [begin, end) of `name`; int64 wraps as uint64 does."""

    def signed(value):
        value %= 2**64
        return value - 2**64 if value >= 2**63 else value

    def shifted(z, bits):  # without copies of the sign bit
        return (z >> bits) & ((1 << (64 - bits)) - 1)

    z = torch.arange(begin, end) * signed(GAMMA) + signed(fnv1a64(name) + GAMMA)
    z = (z ^ shifted(z, 30)) * signed(0xBF58476D1CE4E5B9)
    z = (z ^ shifted(z, 27)) * signed(0x94D049BB133111EB)
    return z ^ shifted(z, 31)


@torch.no_grad()
def fill(tensor, name, bound, offset=0.0):
    """In pieces, so that what is in use on the way does not count as memory of the network."""
    flat, piece = tensor.view(-1), 1 << 16
    for begin in range(0, flat.numel(), piece):
        part = flat[begin:begin + piece]
        uniform = ((hashes(name, begin, begin + part.numel()) >> 11) & ((1 << 53) - 1)).double() * 2.0**-53
        part.copy_(offset + (2.0 * uniform - 1.0) * bound)


def fill_network(network):
    for path, module in network.named_modules():
        for kind, tensor in [*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)]:
            name = f"{path}.{kind}"
            if tensor.dim() > 1:
                fill(tensor, name, math.sqrt((6.0 if tensor.dim() == 4 else 3.0) / tensor[0].numel()))
            elif kind in ("weight", "running_var"):
                # Bottlenecks start close to their shortcuts, see frostline_worker.cpp.
                mean = 0.2 if name.endswith("bn3.weight") else 1.0
                fill(tensor, name, 0.2 * mean, mean)
            elif kind != "num_batches_tracked":
                fill(tensor, name, 0.1)


def generate_batch(number, arguments, memory_format):
    images = torch.empty(arguments.batch, 3, arguments.size, arguments.size)
    fill(images, f"image.{number}", 1.0)
    targets = torch.tensor([value % 2**64 % CLASSES
                            for value in hashes(f"target.{number}", 0, arguments.batch).tolist()])
    return images.contiguous(memory_format=memory_format), targets


def measure(arguments, step):
    """Outcomes of the compared steps, and images a second of whole steps that take the wanted time."""
    compared = [step(number) for number in range(COMPARED_STEPS)]
    compared = torch.stack(compared).flatten().tolist()
    number, elapsed, start = COMPARED_STEPS, 0.0, time.perf_counter()
    while elapsed < arguments.seconds:
        step(number)
        number += 1
        elapsed = time.perf_counter() - start
    images = (number - COMPARED_STEPS) * arguments.batch
    return {"compared": compared, "images_per_second": images / elapsed if images else None}


def train(arguments, network, batches):
    weights = [parameter for parameter in network.parameters() if parameter.dim() > 1]
    others = [parameter for parameter in network.parameters() if parameter.dim() == 1]
    optimiser = torch.optim.SGD([{"params": weights, "weight_decay": 5e-4}, {"params": others}], lr=0.001,
                                momentum=0.9)

    def step(number):
        images, targets = batches[number % len(batches)]
        optimiser.zero_grad(set_to_none=True)
        loss = functional.cross_entropy(network(images), targets)
        loss.backward()
        optimiser.step()
        return loss.detach()

    return measure(arguments, step)


class Replay:
    """The reservoir of train/replay_buffer.hpp, with the same draws (core/random.hpp)."""

    CAPACITY, REPLAYED, PURPOSE = 64, 7, 9

    def __init__(self):
        self.samples = []
        self.places = self.stream(0, 0)

    @staticmethod
    def scramble(bits):
        bits = (bits + GAMMA) % 2**64
        bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) % 2**64
        bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) % 2**64
        return bits ^ (bits >> 31)

    def stream(self, first, second):
        key = self.scramble(0)  # the seed
        for part in (self.PURPOSE, first, second):
            key = self.scramble(key ^ part)
        return lambda index: (self.scramble(key ^ self.scramble(index)) >> 11) * 2.0**-53

    def offer(self, number, sample):
        if len(self.samples) < self.CAPACITY:
            self.samples.append(sample)
        elif (place := int(self.places(number) * (number + 1))) < self.CAPACITY:
            self.samples[place] = sample

    def draw(self, step):
        uniform = self.stream(1, step)
        return [self.samples[int(uniform(i) * len(self.samples))] for i in range(self.REPLAYED if self.samples else 0)]


def train_online(arguments, network, batches):
    """What online_learner does: tests the new sample, then one step on it and on replayed ones."""
    weights = [parameter for parameter in network.parameters() if parameter.dim() > 1]
    others = [parameter for parameter in network.parameters() if parameter.dim() == 1]
    optimiser = torch.optim.SGD([{"params": weights, "weight_decay": 5e-4}, {"params": others}], lr=0.001,
                                momentum=0.9)
    memory_format = torch.channels_last if arguments.channels_last else torch.contiguous_format
    replay, predicting, fitting = Replay(), [], []

    @torch.inference_mode()
    def predict(images):
        network.eval()
        return network(images)

    def partial_fit(number, images, targets):
        with torch.inference_mode():
            outputs = predict(images)
            tested = functional.cross_entropy(outputs, targets)
            int((outputs.argmax(1) == targets).sum())
        old = replay.draw(number)
        replay.offer(number, (images, targets))
        network.train()
        images = torch.cat([images, *(each for each, _ in old)]).contiguous(memory_format=memory_format)
        targets = torch.cat([targets, *(each for _, each in old)])
        optimiser.zero_grad(set_to_none=True)
        loss = functional.cross_entropy(network(images), targets)
        loss.backward()
        optimiser.step()
        return torch.stack([tested, loss.detach()])

    def step(number):
        images, targets = batches[number % len(batches)]
        start = time.perf_counter()
        predict(images)
        between = time.perf_counter()
        losses = partial_fit(number, images, targets)
        predicting.append(between - start)
        fitting.append(time.perf_counter() - between)
        return losses

    def quantiles(seconds):
        seconds = sorted(seconds[COMPARED_STEPS:])
        if not seconds:
            return None
        return {"p50": seconds[(len(seconds) - 1) // 2], "p99": seconds[(len(seconds) - 1) * 99 // 100]}

    result = measure(arguments, step)
    return {**result, "predict_seconds": quantiles(predicting), "partial_fit_seconds": quantiles(fitting)}


@torch.inference_mode()
def infer(arguments, network, batches):
    network.eval()
    if arguments.frozen:
        network = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(network, batches[0][0])))
    return measure(arguments, lambda number: network(batches[number % len(batches)][0]))


def peak_memory_bytes():
    with open("/proc/self/status", encoding="ascii") as status:
        return next(1024 * int(line.split()[1]) for line in status if line.startswith("VmHWM:"))


def reset_peak_memory():
    ctypes.CDLL(None).malloc_trim(0)
    with open("/proc/self/clear_refs", "w", encoding="ascii") as clear_refs:
        clear_refs.write("5")


def onednn_version():
    lines = torch.__config__.show().splitlines()
    return next((line.strip(" -") for line in lines if "MKL-DNN" in line), None)


def blas_core():
    try:
        corename = ctypes.CDLL("libopenblas.so.0").openblas_get_corename
    except OSError:
        return None
    corename.restype = ctypes.c_char_p
    return corename().decode()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("network", choices=NETWORKS)
    parser.add_argument("--size", type=int, default=32, help="height and width of the images")
    parser.add_argument("--batch", type=int, default=128, help="images a step")
    parser.add_argument("--inference", action="store_true", help="measure inference in place of training")
    parser.add_argument("--seconds", type=float, default=1.0,
                        help="least time to measure; 0: run the compared steps only")
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--online", action="store_true", help="measure online training: predict and partial_fit")
    parser.add_argument("--frozen", action="store_true", help="inference by torch.jit.optimize_for_inference")
    arguments = parser.parse_args()

    memory_format = torch.channels_last if arguments.channels_last else torch.contiguous_format
    batches = [generate_batch(number, arguments, memory_format)
               for number in range(max(4, 64 // arguments.batch))]
    reset_peak_memory()
    baseline = peak_memory_bytes()
    network = NETWORKS[arguments.network]()
    fill_network(network)
    network = network.to(memory_format=memory_format)
    measured = infer if arguments.inference else train_online if arguments.online else train
    result = measured(arguments, network, batches)
    peak = peak_memory_bytes()
    print(json.dumps({
        **result,
        "version": torch.__version__,
        "onednn": onednn_version(),
        "blas_core": blas_core(),
        "threads": torch.get_num_threads(),
        "resident_bytes": peak,
        "memory_bytes": peak - baseline,
    }))


main()
