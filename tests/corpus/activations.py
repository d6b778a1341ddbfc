"""The same small idea with the activations that people choose, each written in its author's way."""

from __future__ import annotations

import torch
import torch.nn as nn
import torch.nn.functional as F

from tests.corpus.entry import Entry, image


def conv_bn_act(act):
    """convolution, batch-norm, activation, twice; `act` makes the activation"""
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, stride=2, padding=1),
        nn.BatchNorm2d(8),
        act(8),
        nn.Conv2d(8, 12, 3, stride=2, padding=1),
        nn.BatchNorm2d(12),
        act(12),
        nn.AvgPool2d(7),
        nn.Flatten(),
        nn.Linear(12, 10),
    )


class LeakyFunctional(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1 = nn.Conv2d(1, 8, 5, 2)
        self.c2 = nn.Conv2d(8, 16, 5, 2)
        self.f = nn.Linear(256, 10)

    def forward(self, x):
        x = F.leaky_relu(self.c1(x), 0.1)
        x = F.leaky_relu(self.c2(x), negative_slope=0.2, inplace=True)
        return self.f(x.view(-1, 256))


class BinaryNet(nn.Module):
    """Hardtanh before what will be signs, batch-norm on the logits"""

    def __init__(self):
        super().__init__()
        self.infl_ratio = 2
        self.fc1 = nn.Linear(784, 32 * self.infl_ratio)
        self.htanh1 = nn.Hardtanh()
        self.bn1 = nn.BatchNorm1d(32 * self.infl_ratio)
        self.fc2 = nn.Linear(32 * self.infl_ratio, 32 * self.infl_ratio)
        self.htanh2 = nn.Hardtanh()
        self.bn2 = nn.BatchNorm1d(32 * self.infl_ratio)
        self.fc4 = nn.Linear(32 * self.infl_ratio, 10)
        self.bn4 = nn.BatchNorm1d(10, affine=False)
        self.logsoftmax = nn.LogSoftmax(dim=1)
        self.drop = nn.Dropout(0.5)

    def forward(self, x):
        x = x.view(-1, 28 * 28)
        x = self.fc1(x)
        x = self.bn1(x)
        x = self.htanh1(x)
        x = self.fc2(x)
        x = self.drop(x)
        x = self.bn2(x)
        x = self.htanh2(x)
        x = self.fc4(x)
        x = self.bn4(x)
        return self.logsoftmax(x)


class SigmoidNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(784, 30)
        self.fc2 = nn.Linear(30, 10)

    def forward(self, x):
        x = x.reshape(-1, 784)
        x = torch.sigmoid(self.fc1(x))
        x = self.fc2(x)
        return x.softmax(dim=-1)


class ClampNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3)
        self.conv2 = nn.Conv2d(8, 8, 3)
        self.fc = nn.Linear(8 * 5 * 5, 10)

    def forward(self, x):
        x = F.max_pool2d(torch.clamp(self.conv1(x), 0, 1), 2)
        x = F.max_pool2d(self.conv2(x).clamp(min=0.0, max=6.0), 2)
        return self.fc(torch.flatten(x, 1))


class PReluNorm(nn.Module):
    """activation, then batch-norm"""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 4, stride=2)
        self.prelu1 = nn.PReLU()
        self.bn1 = nn.BatchNorm2d(8)
        self.conv2 = nn.Conv2d(8, 12, 4, stride=2)
        self.prelu2 = nn.PReLU(12)
        self.bn2 = nn.BatchNorm2d(12)
        self.fc = nn.Linear(12 * 25, 10)

    def forward(self, x):
        x = self.bn1(self.prelu1(self.conv1(x)))
        x = self.bn2(self.prelu2(self.conv2(x)))
        return self.fc(torch.flatten(x, 1))


class InPlaceFunctions(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 8, 3, 2)
        self.lin1 = nn.Linear(8 * 13 * 13, 20, bias=True)
        self.lin2 = nn.Linear(20, 10)

    def forward(self, x):
        x = F.relu_(self.conv(x))
        x = x.flatten(1)
        x = torch.relu_(self.lin1(x))
        x = self.lin2(x)
        return x


class Mish(nn.Module):
    def forward(self, x):
        return x * torch.tanh(F.softplus(x))


MNIST = image(1, 28)

ENTRIES = (
    Entry("leaky_relu_functional", "GAN critic style", LeakyFunctional, MNIST, on=("cortex-m4",)),
    Entry(
        "binary_net_hardtanh",
        "itayhubara/BinaryNet.pytorch",
        BinaryNet,
        MNIST,
        "nll",
        on=("cortex-m4", "hdl"),
    ),
    Entry("sigmoid_softmax", "Nielsen's book in torch", SigmoidNet, MNIST, "nll"),
    Entry("clamp_activation", "forum answer, clipped ReLU", ClampNet, MNIST),
    Entry("prelu_then_norm", "PReLU before batch-norm", PReluNorm, MNIST),
    Entry("relu_in_place", "old PyTorch code", InPlaceFunctions, MNIST, on=("cortex-m4",)),
    Entry("elu", "Sequential with ELU", lambda: conv_bn_act(lambda n: nn.ELU(inplace=True)), MNIST),
    Entry("gelu", "Sequential with GELU", lambda: conv_bn_act(lambda n: nn.GELU()), MNIST),
    Entry("silu", "Sequential with SiLU", lambda: conv_bn_act(lambda n: nn.SiLU()), MNIST),
    Entry("mish_own_module", "YOLOv4 Mish", lambda: conv_bn_act(lambda n: Mish()), MNIST),
    Entry("softplus_tanh", "Sequential with Softplus", lambda: conv_bn_act(lambda n: nn.Softplus()), MNIST),
    Entry(
        "relu6_sequential",
        "Sequential with ReLU6",
        lambda: conv_bn_act(lambda n: nn.ReLU6()),
        MNIST,
        on=("hdl",),
    ),
)
