"""Networks without an exact integer form of few bits: each is refused, once, with every reason."""

from __future__ import annotations

import torch
import torch.nn as nn
import torch.nn.functional as F

from tests.corpus.entry import Entry, image, sensor


class ViT(nn.Module):
    def __init__(self, dim=16, patch=7, classes=10):
        super().__init__()
        self.to_patch = nn.Conv2d(1, dim, patch, patch)
        self.pos_embedding = nn.Parameter(torch.randn(1, 16, dim))
        self.norm1 = nn.LayerNorm(dim)
        self.attn = nn.MultiheadAttention(dim, 4, batch_first=True)
        self.norm2 = nn.LayerNorm(dim)
        self.mlp = nn.Sequential(nn.Linear(dim, 32), nn.GELU(), nn.Linear(32, dim))
        self.head = nn.Linear(dim, classes)

    def forward(self, img):
        x = self.to_patch(img).flatten(2).transpose(1, 2)
        x = x + self.pos_embedding
        y = self.norm1(x)
        x = x + self.attn(y, y, y, need_weights=False)[0]
        x = x + self.mlp(self.norm2(x))
        return self.head(x.mean(dim=1))


class MobileViTBlock(nn.Module):
    def __init__(self, channel=8, dim=16, patch=2):
        super().__init__()
        self.ph = self.pw = patch
        self.stem = nn.Sequential(nn.Conv2d(3, channel, 3, 4, 1), nn.BatchNorm2d(channel), nn.SiLU())
        self.conv2 = nn.Conv2d(channel, dim, 1)
        self.qkv = nn.Linear(dim, 3 * dim, bias=False)
        self.conv3 = nn.Conv2d(dim, channel, 1)
        self.fc = nn.Linear(channel, 10)

    def forward(self, x):
        x = self.stem(x)
        y = self.conv2(x)
        b, d, h, w = y.shape
        t = y.reshape(b, d, h // self.ph, self.ph, w // self.pw, self.pw).permute(0, 3, 5, 2, 4, 1)
        t = t.reshape(b, self.ph * self.pw, -1, d)
        q, k, v = self.qkv(t).chunk(3, dim=-1)
        scores = torch.matmul(q, k.transpose(-1, -2)) * d**-0.5
        t = torch.matmul(torch.softmax(scores, dim=-1), v)
        t = t.reshape(b, self.ph, self.pw, h // self.ph, w // self.pw, d).permute(0, 5, 3, 1, 4, 2)
        x = x + self.conv3(t.reshape(b, d, h, w))
        return self.fc(x.mean([2, 3]))


class ConvNeXtBlock(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.dwconv = nn.Conv2d(dim, dim, kernel_size=7, padding=3, groups=dim)
        self.norm = nn.LayerNorm(dim, eps=1e-6)
        self.pwconv1 = nn.Linear(dim, 4 * dim)
        self.act = nn.GELU()
        self.pwconv2 = nn.Linear(4 * dim, dim)
        self.gamma = nn.Parameter(1e-6 * torch.ones(dim))

    def forward(self, x):
        input = x
        x = self.dwconv(x)
        x = x.permute(0, 2, 3, 1)  # (N, C, H, W) -> (N, H, W, C)
        x = self.norm(x)
        x = self.pwconv1(x)
        x = self.act(x)
        x = self.pwconv2(x)
        x = self.gamma * x
        x = x.permute(0, 3, 1, 2)  # (N, H, W, C) -> (N, C, H, W)
        return input + x


def convnext():
    return nn.Sequential(
        nn.Conv2d(3, 8, 4, 4), ConvNeXtBlock(8), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 10)
    )


class EarlyExit(nn.Module):
    """a second look only where the first one is unsure"""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(32, 16)
        self.second = nn.Linear(16, 16)
        self.out = nn.Linear(16, 4)

    def forward(self, x):
        x = F.relu(self.first(x))
        if self.out(x).softmax(-1).max() < 0.9:
            x = F.relu(self.second(x))
        return self.out(x)


class DynamicNet(nn.Module):
    """a + b x + c x^2 + d x^3 + e x^4 ? + e x^5 ?"""

    def __init__(self):
        super().__init__()
        self.input_linear = nn.Linear(16, 24)
        self.middle_linear = nn.Linear(24, 24)
        self.output_linear = nn.Linear(24, 3)

    def forward(self, x):
        h_relu = self.input_linear(x).clamp(min=0)
        for _ in range(int(torch.randint(0, 3, (1,)))):
            h_relu = self.middle_linear(h_relu).clamp(min=0)
        return self.output_linear(h_relu)


class EinsumMixer(nn.Module):
    def __init__(self, dim=12, patches=16):
        super().__init__()
        self.patch = nn.Conv2d(1, dim, 6, 6)
        self.token_mix = nn.Parameter(torch.randn(patches, patches) / 4)
        self.norm = nn.LayerNorm(dim)
        self.head = nn.Linear(dim, 10)

    def forward(self, x):
        x = self.patch(x).flatten(2)
        x = torch.einsum("bdn,nm->bmd", x, self.token_mix)
        x = F.gelu(self.norm(x))
        return self.head(x.mean(1))


class GroupNormNet(nn.Module):
    """small batches: group norm in place of batch-norm, instance norm on the input"""

    def __init__(self):
        super().__init__()
        self.inorm = nn.InstanceNorm2d(3, affine=True)
        self.conv1 = nn.Conv2d(3, 8, 3, 2, 1, bias=False)
        self.gn1 = nn.GroupNorm(4, 8)
        self.conv2 = nn.Conv2d(8, 16, 3, 2, 1, bias=False)
        self.gn2 = nn.GroupNorm(4, 16)
        self.fc = nn.Linear(16, 10)

    def forward(self, x):
        x = self.inorm(x)
        x = F.relu(self.gn1(self.conv1(x)))
        x = F.relu(self.gn2(self.conv2(x)))
        return self.fc(x.mean((2, 3)))


class SpatialTransformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.localization = nn.Sequential(
            nn.Conv2d(1, 8, 7), nn.MaxPool2d(2, stride=2), nn.ReLU(True), nn.Flatten()
        )
        self.fc_loc = nn.Linear(8 * 11 * 11, 6)
        self.conv1 = nn.Conv2d(1, 8, 5, 2)
        self.fc1 = nn.Linear(8 * 12 * 12, 10)

    def stn(self, x):
        theta = self.fc_loc(self.localization(x))
        theta = theta.view(-1, 2, 3)
        grid = F.affine_grid(theta, x.size())
        x = F.grid_sample(x, grid)
        return x

    def forward(self, x):
        x = self.stn(x)
        x = F.relu(self.conv1(x))
        return self.fc1(x.flatten(1))


class TransformerEncoderHAR(nn.Module):
    def __init__(self, d_model=16):
        super().__init__()
        self.proj = nn.Linear(6, d_model)
        layer = nn.TransformerEncoderLayer(d_model, nhead=2, dim_feedforward=32, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, num_layers=1, enable_nested_tensor=False)
        self.cls = nn.Linear(d_model, 5)

    def forward(self, x):
        x = self.proj(x)
        x = self.encoder(x)
        return self.cls(x[:, 0])


class FourierFeatures(nn.Module):
    def __init__(self):
        super().__init__()
        self.window = nn.Parameter(torch.hann_window(64), requires_grad=False)
        self.net = nn.Sequential(nn.Linear(33, 24), nn.ReLU(), nn.Linear(24, 4))

    def forward(self, x):
        spectrum = torch.fft.rfft(x * self.window).abs()
        return self.net(torch.log1p(spectrum))


class MirrorPadding(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 8, 3, padding=1, padding_mode="reflect")
        self.norm = nn.LocalResponseNorm(2)
        self.fc = nn.Linear(8 * 14 * 14, 10)

    def forward(self, x):
        x = self.norm(F.relu(self.conv(x)))
        x = F.lp_pool2d(x, 2, 2)
        return self.fc(x.flatten(1))


MNIST = image(1, 28)
CIFAR = image(3, 32)


def refused(name, style, build, inputs, *reasons):
    return Entry(name, style, build, inputs, expected="refused", reasons=reasons)


ENTRIES = (
    refused(
        "vit",
        "vit-pytorch",
        ViT,
        MNIST,
        "y = self.norm1(x)",
        "= x + self.attn(y",
        "x + self.mlp(self.norm2(x))",
    ),
    refused(
        "mobilevit",
        "MobileViT block",
        MobileViTBlock,
        CIFAR,
        "torch.matmul(q, k",
    ),
    refused("convnext", "facebookresearch/ConvNeXt", convnext, CIFAR, "x = self.norm(x)"),
    refused("early_exit", "confidence in forward", EarlyExit, sensor(32), "if self.out(x).softmax(-1).max()"),
    refused(
        "dynamic_net",
        "PyTorch dynamic net tutorial",
        DynamicNet,
        sensor(16),
        "return self.output_linear(h_relu)",
    ),
    refused(
        "einsum_mixer",
        "MLP-Mixer with einsum",
        EinsumMixer,
        image(1, 24),
        "torch.einsum(",
        "x = F.gelu(self.norm(x))",
    ),
    refused(
        "group_norm",
        "GroupNorm for small batches",
        GroupNormNet,
        CIFAR,
        "x = self.inorm(x)",
        "self.gn1(self.conv1(x))",
        "self.gn2(self.conv2(x))",
    ),
    refused(
        "spatial_transformer",
        "PyTorch spatial transformer tutorial",
        SpatialTransformer,
        MNIST,
        "grid = F.affine_grid(",
        "x = F.grid_sample(",
    ),
    refused(
        "transformer_har",
        "nn.TransformerEncoder",
        TransformerEncoderHAR,
        sensor(24, 6),
        "x = self.encoder(x)",
    ),
    refused(
        "fft_features",
        "spectrum in forward",
        FourierFeatures,
        sensor(64),
        "torch.fft.rfft(x",
    ),
    refused(
        "mirror_padding",
        "AlexNet with LRN",
        MirrorPadding,
        MNIST,
        "self.norm(F.relu(self.conv(x)))",
        "x = F.lp_pool2d(",
    ),
)
