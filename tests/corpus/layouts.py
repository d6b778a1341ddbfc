"""How people move axes, pad, pool, and normalise inside of the network."""

from __future__ import annotations

import torch
import torch.nn as nn
import torch.nn.functional as F

from tests.corpus.entry import Entry, Input, image, sensor


class ScaledInside(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, stride=2)
        self.conv2 = nn.Conv2d(8, 8, 3, stride=2)
        self.fc = nn.Linear(288, 10)

    def forward(self, x):
        x = x / 255.0
        x = F.relu(self.conv1(x))
        x = F.relu(self.conv2(x))
        x = x.view(x.shape[0], -1)
        return self.fc(x)


class CentredInside(ScaledInside):
    def forward(self, x):
        x = 2 * (x / 255.0) - 1.0
        x = F.relu(self.conv1(x))
        x = F.relu(self.conv2(x))
        x = x.view(x.shape[0], -1)
        return self.fc(x)


class Normalize(nn.Module):
    def __init__(self, mean, std):
        super().__init__()
        self.register_buffer("mean", torch.Tensor(mean).view(1, -1, 1, 1))
        self.register_buffer("std", torch.Tensor(std).view(1, -1, 1, 1))

    def forward(self, input):
        return (input - self.mean) / self.std


def normalized_cnn():
    """attack papers put the normalisation in front of the network"""
    return nn.Sequential(
        Normalize([125.3, 123.0, 113.9], [63.0, 62.1, 66.7]),
        nn.Conv2d(3, 8, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 8, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(8 * 8 * 8, 10),
    )


class ChannelsLastCamera(nn.Module):
    """frames of a camera, (N, H, W, C)"""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.BatchNorm2d(3),
            nn.Conv2d(3, 8, 3, 2),
            nn.ReLU(),
            nn.Conv2d(8, 12, 3, 2),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
        )
        self.fc = nn.Linear(12, 4)

    def forward(self, x):
        x = x.permute(0, 3, 1, 2).contiguous()
        x = self.body(x)
        return self.fc(x[:, :, 0, 0])


class SamePadding(nn.Module):
    """TensorFlow's SAME at stride 2: one more at the right and at the bottom"""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, stride=2, padding=0)
        self.conv2 = nn.Conv2d(8, 12, 3, padding="same", dilation=2)
        self.zeropad = nn.ZeroPad2d((1, 2, 1, 2))
        self.pool = nn.MaxPool2d(3, 2)
        self.fc = nn.Linear(12 * 6 * 6, 10)

    def forward(self, x):
        x = F.relu(self.conv1(F.pad(x, (0, 1, 0, 1))))
        x = F.relu(self.conv2(x))
        x = self.pool(self.zeropad(x))[..., :6, :6]
        return self.fc(torch.flatten(x, 1))


class OddPools(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1),
            nn.ReLU(),
            nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=False),
            nn.Conv2d(8, 8, 3, padding=1),
            nn.ReLU(),
            nn.AvgPool2d(3, stride=2, ceil_mode=True),
            nn.Conv2d(8, 8, 3, padding=1),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d((3, 2)),
        )
        self.fc = nn.Linear(8 * 6, 10)

    def forward(self, x):
        return self.fc(self.features(x).view(len(x), -1))


def unflatten():
    return nn.Sequential(
        nn.Unflatten(1, (1, 16, 20)),
        nn.Conv2d(1, 8, (3, 5), stride=(1, 2)),
        nn.ReLU(),
        nn.Conv2d(8, 8, (3, 1), dilation=(2, 1)),
        nn.ReLU(),
        nn.Flatten(1, -1),
        nn.Linear(8 * 10 * 8, 5),
    )


class DoubleNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(16, 24)
        self.hidden2 = nn.Linear(24, 24)
        self.output = nn.Linear(24, 2)

    def forward(self, x):
        x = torch.tanh(self.hidden(x))
        x = torch.tanh(self.hidden2(x))
        return self.output(x)


def lazy():
    return nn.Sequential(
        nn.LazyConv2d(8, kernel_size=5, padding=2),
        nn.LazyBatchNorm2d(),
        nn.ReLU(),
        nn.MaxPool2d(4),
        nn.Flatten(),
        nn.LazyLinear(10),
    )


def on_two_cards():
    model = nn.Sequential(nn.Conv2d(1, 8, 5, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 8 * 8, 10))
    return nn.DataParallel(model)


class SpectralCritic(nn.Module):
    def __init__(self):
        super().__init__()
        sn = nn.utils.spectral_norm
        self.main = nn.Sequential(
            sn(nn.Conv2d(1, 8, 4, 2, 1, bias=False)),
            nn.LeakyReLU(0.2, inplace=True),
            sn(nn.Conv2d(8, 16, 4, 2, 1, bias=False)),
            nn.BatchNorm2d(16),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(16, 1, 7, 1, 0, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, input):
        return self.main(input).view(-1)


class DropoutVariants(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 10, kernel_size=5)
        self.conv2 = nn.Conv2d(10, 20, kernel_size=5)
        self.conv2_drop = nn.Dropout2d()
        self.fc1 = nn.Linear(320, 50)
        self.fc2 = nn.Linear(50, 10)

    def forward(self, x):
        x = F.relu(F.max_pool2d(self.conv1(x), 2))
        x = F.relu(F.max_pool2d(self.conv2_drop(self.conv2(x)), 2))
        x = x.view(-1, 320)
        x = F.relu(self.fc1(x))
        x = F.dropout(x, training=self.training)
        x = self.fc2(x)
        return F.log_softmax(x)


class FullyConvolutional(nn.Module):
    """the classifier is a convolution as large as what is left"""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(1, 8, 5, stride=2),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(8, 12, 3),
            nn.ReLU(),
            nn.Conv2d(12, 10, 4),
        )

    def forward(self, x):
        x = self.net(x)
        return x.squeeze()


class NormLast(nn.Module):
    """PyTorch scores end in a batch-norm; a BatchNorm on raw pixels begins"""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm2d(1)
        self.conv = nn.Conv2d(1, 8, 3, 2, bias=False)
        self.fc = nn.Linear(8 * 13 * 13, 10, bias=False)
        self.last = nn.BatchNorm1d(10)

    def forward(self, x):
        x = F.relu(self.conv(self.norm(x)))
        return self.last(self.fc(torch.flatten(x, 1)))


class SwapAxes(nn.Module):
    """1-D over time, then over the channels"""

    def __init__(self):
        super().__init__()
        self.over_time = nn.Conv1d(6, 8, 5)
        self.over_channels = nn.Conv1d(28, 4, 3)
        self.fc = nn.Linear(4 * 6, 3)

    def forward(self, x):
        x = F.relu(self.over_time(x)).swapaxes(1, 2)
        x = F.relu(self.over_channels(x))
        return self.fc(x.flatten(-2))


MNIST = image(1, 28)
RAW = Input((1, 28, 28))

ENTRIES = (
    Entry("divide_by_255", "pixels scaled in forward", ScaledInside, RAW, on=("cortex-m4",)),
    Entry("centred_in_forward", "pixels to -1..1 in forward", CentredInside, RAW),
    Entry("normalize_module", "adversarial examples repositories", normalized_cnn, Input((3, 32, 32))),
    Entry("camera_nhwc", "camera frames, permute in forward", ChannelsLastCamera, Input((20, 24, 3), axis=2)),
    Entry("same_padding", "port of a Keras network", SamePadding, image(3, 22)),
    Entry("odd_pools", "padded, ceiled and adaptive pools", OddPools, image(1, 26, 22)),
    Entry("unflatten", "PyTorch Unflatten documentation", unflatten, Input((320,), scale=1 / 255)),
    Entry(
        "double_precision",
        "scientific Python",
        lambda: DoubleNet().double(),
        Input((16,), -128, 127, 1 / 64, dtype=torch.float64),
    ),
    Entry("lazy_layers", "PyTorch lazy modules", lazy, MNIST),
    Entry("data_parallel", "multi-GPU checkpoint", on_two_cards, MNIST),
    Entry("spectral_norm_critic", "DCGAN discriminator", SpectralCritic, MNIST, "bce"),
    Entry("dropout2d", "older pytorch/examples mnist", DropoutVariants, MNIST, "nll", on=("cortex-m4",)),
    Entry("conv_classifier", "fully convolutional", FullyConvolutional, MNIST, on=("cortex-m4", "hdl")),
    Entry("norm_first_and_last", "batch-norm at both ends", NormLast, RAW),
    Entry("swap_axes", "time and channel mixing", SwapAxes, sensor(6, 32)),
)
