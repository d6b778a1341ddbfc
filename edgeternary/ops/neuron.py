"""Neurons and integrators out of the graph's ops: a state, and the ops of one step.

drive = clamp(2^f x + b, LO, HI)        requantize
leak  = v - (v >> k)                    requantize: (v (2^k - 1) + 2^k - 1) >> k, the same for every integer
u     = clamp(leak + drive, LO, HI)     add, requantize
spike = u >= theta                      threshold
v     = u - theta spike                 requantize, add     (reset by subtraction)
v     = u (1 - spike)                   requantize, mul     (reset to zero)
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeternary.ir import IntArray, Op, State, Type, Value, parse, smallest
from edgeternary.ops.add import Add
from edgeternary.ops.mul import Mul
from edgeternary.ops.requantize import Requantize
from edgeternary.ops.threshold import Threshold

LO, HI = -(1 << 14), (1 << 14) - 1  # with theta < 2^14 the state stays inside int16
MOST = HI  # the largest threshold
TOTAL = 1 << 20  # an integrator stays within +-TOTAL
Namer = Callable[[str], str]
Integers = NDArray[np.signedinteger[Any]]


@dataclass(frozen=True)
class Cells:
    """theta, bias, begin: (C,) threshold, bias and first potential, in units of the potential.

    shift: decay by v >> shift, 0 for none; fraction: bits of the potential below a unit of the input;
    subtract: a spike takes theta off the potential, or else sets it to zero.
    """

    theta: Integers
    bias: Integers
    begin: Integers
    shift: int = 0
    fraction: int = 0
    subtract: bool = True


@dataclass(frozen=True)
class Built:
    """The ops of a step in order, the state, and the name of the value that goes on."""

    ops: tuple[Op, ...]
    state: State
    output: str


@dataclass
class _Chain:
    """Ops that are made one after the other; values by name."""

    name: Namer
    values: dict[str, Value]
    ops: list[Op] = field(default_factory=list)

    def add(self, op: Op) -> Value:
        self.ops.append(op)
        self.values[op.name] = value = op.infer([self.values[name] for name in op.inputs])
        return value

    def scaled(
        self,
        part: str,
        x: Value,
        m: IntArray,
        b: IntArray,
        bounds: tuple[int, int],
        type: str,
        shift: int = 0,
    ) -> Value:
        """clamp((x * m + b) >> shift, *bounds)."""
        op = Requantize(
            name=self.name(part), inputs=(x.name,), m=m, b=b, s=np.full_like(m, shift), zero=0, lo=bounds[0],
            hi=bounds[1], rounding="floor", type=type,
        )  # fmt: skip
        return self.add(op)


def neurons(name: Namer, x: Value, cells: Cells) -> Built:
    """Cells on the sums x; name(part) gives free names, name("") that of the spikes. theta within 1..MOST."""
    theta, zeros = (np.ascontiguousarray(a, np.int32) for a in (cells.theta, np.zeros_like(cells.theta)))
    ones, most = np.ones_like(zeros), int(theta.max())
    chain = _Chain(name, {x.name: x})
    factor = np.full_like(zeros, 1 << cells.fraction)
    drive = chain.scaled("drive", x, factor, cells.bias.astype(np.int32), (LO, HI), "int16")
    reach, type = _reach(drive, cells, most)
    held = Value(name("v"), x.shape, type, *reach)
    chain.values[held.name] = leak = held
    if cells.shift:
        top = np.full_like(zeros, (1 << cells.shift) - 1)
        leak = chain.scaled("leak", held, top, top, reach, "int16", cells.shift)
    total = chain.add(Add(name=name("u.sum"), inputs=(drive.name, leak.name)))
    u = chain.scaled("u", total, ones, zeros, (LO, HI), "int16")
    t = np.clip(theta, u.lo, u.hi + 1)[:, None]  # hi + 1 is never reached
    op = Threshold(name=name(""), inputs=(u.name,), t=t, base=zeros, step=ones, type="binary")
    spike = chain.add(op)
    after: Op
    if cells.subtract:
        fall = chain.scaled("fall", spike, -theta, zeros, (-most, 0), "int16")
        after = Add(name=name("next"), inputs=(u.name, fall.name))
    else:
        keep = chain.scaled("keep", spike, -ones, ones, (0, 1), "binary")
        after = Mul(name=name("next"), inputs=(u.name, keep.name))
    written = chain.add(after)
    if written.type != type:
        written = chain.scaled("wide", written, ones, zeros, reach, type.name)
    init = np.ascontiguousarray(np.broadcast_to(cells.begin, x.shape), np.int32)
    return Built(tuple(chain.ops), State(held, init, written.name), spike.name)


def _reach(drive: Value, cells: Cells, theta: int) -> tuple[tuple[int, int], Type]:
    """An interval that potentials never leave, of the type that the interval after one more step has.

    From the widest that is possible, one step after the other narrows it.
    """
    fall = theta if cells.subtract else 0
    lo, hi = LO - fall, HI
    while True:
        leaks = [v - (v >> cells.shift) if cells.shift else v for v in (lo, hi)]
        u = [min(max(leak + i, LO), HI) for leak, i in zip(leaks, (drive.lo, drive.hi), strict=True)]
        least, most = (u[0] - fall, u[1]) if cells.subtract else (min(u[0], 0), max(u[1], 0))
        following = min(least, int(cells.begin.min())), max(most, int(cells.begin.max()))
        if smallest(least, most) == smallest(lo, hi) or following == (lo, hi):
            return (lo, hi), smallest(lo, hi)
        lo, hi = following


def integrator(name: Namer, x: Value, bias: Integers) -> Built:
    """sum = clamp(sum + x + bias, -TOTAL, TOTAL), a state that is the output as well."""
    held = Value(name("sum"), x.shape, parse("int32"), -TOTAL, TOTAL)
    chain = _Chain(name, {x.name: x, held.name: held})
    total = chain.add(Add(name=name("rise"), inputs=(x.name, held.name)))
    ones = np.ones(x.channels, np.int32)
    written = chain.scaled("", total, ones, bias.astype(np.int32), (-TOTAL, TOTAL), "int32")
    return Built(tuple(chain.ops), State(held, np.zeros(x.shape, np.int32), written.name), written.name)


def named(layer: str) -> Namer:
    """layer.part, and the layer's own name for ""."""
    return lambda part: f"{layer}.{part}" if part else layer
