"""Branches that meet again: concatenations, splits, sums, layers used twice."""

from __future__ import annotations

import torch
import torch.nn as nn
import torch.nn.functional as F

from tests.corpus.entry import Entry, image, sensor


class Inception(nn.Module):
    def __init__(self, in_planes, n1x1, n3x3red, n3x3, n5x5red, n5x5, pool_planes):
        super().__init__()
        # 1x1 conv branch
        self.b1 = nn.Sequential(
            nn.Conv2d(in_planes, n1x1, kernel_size=1), nn.BatchNorm2d(n1x1), nn.ReLU(True)
        )
        # 1x1 conv -> 3x3 conv branch
        self.b2 = nn.Sequential(
            nn.Conv2d(in_planes, n3x3red, kernel_size=1),
            nn.BatchNorm2d(n3x3red),
            nn.ReLU(True),
            nn.Conv2d(n3x3red, n3x3, kernel_size=3, padding=1),
            nn.BatchNorm2d(n3x3),
            nn.ReLU(True),
        )
        # 1x1 conv -> 5x5 conv branch
        self.b3 = nn.Sequential(
            nn.Conv2d(in_planes, n5x5red, kernel_size=1),
            nn.BatchNorm2d(n5x5red),
            nn.ReLU(True),
            nn.Conv2d(n5x5red, n5x5, kernel_size=3, padding=1),
            nn.BatchNorm2d(n5x5),
            nn.ReLU(True),
        )
        # 3x3 pool -> 1x1 conv branch
        self.b4 = nn.Sequential(
            nn.MaxPool2d(3, stride=1, padding=1),
            nn.Conv2d(in_planes, pool_planes, kernel_size=1),
            nn.BatchNorm2d(pool_planes),
            nn.ReLU(True),
        )

    def forward(self, x):
        y1 = self.b1(x)
        y2 = self.b2(x)
        y3 = self.b3(x)
        y4 = self.b4(x)
        return torch.cat([y1, y2, y3, y4], 1)


class GoogLeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.pre_layers = nn.Sequential(
            nn.Conv2d(3, 12, kernel_size=3, padding=1), nn.BatchNorm2d(12), nn.ReLU(True)
        )
        self.a3 = Inception(12, 8, 4, 8, 2, 4, 4)
        self.b3 = Inception(24, 8, 8, 12, 4, 6, 6)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.avgpool = nn.AvgPool2d(8, stride=1)
        self.linear = nn.Linear(32, 10)

    def forward(self, x):
        out = self.pre_layers(x)
        out = self.maxpool(out)
        out = self.a3(out)
        out = self.b3(out)
        out = self.avgpool(out)
        out = out.view(out.size(0), -1)
        out = self.linear(out)
        return out


class DenseLayer(nn.Module):
    def __init__(self, num_input_features, growth_rate, bn_size, drop_rate):
        super().__init__()
        self.norm1 = nn.BatchNorm2d(num_input_features)
        self.relu1 = nn.ReLU(inplace=True)
        self.conv1 = nn.Conv2d(num_input_features, bn_size * growth_rate, kernel_size=1, stride=1, bias=False)
        self.norm2 = nn.BatchNorm2d(bn_size * growth_rate)
        self.relu2 = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(bn_size * growth_rate, growth_rate, kernel_size=3, padding=1, bias=False)
        self.drop_rate = float(drop_rate)

    def forward(self, prev_features):
        concated_features = torch.cat(prev_features, 1)
        bottleneck_output = self.conv1(self.relu1(self.norm1(concated_features)))
        new_features = self.conv2(self.relu2(self.norm2(bottleneck_output)))
        if self.drop_rate > 0:
            new_features = F.dropout(new_features, p=self.drop_rate, training=self.training)
        return new_features


class DenseBlock(nn.ModuleDict):
    def __init__(self, num_layers, num_input_features, bn_size, growth_rate, drop_rate):
        super().__init__()
        for i in range(num_layers):
            layer = DenseLayer(num_input_features + i * growth_rate, growth_rate, bn_size, drop_rate)
            self.add_module(f"denselayer{i + 1}", layer)

    def forward(self, init_features):
        features = [init_features]
        for _name, layer in self.items():
            new_features = layer(features)
            features.append(new_features)
        return torch.cat(features, 1)


class Transition(nn.Sequential):
    def __init__(self, num_input_features, num_output_features):
        super().__init__()
        self.norm = nn.BatchNorm2d(num_input_features)
        self.relu = nn.ReLU(inplace=True)
        self.conv = nn.Conv2d(num_input_features, num_output_features, kernel_size=1, stride=1, bias=False)
        self.pool = nn.AvgPool2d(kernel_size=2, stride=2)


class DenseNet(nn.Module):
    def __init__(self, num_classes=10):
        super().__init__()
        self.features = nn.Sequential()
        self.features.add_module("conv0", nn.Conv2d(3, 8, kernel_size=3, stride=2, padding=1, bias=False))
        self.features.add_module("norm0", nn.BatchNorm2d(8))
        self.features.add_module("relu0", nn.ReLU(inplace=True))
        self.features.add_module("denseblock1", DenseBlock(2, 8, 2, 4, 0.1))
        self.features.add_module("transition1", Transition(16, 8))
        self.features.add_module("denseblock2", DenseBlock(2, 8, 2, 4, 0.1))
        self.features.add_module("norm5", nn.BatchNorm2d(16))
        self.classifier = nn.Linear(16, num_classes)

    def forward(self, x):
        features = self.features(x)
        out = F.relu(features, inplace=True)
        out = F.adaptive_avg_pool2d(out, (1, 1))
        out = torch.flatten(out, 1)
        out = self.classifier(out)
        return out


def autopad(k, p=None):
    return k // 2 if p is None else p


class Conv(nn.Module):
    default_act = nn.SiLU()

    def __init__(self, c1, c2, k=1, s=1, p=None, act=True):
        super().__init__()
        self.conv = nn.Conv2d(c1, c2, k, s, autopad(k, p), bias=False)
        self.bn = nn.BatchNorm2d(c2)
        self.act = self.default_act if act is True else act if isinstance(act, nn.Module) else nn.Identity()

    def forward(self, x):
        return self.act(self.bn(self.conv(x)))


class YoloBottleneck(nn.Module):
    def __init__(self, c1, c2, shortcut=True, e=1.0):
        super().__init__()
        c_ = int(c2 * e)
        self.cv1 = Conv(c1, c_, 3, 1)
        self.cv2 = Conv(c_, c2, 3, 1)
        self.add = shortcut and c1 == c2

    def forward(self, x):
        return x + self.cv2(self.cv1(x)) if self.add else self.cv2(self.cv1(x))


class C2f(nn.Module):
    def __init__(self, c1, c2, n=1, e=0.5):
        super().__init__()
        self.c = int(c2 * e)
        self.cv1 = Conv(c1, 2 * self.c, 1, 1)
        self.cv2 = Conv((2 + n) * self.c, c2, 1)
        self.m = nn.ModuleList(YoloBottleneck(self.c, self.c) for _ in range(n))

    def forward(self, x):
        y = list(self.cv1(x).chunk(2, 1))
        y.extend(m(y[-1]) for m in self.m)
        return self.cv2(torch.cat(y, 1))


class SPPF(nn.Module):
    def __init__(self, c1, c2, k=5):
        super().__init__()
        c_ = c1 // 2
        self.cv1 = Conv(c1, c_, 1, 1)
        self.cv2 = Conv(c_ * 4, c2, 1, 1)
        self.m = nn.MaxPool2d(kernel_size=k, stride=1, padding=k // 2)

    def forward(self, x):
        x = self.cv1(x)
        y1 = self.m(x)
        y2 = self.m(y1)
        return self.cv2(torch.cat((x, y1, y2, self.m(y2)), 1))


class YoloClassify(nn.Module):
    def __init__(self, nc=4):
        super().__init__()
        self.model = nn.Sequential(Conv(3, 8, 3, 2), Conv(8, 16, 3, 2), C2f(16, 16, 1), SPPF(16, 16))
        self.conv = Conv(16, 24)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.drop = nn.Dropout(p=0.0, inplace=True)
        self.linear = nn.Linear(24, nc)

    def forward(self, x):
        x = self.conv(self.model(x))
        x = self.linear(self.drop(self.pool(x).flatten(1)))
        return x if self.training else x.softmax(1)


class GatedConvNet(nn.Module):
    """gated linear units, by F.glu and by chunk"""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv1d(3, 16, 5, padding=2)
        self.conv2 = nn.Conv1d(8, 16, 5, padding=2)
        self.fc = nn.Linear(8, 5)

    def forward(self, x):
        x = F.glu(self.conv1(x), dim=1)
        a, b = torch.chunk(self.conv2(x), 2, dim=1)
        x = a * torch.sigmoid(b)
        return self.fc(x.mean(2))


class RecurrentConv(nn.Module):
    """the same convolution three times"""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(1, 8, 3, padding=1)
        self.shared = nn.Conv2d(8, 8, 3, padding=1)
        self.fc = nn.Linear(8 * 7 * 7, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.stem(x)), 2)
        for _ in range(3):
            x = F.relu(self.shared(x))
        x = F.max_pool2d(x, 2)
        return self.fc(x.flatten(start_dim=1))


class PyramidPool(nn.Module):
    def __init__(self, levels=(1, 2, 4)):
        super().__init__()
        self.conv = nn.Conv2d(1, 8, 3, stride=2, padding=1)
        self.levels = levels
        self.fc = nn.Linear(8 * sum(n * n for n in levels), 10)

    def forward(self, x):
        x = torch.relu(self.conv(x))
        pooled = [F.adaptive_max_pool2d(x, n).view(x.size(0), -1) for n in self.levels]
        return self.fc(torch.cat(pooled, 1))


class SumOfBranches(nn.Module):
    """ResNeXt as a sum of paths"""

    def __init__(self, cardinality=3):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU())
        self.paths = nn.ModuleList()
        for _ in range(cardinality):
            self.paths.append(
                nn.Sequential(
                    nn.Conv2d(8, 4, 1),
                    nn.ReLU(),
                    nn.Conv2d(4, 4, 3, padding=1),
                    nn.ReLU(),
                    nn.Conv2d(4, 8, 1),
                )
            )
        self.out = nn.Linear(8, 10)

    def forward(self, x):
        x = self.stem(x)
        x = x + sum(path(x) for path in self.paths)
        x = F.relu(x)
        return self.out(x.mean((-2, -1)))


class SelectableActivation(nn.Module):
    def __init__(self, activation="lrelu"):
        super().__init__()
        self.choices = nn.ModuleDict({"conv": nn.Conv2d(1, 8, 3, 2), "pool": nn.MaxPool2d(3)})
        self.activations = nn.ModuleDict([["lrelu", nn.LeakyReLU()], ["prelu", nn.PReLU()]])
        self.activation = activation
        self.fc = nn.Linear(8 * 4 * 4, 10)

    def forward(self, x):
        x = self.choices["conv"](x)
        x = self.activations[self.activation](x)
        x = self.choices["pool"](x)
        return self.fc(torch.flatten(x, start_dim=1))


CIFAR = image(3, 32, mean=0.5, std=0.25)
MNIST = image(1, 28)

ENTRIES = (
    Entry("googlenet", "kuangliu/pytorch-cifar", GoogLeNet, image(3, 16), slow=True),
    Entry("densenet", "torchvision densenet", DenseNet, CIFAR),
    Entry("yolo_classify", "ultralytics blocks", YoloClassify, CIFAR),
    Entry("gated_conv", "gated convolutional network", GatedConvNet, sensor(3, 40)),
    Entry("conv_used_three_times", "weight sharing, forum question", RecurrentConv, MNIST),
    Entry("pyramid_pool", "spatial pyramid pooling", PyramidPool, image(1, 24)),
    Entry("sum_of_paths", "ResNeXt as a ModuleList", SumOfBranches, CIFAR),
    Entry("module_dict", "PyTorch ModuleDict documentation", SelectableActivation, MNIST, on=("cortex-m4",)),
)
