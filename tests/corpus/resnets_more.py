"""More residual networks: small reference nets, wide ones, blocks of sums."""

from __future__ import annotations

import torch
import torch.nn as nn
import torch.nn.functional as F

from tests.corpus.entry import Entry, Input, image


class ResNet8(nn.Module):
    def __init__(self, num_classes=10):
        super().__init__()
        self.inputblock = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU())
        self.conv1 = nn.Sequential(
            nn.Conv2d(16, 16, 3, padding=1),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.Conv2d(16, 16, 3, padding=1),
            nn.BatchNorm2d(16),
        )
        self.conv2x = nn.Conv2d(16, 32, 3, stride=2, padding=1)
        self.bn2x = nn.BatchNorm2d(32)
        self.conv2y = nn.Conv2d(32, 32, 3, stride=1, padding=1)
        self.bn2y = nn.BatchNorm2d(32)
        self.conv2z = nn.Conv2d(16, 32, 1, stride=2)
        self.conv3x = nn.Conv2d(32, 64, 3, stride=2, padding=1)
        self.bn3x = nn.BatchNorm2d(64)
        self.conv3y = nn.Conv2d(64, 64, 3, stride=1, padding=1)
        self.bn3y = nn.BatchNorm2d(64)
        self.conv3z = nn.Conv2d(32, 64, 1, stride=2)
        self.relu = nn.ReLU()
        self.avgpool = nn.AvgPool2d(8)
        self.out = nn.Linear(64, num_classes)
        nn.init.kaiming_normal_(self.out.weight)

    def forward(self, input):
        x = self.inputblock(input)
        y = self.conv1(x)
        x = torch.add(x, y)
        x = self.relu(x)
        y = self.relu(self.bn2x(self.conv2x(x)))
        y = self.bn2y(self.conv2y(y))
        x = self.conv2z(x)
        x = torch.add(x, y)
        x = self.relu(x)
        y = self.relu(self.bn3x(self.conv3x(x)))
        y = self.bn3y(self.conv3y(y))
        x = self.conv3z(x)
        x = torch.add(x, y)
        x = self.relu(x)
        x = self.avgpool(x)
        x = torch.squeeze(x)
        return self.out(x)


def conv_block(in_channels, out_channels, pool=False):
    layers = [
        nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
    ]
    if pool:
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers)


class ResNet9(nn.Module):
    def __init__(self, in_channels, num_classes):
        super().__init__()
        self.conv1 = conv_block(in_channels, 8)
        self.conv2 = conv_block(8, 16, pool=True)
        self.res1 = nn.Sequential(conv_block(16, 16), conv_block(16, 16))
        self.conv3 = conv_block(16, 24, pool=True)
        self.conv4 = conv_block(24, 32, pool=True)
        self.res2 = nn.Sequential(conv_block(32, 32), conv_block(32, 32))
        self.classifier = nn.Sequential(nn.MaxPool2d(4), nn.Flatten(), nn.Linear(32, num_classes))

    def forward(self, xb):
        out = self.conv1(xb)
        out = self.conv2(out)
        out = self.res1(out) + out
        out = self.conv3(out)
        out = self.conv4(out)
        out = self.res2(out) + out
        out = self.classifier(out)
        return out


class WideBlock(nn.Module):
    def __init__(self, in_planes, out_planes, stride, dropRate=0.0):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(in_planes)
        self.relu1 = nn.ReLU(inplace=True)
        self.conv1 = nn.Conv2d(in_planes, out_planes, kernel_size=3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_planes)
        self.relu2 = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(out_planes, out_planes, kernel_size=3, stride=1, padding=1, bias=False)
        self.droprate = dropRate
        self.equalInOut = in_planes == out_planes
        self.convShortcut = (
            (not self.equalInOut)
            and nn.Conv2d(in_planes, out_planes, kernel_size=1, stride=stride, padding=0, bias=False)
        ) or None

    def forward(self, x):
        if not self.equalInOut:
            x = self.relu1(self.bn1(x))
        else:
            out = self.relu1(self.bn1(x))
        out = self.relu2(self.bn2(self.conv1(out if self.equalInOut else x)))
        if self.droprate > 0:
            out = F.dropout(out, p=self.droprate, training=self.training)
        out = self.conv2(out)
        return torch.add(x if self.equalInOut else self.convShortcut(x), out)


class WideResNet(nn.Module):
    def __init__(self, num_classes=10, dropRate=0.3):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, kernel_size=3, stride=1, padding=1, bias=False)
        self.block1 = nn.Sequential(WideBlock(8, 16, 1, dropRate), WideBlock(16, 16, 1, dropRate))
        self.block2 = nn.Sequential(WideBlock(16, 24, 2, dropRate))
        self.bn1 = nn.BatchNorm2d(24)
        self.relu = nn.ReLU(inplace=True)
        self.fc = nn.Linear(24, num_classes)
        self.nChannels = 24

    def forward(self, x):
        out = self.conv1(x)
        out = self.block1(out)
        out = self.block2(out)
        out = self.relu(self.bn1(out))
        out = F.avg_pool2d(out, 16)
        out = out.view(-1, self.nChannels)
        return self.fc(out)


class RepBlock(nn.Module):
    """Training-time block of RepVGG: 3x3, 1x1 and identity, each with a batch-norm, summed."""

    def __init__(self, channels_in, channels_out, stride=1):
        super().__init__()
        self.nonlinearity = nn.ReLU()
        same = channels_in == channels_out and stride == 1
        self.rbr_identity = nn.BatchNorm2d(channels_in) if same else None
        self.rbr_dense = nn.Sequential(
            nn.Conv2d(channels_in, channels_out, 3, stride, 1, bias=False), nn.BatchNorm2d(channels_out)
        )
        self.rbr_1x1 = nn.Sequential(
            nn.Conv2d(channels_in, channels_out, 1, stride, 0, bias=False), nn.BatchNorm2d(channels_out)
        )

    def forward(self, inputs):
        id_out = 0 if self.rbr_identity is None else self.rbr_identity(inputs)
        return self.nonlinearity(self.rbr_dense(inputs) + self.rbr_1x1(inputs) + id_out)


def repvgg():
    return nn.Sequential(
        RepBlock(3, 8, 2),
        RepBlock(8, 16, 2),
        RepBlock(16, 16),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(16, 10),
    )


class Residual(nn.Module):
    def __init__(self, fn):
        super().__init__()
        self.fn = fn

    def forward(self, x):
        return self.fn(x) + x


def ConvMixer(dim, depth, kernel_size=5, patch_size=4, n_classes=10):
    return nn.Sequential(
        nn.Conv2d(3, dim, kernel_size=patch_size, stride=patch_size),
        nn.GELU(),
        nn.BatchNorm2d(dim),
        *[
            nn.Sequential(
                Residual(
                    nn.Sequential(
                        nn.Conv2d(dim, dim, kernel_size, groups=dim, padding="same"),
                        nn.GELU(),
                        nn.BatchNorm2d(dim),
                    )
                ),
                nn.Conv2d(dim, dim, kernel_size=1),
                nn.GELU(),
                nn.BatchNorm2d(dim),
            )
            for i in range(depth)
        ],
        nn.AdaptiveAvgPool2d((1, 1)),
        nn.Flatten(),
        nn.Linear(dim, n_classes),
    )


class Bottle2neck(nn.Module):
    """Res2Net: the channels are split, and each part adds what the one before it gave."""

    def __init__(self, width, scale=4):
        super().__init__()
        self.width = width
        self.convs = nn.ModuleList(
            [nn.Conv2d(width, width, 3, padding=1, bias=False) for _ in range(scale - 1)]
        )
        self.bns = nn.ModuleList([nn.BatchNorm2d(width) for _ in range(scale - 1)])
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        spx = torch.split(x, self.width, 1)
        for i, (conv, bn) in enumerate(zip(self.convs, self.bns)):
            sp = spx[i] if i == 0 else sp + spx[i]  # noqa: F821
            sp = self.relu(bn(conv(sp)))
            out = sp if i == 0 else torch.cat((out, sp), 1)  # noqa: F821
        return torch.cat((out, spx[-1]), 1)


class Res2Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, 16, 3, stride=2, padding=1), nn.BatchNorm2d(16), nn.ReLU(inplace=True)
        )
        self.body = Bottle2neck(4)
        self.head = nn.Linear(16, 10)

    def forward(self, x):
        x = self.body(self.stem(x))
        return self.head(x.mean(dim=(2, 3)))


CIFAR = image(3, 32, mean=0.5, std=0.25)
RAW = Input((3, 32, 32))

ENTRIES = (
    Entry("resnet8_mlperf", "MLPerf Tiny image classification", ResNet8, RAW, on=("cortex-m4",)),
    Entry("resnet9", "jovian / David Page", lambda: ResNet9(3, 10), CIFAR, on=("cortex-m4",)),
    Entry("wide_resnet", "xternalz/WideResNet-pytorch", WideResNet, CIFAR),
    Entry("repvgg_blocks", "RepVGG training blocks", repvgg, CIFAR),
    Entry("convmixer", "ConvMixer one-liner", lambda: ConvMixer(16, 2), CIFAR),
    Entry("res2net", "Res2Net blocks", Res2Net, CIFAR),
)
