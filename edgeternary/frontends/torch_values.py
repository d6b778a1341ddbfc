"""What a tensor of an exported torch program is during lowering, and the graph so far."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, fx, nn

from edgeternary.errors import EdgeTernaryError
from edgeternary.frontends.layout import channels_last_order
from edgeternary.ir import Op, State, Value
from edgeternary.ir.types import INT32_HI, INT32_LO
from edgeternary.ops import Conv2d, Dense

EXACT = 1 << 24  # float32 holds every integer up to here

Apply = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Codes:
    """An integer value of the graph. Torch sees it as (N, *shape), channels first.

    order[i]: the graph's index of torch's element i, where that differs from channels_last_order(shape): in a
    flattened map, and between permutations.
    """

    name: str
    shape: tuple[int, ...]
    order: NDArray[np.int64] | None = None

    @property
    def channels(self) -> int:
        return self.shape[0] if self.shape else 1

    @property
    def whole_order(self) -> NDArray[np.int64]:
        """order, or channels_last_order(shape) where that is None."""
        return channels_last_order(self.shape) if self.order is None else self.order


@dataclass(frozen=True)
class Link:
    """One float function of a chain.

    layer: the module path that it belongs to. monotone: it rises or falls within each channel whatever comes
    in. factor: it multiplies by one number.
    """

    apply: Apply
    layer: str
    monotone: bool = False
    factor: bool = False


@dataclass(frozen=True)
class Pending:
    """Codes after float functions that wait for a quantiser: the chain becomes its thresholds."""

    base: Codes
    chain: tuple[Link, ...] = ()

    def __call__(self, x: Tensor) -> Tensor:
        for link in self.chain:
            x = link.apply(x)
        return x


Lowered = Codes | Pending | Tensor


class Misplaced(EdgeTernaryError):
    """Axes of a tensor do not lie where a graph has them."""


@dataclass
class Context:
    """The graph so far and the exported program's place in it."""

    model: nn.Module
    values: dict[str, Value]
    ops: list[Op] = field(default_factory=list)
    states: list[State] = field(default_factory=list)
    node: fx.Node | None = None

    @property
    def path(self) -> str:
        """Module path of the node being lowered; the node's own name outside any submodule."""
        assert self.node is not None
        stack = list((self.node.meta.get("nn_module_stack") or {}).values())
        return str(stack[-1][0]) if stack and stack[-1][0] else self.node.name

    @property
    def module(self) -> nn.Module:
        try:
            return self.model.get_submodule(self.path)
        except AttributeError:
            return self.model

    def name(self, part: str = "") -> str:
        """A free name for the next op: the module path, numbered when a module is used more than once.

        part: of a layer that becomes several ops.
        """
        path = f"{self.path}.{part}" if part else self.path
        name, count = path, 2
        while name in self.values:
            name, count = f"{path}#{count}", count + 1
        return name

    def refuse(self, why: str, remedy: str) -> EdgeTernaryError:
        kind = (
            type(self.module).__name__
            if self.module is not self.model
            else str(getattr(self.node, "target", ""))
        )
        return EdgeTernaryError(f"layer {self.path!r} ({kind}) cannot be lowered", why, remedy)

    def codes(self, x: object, remedy: str = "put an edgeternary.nn.Activation before it") -> Codes:
        """x as an integer value, or a refusal that names the layer."""
        if isinstance(x, Codes):
            return x
        why = (
            "its input is a constant"
            if isinstance(x, Tensor)
            else "its input is not quantised to integer codes"
        )
        if isinstance(x, Pending):
            why += f" (it is the float output of {x.chain[-1].layer!r})"
        raise self.refuse(why, remedy)

    def per_channel(self, x: Codes) -> Codes:
        """x, whose axis 1 in torch is the channels of the graph, or the elements of a flattened map."""
        return x if len(x.shape) == 1 else self.map(x)

    def map(self, x: object, remedy: str = "put an edgeternary.nn.Activation before it") -> Codes:
        """codes(x), whose axes are where a graph has them: channels first in torch, last in the graph."""
        found = self.codes(x, remedy)
        if found.order is not None and len(found.shape) > 1:
            said = self.refuse(
                f"the axes of its input, {found.shape} in torch, do not lie so in a graph",
                "let (N, channels, ...) come in: permute back, or permute the input of the model alone",
            )
            raise Misplaced(said.what, said.why, said.remedy)
        return found

    def integers(self, x: object, what: str) -> NDArray[np.int64]:
        """A constant tensor of integers as int64, or a refusal."""
        if not isinstance(x, Tensor):
            raise self.refuse(f"its {what} is not a constant", "use a fixed parameter")
        array = x.detach().numpy()
        array = array.astype(np.float64) if array.dtype.kind == "f" else array.astype(np.int64)
        if not np.array_equal(array, np.rint(array)):
            raise self.refuse(
                f"its {what} is not made of integers",
                "use the layer of that name in edgeternary.nn, or edgeternary.nn.convert the model",
            )
        if array.size and not (array.min() >= INT32_LO and array.max() <= INT32_HI):
            raise self.refuse(
                f"its {what} reaches {float(array.flat[np.abs(array).argmax()]):,.0f}, beyond int32",
                "train it with a larger scale, or without so large a value",
            )
        return array.astype(np.int64)

    def emit(self, op: Op, shape: tuple[int, ...], order: NDArray[np.int64] | None = None) -> Codes:
        """Adds an op; refuses sums that float32 would not hold exactly, on the way to them too."""
        ins = [self.values[name] for name in op.inputs]
        value = op.infer(ins)
        most = max(-value.lo, value.hi, partial_sums(op, ins))
        if most > EXACT:
            raise self.refuse(
                f"its sums reach {most:,}, beyond the 2^24 up to which float32 is exact",
                "use fewer inputs, narrower weights or narrower activations",
            )
        self.ops.append(op)
        self.values[op.name] = value
        return Codes(op.name, shape, order)


def partial_sums(op: Op, ins: Sequence[Value]) -> int:
    """The largest magnitude of any sum of some of a layer's products, with or without its bias."""
    if not isinstance(op, (Conv2d, Dense)):
        return 0
    x, w = ins[0], op.weights.reshape(len(op.weights), -1).astype(np.int64)
    lo, hi, bias = min(x.lo, 0), max(x.hi, 0), op.bias.astype(np.int64)
    if isinstance(op, Conv2d) and any(op.pad):
        lo, hi = min(lo, op.pad_value), max(hi, op.pad_value)
    up, down = np.maximum(w, 0).sum(1), np.minimum(w, 0).sum(1)
    most, least = up * hi + down * lo + np.maximum(bias, 0), up * lo + down * hi + np.minimum(bias, 0)
    return int(max(most.max(), -least.min()))


def column(codes: NDArray[np.int64], rank: int) -> Tensor:
    """Integers (C, n) as a batch of n samples (n, C, 1, ...) of `rank` axes each."""
    return torch.from_numpy(codes.T.astype(np.float32)).reshape(*codes.T.shape, *([1] * (rank - 1)))
