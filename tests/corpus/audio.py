"""Keyword spotting and other sounds."""

from __future__ import annotations

import torch
import torch.nn as nn
import torch.nn.functional as F

from tests.corpus.entry import Entry, Input, sensor


class M5(nn.Module):
    def __init__(self, n_input=1, n_output=35, stride=16, n_channel=8):
        super().__init__()
        self.conv1 = nn.Conv1d(n_input, n_channel, kernel_size=80, stride=stride)
        self.bn1 = nn.BatchNorm1d(n_channel)
        self.pool1 = nn.MaxPool1d(4)
        self.conv2 = nn.Conv1d(n_channel, n_channel, kernel_size=3)
        self.bn2 = nn.BatchNorm1d(n_channel)
        self.pool2 = nn.MaxPool1d(4)
        self.conv3 = nn.Conv1d(n_channel, 2 * n_channel, kernel_size=3)
        self.bn3 = nn.BatchNorm1d(2 * n_channel)
        self.pool3 = nn.MaxPool1d(4)
        self.fc1 = nn.Linear(2 * n_channel, n_output)

    def forward(self, x):
        x = self.conv1(x)
        x = F.relu(self.bn1(x))
        x = self.pool1(x)
        x = self.conv2(x)
        x = F.relu(self.bn2(x))
        x = self.pool2(x)
        x = self.conv3(x)
        x = F.relu(self.bn3(x))
        x = self.pool3(x)
        x = F.avg_pool1d(x, x.shape[-1])
        x = x.permute(0, 2, 1)
        x = self.fc1(x)
        return F.log_softmax(x, dim=2)


class DS_CNN(nn.Module):
    def __init__(self, filters=16, num_classes=12):
        super().__init__()
        self.conv1 = nn.Conv2d(1, filters, kernel_size=(10, 4), stride=(2, 2), padding=(5, 1), bias=False)
        self.bn1 = nn.BatchNorm2d(filters)
        self.dropout1 = nn.Dropout(0.2)
        self.dw1 = nn.Conv2d(filters, filters, 3, padding=1, groups=filters, bias=False)
        self.dbn1 = nn.BatchNorm2d(filters)
        self.pw1 = nn.Conv2d(filters, filters, 1, bias=False)
        self.pbn1 = nn.BatchNorm2d(filters)
        self.dw2 = nn.Conv2d(filters, filters, 3, padding=1, groups=filters, bias=False)
        self.dbn2 = nn.BatchNorm2d(filters)
        self.pw2 = nn.Conv2d(filters, filters, 1, bias=False)
        self.pbn2 = nn.BatchNorm2d(filters)
        self.dropout2 = nn.Dropout(0.4)
        self.avgpool = nn.AvgPool2d((25, 5))
        self.fc = nn.Linear(filters, num_classes)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.dropout1(x)
        x = F.relu(self.dbn1(self.dw1(x)))
        x = F.relu(self.pbn1(self.pw1(x)))
        x = F.relu(self.dbn2(self.dw2(x)))
        x = F.relu(self.pbn2(self.pw2(x)))
        x = self.dropout2(x)
        x = self.avgpool(x)
        x = x.view(x.size(0), -1)
        return self.fc(x)


class KwsTrad(nn.Module):
    """cnn-trad-pool2: features come as (batch, time, coefficients)"""

    def __init__(self, n_labels=12):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, (20, 8), stride=(1, 1))
        self.pool1 = nn.MaxPool2d((2, 2))
        self.conv2 = nn.Conv2d(16, 16, (10, 4), stride=(1, 1))
        with torch.no_grad():
            x = torch.zeros(1, 1, 61, 20)
            x = self.conv2(self.pool1(self.conv1(x)))
            conv_net_size = x.view(1, -1).size(1)
        self.output = nn.Linear(conv_net_size, n_labels)
        self.dropout = nn.Dropout(0.5)

    def forward(self, x):
        x = F.relu(self.conv1(x.unsqueeze(1)))  # shape: (batch, channels, i1, o1)
        x = self.dropout(x)
        x = self.pool1(x)
        x = F.relu(self.conv2(x))
        x = self.dropout(x)
        x = x.view(x.size(0), -1)
        return self.output(x)


class SpeechResNet(nn.Module):
    def __init__(self, n_layers=4, n_maps=12, n_labels=12):
        super().__init__()
        self.conv0 = nn.Conv2d(1, n_maps, (3, 3), padding=(1, 1), bias=False)
        self.pool = nn.AvgPool2d((4, 3))
        self.n_layers = n_layers
        self.convs = [nn.Conv2d(n_maps, n_maps, (3, 3), padding=1, bias=False) for _ in range(n_layers)]
        for i, conv in enumerate(self.convs):
            self.add_module(f"bn{i + 1}", nn.BatchNorm2d(n_maps, affine=False))
            self.add_module(f"conv{i + 1}", conv)
        self.output = nn.Linear(n_maps, n_labels)

    def forward(self, x):
        x = x.unsqueeze(1)
        for i in range(self.n_layers + 1):
            y = F.relu(getattr(self, f"conv{i}")(x))
            if i == 0:
                y = self.pool(y)
                old_x = y
            if i > 0 and i % 2 == 0:
                x = y + old_x
                old_x = x
            else:
                x = y
            if i > 0:
                x = getattr(self, f"bn{i}")(x)
        x = x.view(x.size(0), x.size(1), -1)  # shape: (batch, feats, o3)
        x = torch.mean(x, 2)
        return self.output(x)


class TCSConv(nn.Module):
    """time-channel separable convolution"""

    def __init__(self, cin, cout, kernel, dilation=1):
        super().__init__()
        pad = dilation * (kernel - 1) // 2
        self.depthwise = nn.Conv1d(cin, cin, kernel, groups=cin, padding=pad, dilation=dilation, bias=False)
        self.pointwise = nn.Conv1d(cin, cout, 1, bias=False)
        self.bn = nn.BatchNorm1d(cout)

    def forward(self, x):
        return self.bn(self.pointwise(self.depthwise(x)))


class MatchboxNet(nn.Module):
    def __init__(self, features=20, classes=12, c=16):
        super().__init__()
        self.prologue = nn.Sequential(
            nn.Conv1d(features, c, 11, stride=2, padding=5), nn.BatchNorm1d(c), nn.ReLU()
        )
        self.sub1 = TCSConv(c, c, 7)
        self.sub2 = TCSConv(c, c, 7)
        self.res = nn.Sequential(nn.Conv1d(c, c, 1), nn.BatchNorm1d(c))
        self.dropout = nn.Dropout(0.1)
        self.epilogue = nn.Sequential(TCSConv(c, c, 9, dilation=2), nn.ReLU())
        self.decoder = nn.Conv1d(c, classes, kernel_size=1)

    def forward(self, x):
        x = self.prologue(x)
        y = self.dropout(F.relu(self.sub1(x)))
        y = self.sub2(y)
        x = self.dropout(F.relu(y + self.res(x)))
        x = self.epilogue(x)
        x = self.decoder(x)
        return F.adaptive_avg_pool1d(x, 1).squeeze(2)


class LogMelCNN(nn.Module):
    """batch-norm over the mel bins first, mean and maximum over time at the end"""

    def __init__(self, mel_bins=32, classes_num=8):
        super().__init__()
        self.bn0 = nn.BatchNorm2d(mel_bins)
        self.conv_block1 = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU()
        )
        self.conv_block2 = nn.Sequential(
            nn.Conv2d(8, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU()
        )
        self.fc = nn.Linear(16, classes_num, bias=True)

    def forward(self, input):
        x = input.transpose(1, 3)
        x = self.bn0(x)
        x = x.transpose(1, 3)
        x = F.avg_pool2d(self.conv_block1(x), kernel_size=(2, 2))
        x = F.avg_pool2d(self.conv_block2(x), kernel_size=(2, 2))
        x = torch.mean(x, dim=3)
        (x1, _) = torch.max(x, dim=2)
        x2 = torch.mean(x, dim=2)
        x = x1 + x2
        return torch.sigmoid(self.fc(x))


ENTRIES = (
    Entry(
        "m5_waveform", "torchaudio speech command tutorial", M5, Input((1, 2000), -128, 127, 1 / 128), "nll"
    ),
    Entry("ds_cnn_mlperf", "MLPerf Tiny keyword spotting", DS_CNN, sensor(1, 49, 10), on=("cortex-m4",)),
    Entry("kws_cnn_trad", "castorini/honk", KwsTrad, sensor(61, 20), on=("cortex-m4",)),
    Entry("kws_res_narrow", "castorini/honk", SpeechResNet, sensor(61, 20)),
    Entry("matchboxnet", "NeMo MatchboxNet", MatchboxNet, sensor(20, 64)),
    Entry("logmel_tagging", "PANNs audio tagging", LogMelCNN, sensor(1, 40, 32), "bce"),
)
