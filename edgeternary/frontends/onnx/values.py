"""What a tensor of an ONNX file is while it is read, and the graph so far."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeternary.errors import EdgeTernaryError
from edgeternary.frontends.layout import channels_last_order
from edgeternary.ir import Op, Value
from edgeternary.ir.names import MAX_LENGTH

Numbers = NDArray[Any]  # one number, (), or one for each channel of the graph's value, (C,)
TAILS = {"act_quant", "export_handler", "weight_quant", "activation_impl"}  # of Brevitas' names


class Refused(EdgeTernaryError):
    """Why an operator of the file cannot be kept."""


@dataclass(frozen=True)
class Node:
    """One operator of the file."""

    name: str
    type: str
    domain: str
    inputs: tuple[str, ...]  # "" for one that is left out
    outputs: tuple[str, ...]
    attributes: dict[str, Any]
    version: int  # of its domain's opset

    def get(self, name: str, default: Any) -> Any:
        value = self.attributes.get(name, default)
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


@dataclass(frozen=True)
class Const:
    """A tensor that does not depend on the input.

    value  as ONNX computes it
    codes  integers with value = codes * scale, where it came through a quantiser; scale float64, of its shape
    """

    value: Numbers
    codes: NDArray[np.int64] | None = None
    scale: NDArray[np.float64] | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        return self.value.shape


@dataclass(frozen=True)
class Link:
    """One elementwise function of the file: apply(x, *numbers), x (C, n) and each number () or (C, 1).

    size(x, *numbers): the sum of the magnitudes that a rounding of it is relative to; None: those of x and of
    the result. monotone: it only rises or only falls within a channel.
    """

    apply: Callable[..., Any]
    numbers: tuple[Numbers, ...] = ()
    size: Callable[..., Any] | None = None
    monotone: bool = True

    def __call__(self, x: Any) -> Any:
        return self.apply(x, *self.columns)

    @property
    def columns(self) -> tuple[Any, ...]:
        return tuple(n[:, None] if n.ndim else n for n in self.numbers)

    def moved(self, move: Callable[[Numbers], Numbers]) -> Link:
        return replace(self, numbers=tuple(move(n) if n.ndim else n for n in self.numbers))


@dataclass(frozen=True)
class Grid:
    """The real numbers that integers stand for: (q - zero) * scale + offset, each () or (C,).

    exact: scale and offset are what the file says, not rounded to float64.
    """

    scale: Any
    zero: Any = 0
    offset: Any = 0.0
    exact: bool = True

    def moved(self, move: Callable[[Numbers], Numbers]) -> Grid:
        scale, zero, offset = (move(n) if np.ndim(n) else n for n in (self.scale, self.zero, self.offset))
        return Grid(scale, zero, offset, self.exact)


@dataclass(frozen=True)
class Live:
    """A tensor of the file that depends on the input: an integer value of the graph and what follows it.

    base   the value of the graph
    shape  of the tensor without its first axis, that of the samples
    order  order[i]: the index in the graph of element i; None where the channels come first, as in (C, H, W)
    chain  the functions from the integers to the tensor's numbers; () for a tensor of integers
    grid   the same as one affine function, where it is one
    hint   the scale before functions that are not affine, such as Relu; None where there is none
    raw    the input of the model whose floats these are, as long as no quantiser read them
    pads   top, left, bottom, right: what a Pad put around it, filled with the integer pad_code
    """

    base: str
    shape: tuple[int, ...]
    order: NDArray[np.int64] | None = None
    chain: tuple[Link, ...] = ()
    grid: Grid | None = None
    hint: Numbers | None = None
    raw: str = ""
    pads: tuple[int, int, int, int] = (0, 0, 0, 0)
    pad_code: int = 0

    def __call__(self, x: Any) -> Any:
        with np.errstate(all="ignore"):
            for link in self.chain:
                x = link(x)
        return x

    @property
    def uniform(self) -> bool:
        """Whether all channels have the same functions."""
        return all(n.ndim == 0 for link in self.chain for n in link.numbers)

    @property
    def whole_order(self) -> NDArray[np.int64]:
        return channels_last_order(self.shape) if self.order is None else self.order

    def then(self, link: Link, grid: Grid | None = None, hint: Numbers | None = None) -> Live:
        return replace(self, chain=(*self.chain, link), grid=grid, hint=hint)


Tensor = Const | Live


@dataclass
class Input:
    """An input of the graph: the shape of a sample in the file, and what its codes are once that is known.

    last: in the file too the channels are the last axis. middle: see `Quantiser`. given: by the caller.
    codes: the input of the file holds the codes themselves.
    """

    shape: tuple[int, ...]
    last: bool
    grid: Grid | None = None
    middle: float = 0.0
    given: bool = False
    codes: bool = False


@dataclass(frozen=True)
class Quantised:
    """Where the file quantises: for judges that look at single roundings.

    result  the tensor of the file;  before: what is quantised;  after: the result
    codes   the function from numbers to codes (edgeternary.frontends.onnx.quantisers.Quantiser.codes)
    """

    result: str
    before: Live
    after: Live
    codes: Link


@dataclass
class Context:
    """The graph so far, and the operator of the file that is read."""

    values: dict[str, Value] = field(default_factory=dict)
    ops: list[Op] = field(default_factory=list)
    tensors: dict[str, Tensor] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    made: list[str] = field(default_factory=list)  # ops of this operator
    remarks: list[str] = field(default_factory=list)  # on this operator
    node: Node | None = None
    inputs: dict[str, Input] = field(default_factory=dict)
    quantised: list[Quantised] = field(default_factory=list)

    @property
    def here(self) -> Node:
        assert self.node is not None
        return self.node

    def refuse(self, why: str, remedy: str) -> Refused:
        return Refused(f"{self.here.type[:40]} has no exact form", why, remedy)

    def name(self, part: str = "") -> str:
        """A free name for the next op, after the operator of the file."""
        base = ".".join(filter(None, (pretty(self.here.name), part)))[: MAX_LENGTH - 8]
        name, count = base, 2
        while name in self.values:
            name, count = f"{base}#{count}", count + 1
        return name

    def emit(self, op: Op) -> Value:
        value = op.infer([self.values[name] for name in op.inputs])
        value.check()
        self.ops.append(op)
        self.values[op.name] = value
        self.made.append(op.name)
        return value

    def retype(self, value: Value) -> None:
        """Another type for an input of the graph; what was made of it is inferred again."""
        self.values[value.name] = value
        for op in self.ops:
            self.values[op.name] = op.infer([self.values[name] for name in op.inputs])

    def numbers(self, const: Numbers, x: Live, what: str = "constant") -> Numbers:
        """A constant beside the tensor x as one number or one for each channel of the graph's value.

        It broadcasts as ONNX says: its last axis is the last one of x.
        """
        const = np.asarray(const)
        if const.dtype.kind == "f" and not np.isfinite(const).all():
            raise self.refuse(f"its {what} holds NaN or infinity", "export the model with finite numbers")
        if const.size == 1:
            return const.reshape(())
        shape = (1, *x.shape)
        try:
            fits = const.ndim <= len(shape) and np.broadcast_shapes(const.shape, shape) == shape
        except ValueError:
            fits = False
        if not fits:
            raise self.refuse(f"its {what} of shape {const.shape} meets {shape}", "make it broadcast to that")
        value = self.values[x.base]
        if x.order is None and const.size == const.shape[const.ndim - len(x.shape)] == value.channels:
            return const.reshape(-1)
        flat = np.empty(value.size, const.dtype)
        flat[x.whole_order] = np.broadcast_to(const, shape).reshape(-1)
        rows = flat.reshape(-1, value.channels)
        if np.any(rows != rows[0]):
            raise self.refuse(f"its {what} differs between pixels", "use one number for each channel")
        return rows[0]


def pretty(name: str) -> str:
    """A layer's name from the file's: '/features.0/act_quant/export_handler/Quant' is features.0/Quant."""
    parts = [part for part in name.split("/") if part and part not in TAILS]
    return re.sub(r"[^\x20-\x7e]", "_", "/".join(parts)) or "layer"
