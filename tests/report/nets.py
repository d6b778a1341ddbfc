"""Models of the report's tests: branches, states, several outputs, and names that attack every text."""

from __future__ import annotations

import numpy as np

from edgeternary.ir import Graph, Meta
from edgeternary.ops import Add, Conv2d, Dense, Reshape, Threshold, build

EVIL = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(2)>',
    "{{ 7 * 7 }}{% raw %}",
    "]]> &amp; --> `code` | *a* _b_",
    "层-Ünïcode-ש",
    "x" * 200,
)


def conv(rng: np.random.Generator, name: str, source: str, ins: int, outs: int) -> Conv2d:
    return Conv2d(
        name=name, inputs=(source,), weights=build.codes(rng, (outs, 3, 3, ins), "ternary"),
        weight_type="ternary", bias=np.zeros(outs, np.int32), stride=(1, 1), pad=(1, 1, 1, 1), pad_value=0,
        groups=1,
    )  # fmt: skip


def act(name: str, source: str, channels: int) -> Threshold:
    ones = np.ones(channels, np.int32)
    return Threshold(
        name=name, inputs=(source,), t=np.tile(np.array([1, 2, 4], np.int32), (channels, 1)),
        base=0 * ones, step=ones, type="uint2",
    )  # fmt: skip


def residual(names: tuple[str, ...] = (), title: str = "residual") -> Graph:
    """A convolution, then two of them around which its value runs to an addition, then dense.

    names  of the layers stem, one, two, sum, flat, fc, where they differ from these
    """
    rng = np.random.default_rng(3)
    plain = ("stem", "one", "two", "sum", "flat", "fc")
    stem, one, two, total, flat, fc = [*names, *plain[len(names) :]]
    ops = (
        conv(rng, stem, "image", 1, 4), act("act0", stem, 4),
        conv(rng, one, "act0", 4, 4), act("act1", one, 4),
        conv(rng, two, "act1", 4, 4), act("act2", two, 4),
        Add(name=total, inputs=("act2", "act0")), act("act3", total, 4),
        Reshape(name=flat, inputs=("act3",), shape=(144,)),
        Dense(name=fc, inputs=(flat,), weights=build.codes(rng, (3, 144), "ternary"), weight_type="ternary",
              bias=np.zeros(3, np.int32)),
    )  # fmt: skip
    info = {"summary": "<b>bold</b> & 'quoted'", "data": '</title>"', "test_accuracy": "0.75"}
    meta = Meta(labels=("<i>a</i>", "b&b", "c"), info=info)
    return Graph(title, build.value("image", (6, 6, 1), "uint8"), ops, fc, meta=meta)
