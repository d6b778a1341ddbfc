"""Awkward sizes padded: the same answers, the paces of their neighbours, no change for other nets."""

from __future__ import annotations

import numpy as np
import pytest

from edgeternary import zoo
from edgeternary.hdl.constraints import Constraints
from edgeternary.ir import Graph, Op, Value
from edgeternary.ops import Conv2d, Dense, MaxPool, Reshape, SumPool, build
from edgeternary.run import run
from edgeternary_hw import Fill, Unpack
from tests.full import pairs
from tests.hw.data import BIPOLAR, TERNARY, U2
from tests.hw.harness import run_part
from tests.need import need


@pytest.fixture(autouse=True)
def _tools() -> None:
    need("amaranth")


KINDS = (  # input, weights, activations
    ("binary", "ternary", "binary"), ("bipolar", "bipolar", "bipolar"), ("uint4", "int3", "ternary"),
    ("uint8", "ternary", "uint2"), ("ternary", "bipolar", "uint2"), ("bipolar", "bipolar", "uint3"),
)  # fmt: skip


class Stack:
    """Layers on top of each other, with drawn weights and thresholds."""

    def __init__(self, x: Value, weights: str, codes: str, seed: int) -> None:
        self.x, self.weights, self.codes = x, weights, codes
        self.rng = np.random.default_rng(seed)
        self.ops: list[Op] = []

    @property
    def graph(self) -> Graph:
        return build.graph(self.x, *self.ops, name="stack")

    @property
    def last(self) -> Value:
        return self.graph.output_value if self.ops else self.x

    def dense(self, rows: int, quantised: bool = True) -> None:
        w = build.codes(self.rng, (rows, self.last.size), self.weights)
        bias = self.rng.integers(-5, 6, rows).astype(np.int32)
        name = f"fc{len(self.ops)}"
        self.ops.append(
            Dense(name=name, inputs=(self.last.name,), weights=w, weight_type=self.weights, bias=bias)
        )
        if quantised:
            self.quantise()

    def conv(self, rows: int, own: bool = False, pad: int = 1) -> None:
        channels = self.last.channels
        shape = (channels if own else rows, 3, 3, 1 if own else channels)
        self.ops.append(
            Conv2d(
                name=f"conv{len(self.ops)}", inputs=(self.last.name,), weight_type=self.weights,
                weights=build.codes(self.rng, shape, self.weights), stride=(1, 1), pad=(pad,) * 4,
                bias=self.rng.integers(-5, 6, shape[0]).astype(np.int32), pad_value=max(self.last.lo, -1),
                groups=channels if own else 1,
            )
        )  # fmt: skip
        self.quantise()

    def quantise(self) -> None:
        self.ops.append(build.random_thresholds(self.rng, self.last, self.codes, f"act{len(self.ops)}"))

    def pool(self, total: bool = False) -> None:
        name, x, size = f"pool{len(self.ops)}", (self.last.name,), (2, 2)
        minimum = self.rng.integers(0, 2, self.last.channels).astype(np.uint8)
        self.ops.append(
            SumPool(name=name, inputs=x, kernel=size, stride=size)
            if total
            else MaxPool(name=name, inputs=x, kernel=size, stride=size, minimum=minimum)
        )

    def flatten(self) -> None:
        self.ops.append(
            Reshape(name=f"flat{len(self.ops)}", inputs=(self.last.name,), shape=(self.last.size,))
        )


def mlp(kinds: tuple[str, str, str], *sizes: int, seed: int = 0) -> Graph:
    stack = Stack(build.value("x", sizes[:1], kinds[0]), *kinds[1:], seed)
    for rows in sizes[1:-1]:
        stack.dense(rows)
    stack.dense(sizes[-1], quantised=False)
    return stack.graph


def cnn(kinds: tuple[str, str, str], seed: int = 0) -> Graph:
    """Awkward channels through every layer that passes them on."""
    stack = Stack(build.value("x", (6, 6, 3), kinds[0]), *kinds[1:], seed)
    stack.conv(7)
    stack.conv(0, own=True)
    stack.pool()
    stack.conv(5, pad=0 if seed % 2 else 1)
    stack.flatten()
    stack.dense(13)
    stack.dense(4, quantised=False)
    return stack.graph


def image(kinds: tuple[str, str, str], seed: int = 0) -> Graph:
    """A vector of pixels whose size is awkward, and a sum of squares of four."""
    stack = Stack(build.value("x", (4, 4, 5), kinds[0]), *kinds[1:], seed)
    stack.conv(5)
    stack.pool(total=True)
    stack.flatten()
    stack.dense(11)
    stack.dense(3, quantised=False)
    return stack.graph


def samples(graph: Graph, count: int = 6) -> np.ndarray:
    return build.samples(np.random.default_rng(1), graph.input, count)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kinds", KINDS, ids="-".join)
@pytest.mark.parametrize(
    "make", [lambda k, s: mlp(k, 19, 13, 11, 7, seed=s), cnn, image], ids=["mlp", "cnn", "image"]
)
def test_a_padded_graph_means_the_same(make, kinds: tuple[str, str, str], seed: int) -> None:
    from edgeternary.hdl.fold import folds_well
    from edgeternary.hdl.passes.pad import pad, real, sizes

    graph = make(kinds, seed)
    found = pad(graph)
    assert sizes(graph, found) and found.macs() == graph.macs()
    x = samples(graph, 20)
    np.testing.assert_array_equal(run(found, x).outputs, run(graph, x).outputs)
    before, after = (run(g, x, taps=True).taps for g in (graph, found))
    for name, values in before.items():
        own = real(found).get(name, slice(None))
        np.testing.assert_array_equal(after[name][..., own], values)
    inner = [op.weights.shape for op in found.ops if isinstance(op, Dense)]
    assert all(folds_well(columns) for _, columns in inner)


@pytest.mark.parametrize(("kinds", "pace"), pairs(KINDS, [(30, 4), (90, None), (400, None)]), ids=str)
def test_hardware_with_padded_sizes_is_exact(
    kinds: tuple[str, str, str], pace: tuple[int, int | None]
) -> None:
    cycles, stalls = pace
    from edgeternary.hdl.folding import fold
    from edgeternary.hdl.simulation.bench import simulate
    from edgeternary.hdl.top import build as built

    graph = mlp(kinds, 19, 13, 11, 7)
    design = built(graph, fold(graph, cycles=cycles, input_bits=16, padded=True))
    x = samples(graph)
    done, expected = simulate(design, x, taps=True, stalls=stalls), run(graph, x, taps=True)
    np.testing.assert_array_equal(done.outputs, expected.outputs)
    assert set(done.taps) == {op.name for op in graph.ops}
    for name, values in done.taps.items():
        np.testing.assert_array_equal(values, expected.taps[name], err_msg=name)
    assert stalls is not None or done.times[-1] - done.times[-2] == design.cycles <= cycles


@pytest.mark.slow
@pytest.mark.parametrize("kinds", [KINDS[1], KINDS[3]], ids="-".join)
def test_convolutions_with_padded_channels_are_exact(kinds: tuple[str, str, str]) -> None:
    from edgeternary.hdl.folding import fold
    from edgeternary.hdl.simulation.bench import simulate
    from edgeternary.hdl.top import build as built

    for graph in (cnn(kinds), image(kinds)):
        design = built(graph, fold(graph, cycles=600, padded=True), answer=True)
        x = samples(graph, 3)
        done, expected = simulate(design, x, taps=True), run(graph, x, taps=True)
        np.testing.assert_array_equal(done.outputs, expected.outputs)
        for name, values in done.taps.items():
            np.testing.assert_array_equal(values, expected.taps[name], err_msg=name)
        assert done.times[-1] - done.times[-2] == design.cycles


@pytest.mark.slow
def test_awkward_sizes_reach_what_their_neighbours_do() -> None:
    from edgeternary.hdl import plan

    constraints = Constraints("up5k", maximize=True)
    awkward, neat = (
        plan.design(mlp(KINDS[3], *sizes), constraints) for sizes in ((199, 97, 53, 7), (200, 100, 50, 7))
    )
    assert awkward.cycles <= 1.05 * neat.cycles
    assert awkward.padded == (
        "fc0 97 x 199 as 100 x 200", "fc2 53 x 97 as 54 x 100", "fc4 7 x 53 as 7 x 54",
    )  # fmt: skip
    assert not neat.padded


def test_a_rate_that_only_padding_reaches_is_planned_and_exact() -> None:
    from edgeternary.hdl import plan
    from edgeternary.hdl.simulation.bench import simulate

    graph = mlp(KINDS[0], 199, 97, 7)
    design = plan.design(graph, Constraints("up5k", 400_000))
    assert design.cycles <= 105 and design.i_lanes > 1 and design.i_beats == 100  # the last beat is half full
    x = samples(graph)
    done = simulate(design, x)
    np.testing.assert_array_equal(done.outputs, run(graph, x).outputs)
    assert done.times[-1] - done.times[-2] == design.cycles


@pytest.mark.parametrize("name", zoo.names())
def test_sizes_that_divide_well_stay(name: str) -> None:
    """So that nobody's design changes whose sizes have useful divisors, those of docs/fpga.md among them."""
    from edgeternary.hdl.folding import fold
    from edgeternary.hdl.passes import awkward

    graph = zoo.load(name)
    assert not awkward(graph) and not fold(graph).padded


def test_one_row_too_many_is_no_reason_to_crawl() -> None:
    """Without a rate: a weight a cycle would take 135,061 cycles."""
    from edgeternary.hdl.folding import fold

    found = fold(mlp(KINDS[3], 1031, 131, 3))
    assert found.padded and found.cycles <= 1200


@pytest.mark.parametrize("stall", [0.0, 0.4])
@pytest.mark.parametrize(("lanes", "real", "total"), [(1, 5, 6), (2, 5, 6), (3, 5, 12), (4, 8, 8), (6, 1, 6)])
@pytest.mark.parametrize("element", [BIPOLAR, TERNARY, U2], ids=lambda e: e.kind)
def test_fill(element, lanes: int, real: int, total: int, stall: float) -> None:
    rng, width = np.random.default_rng(3), element.width
    frames = rng.integers(0, 1 << width, (4, real))
    taken = -(-real // lanes)
    noise = rng.integers(0, 1 << width, (4, taken * lanes - real))  # what fills the last beat is ignored

    def words(array: np.ndarray) -> list[int]:
        return [sum(int(x) << (k * width) for k, x in enumerate(row)) for row in array.reshape(-1, lanes)]

    expected = np.pad(frames, ((0, 0), (0, total - real)), constant_values=1)
    part = Fill(width, lanes, real, total, 1)
    got, _ = run_part(part, [words(np.hstack([frames, noise]))], 4 * part.beats, stall=stall)
    assert got == words(expected)


@pytest.mark.parametrize(("wire", "lanes", "count"), [(1, 4, 7), (2, 3, 10), (8, 2, 5), (16, 4, 3)])
def test_bytes_of_a_frame_that_does_not_fill_its_last_beat(wire: int, lanes: int, count: int) -> None:
    rng = np.random.default_rng(4)
    frames = rng.integers(0, 1 << wire, (3, count))
    part = Unpack(wire, wire, lanes, count)
    bits = (frames[..., None] >> np.arange(wire) & 1).reshape(3, -1).astype(np.uint8)
    data = np.packbits(bits, axis=1, bitorder="little").reshape(-1).tolist()
    whole = np.pad(frames, ((0, 0), (0, -count % lanes))).reshape(-1, lanes)
    expected = [sum(int(x) << (k * wire) for k, x in enumerate(row)) for row in whole]
    got, _ = run_part(part, [data], len(expected))
    assert got == expected
