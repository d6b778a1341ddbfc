"""LUTs of one drawn layer with thresholds as wires, on three fabrics: `python -m benchmarks.wires`.

The matrices are those of `layer`, of the seed that is named. Counted are LUT4 cells of yosys before packing
(of xc7 LUT6); a carry cell of ECP5 counts as two, other carries are not counted.
"""

from __future__ import annotations

import sys
import time

import numpy as np

from edgeternary.hdl import top
from edgeternary.hdl.emit import component_rtlil
from edgeternary.hdl.fold import Folding
from edgeternary.hdl.tools.synthesis import count_cells
from edgeternary.ir import Graph
from edgeternary.ops import Dense, Threshold, build
from edgeternary_hw import Wired

FABRICS = ("ice40", "ecp5", "xc7")
ZEROS = {"binary": 0.0, "ternary, 45 % zeros": 0.45, "ternary, 33 % zeros": 1 / 3}
SIZE = 64


def layer(zeros: float, seed: int = 0, size: int = SIZE) -> Graph:
    """Random weights and thresholds near 0: bipolar in and out without zeros, else ternary in and out."""
    rng, square = np.random.default_rng(seed), (size, size)
    if not zeros:
        weights, kind, step = rng.choice([-1, 1], square), "bipolar", 2
        t = np.round(rng.normal(0, 4, (1, size)))
    else:
        half = (1 - zeros) / 2
        weights, kind, step = rng.choice([-1, 0, 1], square, p=[half, zeros, half]), "ternary", 1
        t = np.sort(np.round(rng.normal(0, 4, (2, size)) + np.array([[-2.0], [3.0]])), axis=0)
    dense = Dense(
        name="fc",
        inputs=("x",),
        weights=weights.astype(np.int8),
        weight_type=kind,
        bias=np.zeros(size, np.int32),
    )
    ones = np.ones(size, np.int32)
    act = Threshold(
        name="act", inputs=("fc",), t=t.T.astype(np.int32), base=-ones, step=step * ones, type=kind
    )
    return build.graph(build.value("x", (size,), kind), dense, act)


def part(graph: Graph, fabric: str) -> Wired:
    """The layer in one stage."""
    bits = graph.input.size * graph.input.type.bits
    design = top.build(graph, Folding(wired=True, input_bits=bits, stages=1, fabric=fabric))
    return next(part for _, part in design.top.parts if isinstance(part, Wired))


def main() -> None:
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    print(f"{'one 64 x 64 layer':22}" + "".join(f"{fabric:>9}" for fabric in FABRICS) + "   seconds to plan")
    for name, zeros in ZEROS.items():
        found, start = [], time.perf_counter()
        parts = [part(layer(zeros, seed), fabric) for fabric in FABRICS]
        seconds = (time.perf_counter() - start) / len(parts)
        for fabric, made in zip(FABRICS, parts, strict=True):
            found.append(int(count_cells(component_rtlil(made, "layer"), "layer", fabric, "native")["luts"]))
        print(f"{name:22}" + "".join(f"{luts:9,}" for luts in found) + f"   {seconds:.1f}", flush=True)


if __name__ == "__main__":
    main()
