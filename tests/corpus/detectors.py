"""Heads that detect and segment: YOLO, SSD, CenterNet, BlazeFace, pyramid pooling."""

import torch
import torch.nn as nn
import torch.nn.functional as F

from tests.corpus.entry import Entry, image


def cbr(i, o, k=3, s=1, p=1, g=1):
    return nn.Sequential(
        nn.Conv2d(i, o, k, s, p, groups=g, bias=False), nn.BatchNorm2d(o), nn.ReLU(inplace=True)
    )


class YoloHead(nn.Module):
    def __init__(self, anchors=3, classes=2):
        super().__init__()
        self.na, self.no = anchors, 5 + classes
        self.body = nn.Sequential(cbr(3, 8, s=2), cbr(8, 12, s=2))
        self.head = nn.Conv2d(12, self.na * self.no, 1)

    def forward(self, x):
        x = self.head(self.body(x))
        bs, _, ny, nx = x.shape
        return x.view(bs, self.na, self.no, ny, nx).permute(0, 1, 3, 4, 2).contiguous()


class SSDHead(nn.Module):
    """torchvision SSD: per level permute, view, cat"""

    def __init__(self, classes=3):
        super().__init__()
        self.classes = classes
        self.f1, self.f2 = nn.Sequential(cbr(3, 8, s=2), cbr(8, 12, s=2)), cbr(12, 12, s=2)
        self.c1, self.c2 = nn.Conv2d(12, 2 * classes, 3, padding=1), nn.Conv2d(12, 2 * classes, 3, padding=1)

    def forward(self, x):
        a = self.f1(x)
        b = self.f2(a)
        outs = []
        for f, c in ((a, self.c1), (b, self.c2)):
            y = c(f).permute(0, 2, 3, 1)
            outs.append(y.reshape(y.size(0), -1, self.classes))
        return torch.cat(outs, dim=1)


class CenterNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(cbr(1, 8, s=2), cbr(8, 12))
        self.heads = nn.ModuleDict({"hm": nn.Conv2d(12, 2, 1), "wh": nn.Conv2d(12, 2, 1)})

    def forward(self, x):
        f = self.body(x)
        return {name: head(f) for name, head in self.heads.items()}


class BlazeBlock(nn.Module):
    def __init__(self, i, o, stride=1):
        super().__init__()
        self.stride, self.channel_pad = stride, o - i
        if stride == 2:
            self.max_pool = nn.MaxPool2d(kernel_size=stride, stride=stride)
        self.convs = nn.Sequential(
            nn.Conv2d(i, i, 3, stride, 0 if stride == 2 else 1, groups=i, bias=True),
            nn.Conv2d(i, o, 1, 1, 0, bias=True),
        )
        self.act = nn.ReLU(inplace=True)

    def forward(self, x):
        if self.stride == 2:
            h = F.pad(x, (0, 2, 0, 2), "constant", 0)
            x = self.max_pool(x)
        else:
            h = x
        if self.channel_pad > 0:
            x = F.pad(x, (0, 0, 0, 0, 0, self.channel_pad), "constant", 0)
        return self.act(self.convs(h) + x)


class BlazeFace(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 5, 2, 2), nn.ReLU(True))
        self.b1, self.b2 = BlazeBlock(8, 8), BlazeBlock(8, 12, 2)
        self.c = nn.Conv2d(12, 2, 1)
        self.r = nn.Conv2d(12, 8, 1)

    def forward(self, x):
        x = self.b2(self.b1(self.stem(x)))
        b = x.shape[0]
        c = self.c(x).permute(0, 2, 3, 1).reshape(b, -1, 1)
        r = self.r(x).permute(0, 2, 3, 1).reshape(b, -1, 4)
        return [r, c]


class PSP(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = cbr(3, 8, s=3)
        self.pools = nn.ModuleList(
            [
                nn.Sequential(
                    nn.AdaptiveAvgPool2d(b), nn.Conv2d(8, 2, 1, bias=False), nn.BatchNorm2d(2), nn.ReLU()
                )
                for b in (1, 2, 3, 6)
            ]
        )
        self.out = nn.Conv2d(16, 3, 1)

    def forward(self, x):
        x = self.body(x)
        h, w = x.shape[-2:]
        ys = [x] + [F.interpolate(p(x), size=(h, w), mode="nearest") for p in self.pools]
        return self.out(torch.cat(ys, 1))


RGB = image(3, 24, mean=0.45, std=0.22)

ENTRIES = (
    Entry("yolo_head", "ultralytics YOLO", YoloHead, RGB, "mse", on=("cortex-m4",)),
    Entry("ssd_heads", "torchvision SSD", SSDHead, RGB, "mse"),
    Entry("centernet_heads", "CenterNet", CenterNet, image(1, 16), ("mse", "mse"), on=("cortex-m4",)),
    Entry("blazeface", "MediaPipe BlazeFace", BlazeFace, RGB, ("mse", "bce_logits"), on=("cortex-m4",)),
    Entry("pyramid_of_pools", "PSPNet", PSP, RGB),
)
