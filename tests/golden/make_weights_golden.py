# SPDX-License-Identifier: MIT
"""Writes weights.safetensors and weights.json: a small network's state dict as PyTorch has it, and its logits.

    /usr/bin/python3 tests/golden/make_weights_golden.py

The images are those of make_golden.py: "image.0", offset 0, bound 1, in PyTorch's layout.
"""
import json
import pathlib
import sys

import torch
from torch import nn

import make_golden

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent.parent / "examples"))
import convert_weights  # noqa: E402

BATCH = (3, 2, 6, 8)


class Small(nn.Module):
    """A convolution with batch norm as torchvision's VGG has it, and a linear layer behind 3 x 4 features."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(2, 5, 3, padding=1), nn.BatchNorm2d(5), nn.ReLU(), nn.MaxPool2d(2))
        self.classifier = nn.Linear(5 * 3 * 4, 7)

    def forward(self, x):
        return self.classifier(torch.flatten(self.features(x), 1))


def main():
    torch.manual_seed(5)
    network = Small()
    with torch.no_grad():
        for name, values in network.state_dict().items():
            if name.endswith("num_batches_tracked"):
                values.fill_(12)
            elif values.dim() == 1:
                values.add_(torch.rand_like(values))
        logits = network.double().eval()(make_golden.generate("image.0", BATCH))
    convert_weights.save_safetensors(network.float().state_dict(), FOLDER / "weights.safetensors")
    (FOLDER / "weights.json").write_text(json.dumps({"batch": BATCH, "logits": logits.tolist()}) + "\n")


main()
