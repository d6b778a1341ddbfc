"""Random whole models, valid by construction: MLPs, CNNs, residual nets, nets with states.

For hypothesis as strategies, and by their number from `network`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import msgspec
import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from edgeternary.ir import Graph, Op, State, parse
from edgeternary.ops import Argmax, Concat, Dense, Requantize, build
from edgeternary.ops.neuron import MOST, Cells, integrator, named, neurons
from edgeternary.run import run
from tests.registry.graphs import inputs
from tests.registry.maker import Below, Maker

TABLED = 6  # of seven networks by number
INPUTS = ("uint8", "int8", "binary", "bipolar", "ternary", "uint2", "uint4", "int5", "int16")


def layered(below: Below, rng: np.random.Generator, wide: bool = True) -> Graph:
    """An MLP or a CNN, on images from a single pixel up."""
    kind = INPUTS[below(len(INPUTS))]
    shape: tuple[int, ...] = (1 + below(41),)
    if below(2):
        shape = (1 + below(6), 1 + below(6), 1 + below(5))
    maker = Maker(below, rng, build.value("x", shape, kind), wide)
    for _ in range(1 + below(3)):
        if len(maker.top.shape) == 3:
            maker.conv(1 + maker.below(9) + 32 * (maker.below(5) == 0))
            if maker.below(2):
                maker.pool()
            elif maker.below(4) == 0:
                maker.larger()
        else:
            maker.dense(1 + maker.below(40))
        maker.branch() if maker.below(3) == 0 else maker.quantise()
        if maker.below(4) == 0:
            maker.table()
        if len(maker.top.shape) == 3 and maker.below(6) == 0:
            maker.larger()
        if len(maker.top.shape) == 3 and maker.below(3) == 0:
            maker.pool()
            if maker.top.type.bits > 8:
                maker.quantise()
    if maker.below(4) or not maker.ops:
        maker.dense(1 + maker.below(10))
        if maker.below(3) == 0:
            maker.add(Argmax(name=maker.name("best"), inputs=(maker.top.name,)))
    return maker.graph()


def stateful(below: Below, rng: np.random.Generator, wide: bool = True) -> Graph:
    """A dense layer on the input and a state; what comes of it is requantised into the state."""
    size, cells = 1 + below(21), 1 + below(36)
    type = ("int8", "uint4", "bipolar", "ternary")[below(4)]
    x, held = build.value("x", (size,), "uint2"), build.value("held", (cells,), type)
    init = np.where(rng.integers(0, 2, cells) == 1, held.lo, held.hi).astype(np.int32)
    both = Concat(name="both", inputs=("x", "held"))
    kind = ("ternary", "bipolar", "int4")[below(3)]
    fc = Dense(
        name="fc", inputs=("both",), weights=build.codes(rng, (cells, size + cells), kind), weight_type=kind,
        bias=rng.integers(-5, 6, cells).astype(np.int32),
    )  # fmt: skip
    open_state = State(held, init, "held")
    before = Graph("random", x, (both, fc), "fc", (open_state,))
    value = before.output_value
    if type in ("bipolar", "ternary"):
        level = build.random_thresholds(rng, value, type, "level")
        t = np.sort(rng.permuted(_seen(before), axis=0)[: level.t.shape[1]].T, axis=1)  # type: ignore[attr-defined]
        after: Op = msgspec.structs.replace(level, t=t.astype(np.int32))
    else:
        out = parse(type)
        shift = max((value.hi - value.lo).bit_length() - out.bits - 1, 0)
        after = Requantize(
            name="level", inputs=("fc",), m=np.ones(cells, np.int32), b=np.zeros(cells, np.int32),
            s=np.full(cells, shift, np.int32), zero=0, lo=out.lo, hi=out.hi, rounding="floor", type=type,
        )  # fmt: skip
    shown = ("fc", "level", "both")[below(3)]
    return replace(before, ops=(both, fc, after), outputs=(shown,), states=(State(held, init, "level"),))


def spiking(below: Below, rng: np.random.Generator, wide: bool = True) -> Graph:
    """One or two layers of neurons with any decay, threshold and reset, and an integrator or none."""
    x = build.value("x", (1 + below(41),), ("binary", "uint4", "int8")[below(3)])
    top, ops, states = x, [], []
    for layer in ("a", "b")[: 1 + below(2)]:
        cells = 1 + below(36)
        most = (8, 200, MOST)[below(3)]
        shift, fraction = below(5), below(4)
        fc = Dense(
            name=f"{layer}.fc", inputs=(top.name,), weights=build.codes(rng, (cells, top.size), "ternary"),
            weight_type="ternary", bias=np.zeros(cells, np.int32),
        )  # fmt: skip
        theta = rng.integers(1, most + 1, cells)
        bias, begin = rng.integers(-20, 60, cells), rng.integers(0, theta)
        form = Cells(theta, bias, begin, shift, fraction, bool(below(2)))
        made = neurons(named(layer), fc.infer([top]), form)
        ops += [fc, *made.ops]
        states.append(made.state)
        top = Graph("random", x, tuple(ops), layer, tuple(states)).output_value  # may never be 1
    if below(2):
        total = integrator(named("out"), top, rng.integers(-3, 4, top.size))
        ops, states, top = ops + list(total.ops), [*states, total.state], replace(top, name="out")
    return Graph("random", x, tuple(ops), top.name, tuple(states))


def table_network(below: Below, rng: np.random.Generator, wide: bool = True) -> Graph:
    """Comparisons, tables in one or two layers, and counts: flat, or on an image with a pool between; some
    begin with a convolution, some end in a dense layer."""
    shape: tuple[int, ...] = (1 + below(41),)
    if below(2):
        shape = (1 + below(9), 1 + below(36), 1 + below(3))
    maker = Maker(below, rng, build.value("x", shape, ("uint8", "uint8", "int8", "uint4")[below(4)]), wide)
    image = len(shape) == 3
    if image and below(4) == 0:
        maker.conv(1 + below(5))
        maker.quantise(("binary", "bipolar")[below(2)])
    else:
        maker.compare(1 + below(40))
    maker.tables(1 + below(20))
    if image:
        if below(2):
            maker.pool(alike=True)
        maker.tables(1 + below(9)) if below(2) else None
        maker.flat()
    if below(2):
        maker.tables(1 + below(40))
    if below(4) == 0:
        maker.dense(1 + below(5))
    else:
        maker.count(1 + below(4))
    return maker.graph()


Grow = Callable[[Below, np.random.Generator, bool], Graph]


def _strategy(grow: Grow) -> Callable[..., SearchStrategy[Graph]]:
    @st.composite
    def drawn(draw: Callable[..., int], wide: bool = True) -> Graph:
        rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
        return grow(lambda n: draw(st.integers(0, n - 1)), rng, wide)

    return drawn


graphs, stateful_graphs, spiking_graphs = _strategy(layered), _strategy(stateful), _strategy(spiking)
table_networks = _strategy(table_network)


def network(seed: int, wide: bool = True) -> Graph:
    """The same network for the same seed: one of seven has tables; of the others four of six are layers, and
    the rest have states.

    wide  whether 64-bit products may occur, which hardware refuses
    """
    rng = np.random.default_rng(seed)
    grow = (layered, layered, layered, layered, stateful, spiking)[seed % 6]
    if seed % 7 == TABLED:
        grow = table_network
    return grow(lambda n: int(rng.integers(n)), rng, wide)


def _seen(graph: Graph) -> np.ndarray:
    return run(graph, inputs(graph, 8)).outputs.reshape(-1, graph.output_value.channels)
