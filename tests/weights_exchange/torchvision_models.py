# SPDX-License-Identifier: MIT
"""The models of the zoo in PyTorch, with the modules and the names of torchvision, which need not be installed."""
import torch
from torch import nn

VGG_REPEATS = {"vgg11": (1, 1, 2, 2, 2), "vgg13": (2, 2, 2, 2, 2), "vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}
RESNET_BLOCKS = {"resnet18": (2, 2, 2, 2), "resnet34": (3, 4, 6, 3), "resnet50": (3, 4, 6, 3),
                 "resnet101": (3, 4, 23, 3), "resnet152": (3, 8, 36, 3)}


class LeNet5(nn.Module):
    def __init__(self, channels, classes, side):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 6, 5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * ((side // 2 - 4) // 2) ** 2, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, classes)

    def forward(self, x):
        x = torch.max_pool2d(torch.relu(self.conv1(x)), 2)
        x = torch.max_pool2d(torch.relu(self.conv2(x)), 2)
        x = torch.relu(self.fc1(torch.flatten(x, 1)))
        return self.fc3(torch.relu(self.fc2(x)))


class VGG(nn.Module):
    """torchvision's vgg*_bn, or its features alone under one linear layer."""

    def __init__(self, repeats, channels, classes, imagenet):
        super().__init__()
        layers = []
        for width, count in zip((64, 128, 256, 512, 512), repeats):
            for _ in range(count):
                layers += [nn.Conv2d(channels, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
                channels = width
            layers.append(nn.MaxPool2d(2, 2))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(7 if imagenet else 1)
        self.classifier = nn.Sequential(
            nn.Linear(512 * 7 * 7, 4096), nn.ReLU(True), nn.Dropout(),
            nn.Linear(4096, 4096), nn.ReLU(True), nn.Dropout(),
            nn.Linear(4096, classes)) if imagenet else nn.Linear(512, classes)

    def forward(self, x):
        return self.classifier(torch.flatten(self.avgpool(self.features(x)), 1))


class BasicBlock(nn.Module):
    expansion = 1

    def __init__(self, inputs, width, stride, downsample):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = downsample

    def forward(self, x):
        main = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        return self.relu(main + (x if self.downsample is None else self.downsample(x)))


class Bottleneck(nn.Module):
    expansion = 4

    def __init__(self, inputs, width, stride, downsample):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample

    def forward(self, x):
        main = self.relu(self.bn1(self.conv1(x)))
        main = self.bn3(self.conv3(self.relu(self.bn2(self.conv2(main)))))
        return self.relu(main + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    """torchvision's, or with the stem for small images."""

    def __init__(self, block, counts, channels, classes, imagenet):
        super().__init__()
        self.inplanes = 64
        self.conv1 = nn.Conv2d(channels, 64, 7 if imagenet else 3, 2 if imagenet else 1,
                               padding=3 if imagenet else 1, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, padding=1) if imagenet else nn.Identity()
        for stage, count in enumerate(counts):
            setattr(self, f"layer{stage + 1}", self.make_layer(block, 64 << stage, count, 1 if stage == 0 else 2))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(512 * block.expansion, classes)

    def make_layer(self, block, width, count, stride):
        outputs, downsample = width * block.expansion, None
        if stride != 1 or self.inplanes != outputs:
            downsample = nn.Sequential(nn.Conv2d(self.inplanes, outputs, 1, stride, bias=False),
                                       nn.BatchNorm2d(outputs))
        blocks = [block(self.inplanes, width, stride, downsample)]
        self.inplanes = outputs
        blocks += [block(outputs, width, 1, None) for _ in range(count - 1)]
        return nn.Sequential(*blocks)

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(torch.flatten(self.avgpool(x), 1))


def make(name, height, width, channels, classes):
    """The model that frostline calls so: "vgg16_imagenet" is torchvision's vgg16_bn."""
    if name == "lenet5":
        return LeNet5(channels, classes, height)
    if name.startswith("vgg"):
        return VGG(VGG_REPEATS[name.split("_")[0]], channels, classes, name.endswith("_imagenet"))
    block = BasicBlock if name in ("resnet18", "resnet34") else Bottleneck
    return ResNet(block, RESNET_BLOCKS[name], channels, classes, height > 64 or width > 64)
