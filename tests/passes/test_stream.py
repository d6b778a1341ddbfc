"""passes.stream: the step answers as the window graph on the last frames, at every step from the first."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest

from edgeternary.errors import EdgeTernaryError
from edgeternary.ir import Graph, Op, State, Value, parse
from edgeternary.ops import (
    Add,
    Concat,
    Conv2d,
    Dense,
    MaxPool,
    Reshape,
    Shift,
    SumPool,
    Threshold,
    Upsample,
    build,
)
from edgeternary.passes import optimize
from edgeternary.passes.stream import stream
from edgeternary.run import run
from tests.full import pairs
from tests.need import need

STEPS = 25


class Maker:
    """Random networks over windows, layer by layer."""

    def __init__(self, seed: int, frames: int, channels: int, type: str = "uint8") -> None:
        self.rng = np.random.default_rng(seed)
        self.ops: list[Op] = []
        self.at = self.input = build.value("x", (1, frames, channels), type)

    def add(self, op: Op, *ins: Value) -> Value:
        self.ops.append(op)
        self.at = op.infer(ins or [self.at])
        return self.at

    def act(self, type: str = "uint4") -> Value:
        """Thresholds where values are, so that codes change from frame to frame; some channels fall."""
        seen = run(build.graph(self.input, *self.ops), build.samples(self.rng, self.input, 40)).outputs
        levels = parse(type).hi - parse(type).lo
        shares = np.linspace(0.05, 0.95, levels)
        t = np.quantile(seen.reshape(-1, self.at.channels), shares, axis=0).T.round().astype(np.int32)
        step = self.rng.choice(np.array([1, 1, -1], np.int32), self.at.channels)
        base = np.where(step < 0, parse(type).hi, parse(type).lo).astype(np.int32)
        name = f"act{len(self.ops)}"
        return self.add(Threshold(name=name, inputs=(self.at.name,), t=t, base=base, step=step, type=type))

    def conv(self, outputs: int, width: int, groups: int = 1, **fields: Any) -> Value:
        weights = build.codes(self.rng, (outputs, 1, width, self.at.channels // groups), "ternary")
        fields = {"stride": (1, 1), "pad": (0, 0, 0, 0), "pad_value": 0} | fields
        bias = self.rng.integers(-9, 10, outputs).astype(np.int32)
        name, inputs = f"conv{len(self.ops)}", (self.at.name,)
        self.add(
            Conv2d(
                name=name,
                inputs=inputs,
                weights=weights,
                weight_type="ternary",
                bias=bias,
                groups=groups,
                **fields,
            )
        )
        return self.act()

    def pool(self, cls: type, width: int, stride: int = 1) -> Value:
        fields: dict[str, Any] = {"kernel": (1, width), "stride": (1, stride)}
        if cls is MaxPool:
            fields |= {
                "pad": (0, 0, 0, 0),
                "minimum": self.rng.integers(0, 2, self.at.channels).astype(np.uint8),
            }
        return self.add(cls(name=f"pool{len(self.ops)}", inputs=(self.at.name,), **fields))

    def dense(self, outputs: int) -> Graph:
        self.add(Reshape(name="flat", inputs=(self.at.name,), shape=(self.at.size,)))
        weights = build.codes(self.rng, (outputs, self.at.size), "ternary")
        self.add(
            Dense(
                name="out",
                inputs=("flat",),
                weights=weights,
                weight_type="ternary",
                bias=np.zeros(outputs, np.int32),
            )
        )
        return self.graph()

    def graph(self) -> Graph:
        return optimize(build.graph(self.input, *self.ops))


def separable(seed: int = 0) -> Graph:
    """Convolution, depthwise, pointwise, a kept sum: the network of the example, small."""
    m = Maker(seed, 14, 3)
    m.conv(8, 3), m.conv(8, 4, 8), m.conv(5, 1)
    m.pool(SumPool, 9, 9)
    m.act()
    return m.dense(4)


def pools(seed: int = 1) -> Graph:
    """Pools at stride 1, a short sum, groups, and a dense layer over several frames."""
    m = Maker(seed, 12, 4, "int8")
    m.conv(6, 2, 2), m.pool(MaxPool, 3), m.pool(SumPool, 2)
    m.act("ternary")
    m.pool(SumPool, 5)
    return m.dense(3)


def branches(seed: int = 2) -> Graph:
    """Two branches of one window that meet in an add and a concat; one value is kept twice, for both."""
    m = Maker(seed, 11, 2)
    base = m.conv(4, 2)
    left = m.conv(4, 3)
    m.at = base
    right = m.pool(MaxPool, 3)
    total = m.add(Add(name="sum", inputs=(left.name, right.name)), left, right)
    m.add(Concat(name="both", inputs=(total.name, left.name)), total, left)
    m.conv(3, 1)
    return m.dense(2)


def series(seed: int = 3) -> Graph:
    """No flatten: an answer for each frame, of which the step gives the newest."""
    m = Maker(seed, 9, 2, "bipolar")
    m.conv(3, 4), m.conv(2, 2, 1)
    return m.graph()


GRAPHS = (separable, pools, branches, series)


def windows(graph: Graph, frames: np.ndarray, fill: int) -> np.ndarray:
    """The window graph's newest answers (n, steps, ...) to frames (n, steps, C), `fill` before them."""
    size = graph.input.shape[1]
    before = np.full((len(frames), size - 1, frames.shape[2]), fill, frames.dtype)
    padded = np.concatenate((before, frames), axis=1)
    answers = [run(graph, padded[:, None, t : t + size]).outputs for t in range(frames.shape[1])]
    if len(graph.output_value.shape) == 3:
        answers = [answer[:, 0, -1] for answer in answers]
    return np.stack(answers, axis=1)


def random_frames(graph: Graph, count: int = 3) -> np.ndarray:
    x = replace(graph.input, shape=(STEPS, graph.input.channels))
    return build.samples(np.random.default_rng(5), x, count)


@pytest.mark.parametrize("make", GRAPHS)
@pytest.mark.parametrize("seed", range(3))
def test_every_step_is_the_windows_answer(make: Any, seed: int) -> None:
    graph = make(seed)
    step, frames = stream(graph), random_frames(graph)
    right = windows(graph, frames, -1 if graph.input.type.name == "bipolar" else 0)
    np.testing.assert_array_equal(run(step, frames).outputs.reshape(right.shape), right)
    assert step.meta.info["window"] == str(graph.input.shape[1])
    assert step.macs() < graph.macs()
    assert (right != right[:, :1]).any(axis=0).mean() > 0.5, "answers that stay the same prove nothing"


def test_the_first_frames_follow_those_of_a_fill() -> None:
    graph = separable()
    frames = random_frames(graph)
    np.testing.assert_array_equal(run(stream(graph, 77), frames).outputs, windows(graph, frames, 77))
    assert (run(stream(graph, 77), frames).outputs != run(stream(graph), frames).outputs).any()


def test_a_long_sum_is_kept_and_a_dense_layer_takes_the_place_of_a_convolution() -> None:
    kinds = [op.kind for op in stream(separable()).ops]
    assert "sum_pool" not in kinds and kinds.count("slice") == 1 and kinds.count("conv2d") == 1
    assert "sum_pool" in [op.kind for op in stream(pools()).ops]  # of two frames


@pytest.mark.parametrize("fault", ["old", "order", "start"])
def test_a_seeded_fault_is_seen(fault: str) -> None:
    """A frame too old, a window in the wrong order, states that begin elsewhere."""
    graph = separable()
    step, frames = stream(graph), random_frames(graph)
    ops, states = list(step.ops), step.states
    place = next(k for k, op in enumerate(ops) if isinstance(op, Shift))
    if fault == "start":
        last = states[-1]
        states = (*states[:-1], State(last.value, last.init + (last.init < last.value.hi), last.next))
    elif fault == "old":
        slices = next(k for k, op in enumerate(ops) if op.kind == "slice")
        width = ops[slices].stop  # type: ignore[attr-defined]
        ops[slices] = msgspec.structs.replace(ops[slices], start=width, stop=2 * width)
    else:
        reader = next(op for op in ops if ops[place].name in op.inputs)
        weights = np.ascontiguousarray(reader.weights[:, ::-1])  # type: ignore[attr-defined]
        ops[ops.index(reader)] = msgspec.structs.replace(reader, weights=weights)
    wrong = replace(step, ops=tuple(ops), states=states)
    assert (run(wrong, frames).outputs != windows(graph, frames, 0)).any()


@pytest.mark.emulator
@pytest.mark.parametrize(("make", "executor"), pairs(GRAPHS, ["host", "cortex-m0plus", "cortex-m4"]))
def test_executors(make: Any, executor: str) -> None:
    need("zig|arm-none-eabi-gcc", "unicorn", "capstone")
    step, frames = stream(make()), random_frames(make())
    found = run(step, frames, on=executor, options={"count": 0})
    np.testing.assert_array_equal(found.outputs, run(step, frames).outputs)


def padded() -> Graph:
    m = Maker(0, 8, 2)
    m.conv(3, 3, pad=(0, 1, 0, 1))
    return m.dense(2)


def strided() -> Graph:
    m = Maker(0, 9, 2)
    m.conv(3, 3, stride=(1, 2))
    return m.dense(2)


def image() -> Graph:
    x = build.value("x", (4, 5, 2), "uint8")
    return build.graph(x, build.random_thresholds(np.random.default_rng(0), x, "uint2"))


def joined() -> Graph:
    """A frame's threshold plus a value that was reshaped to look like frames."""
    x = build.value("x", (1, 4, 2), "uint2")
    moved = Reshape(name="moved", inputs=("x",), shape=(1, 2, 4))
    back = Reshape(name="back", inputs=("moved",), shape=(1, 4, 2))
    return build.graph(x, moved, back, Add(name="sum", inputs=("x", "back")))


def widened() -> Graph:
    """Two frames of each."""
    x = build.value("x", (1, 4, 2), "uint2")
    return build.graph(x, Upsample(name="wide", inputs=("x",), factor=(1, 2)))


REFUSED = {
    "padded by": padded, "a stride of 2": strided, "shape \\(4, 5, 2\\)": image, "place in time": joined,
    "'wide' cannot run frame by frame.*several frames of one": widened,
    "states already": lambda: stream(separable()),
}  # fmt: skip


@pytest.mark.parametrize("why", REFUSED)
def test_refusals(why: str) -> None:
    with pytest.raises(EdgeTernaryError, match=why):
        stream(REFUSED[why]())


def test_a_fill_is_a_code_of_the_input() -> None:
    with pytest.raises(EdgeTernaryError, match="frames of 256"):
        stream(separable(), 256)
    assert isinstance(series().op("act1"), Threshold)
