# SPDX-License-Identifier: MIT
"""Writes the golden gradients of whole networks, and the logits of the deepest ones.

Run as make_golden.py, whose networks and generator these are; it takes a minute:

    /usr/bin/python3 tests/golden/make_gradient_golden.py

A gradient is kept as its L2 norm and PROJECTIONS inner products with vectors of signs: entry `index` of
vector i for the parameter called `name` is 1 if bit i of the generator's h for ("<name>.signs", index) is
set, else -1. The inner product of such a vector with a difference d has the mean square |d|^2, so that a few
of them tell how large d is without the whole tensor.
"""
import unittest.mock

import numpy
import torch
from torch import nn
from torch.nn import functional

from make_golden import (VGG, Bottleneck, ResNet, ResNet18, build, describe_parameters, generate,
                         generate_targets, hashes, write)

PROJECTIONS = 8
# The least distance of a decision from the opposite one, in rms errors of float32: a decision that rounding
# turns over changes a gradient by far more than rounding does, and says nothing about accuracy.
MARGIN = 8


class ResNet50(ResNet):
    def __init__(self):
        super().__init__(Bottleneck, (3, 4, 6, 3), small=False)


class ResNet101(ResNet):
    def __init__(self):
        super().__init__(Bottleneck, (3, 4, 23, 3), small=False)


class ResNet152(ResNet):
    def __init__(self):
        super().__init__(Bottleneck, (3, 8, 36, 3), small=False)


class VGG16(VGG):
    def __init__(self):
        super().__init__(3, (2, 2, 3, 3, 3))


def describe_spread(network):
    """describe_parameters, but the biases of batch norm are spread so far that few values lie near ReLU's
    kink: some channels pass nearly everything, some nearly nothing."""
    biases = {f"{path}.bias" for path, module in network.named_modules()
              if isinstance(module, nn.BatchNorm2d)}
    return [{**entry, "bound": 3.0} if entry["name"] in biases else entry
            for entry in describe_parameters(network)]


def decisions(network, images):
    """What every ReLU and max pooling decides by, channel by channel: a ReLU by the sign of its input, a
    pooling by how far the largest value of a window leads. Where nothing is positive a pooling has nothing to
    decide, for the ReLU before it has cut off the gradient."""
    found = []

    def relu(x, inplace=False):
        found.append(x)
        return torch.relu(x)

    def max_pool2d(x, kernel, stride, padding, *rest, **named):
        padded = functional.pad(x, [padding] * 4)
        windows = functional.unfold(padded, kernel, stride=stride).unflatten(1, (x.shape[1], -1))
        largest, second = windows.topk(2, dim=2).values.unbind(2)
        found.append(torch.where(largest > 0, largest - second, torch.ones_like(largest)))
        return torch.max_pool2d(x, kernel, stride, padding)

    with torch.no_grad(), unittest.mock.patch.object(functional, "relu", relu), \
            unittest.mock.patch.object(functional, "max_pool2d", max_pool2d):
        network(images)
    return [decision.double().transpose(0, 1).flatten(1) for decision in found]


def margin(networks, batch, number):
    """The least distance of a decision from the opposite one, in rms errors of float32 in its channel."""
    double, single = (decisions(network, generate(f"image.{number}", batch, dtype=dtype))
                      for dtype, network in networks.items())
    return min((decision.abs() / (decision - other).square().mean(1, keepdim=True).sqrt()).min().item()
               for decision, other in zip(double, single))


def gradients(network, batch, number, dtype):
    """The loss, and every parameter's gradient in double."""
    loss = functional.cross_entropy(network(generate(f"image.{number}", batch, dtype=dtype)),
                                    generate_targets(f"target.{number}", batch[0]))
    loss.backward()
    return loss.item(), {name: p.grad.double() for name, p in network.named_parameters()}


def summary(name, gradient, gradient32):
    norm = gradient.norm().item()
    # A bias before batch norm changes nothing: what PyTorch finds is rounding.
    if norm < 1e-12:
        return {"norm": 0, "projections": [0] * PROJECTIONS, "float32_error": 0}
    h = hashes(f"{name}.signs", gradient.numel())
    values = gradient.flatten().numpy()
    projections = [numpy.where((h >> numpy.uint64(bit)) & numpy.uint64(1), values, -values).sum()
                   for bit in range(PROJECTIONS)]
    return {"norm": norm, "projections": [float(f"{value:.13g}") for value in projections],
            "float32_error": float(f"{(gradient32 - gradient).norm().item() / norm:.3g}")}


def logits(kind, parameters, batch, number):
    images = generate(f"image.{number}", batch)
    network = build(kind, parameters, torch.float64)
    with torch.no_grad():
        inference = network.eval()(images)
        training = network.train()(images)
    return {"logits_training": training.tolist(), "logits_inference": inference.tolist()}


def gradient_golden(kind, batch, number):
    parameters = describe_spread(kind())
    networks = {dtype: build(kind, parameters, dtype) for dtype in (torch.float64, torch.float32)}
    distance = margin(networks, batch, number)
    if distance < MARGIN:
        raise SystemExit(f"{kind.__name__}: margin {distance:.1f}, expected {MARGIN}: choose another batch")
    (loss, double), (_, single) = (gradients(network, batch, number, dtype)
                                   for dtype, network in networks.items())
    golden = {"batch": batch, "number": number, **logits(kind, parameters, batch, number), "loss": loss,
              "parameters": parameters}
    for entry in parameters:
        entry["gradient"] = summary(entry["name"], double[entry["name"]], single[entry["name"]])
    errors = [entry["gradient"]["float32_error"] for entry in parameters if entry["gradient"]["norm"] > 0]
    print(f"{kind.__name__}: margin {distance:.1f}, float32 errs {min(errors):.1e} to {max(errors):.1e}")
    return golden


def logits_golden(kind, batch):
    parameters = describe_parameters(kind())
    return {"batch": batch, "number": 0, **logits(kind, parameters, batch, 0), "parameters": parameters}


def main():
    torch.set_num_threads(1)  # see make_golden.py
    # The numbers of the batches are those with the largest margins among the first hundred.
    write("resnet18_gradients.json", gradient_golden(ResNet18, [4, 3, 18, 14], number=5))
    write("resnet50_gradients.json", gradient_golden(ResNet50, [3, 3, 61, 47], number=23))
    write("vgg16_gradients.json", gradient_golden(VGG16, [3, 3, 33, 35], number=39))
    write("resnet101.json", logits_golden(ResNet101, [2, 3, 64, 48]))
    write("resnet152.json", logits_golden(ResNet152, [2, 3, 64, 48]))


if __name__ == "__main__":
    main()
