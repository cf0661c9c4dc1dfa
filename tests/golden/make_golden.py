# SPDX-License-Identifier: MIT
"""Writes the golden numbers of this folder: for lenet5, vgg11, resnet18, bottleneck_resnet and single layers.

Run with PyTorch 1.13 and NumPy 1.24 (Debian 12: python3-torch, python3-numpy); it takes a few minutes:

    /usr/bin/python3 tests/golden/make_golden.py

Every input is recomputed, not stored. Entry `index` of the tensor called `name` comes from

    h     = splitmix64(fnv1a64(name) + index * 0x9E3779B97F4A7C15)          (all modulo 2^64)
    u     = (h >> 11) * 2^-53                                               (double, in [0, 1))
    value = float32(offset + (2 * u - 1) * bound)                           (double until the last rounding)

    fnv1a64(name):  hash = 0xCBF29CE484222325
                    for each byte of name:  hash = (hash ^ byte) * 0x100000001B3
    splitmix64(x):  z = x + 0x9E3779B97F4A7C15
                    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9
                    z = (z ^ (z >> 27)) * 0x94D049BB133111EB
                    return z ^ (z >> 31)

`index` runs row-major over PyTorch's layout: NCHW for activations, OIHW for convolution weights, [out][in]
for linear weights. A class index is h mod 10. Batch b has the images "image.<b>" (offset 0, bound 1) and the
targets "target.<b>"; step s of a run uses batch s mod `batch_cycle`.

Goldens are computed in double precision from these float32 values; losses are given in float32 too.
"""
import json
import math
import pathlib
import sys

import numpy
import torch
from torch import nn
from torch.nn import functional

GAMMA = 0x9E3779B97F4A7C15
CLASSES = 10
STEPS = 20
AGREEMENT = 2e-4  # the most by which float32 and float64 losses may differ, relative
FOLDER = pathlib.Path(__file__).resolve().parent


def fnv1a64(name):
    value = 0xCBF29CE484222325
    for byte in name.encode():
        value = ((value ^ byte) * 0x100000001B3) % 2**64
    return value


def hashes(name, count):
    """splitmix64 of the first `count` indices of `name`; NumPy's uint64 arrays wrap modulo 2^64."""
    index = numpy.arange(count, dtype=numpy.uint64)
    z = index * numpy.uint64(GAMMA) + numpy.uint64((fnv1a64(name) + GAMMA) % 2**64)
    z = (z ^ (z >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
    return z ^ (z >> numpy.uint64(31))


def generate(name, shape, bound=1.0, offset=0.0, dtype=torch.float64):
    u = (hashes(name, math.prod(shape)) >> numpy.uint64(11)).astype(numpy.float64) * 2.0**-53
    values = (offset + (2.0 * u - 1.0) * bound).astype(numpy.float32)
    return torch.from_numpy(values.reshape(shape)).to(dtype)


def generate_targets(name, count):
    return torch.from_numpy((hashes(name, count) % numpy.uint64(CLASSES)).astype(numpy.int64))


class LeNet5(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(400, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, CLASSES)

    def forward(self, x):
        x = functional.max_pool2d(functional.relu(self.conv1(x)), 2)
        x = functional.max_pool2d(functional.relu(self.conv2(x)), 2)
        x = functional.relu(self.fc1(x.flatten(1)))
        return self.fc3(functional.relu(self.fc2(x)))


class VGG(nn.Module):
    """torchvision's features with batch norm (and their names), and a head for small images."""

    def __init__(self, channels, repeats):
        super().__init__()
        stages = []
        for width, count in zip((64, 128, 256, 512, 512), repeats):
            for _ in range(count):
                stages += [nn.Conv2d(channels, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()]
                channels = width
            stages.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*stages)
        self.classifier = nn.Linear(channels, CLASSES)

    def forward(self, x):
        return self.classifier(functional.adaptive_avg_pool2d(self.features(x), 1).flatten(1))


class VGG11(VGG):
    def __init__(self):
        super().__init__(1, (1, 1, 2, 2, 2))


class BasicBlock(nn.Module):
    expansion = 1

    def __init__(self, inputs, width, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = shortcut(inputs, width, stride)

    def forward(self, x):
        main = functional.relu(self.bn1(self.conv1(x)))
        return functional.relu(self.bn2(self.conv2(main)) + self.downsample(x))


class Bottleneck(nn.Module):
    expansion = 4

    def __init__(self, inputs, width, stride):
        super().__init__()
        outputs = width * self.expansion
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample = shortcut(inputs, outputs, stride)

    def forward(self, x):
        main = functional.relu(self.bn1(self.conv1(x)))
        main = functional.relu(self.bn2(self.conv2(main)))
        return functional.relu(self.bn3(self.conv3(main)) + self.downsample(x))


def shortcut(inputs, outputs, stride):
    if stride == 1 and inputs == outputs:
        return nn.Identity()
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))


class ResNet(nn.Module):
    """torchvision's ResNet (and names), or one that starts with a 3x3 convolution and without pooling."""

    def __init__(self, block, repeats, small):
        super().__init__()
        channels = 64
        self.conv1 = nn.Conv2d(3, channels, *((3, 1, 1) if small else (7, 2, 3)), bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.maxpool = nn.Identity() if small else nn.MaxPool2d(3, 2, padding=1)
        stages = []
        for width, count in zip((64, 128, 256, 512), repeats):
            stage = []
            for repeat in range(count):
                stage.append(block(channels, width, 2 if stages and repeat == 0 else 1))
                channels = width * block.expansion
            stages.append(nn.Sequential(*stage))
        self.layer1, self.layer2, self.layer3, self.layer4 = stages
        self.fc = nn.Linear(channels, CLASSES)

    def forward(self, x):
        x = self.maxpool(functional.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(functional.adaptive_avg_pool2d(x, 1).flatten(1))


class ResNet18(ResNet):
    def __init__(self):
        super().__init__(BasicBlock, (2, 2, 2, 2), small=True)


class BottleneckResNet(ResNet):
    """ResNet-50 with fewer blocks."""

    def __init__(self):
        super().__init__(Bottleneck, (1, 2, 1, 1), small=False)


def describe_parameters(network):
    """Name, shape, bound and offset of every parameter, in PyTorch's order."""
    # As in a trained network a residual block changes its input little; else float32 drifts off with depth.
    last_norms = {getattr(block, "bn3", block.bn2) for block in network.modules()
                  if isinstance(block, (BasicBlock, Bottleneck))}
    parameters = []
    for path, module in network.named_modules():
        for kind, parameter in module.named_parameters(recurse=False):
            bound, offset = 0.1, 0.0
            if kind == "weight":
                fan_in = math.prod(parameter.shape[1:])
                if isinstance(module, nn.Conv2d):
                    bound = math.sqrt(6.0 / fan_in)
                elif isinstance(module, nn.Linear):
                    bound = math.sqrt(3.0 / fan_in)
                elif module in last_norms:
                    bound, offset = 0.1, 0.3
                else:
                    bound, offset = 0.2, 1.0
            parameters.append({"name": f"{path}.{kind}", "shape": list(parameter.shape), "bound": bound,
                               "offset": offset})
    return parameters


def build(kind, parameters, dtype):
    """The network with generated parameters and fresh running statistics (mean 0, variance 1)."""
    network = kind().to(dtype)
    slots = dict(network.named_parameters())
    with torch.no_grad():
        for entry in parameters:
            slots[entry["name"]].copy_(generate(**entry, dtype=dtype))
    return network


def train(kind, parameters, batch, run, dtype):
    """The loss of each step, before that step's update, and the trained network."""
    network = build(kind, parameters, dtype)
    decayed = [p for name, p in network.named_parameters() if name in run["decayed"]]
    others = [p for name, p in network.named_parameters() if name not in run["decayed"]]
    groups = [{"params": decayed, "weight_decay": run["weight_decay"]}]
    if others:
        groups.append({"params": others, "weight_decay": 0.0})
    optimiser = torch.optim.SGD(groups, lr=run["rate"], momentum=run["momentum"], nesterov=run["nesterov"])
    losses = []
    for step in range(STEPS):
        number = step % run["batch_cycle"]
        images = generate(f"image.{number}", batch, dtype=dtype)
        targets = generate_targets(f"target.{number}", batch[0])
        optimiser.zero_grad()
        loss = functional.cross_entropy(network(images), targets, label_smoothing=run["label_smoothing"])
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return losses, network


def finish_run(name, kind, parameters, batch, run):
    """Adds to `run` its losses in both precisions and the norms of the running statistics."""
    run["losses"], network = train(kind, parameters, batch, run, torch.float64)
    run["losses_float32"], network32 = train(kind, parameters, batch, run, torch.float32)
    # A second float32 engine rounds differently: a trajectory that only one of them follows is chaotic.
    with torch.backends.mkldnn.flags(enabled=False):
        other_engine, _ = train(kind, parameters, batch, run, torch.float32)
    difference = max(abs(loss - single) / abs(loss) for singles in (run["losses_float32"], other_engine)
                     for loss, single in zip(run["losses"], singles))
    print(f"{name}: loss {run['losses'][0]:.4f} -> {run['losses'][-1]:.4f}, "
          f"float32 (two engines) within {difference:.1e} of float64, relative")
    if difference > AGREEMENT:
        raise SystemExit(f"{name}: float32 is {difference:.1e} from float64, limit {AGREEMENT}")
    norms, norms32 = ({key: buffer.double().norm().item() for key, buffer in trained.named_buffers()
                       if "running" in key} for trained in (network, network32))
    if norms:
        run["running_statistics_l2_norms"] = norms
        run["running_statistics_l2_norms_float32"] = norms32
    return run


def network_golden(kind, batch, runs):
    parameters = describe_parameters(kind())
    names = [entry["name"] for entry in parameters]
    # A weight has more than one dimension exactly if it is a convolution's or a linear layer's.
    weights = [entry["name"] for entry in parameters if len(entry["shape"]) > 1]
    images = generate("image.0", batch)
    with torch.no_grad():
        training = build(kind, parameters, torch.float64).train()(images)
        inference = build(kind, parameters, torch.float64).eval()(images)
    golden = {"batch": batch, "classes": CLASSES, "parameters": parameters,
              "logits_training": training.tolist(), "logits_inference": inference[:4].tolist(), "runs": {}}
    for name, run in runs.items():
        run["decayed"] = names if run["decayed"] == "all" else weights
        golden["runs"][name] = finish_run(f"{kind.__name__} {name}", kind, parameters, batch, run)
    return golden


def layer_case(settings, inputs, forward):
    """Runs `forward` on generated inputs, and backward from "dy" if it is an input, else from a scalar."""
    entries = [{"bound": 1.0, "offset": 0.0, **entry} for entry in inputs]
    tensors = {entry["name"].split(".")[1]: generate(**entry) for entry in entries}
    dy = tensors.pop("dy", None)
    for tensor in tensors.values():
        tensor.requires_grad_()
    outputs = forward(**tensors)
    result = next(iter(outputs.values()))
    result.backward(dy)
    outputs.update({f"d{name}": tensor.grad for name, tensor in tensors.items()})
    expected = {name: {"shape": list(value.shape), "values": value.detach().flatten().tolist()}
                for name, value in outputs.items()}
    return {"settings": settings, "inputs": entries, "expected": expected}


def layers_golden():
    def batch_norm(x, weight, bias):
        mean, variance = torch.zeros(3, dtype=x.dtype), torch.ones(3, dtype=x.dtype)
        y = functional.batch_norm(x, mean, variance, weight, bias, training=True, momentum=0.1, eps=1e-5)
        after = functional.batch_norm(x.detach(), mean, variance, weight.detach(), bias.detach(), eps=1e-5)
        return {"y": y, "running_mean": mean, "running_var": variance, "y_inference_after": after}

    targets = generate_targets("cross_entropy.target", 6)
    return {
        "conv2d": layer_case(
            {"kernel": 3, "stride": 2, "padding": 1},
            [{"name": "conv2d.x", "shape": [2, 3, 7, 5]}, {"name": "conv2d.weight", "shape": [4, 3, 3, 3]},
             {"name": "conv2d.bias", "shape": [4]}, {"name": "conv2d.dy", "shape": [2, 4, 4, 3]}],
            lambda x, weight, bias: {"y": functional.conv2d(x, weight, bias, stride=2, padding=1)}),
        # All inputs are negative, so that padding with zeros instead of minus infinity would show.
        "max_pool": layer_case(
            {"kernel": 3, "stride": 2, "padding": 1},
            [{"name": "max_pool.x", "shape": [2, 3, 7, 6], "bound": 0.5, "offset": -0.75},
             {"name": "max_pool.dy", "shape": [2, 3, 4, 3]}],
            lambda x: {"y": functional.max_pool2d(x, 3, stride=2, padding=1)}),
        "average_pool": layer_case(
            {"kernel": 2, "stride": 2, "padding": 0},
            [{"name": "average_pool.x", "shape": [2, 3, 6, 4]},
             {"name": "average_pool.dy", "shape": [2, 3, 3, 2]}],
            lambda x: {"y": functional.avg_pool2d(x, 2)}),
        # From 7x5 with windows that overlap in height, and from 5 columns to 6, which repeats some.
        "adaptive_average_pool": layer_case(
            {"height": 3, "width": 6},
            [{"name": "adaptive_average_pool.x", "shape": [2, 3, 7, 5]},
             {"name": "adaptive_average_pool.dy", "shape": [2, 3, 3, 6]}],
            lambda x: {"y": functional.adaptive_avg_pool2d(x, (3, 6))}),
        "batch_norm": layer_case(
            {"momentum": 0.1, "epsilon": 1e-5},
            [{"name": "batch_norm.x", "shape": [4, 3, 3, 2], "bound": 2.0, "offset": 0.5},
             {"name": "batch_norm.weight", "shape": [3], "bound": 0.2, "offset": 1.0},
             {"name": "batch_norm.bias", "shape": [3], "bound": 0.1},
             {"name": "batch_norm.dy", "shape": [4, 3, 3, 2]}],
            batch_norm),
        "cross_entropy": layer_case(
            {"label_smoothing": 0.1, "reduction": "mean", "targets": targets.tolist()},
            [{"name": "cross_entropy.logits", "shape": [6, CLASSES], "bound": 3.0}],
            lambda logits: {"loss": functional.cross_entropy(logits, targets, label_smoothing=0.1)}),
    }


def header():
    script = pathlib.Path(sys.argv[0]).name
    check = [{"name": name, "fnv1a64": fnv1a64(name), "h": hashes(name, 3).tolist(),
              "value": generate(name, [3]).tolist()} for name in ("image.0", "target.0")]
    return {
        "comment": [
            f"SPDX-License-Identifier: MIT. Written by {script}. All integers are modulo 2^64.",
            "h = splitmix64(fnv1a64(name) + index * 0x9E3779B97F4A7C15); u = (h >> 11) * 2^-53;",
            "value = float32(offset + (2 * u - 1) * bound), all in double; target = h mod 10.",
            "fnv1a64: hash = 0xCBF29CE484222325; for each byte: hash = (hash ^ byte) * 0x100000001B3.",
            "splitmix64(x): z = x + 0x9E3779B97F4A7C15; z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;",
            "z = (z ^ (z >> 27)) * 0x94D049BB133111EB; return z ^ (z >> 31).",
            "index runs row-major over PyTorch's layout: NCHW, convolutions OIHW, linear [out][in].",
            "Batch b: images 'image.<b>' (bound 1), targets 'target.<b>'; step s uses b = s mod batch_cycle.",
        ],
        "pytorch": torch.__version__,
        "generator_check": check,
    }


def text(value, indent=0):
    """JSON with long lists of scalars wrapped at the line width instead of one number a line."""
    flat = json.dumps(value)
    if indent + len(flat) <= 108 or not isinstance(value, (dict, list)):
        return flat
    space = " " * (indent + 1)
    if isinstance(value, dict):
        items = [f"{space}{json.dumps(key)}: {text(item, indent + 1)}" for key, item in value.items()]
        return "{\n" + ",\n".join(items) + "\n" + " " * indent + "}"
    if any(isinstance(item, (dict, list, str)) for item in value):
        items = [space + text(item, indent + 1) for item in value]
        return "[\n" + ",\n".join(items) + "\n" + " " * indent + "]"
    lines, line = [], space
    for item in map(json.dumps, value):
        if len(line) + len(item) > 108:
            lines.append(line.rstrip())
            line = space
        line += item + ", "
    lines.append(line.rstrip(", "))
    return "[\n" + "\n".join(lines) + "\n" + " " * indent + "]"


def write(name, golden):
    (FOLDER / name).write_text(text({**header(), **golden}) + "\n")


def main():
    torch.set_num_threads(1)  # the sums, and with them the last digits, depend on the number of threads
    sgd = {"momentum": 0.9, "weight_decay": 5e-4, "batch_cycle": 4, "nesterov": False, "label_smoothing": 0.0,
           "decayed": "weights"}
    write("layers.json", {"layers": layers_golden()})
    write("lenet5.json", network_golden(LeNet5, [32, 1, 28, 28], {
        "sgd": {"rate": 0.05, **sgd},
        "nesterov_smoothed": {"rate": 0.05, **sgd, "nesterov": True, "label_smoothing": 0.1,
                              "decayed": "all"},
    }))
    # Higher rates are chaotic in float32: at 2e-4 one engine was already 3e-3 away from double.
    write("vgg11.json", network_golden(VGG11, [16, 1, 32, 32], {"sgd": {"rate": 5e-5, **sgd}}))
    write("resnet18.json", network_golden(ResNet18, [4, 3, 18, 14], {"sgd": {"rate": 1e-3, **sgd}}))
    write("bottleneck_resnet.json", network_golden(BottleneckResNet, [4, 3, 64, 48], {
        "sgd": {"rate": 5e-4, **sgd},
    }))


if __name__ == "__main__":
    main()
