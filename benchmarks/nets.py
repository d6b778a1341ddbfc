"""Whole networks of the suite, seeded like its layers: an MLP, DS-CNN for keywords, ResNet-8 for CIFAR."""

from collections.abc import Callable

from edgeternary.bench.make import Maker
from edgeternary.bench.modes import Mode
from edgeternary.ir import Graph

SAME = (1, 1, 1, 1)  # padding of a 3x3 window
HALF = (0, 0, 1, 1)  # of one with stride 2, on an even size
NONE = (0, 0, 0, 0)


def mlp(mode: Mode, seed: int = 0) -> Graph:
    """784-256-128-10 on 8-bit pixels."""
    maker = Maker("mlp", mode, (784,), "uint8", seed)
    maker.dense(256, "fc1").act("act1").dense(128, "fc2").act("act2")
    return maker.dense(10, "fc3", last=True).graph()


def ds_cnn(mode: Mode, seed: int = 0) -> Graph:
    """Keyword spotting of MLPerf Tiny: 49x10 coefficients, four separable blocks of 64, 12 words."""
    maker = Maker("ds-cnn", mode, (49, 10, 1), "int8", seed)
    maker.conv(64, (10, 4), (2, 2), (4, 1, 5, 1), "conv").act("act")
    for i in range(1, 5):
        maker.conv(64, (3, 3), (1, 1), SAME, f"dw{i}", groups=64).act(f"dw{i}_act")
        maker.conv(64, (1, 1), (1, 1), NONE, f"pw{i}").act(f"pw{i}_act")
    return maker.average("pool").act("mean", "int8").flat("flat").dense(12, "fc", last=True).graph()


def resnet_8(mode: Mode, seed: int = 0) -> Graph:
    """Image classification of MLPerf Tiny: 32x32x3, residual stacks of 16, 32, 64 channels, 10 classes."""
    maker = Maker("resnet-8", mode, (32, 32, 3), "uint8", seed)
    maker.conv(16, (3, 3), (1, 1), SAME, "conv").act("act")
    before = "act"
    for i, channels in enumerate((16, 32, 64), 1):
        stride = 1 if i == 1 else 2
        pad = SAME if i == 1 else HALF
        maker.conv(channels, (3, 3), (stride, stride), pad, f"a{i}", of=before).act(f"a{i}_act")
        maker.conv(channels, (3, 3), (1, 1), SAME, f"b{i}").act(f"b{i}_act")
        side = before
        if stride == 2:
            side = f"side{i}_act"
            maker.conv(channels, (1, 1), (2, 2), NONE, f"side{i}", of=before).act(side).sum(
                f"sum{i}", f"b{i}_act"
            )
        else:
            maker.sum(f"sum{i}", side)
        before = f"out{i}"
        maker.act(before)
    return maker.average("pool").act("mean", "int8").flat("flat").dense(10, "fc", last=True).graph()


NETS: dict[str, Callable[[Mode], Graph]] = {"mlp": mlp, "ds-cnn": ds_cnn, "resnet-8": resnet_8}
