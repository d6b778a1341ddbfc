"""Table networks of the suite, drawn: of the size that MNIST needs, flat and convolutional."""

import numpy as np

from edgeternary.ir import Graph, Op
from edgeternary.ops import Compare, GroupCount, MaxPool, Reshape, build
from edgeternary.ops.lut import random_tables


def mnist_net(seed: int = 0) -> Graph:
    """The size of a table network for MNIST: 1,500 comparisons, 800 tables of six inputs, ten classes."""
    rng = np.random.default_rng(seed)
    chosen = np.sort(rng.choice(3 * 784, 1500, replace=False))
    levels = np.array([64, 128, 192])
    ops: list[Op] = [
        Reshape(name="flat", inputs=("image",), shape=(784,)),
        Compare(
            name="bits", inputs=("flat",), source=(chosen // 3).astype(np.int32),
            t=levels[chosen % 3].astype(np.int32),
        ),
    ]  # fmt: skip
    x = build.value("image", (28, 28, 1), "uint8")
    ops.append(random_tables(rng, build.graph(x, *ops).output_value, 800, 6, name="tables"))
    ends, bias = 80 * np.arange(1, 11, dtype=np.int32), np.zeros(10, np.int32)
    ops.append(GroupCount(name="counts", inputs=("tables",), ends=ends, bias=bias))
    return build.graph(x, *ops, name="mnist_tables")


def mnist_image_net(seed: int = 0) -> Graph:
    """A convolutional one: three comparisons, 32 tables of 5 x 5 pixels, 16 of these, or-pools, then twice
    the same, and 400 tables of what is left."""
    rng = np.random.default_rng(seed)
    x = build.value("image", (28, 28, 1), "uint8")
    t = np.array([64, 128, 192], np.int32)
    ops: list[Op] = [Compare(name="bits", inputs=("image",), source=np.zeros(3, np.int32), t=t)]

    def tables(name: str, count: int, kernel: tuple[int, int], pad: tuple[int, int, int, int]) -> None:
        value = build.graph(x, *ops).output_value
        ops.append(random_tables(rng, value, count, 6, name=name, kernel=kernel, pad=pad))

    for stage in ("1", "2"):
        tables(f"windows{stage}", 64, (5, 5), (2, 2, 2, 2))
        tables(f"tree{stage}", 32, (1, 1), (0, 0, 0, 0))
        minimum = np.zeros(32, np.uint8)
        pool = MaxPool(
            name=f"pool{stage}", inputs=(f"tree{stage}",), kernel=(2, 2), stride=(2, 2), minimum=minimum
        )
        ops.append(pool)
    ops.append(Reshape(name="flat", inputs=("pool2",), shape=(7 * 7 * 32,)))
    tables("last", 400, (1, 1), (0, 0, 0, 0))
    ends, bias = 40 * np.arange(1, 11, dtype=np.int32), np.zeros(10, np.int32)
    ops.append(GroupCount(name="counts", inputs=("last",), ends=ends, bias=bias))
    return build.graph(x, *ops, name="mnist_image")


NETS = {"tables-800": mnist_net, "tables-image": mnist_image_net}
