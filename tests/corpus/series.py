"""Windows of sensor data: motion, heart, machines."""

from __future__ import annotations

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.utils import weight_norm
from torch.nn.utils.parametrizations import weight_norm as weight_norm_parametrized

from tests.corpus.entry import Entry, Input, sensor


class HARConv1D(nn.Module):
    """windows of (batch, timesteps, features), as the Keras tutorial has them"""

    def __init__(self, n_features=9, n_timesteps=128, n_outputs=6):
        super().__init__()
        self.conv1 = nn.Conv1d(n_features, 16, kernel_size=3)
        self.conv2 = nn.Conv1d(16, 16, kernel_size=3)
        self.dropout = nn.Dropout(0.5)
        self.pool = nn.MaxPool1d(2)
        self.fc1 = nn.Linear(16 * ((n_timesteps - 4) // 2), 32)
        self.fc2 = nn.Linear(32, n_outputs)

    def forward(self, x):
        x = x.permute(0, 2, 1)
        x = F.relu(self.conv1(x))
        x = F.relu(self.conv2(x))
        x = self.dropout(x)
        x = self.pool(x)
        x = x.reshape(x.size(0), -1)
        x = F.relu(self.fc1(x))
        return F.softmax(self.fc2(x), dim=1)


class HARImage(nn.Module):
    """nine sensors as the channels of a picture of height one"""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Sequential(
            nn.Conv2d(in_channels=9, out_channels=16, kernel_size=(1, 9)),
            nn.ReLU(),
            nn.MaxPool2d(kernel_size=(1, 2), stride=2),
        )
        self.conv2 = nn.Sequential(
            nn.Conv2d(in_channels=16, out_channels=24, kernel_size=(1, 9)),
            nn.ReLU(),
            nn.MaxPool2d(kernel_size=(1, 2), stride=2),
        )
        self.fc1 = nn.Sequential(nn.Linear(in_features=24 * 26, out_features=64), nn.ReLU())
        self.fc2 = nn.Sequential(nn.Linear(in_features=64, out_features=6))

    def forward(self, x):
        out = self.conv1(x)
        out = self.conv2(out)
        out = out.reshape(-1, 24 * 26)
        out = self.fc1(out)
        out = self.fc2(out)
        return out


class Chomp1d(nn.Module):
    def __init__(self, chomp_size):
        super().__init__()
        self.chomp_size = chomp_size

    def forward(self, x):
        return x[:, :, : -self.chomp_size].contiguous()


class TemporalBlock(nn.Module):
    def __init__(self, n_inputs, n_outputs, kernel_size, stride, dilation, padding, dropout=0.2):
        super().__init__()
        self.conv1 = weight_norm(
            nn.Conv1d(n_inputs, n_outputs, kernel_size, stride=stride, padding=padding, dilation=dilation)
        )
        self.chomp1 = Chomp1d(padding)
        self.relu1 = nn.ReLU()
        self.dropout1 = nn.Dropout(dropout)
        self.conv2 = weight_norm(
            nn.Conv1d(n_outputs, n_outputs, kernel_size, stride=stride, padding=padding, dilation=dilation)
        )
        self.chomp2 = Chomp1d(padding)
        self.relu2 = nn.ReLU()
        self.dropout2 = nn.Dropout(dropout)
        self.net = nn.Sequential(
            self.conv1,
            self.chomp1,
            self.relu1,
            self.dropout1,
            self.conv2,
            self.chomp2,
            self.relu2,
            self.dropout2,
        )
        self.downsample = nn.Conv1d(n_inputs, n_outputs, 1) if n_inputs != n_outputs else None
        self.relu = nn.ReLU()
        self.init_weights()

    def init_weights(self):
        self.conv1.weight.data.normal_(0, 0.01)
        self.conv2.weight.data.normal_(0, 0.01)
        if self.downsample is not None:
            self.downsample.weight.data.normal_(0, 0.01)

    def forward(self, x):
        out = self.net(x)
        res = x if self.downsample is None else self.downsample(x)
        return self.relu(out + res)


class TCN(nn.Module):
    def __init__(self, num_inputs=6, num_channels=(12, 12, 12), kernel_size=3, num_classes=5):
        super().__init__()
        layers = []
        for i, out_channels in enumerate(num_channels):
            dilation_size = 2**i
            in_channels = num_inputs if i == 0 else num_channels[i - 1]
            padding = (kernel_size - 1) * dilation_size
            layers += [TemporalBlock(in_channels, out_channels, kernel_size, 1, dilation_size, padding)]
        self.network = nn.Sequential(*layers)
        self.linear = nn.Linear(num_channels[-1], num_classes)

    def forward(self, inputs):
        y1 = self.network(inputs)
        o = self.linear(y1[:, :, -1])
        return F.log_softmax(o, dim=1)


class CausalConv1d(nn.Conv1d):
    def __init__(self, in_channels, out_channels, kernel_size, dilation=1):
        super().__init__(in_channels, out_channels, kernel_size, dilation=dilation)
        self.left = (kernel_size - 1) * dilation

    def forward(self, x):
        return super().forward(F.pad(x, (self.left, 0)))


class CausalTCN(nn.Module):
    def __init__(self):
        super().__init__()
        self.inp = weight_norm_parametrized(nn.Conv1d(3, 8, 1))
        self.layers = nn.ModuleList([CausalConv1d(8, 8, 3, dilation=2**i) for i in range(3)])
        self.head = nn.Linear(8, 4)

    def forward(self, x):
        x = self.inp(x)
        for layer in self.layers:
            x = x + F.relu(layer(x))
        return self.head(x.mean(-1))


class FCN(nn.Module):
    """time series classification from scratch: 8, 5, 3 and a global mean"""

    def __init__(self, c_in=1, c_out=5, layers=(16, 24, 16), kss=(8, 5, 3)):
        super().__init__()
        blocks = []
        for ni, nf, ks in zip((c_in, *layers), layers, kss):
            blocks += [nn.Conv1d(ni, nf, ks, padding="same"), nn.BatchNorm1d(nf), nn.ReLU()]
        self.convblocks = nn.Sequential(*blocks)
        self.gap = nn.AdaptiveAvgPool1d(1)
        self.fc = nn.Linear(layers[-1], c_out)

    def forward(self, x):
        x = self.convblocks(x)
        x = self.gap(x).squeeze(-1)
        return self.fc(x)


class InceptionModule(nn.Module):
    def __init__(self, ni, nf, ks=(9, 5, 3), bottleneck=True):
        super().__init__()
        self.bottleneck = nn.Conv1d(ni, nf, 1, bias=False) if bottleneck else nn.Identity()
        self.convs = nn.ModuleList(
            [nn.Conv1d(nf if bottleneck else ni, nf, k, padding=k // 2, bias=False) for k in ks]
        )
        self.maxconvpool = nn.Sequential(
            nn.MaxPool1d(3, stride=1, padding=1), nn.Conv1d(ni, nf, 1, bias=False)
        )
        self.bn = nn.BatchNorm1d(nf * 4)
        self.act = nn.ReLU()

    def forward(self, x):
        input_tensor = x
        x = self.bottleneck(input_tensor)
        x = torch.cat([conv(x) for conv in self.convs] + [self.maxconvpool(input_tensor)], dim=1)
        return self.act(self.bn(x))


class InceptionTime(nn.Module):
    def __init__(self, c_in=3, c_out=4, nf=4):
        super().__init__()
        self.inception = nn.Sequential(InceptionModule(c_in, nf), InceptionModule(nf * 4, nf))
        self.shortcut = nn.Sequential(nn.Conv1d(c_in, nf * 4, 1, bias=False), nn.BatchNorm1d(nf * 4))
        self.act = nn.ReLU()
        self.fc = nn.Linear(nf * 4, c_out)

    def forward(self, x):
        res = self.shortcut(x)
        x = self.act(torch.add(self.inception(x), res))
        return self.fc(x.mean(dim=2))


class ECGNet(nn.Module):
    def __init__(self, num_classes=5):
        super().__init__()
        self.conv1 = nn.Conv1d(1, 8, kernel_size=7, stride=2, padding=3)
        self.bn1 = nn.BatchNorm1d(8)
        self.conv2 = nn.Conv1d(8, 16, kernel_size=5, stride=2, padding=2)
        self.bn2 = nn.BatchNorm1d(16)
        self.pool = nn.AvgPool1d(kernel_size=3, stride=2, padding=1)
        self.act = nn.LeakyReLU(0.01)
        self.fc = nn.Linear(16 * 12, num_classes)

    def forward(self, x):
        x = x.unsqueeze(1)
        x = self.pool(self.act(self.bn1(self.conv1(x))))
        x = self.pool(self.act(self.bn2(self.conv2(x))))
        x = x.view(x.size(0), -1)
        return self.fc(x)


class MultiHeadCNN(nn.Module):
    def __init__(self, channels=9, n_outputs=6):
        super().__init__()
        self.heads = nn.ModuleList()
        for k in (3, 5, 11):
            self.heads.append(
                nn.Sequential(
                    nn.Conv1d(channels, 8, k), nn.ReLU(), nn.Dropout(0.5), nn.MaxPool1d(2), nn.Flatten()
                )
            )
        self.dense = nn.Sequential(nn.Linear(8 * (63 + 62 + 59), 24), nn.ReLU(), nn.Linear(24, n_outputs))

    def forward(self, x):
        merged = torch.cat([head(x) for head in self.heads], dim=1)
        return self.dense(merged)


HAR = sensor(128, 9)
ACC = sensor(6, 64)

ENTRIES = (
    Entry("har_cnn_ntc", "UCI-HAR tutorial, (N, T, C)", HARConv1D, HAR, on=("cortex-m4",)),
    Entry(
        "har_cnn_picture",
        "UCI-HAR repository, (N, 9, 1, 128)",
        HARImage,
        sensor(9, 1, 128),
        on=("cortex-m4",),
    ),
    Entry("tcn_chomp", "locuslab/TCN", TCN, ACC, "nll", on=("cortex-m4",)),
    Entry("tcn_causal_pad", "WaveNet-like blog post", CausalTCN, sensor(3, 48)),
    Entry("fcn_series", "hfawaz FCN in torch", FCN, Input((1, 60), -2048, 2047, 1 / 256), on=("cortex-m4",)),
    Entry("inception_time", "tsai InceptionTime", InceptionTime, sensor(3, 60)),
    Entry("ecg_leaky", "MIT-BIH notebook", ECGNet, Input((187,), 0, 255, 1 / 255), on=("cortex-m4",)),
    Entry("har_three_heads", "multi-headed CNN tutorial", MultiHeadCNN, sensor(9, 128)),
)
