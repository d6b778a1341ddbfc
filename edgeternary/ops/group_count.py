"""group_count: y[g] = bias[g] + number of set bits in group g."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from edgeternary.ir import Graph, IntArray, Op, Value, parse
from edgeternary.ops import build
from edgeternary.ops.bits import require_bits


class GroupCount(Op, frozen=True, kw_only=True, eq=False):
    """Set bits of G groups of channels that follow each other: the scores of the classes of a table network.

    ends  int32 (G,), not descending, the last one n: group g is the channels from ends[g - 1] (0 for the
          first one) to ends[g] - 1
    bias  int32 (G,)
    Input (n,), output int32 (G,). A bit is set where the value is positive.
    """

    kind: ClassVar[str] = "group_count"

    ends: np.ndarray
    bias: np.ndarray

    @property
    def sizes(self) -> IntArray:
        """(G,): channels of each group."""
        return np.diff(self.ends, prepend=np.int32(0)).astype(np.int32)

    def infer(self, ins: Sequence[Value]) -> Value:
        (x,) = ins
        require_bits(self, x)
        self.require(len(x.shape) == 1, f"its input must be flat, it is {x.shape}", "put a reshape before it")
        self.require(self.ends.ndim == 1 and self.ends.size > 0, "ends must be (G,), with at least one group")
        for field in ("ends", "bias"):
            self.check_array(field, (self.ends.size,))
        ordered = self.ends[0] >= 0 and bool(np.all(self.ends[:-1] <= self.ends[1:]))
        self.require(
            ordered and self.ends[-1] == x.size, f"ends must ascend from 0 to {x.size}, the size of its input"
        )
        low, high = self.bias.astype(np.int64), self.bias.astype(np.int64)
        low, high = low + (x.lo > 0) * self.sizes, high + (x.hi > 0) * self.sizes
        int32 = parse("int32")
        self.require(
            int(low.min()) >= int32.lo and int(high.max()) <= int32.hi, "a count and its bias leave int32"
        )
        return self.result((self.ends.size,), int32, int(low.min()), int(high.max()))

    def ref(self, *xs: IntArray) -> IntArray:
        (x,) = xs
        below = np.cumsum(x > 0, axis=1, dtype=np.int32)
        at_end = np.concatenate([np.zeros((len(x), 1), np.int32), below], axis=1)[:, self.ends]
        return np.diff(at_end, axis=1, prepend=np.int32(0)).astype(np.int32) + self.bias

    @classmethod
    def examples(cls, rng: np.random.Generator) -> list[Graph]:
        graphs = []
        for type, sizes in [
            ("binary", (3, 33, 4)), ("bipolar", (5, 5)), ("binary", (1,)), ("bipolar", (0, 7, 0, 64, 1)),
            ("binary", (80,) * 10),
        ]:  # fmt: skip
            x = build.value("x", (sum(sizes),), type)
            bias = rng.integers(-50, 51, len(sizes)).astype(np.int32)
            op = cls(name="counts", inputs=("x",), ends=np.cumsum(sizes).astype(np.int32), bias=bias)
            graphs.append(build.graph(x, op))
        x = build.value("x", (9,), "binary", 1, 1)
        ends, bias = np.array([4, 9], np.int32), np.array([-(2**31), 2**31 - 6], np.int32)
        graphs.append(build.graph(x, cls(name="counts", inputs=("x",), ends=ends, bias=bias)))
        return graphs
