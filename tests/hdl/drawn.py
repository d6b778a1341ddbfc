"""Drawn parts with weights, for estimates beside synthesis. `python -m tests.hdl.drawn 60` prints a table."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgeternary.hdl import devices, memory, memory_costs, top
from edgeternary.hdl.emit import component_rtlil
from edgeternary.hdl.fold import Folding, divisors
from edgeternary.hdl.parts import part_of
from edgeternary.hdl.tools.synthesis import count_cells
from edgeternary.ir import Graph, parse
from edgeternary.ops import Dense, Requantize, build
from edgeternary_hw import Element, LineBuffer, MatrixVector, Window, Wired

ELEMENTS = (
    Element("unsigned", 1), Element("bipolar", 1), Element("unsigned", 2), Element("ternary", 2),
    Element("unsigned", 4), Element("signed", 8),
)  # fmt: skip
KINDS = ("binary", "bipolar", "uint2", "ternary", "uint4", "int8")
ZEROS = (0.0, 0.3, 0.6, 0.9, 0.97)
MOST = 400  # bits to count in a cycle, so that synthesis takes seconds


@dataclass(frozen=True)
class Drawn:
    """A part, and what it is in words."""

    part: Any
    text: str

    def estimated(self) -> int:
        """LUTs for iCE40, memories included, where the planner puts them."""
        fabric = devices.family("ice40")
        luts = part_of(self.part).area(self.part).luts
        if isinstance(self.part, MatrixVector | Window):
            placement = memory.allocate([("part", self.part)], fabric, None)
            for name, size in self.part.memories.items():
                block = placement.storages["part"].styles[name] == "block"
                luts += memory_costs.block_luts(size, fabric) if block else placement.logic["part", name]
        return round(luts)

    def synthesised(self) -> int:
        parts = [("part", self.part)]
        ((_, placed),) = memory.allocate(parts, devices.family("ice40"), None).of(parts)
        return int(count_cells(component_rtlil(placed, "part"), "part", "ice40", "native")["luts"])


def folded(seed: int) -> Drawn:
    """A folded matrix: from a product a cycle to all at once."""
    rng = np.random.default_rng(seed)
    element, zeros = ELEMENTS[seed % len(ELEMENTS)], float(rng.choice(ZEROS))
    rows, columns = int(rng.choice([4, 6, 8, 12, 16, 32])), int(rng.choice([8, 12, 24, 48, 96]))
    few = rng.random() < 0.75  # binary or ternary weights
    weights = rng.choice([-1, 1], (rows, columns)) if few else rng.integers(-4, 4, (rows, columns))
    weights[rng.random(weights.shape) < zeros] = 0
    sizes = [(p, s) for p in divisors(rows) for s in divisors(columns) if p * s * element.width <= MOST]
    pe, simd = sizes[-1] if seed % 3 == 0 else sizes[int(rng.integers(len(sizes)))]
    outputs = next((n for n in divisors(pe) if pe // n < columns // simd), pe)
    bias = rng.integers(-5, 6, rows)
    part = MatrixVector(
        weights.tolist(), bias.tolist(), element, pe=pe, simd=simd, outputs=outputs,
        out_width=_width(weights, bias, element), raw=bool(rng.random() < 0.5),
    )  # fmt: skip
    part._MustUse__silence = True
    kind = f"{rows} x {columns} {'ternary' if few else 'int3'}, {zeros:.0%} zeros"
    return Drawn(part, f"{kind}, {element.kind} {element.width}, pe {pe}, simd {simd}, raw {part.raw}")


def wired(seed: int) -> Drawn:
    """A layer whose weights are wires."""
    rng = np.random.default_rng(seed)
    kind, zeros = KINDS[seed % len(KINDS)], float(rng.choice(ZEROS[:4]))
    bits = parse(kind).bits
    rows, columns = int(rng.integers(4, 24)), int(rng.integers(4, 8 + 64 // bits))
    weights = rng.choice([-1, 1], (rows, columns)).astype(np.int8)
    weights[rng.random(weights.shape) < zeros] = 0
    bias = rng.integers(-5, 6, rows).astype(np.int32)
    op = Dense(name="fc", inputs=("x",), weights=weights, weight_type="ternary", bias=bias)
    return Drawn(_wired(build.graph(build.value("x", (columns,), kind), op)),
                 f"wired {rows} x {columns}, {zeros:.0%} zeros, {kind}")  # fmt: skip


def rescaled(seed: int) -> Drawn:
    """A rescaling in one clock: from a shift to products of several adders."""
    rng = np.random.default_rng(seed)
    width, code, most = int(rng.choice([6, 8, 10, 12])), int(rng.choice([4, 8])), (1, 64, 1024)[seed % 3]
    count = 8
    m = rng.integers(1, most + 1, count).astype(np.int32)
    s = max(width + most.bit_length() - code - seed % 2, 0)
    b = rng.integers(-(1 << max(s - 1, 1)), 1 << max(s - 1, 1), count).astype(np.int32)
    half, shifts = 1 << code - 1, np.full(count, s, np.int32)
    x = build.value("x", (count,), "int32", -(1 << width - 1), (1 << width - 1) - 1)
    op = Requantize(
        name="act", inputs=("x",), m=m, b=b, s=shifts, zero=0, lo=-half, hi=half - 1, rounding="floor",
        type=f"int{code}",
    )  # fmt: skip
    return Drawn(_wired(build.graph(x, op)), f"rescaled {width} to {code} bits, factors up to {most}")


def _wired(graph: Graph) -> Any:
    """The part of a network that is wires."""
    design = top.build(graph, Folding(wired=True, input_bits=graph.input.size * graph.input.type.bits))
    return next(part for _, part in design.top.parts if isinstance(part, Wired))


def depthwise(seed: int) -> Drawn:
    """All taps of some channels at once, a pass a cycle."""
    rng = np.random.default_rng(seed)
    element, zeros = ELEMENTS[seed % len(ELEMENTS)], float(rng.choice(ZEROS[:3]))
    rows, taps = int(rng.choice([4, 8, 16, 32])), int(rng.choice([4, 6, 9]))
    weights = rng.choice([-1, 1], (rows, taps))
    weights[rng.random(weights.shape) < zeros] = 0
    pe = max(n for n in divisors(rows) if n * taps * element.width <= MOST)
    bias = rng.integers(-5, 6, rows)
    part = MatrixVector(
        weights.tolist(), bias.tolist(), element, pe=pe, simd=taps, outputs=pe,
        out_width=_width(weights, bias, element), raw=bool(rng.random() < 0.5), own=True, full=True,
    )  # fmt: skip
    part._MustUse__silence = True
    kind = f"depthwise {rows} x {taps}, {zeros:.0%} zeros, {element.kind} {element.width}"
    return Drawn(part, f"{kind}, pe {pe}, raw {part.raw}")


def wide(seed: int) -> Drawn:
    """A window whose beats hold all its taps."""
    rng = np.random.default_rng(seed)
    size, beats = tuple(int(n) for n in rng.integers(6, 30, 2)), int(rng.choice([1, 1, 2, 4]))
    kernel, bits = ((3, 3), (2, 2), (3, 3), (1, 3), (5, 5))[seed % 5], int(rng.choice([2, 8, 16, 32]))
    pad = tuple(int(n) for n in rng.integers(0, 2, 4)) if seed % 2 else (0, 0, 0, 0)
    stride = (1, 1) if seed % 3 else (2, 2)
    part = Window(bits, size, beats, kernel, stride, pad, sections=beats, wide=True)
    part._MustUse__silence = True
    return Drawn(part, f"window {kernel} of {size}, stride {stride}, pad {pad}, {beats} beats of {bits} bits")


def lines(seed: int) -> Drawn:
    """A window out of a shift register."""
    rng = np.random.default_rng(seed)
    size, bits = tuple(int(n) for n in rng.integers(5, 60, 2)), int(rng.choice([1, 2, 8]))
    kernel, stride = (
        tuple(int(n) for n in rng.integers(1, 6, 2)),
        tuple(int(n) for n in rng.integers(1, 4, 2)),
    )
    part = LineBuffer(bits, size, kernel, stride)
    part._MustUse__silence = True
    return Drawn(part, f"window {kernel} of {size} from a shift register, stride {stride}, {bits} bits")


def _width(weights: np.ndarray, bias: np.ndarray, element: Element) -> int:
    """Bits of the widest answer."""
    low, high = element.offset, element.offset + element.scale * ((1 << element.width) - 1)
    plus, minus = weights.clip(0).sum(axis=1), weights.clip(None, 0).sum(axis=1)
    ends = (int((bias + plus * low + minus * high).min()), int((bias + plus * high + minus * low).max()))
    return max((end if end >= 0 else ~end).bit_length() for end in ends) + 1


def drawn(count: int) -> Iterator[Drawn]:
    for seed in range(count):
        yield folded(seed)
        yield wired(seed)
        yield depthwise(seed)
        yield wide(seed)
        yield lines(seed)


def main() -> None:
    errors = []
    for one in drawn(int(sys.argv[1]) if len(sys.argv) > 1 else 20):
        estimated, found = one.estimated(), one.synthesised()
        errors.append((estimated - found) / max(found, 50))
        print(f"{errors[-1]:+5.0%}  {estimated:5} for {found:5}  {one.text}", flush=True)
    sizes = np.sort(np.abs(errors))
    most, worst = sizes[9 * len(sizes) // 10], sizes[-1]
    print(f"{len(errors)} parts: median {np.median(sizes):.0%}, 90 % within {most:.0%}, worst {worst:.0%}")


if __name__ == "__main__":
    main()
