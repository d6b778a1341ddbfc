"""Axes that change places, maxima over channels, values that are repeated along an axis."""

import torch
import torch.nn as nn
import torch.nn.functional as F

from tests.corpus.entry import Entry, image, sensor


def cbr(i, o, k=3, s=1, p=1, g=1):
    conv = nn.Conv2d(i, o, k, s, p, groups=g, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(o), nn.ReLU(inplace=True))


class ResMLP(nn.Module):
    """ResMLP / MLP-Mixer with batch-norm: tokens are mixed across a transpose"""

    def __init__(self, dim=12, tokens=16, n=5):
        super().__init__()
        self.patch = nn.Conv2d(3, dim, 6, 6)
        self.token = nn.Linear(tokens, tokens)
        self.norm = nn.BatchNorm1d(dim)
        self.fc1, self.fc2, self.head = nn.Linear(dim, 2 * dim), nn.Linear(2 * dim, dim), nn.Linear(dim, n)

    def forward(self, x):
        x = self.norm(self.patch(x).flatten(2)).transpose(1, 2)  # (N, T, C)
        x = x + self.token(x.transpose(1, 2)).transpose(1, 2)
        x = x + self.fc2(F.gelu(self.fc1(x)))
        return self.head(x.mean(1))


class TransposedMap(nn.Module):
    """rows and columns in turn: a map is turned over its diagonal"""

    def __init__(self):
        super().__init__()
        self.c1, self.c2, self.fc = nn.Conv2d(1, 4, (1, 5)), nn.Conv2d(4, 6, (1, 5)), nn.Linear(6, 3)

    def forward(self, x):
        x = F.relu(self.c1(x)).transpose(2, 3)
        x = F.relu(self.c2(x))
        return self.fc(x.amax(dim=(2, 3)))


class Dueling(nn.Module):
    def __init__(self):
        super().__init__()
        self.feature = nn.Sequential(nn.Linear(8, 24), nn.ReLU())
        self.value = nn.Sequential(nn.Linear(24, 16), nn.ReLU(), nn.Linear(16, 1))
        self.advantage = nn.Sequential(nn.Linear(24, 16), nn.ReLU(), nn.Linear(16, 4))

    def forward(self, x):
        x = self.feature(x)
        v, a = self.value(x), self.advantage(x)
        return v + (a - a.mean(dim=1, keepdim=True))


class FreqTime(nn.Module):
    """BC-ResNet: a mean over frequency, broadcast back over it"""

    def __init__(self):
        super().__init__()
        self.c = cbr(1, 8, 3, (2, 1), 1)
        self.f2 = nn.Sequential(nn.Conv2d(8, 8, (3, 1), padding=(1, 0), groups=8), nn.BatchNorm2d(8))
        self.f1 = nn.Sequential(
            nn.Conv2d(8, 8, (1, 3), padding=(0, 1), groups=8),
            nn.BatchNorm2d(8),
            nn.SiLU(),
            nn.Conv2d(8, 8, 1),
        )
        self.fc = nn.Conv2d(8, 4, 1)

    def forward(self, x):
        x = self.c(x)
        aux = self.f2(x)
        y = self.f1(aux.mean(2, keepdim=True))
        x = F.relu(aux + y + x)
        return self.fc(x).mean((2, 3))


class TwoStreams(nn.Module):
    def __init__(self):
        super().__init__()
        self.left, self.right = nn.Linear(6, 8), nn.Linear(6, 8)
        self.out = nn.Linear(8, 2)

    def forward(self, x):
        a, b = x.chunk(2, dim=-1)
        d = (F.relu(self.left(a)) - F.relu(self.right(b))).abs()
        return F.log_softmax(self.out(torch.maximum(d, F.relu(self.left(b)))), dim=-1)


class AdaptiveMax(nn.Module):
    def __init__(self):
        super().__init__()
        self.c, self.p, self.f = nn.Conv1d(3, 8, 5), nn.AdaptiveMaxPool1d(7), nn.Linear(56, 4)

    def forward(self, x):
        return self.f(self.p(F.relu(self.c(x))).view(x.size(0), -1))


class ArgsNet(nn.Module):
    def __init__(self, width: int = 12):
        super().__init__()
        self.l1, self.l2 = nn.Linear(20, width), nn.Linear(width, 3)

    def forward(self, x, return_features: bool = False, mask=None):
        if x.dim() != 2:
            raise ValueError(f"two axes, not {x.dim()}")
        B, D = x.size()
        h = torch.relu(self.l1(x.view(B, D)))
        if mask is not None:
            h = h * mask
        return (self.l2(h), h) if return_features else self.l2(h)


class MultiSensor(nn.Module):
    def __init__(self):
        super().__init__()
        self.acc = nn.Sequential(
            nn.Conv1d(3, 8, 5, padding=2), nn.BatchNorm1d(8), nn.ReLU(), nn.AdaptiveAvgPool1d(1)
        )
        self.gyro = nn.Sequential(
            nn.Conv1d(3, 8, 5, padding=2), nn.BatchNorm1d(8), nn.ReLU(), nn.AdaptiveMaxPool1d(1)
        )
        self.meta = nn.Sequential(nn.Linear(4, 8), nn.ReLU())
        self.out = nn.Linear(24, 6)

    def forward(self, x, m):
        acc, gyro = torch.split(x, 3, dim=1)
        z = torch.cat((self.acc(acc).squeeze(-1), self.gyro(gyro).squeeze(-1), self.meta(m)), dim=-1)
        return self.out(z)


class Maxout(nn.Module):
    def __init__(self, i, o, k=2):
        super().__init__()
        self.k, self.o = k, o
        self.lin = nn.Linear(i, o * k)

    def forward(self, x):
        return self.lin(x).view(-1, self.o, self.k).max(-1).values


class SpatialAttention(nn.Module):
    def __init__(self, kernel_size=7):
        super().__init__()
        self.conv1 = nn.Conv2d(2, 1, kernel_size, padding=kernel_size // 2, bias=False)

    def forward(self, x):
        avg_out = torch.mean(x, dim=1, keepdim=True)
        max_out, _ = torch.max(x, dim=1, keepdim=True)
        return torch.sigmoid(self.conv1(torch.cat([avg_out, max_out], dim=1)))


class SpatialGate(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU())
        self.sa = SpatialAttention()
        self.fc = nn.Linear(8, 5)

    def forward(self, x):
        x = self.stem(x)
        x = self.sa(x) * x
        return self.fc(x.mean(-1).mean(-1))


def maxout():
    return nn.Sequential(nn.Flatten(), Maxout(196, 24), Maxout(24, 16), nn.Linear(16, 10))


class SumsAndParts(nn.Module):
    """Channels repeated, every second one, a sum over the map."""

    def __init__(self):
        super().__init__()
        self.c, self.fc = nn.Conv2d(1, 6, 3), nn.Linear(6, 3)

    def forward(self, x):
        x = F.hardshrink(self.c(x), 0.1).repeat(1, 2, 1, 1)
        return self.fc(x[:, ::2].sum(dim=(2, 3)))


RGB = image(3, 24, mean=0.45, std=0.22)

ENTRIES = (
    Entry("res_mlp", "ResMLP", ResMLP, RGB, on=("cortex-m4",)),
    Entry("map_turned", "a map turned over its diagonal", TransposedMap, image(1, 12), on=("cortex-m4",)),
    Entry("dueling_dqn", "dueling DQN", Dueling, sensor(8), "mse", on=("cortex-m4", "hdl")),
    Entry("mean_over_frequency", "BC-ResNet", FreqTime, sensor(1, 16, 12), on=("cortex-m4",)),
    Entry("larger_of_two", "Siamese network", TwoStreams, sensor(12), "nll", on=("cortex-m4", "hdl")),
    Entry("adaptive_max_uneven", "adaptive pools", AdaptiveMax, sensor(3, 50), on=("cortex-m4", "hdl")),
    Entry("default_arguments", "Hugging Face", ArgsNet, sensor(20), on=("hdl",)),
    Entry("layer_called_meta", "branches of sensors", MultiSensor, (sensor(6, 40), sensor(4))),
    Entry("maxout_units", "maxout", maxout, image(1, 14), on=("cortex-m4", "hdl")),
    Entry("sums_and_parts", "idioms", SumsAndParts, image(1, 8), on=("cortex-m4", "hdl")),
    Entry("spatial_gate", "CBAM", SpatialGate, RGB, on=("cortex-m4",)),
)
