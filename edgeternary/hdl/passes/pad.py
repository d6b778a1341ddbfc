"""Sizes without useful divisors become larger ones that have them: zero rows, zero columns, constants.

A fold divides a layer's rows and columns, so that a layer of 97 rows has only the folds 1 and 97. Here 97
becomes 100: rows are added whose answers are not used, and to the layer that reads them as many columns,
which count nothing. The answers stay the same, bit by bit.

rows     without a weight; of bipolar layers, whose weights cannot be 0, copies of the first row
columns  without a weight; of bipolar layers with a weight of +1 where what they read is a known constant,
         which is taken off the bias
vectors  that no layer makes, such as the input, are filled up with a constant by a part of its own
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from dataclasses import fields as dataclass_fields
from typing import ClassVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from edgeternary.hdl.builder import Mask
from edgeternary.hdl.fold import roomier
from edgeternary.hdl.parts import layers
from edgeternary.ir import Graph, IntArray, Op, Value
from edgeternary.ops import Conv2d, Dense, MaxPool, Reshape, SumPool

FILLED = " filled"  # in the name of a vector that constants fill up


class Further:
    """What padded layers share: their interval and their work stay those of the layer without padding."""

    __slots__ = ()

    value: Value
    count: int

    def infer(self, ins: Sequence[Value]) -> Value:
        return self.value

    def macs(self, ins: Sequence[Value]) -> int:
        return self.count


class Wider(Further, Dense, frozen=True, kw_only=True, eq=False):
    """A dense layer with further rows or columns, which do not count as work: `count` are the MACs without.

    value  its answer, whose interval stays
    """

    internal: ClassVar[bool] = True

    value: Value
    count: int


class WiderConv(Further, Conv2d, frozen=True, kw_only=True, eq=False):
    """The same of a convolution, whose rows and columns are channels."""

    internal: ClassVar[bool] = True

    value: Value
    count: int


class Filled(Op, frozen=True, kw_only=True, eq=False):
    """A vector of `real` elements followed by `code`, up to the size of `value`."""

    kind: ClassVar[str] = "fill"
    internal: ClassVar[bool] = True

    real: int
    code: int
    value: Value

    def infer(self, ins: Sequence[Value]) -> Value:
        return self.value

    def ref(self, *xs: IntArray) -> IntArray:
        missing = self.value.size - self.real
        return np.pad(xs[0], ((0, 0), (0, missing)), constant_values=self.code)


@dataclass(frozen=True, eq=False)
class Padded(Graph):
    """A graph with sizes that fold well.

    real  by value, which of its channels are those of the original; values that are not named are as before
    """

    real: Mapping[str, Mask] = field(default_factory=dict)


def real(graph: Graph) -> Mapping[str, Mask]:
    """By value of a graph, which of its channels are those of the original, where it was padded."""
    return graph.real if isinstance(graph, Padded) else {}


def sizes(before: Graph, after: Graph) -> tuple[str, ...]:
    """Of each layer with weights whose size changed, rows and columns: "fc1 97 x 199 as 100 x 200"."""
    pairs = zip(_shapes(before).items(), _shapes(after).values(), strict=True)
    return tuple(f"{name} {_size(old)} as {_size(new)}" for (name, old), new in pairs if old != new)


def _shapes(graph: Graph) -> dict[str, tuple[int, ...]]:
    return {op.name: op.weights.shape for op in graph.ops if isinstance(op, Dense | Conv2d)}


def _size(shape: tuple[int, ...]) -> str:
    """Rows and columns of weights."""
    return f"{shape[0]} x {math.prod(shape[1:])}"


def pad(graph: Graph) -> Graph:
    """The graph with sizes that fold well, as far as its layers allow it; the same one if they do already.

    Only values that end in layers with weights are padded: what is added, joined with others, written into a
    state or sent out keeps its size.
    """
    if graph.several:
        return graph
    work = _Work(graph)
    work.fill(graph.input)
    for op in graph.ops:
        work.take(op)
    if not work.real:
        return graph
    own = {name: mask for name, mask in work.real.items() if name not in work.names}
    fields = {f.name: getattr(graph, f.name) for f in dataclass_fields(Graph)}
    return Padded(**{**fields, "ops": tuple(work.ops)}, real=own)


def _ends(graph: Graph, name: str) -> bool:
    """Whether whatever reads a value passes it on to layers with weights alone."""
    if name in graph.shown:
        return False
    readers = graph.consumers(name)
    return bool(readers) and all(_takes(graph, op) for op in readers)


def _takes(graph: Graph, op: Op) -> bool:
    if isinstance(op, Dense) or (isinstance(op, Conv2d) and op.groups == 1):
        return True
    if isinstance(op, Reshape):
        (x,) = graph.ins(op)
        flat = len(op.shape) == 1 or op.shape[-1] == x.channels
        return flat and _ends(graph, op.name)
    follows = layers()[op.kind].pads or (isinstance(op, Conv2d) and _own(graph, op))
    return follows and _ends(graph, op.name)


def _own(graph: Graph, op: Conv2d) -> bool:
    """Whether every channel has a filter of its own."""
    return op.groups == len(op.weights) == graph.ins(op)[0].channels


class _Work:
    """The padded layers so far.

    real   see Padded
    codes  by value, the constant that its further channels hold; None where they hold different ones
    names  of values that were filled, by the old one
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.ops: list[Op] = []
        self.real: dict[str, Mask] = {}
        self.codes: dict[str, int | None] = {}
        self.names: dict[str, str] = {}

    def take(self, op: Op) -> None:
        """The next layer: with further columns or channels where its input has them, and with further rows,
        or filled up, where its answer has an awkward size."""
        renamed = msgspec.structs.replace(op, inputs=tuple(self.names.get(x, x) for x in op.inputs))
        mask, code = self.real.get(op.inputs[0]), self.codes.get(op.inputs[0])
        value = self.graph.values[op.name]
        if isinstance(renamed, Dense | Conv2d):
            self.ops.append(self._matrix(renamed, value, mask, code))
        elif mask is None:
            self.ops.append(renamed)
        elif isinstance(renamed, Reshape):
            self.ops.append(self._reshape(renamed, value, mask, code))
        else:
            wide = layers()[op.kind].widened(renamed, self.graph.ins(op)[0], value, mask)
            self.ops.append(wide)
            self._note(op.name, mask, None if code is None else _answer(wide, mask, code))
        if op.name not in self.real:
            self.fill(value)

    def fill(self, value: Value) -> None:
        """A part that makes a vector longer, if it has an awkward size."""
        size = roomier(value.size)
        if len(value.shape) != 1 or size == value.size or not _ends(self.graph, value.name):
            return
        name, code = f"{value.name}{FILLED}", near_zero(value)
        wide = replace(value, name=name, shape=(size,))
        self.ops.append(
            Filled(
                name=name,
                inputs=(self.names.get(value.name, value.name),),
                real=value.size,
                code=code,
                value=wide,
            )
        )
        self.names[value.name] = name
        self._note(value.name, np.arange(size) < value.size, code)

    def _note(self, name: str, mask: Mask, code: int | None) -> None:
        self.real[name], self.codes[name] = mask, code

    def _reshape(self, op: Reshape, value: Value, mask: Mask, code: int | None) -> Op:
        pixels = value.channels // int(mask.sum())  # that become one vector
        self._note(op.name, np.tile(mask, pixels), code)
        return msgspec.structs.replace(op, shape=(*op.shape[:-1], pixels * len(mask)))

    def _matrix(self, op: Dense | Conv2d, value: Value, mask: Mask | None, code: int | None) -> Op:
        weights, bias, kind = op.weights, op.bias.astype(np.int64), op.weight_type
        own = isinstance(op, Conv2d) and _own(self.graph, op)
        if mask is not None and not own:
            weights, bias, kind = _columns(op, mask, code)
        size = len(mask) if own and mask is not None else value.channels
        if not own and _ends(self.graph, op.name):
            size = roomier(size)
        if weights is op.weights and size == value.channels:
            return op
        if size != value.channels:
            known = mask if own and mask is not None else np.arange(size) < value.channels
            copied = kind == "bipolar"
            plain = bias[0] if copied else int(np.clip(0, value.lo, value.hi))
            weights = spread(weights, known, weights[0] if copied else 0)
            bias = spread(bias, known, plain)
            self._note(op.name, known, None if copied else int(plain))
        wide = replace(value, shape=(*value.shape[:-1], size))
        fields = {**msgspec.structs.asdict(op), "weights": weights, "bias": bias.astype(np.int32)}
        fields |= {"weight_type": kind, "value": wide, "count": self._macs(op.name)}
        if isinstance(op, Dense):
            return Wider(**fields)
        return WiderConv(**{**fields, "groups": size if own else op.groups})

    def _macs(self, name: str) -> int:
        op = self.graph.op(name)
        return op.macs(self.graph.ins(op))


def _columns(op: Dense | Conv2d, mask: Mask, code: int | None) -> tuple[np.ndarray, NDArray[np.int64], str]:
    """Weights, bias and weight type of a layer whose input has further channels, where `mask` is not set."""
    around = isinstance(op, Conv2d) and any(op.pad)
    known = code is not None and not (around and op.pad_value != code)  # type: ignore[union-attr]
    one = int(op.weight_type == "bipolar" and known)
    weights = np.full((*op.weights.shape[:-1], len(mask)), one, np.int8)
    weights[..., mask] = op.weights
    count = math.prod(op.weights.shape[1:-1]) * int((~mask).sum())
    bias = op.bias.astype(np.int64) - one * count * (code or 0)
    kind = "ternary" if op.weight_type == "bipolar" and not one else op.weight_type
    return weights, bias, kind


def near_zero(value: Value) -> int:
    """The code of a value's type and interval that is 0, or next to it."""
    if value.type.name == "bipolar":
        return value.lo
    return int(np.clip(0, value.lo, value.hi))


def spread(array: np.ndarray, mask: Mask, other: object) -> np.ndarray:
    """Rows of `array` where the mask is set, and `other` in between."""
    found = np.empty((len(mask), *array.shape[1:]), array.dtype)
    found[mask], found[~mask] = array, other
    return found


def _answer(op: Op, mask: Mask, code: int) -> int:
    """What a layer without weights makes of a constant in its further channels."""
    if isinstance(op, MaxPool):
        return code
    if isinstance(op, SumPool):
        return code * math.prod(op.kernel)
    answers = op.ref(np.full((1, len(mask)), code, np.int32))
    return int(answers[0, np.flatnonzero(~mask)[0]])
