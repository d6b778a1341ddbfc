"""stream: a network over a window of frames becomes one step, which reads a frame and has the past as states.

A layer over the last k frames (a convolution or pool of width k, stride 1, unpadded) reads a shift register:

    window = shift(past, frame)             k C channels, the oldest frame first; past' = window

A convolution without groups is then a dense layer. A sum over many frames is kept instead of made again:

    sum' = sum + frame - oldest             oldest = slice(past, .. C)

The states begin as they are after an endless stream of `fill` codes. So the step's output is, at every step,
the window network's on the last frames, where those before the first are `fill`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
import numpy as np

from edgeternary.errors import EdgeTernaryError
from edgeternary.ir import Graph, IntArray, Op, State, Value, smallest
from edgeternary.ops import Add, Conv2d, Dense, MaxPool, Requantize, Reshape, Shift, Slice, SumPool, Upsample
from edgeternary.passes.simplify import simplify

RUNNING = 4  # frames from which on a sum is kept


def stream(graph: Graph, fill: int | None = None) -> Graph:
    """One step of `graph`, whose input is a window (1, frames, C): it reads one frame, (C,).

    fill: the code of every channel before the first frame; by default 0, or the input's code nearest to it
    (-1 of a bipolar one). An output (1, frames, C) becomes its newest frame. Layers keep their names, and
    meta.info["window"] is the number of frames. EdgeTernaryError for a graph with states, an input that is no
    window and a `fill` that is no code of it; naming the layer, for padding and strides over time and for ops
    that join frames with a reshaped value.
    """
    window = graph.input
    if graph.states or len(window.shape) != 3 or window.shape[0] != 1 or window.shape[1] < 2:
        raise EdgeTernaryError(
            f"model {graph.name!r} cannot run frame by frame",
            "it has states already" if graph.states else f"its input has the shape {window.shape}",
            "its input must be a window of frames, (1, frames, channels); in torch (N, channels, frames)",
        )
    code = _nearest_to_zero(window) if fill is None else fill
    if not window.lo <= code <= window.hi or not window.type.contains(np.array([code])):
        raise EdgeTernaryError(
            f"model {graph.name!r} cannot begin with frames of {code}",
            f"its input is {window.type} in [{window.lo}, {window.hi}]",
            "give a fill that is such a code",
        )
    made = _Step(graph, _constant(graph, code))
    made.values[window.name] = frame = replace(window, shape=(window.channels,))
    series = {window.name}
    for op in graph.ops:
        if series.isdisjoint(op.inputs):
            made.add(op)
            continue
        made.check_together(op, series)
        LAYERS.get(type(op), _each_frame)(made, op)
        if not isinstance(op, Reshape):
            series.add(op.name)
    meta = msgspec.structs.replace(graph.meta, info={**graph.meta.info, "window": str(window.shape[1])})
    return simplify(Graph(graph.name, frame, tuple(made.ops), graph.outputs, tuple(made.states), meta))


def _nearest_to_zero(x: Value) -> int:
    code = int(np.clip(0, x.lo, x.hi))
    return code if x.type.contains(np.array([code])) else x.lo


def _constant(graph: Graph, code: int) -> dict[str, IntArray]:
    """What every layer gives for a window of one code: the same in each frame, as nothing is padded."""
    taps = {graph.input.name: np.full((1, *graph.input.shape), code, np.int32)}
    for op in graph.ops:
        taps[op.name] = op.ref(*(taps[name] for name in op.inputs))
    return taps


@dataclass
class _Step:
    """The step while it is made. A frame of a series is (C,), after a grouped convolution or pool (1, 1, C).

    taps: values of the window graph on fill codes; windows: shift registers so far, by series and length.
    """

    graph: Graph
    taps: dict[str, IntArray]
    values: dict[str, Value] = field(default_factory=dict)
    ops: list[Op] = field(default_factory=list)
    states: list[State] = field(default_factory=list)
    windows: dict[tuple[str, int], Value] = field(default_factory=dict)
    flats: dict[str, Value] = field(default_factory=dict)

    def add(self, op: Op) -> Value:
        self.ops.append(op)
        self.values[op.name] = value = op.infer([self.values[name] for name in op.inputs])
        return value

    def frames(self, name: str) -> int:
        """Frames of a series in the window graph."""
        return self.graph.values[name].shape[1]

    def check_together(self, op: Op, series: set[str]) -> None:
        """Refuses an op that joins a series of frames and a value that was made of all of them."""
        if not series.issuperset(op.inputs) and self.frames(next(n for n in op.inputs if n in series)) > 1:
            raise op.fail(
                "it joins frames and a reshaped value, whose place in time is not known",
                "join them before the reshape",
                f"layer {op.name!r} cannot run frame by frame",
            )

    def free(self, name: str) -> str:
        """`name`, numbered where the window graph or a layer before has it."""
        taken, count, found = {*self.graph.values, *self.values}, 2, name
        while found in taken:
            found, count = f"{name}#{count}", count + 1
        return found

    def shown(self, value: Value, shape: tuple[int, ...]) -> Value:
        """The same elements in another shape."""
        if value.shape == shape:
            return value
        return self.add(Reshape(name=self.free(f"{value.name}.shown"), inputs=(value.name,), shape=shape))

    def flat(self, name: str) -> Value:
        """The newest frame of a series, (C,)."""
        if name not in self.flats:
            self.flats[name] = self.shown(self.values[name], (self.values[name].channels,))
        return self.flats[name]

    def begin(self, name: str, layer: str, part: str, times: int, written: str) -> Value:
        """A state of `times` frames of the series `name`, as they are on fill codes."""
        like = self.graph.values[name]
        value = replace(like, name=self.free(f"{layer}.{part}"), shape=(times * like.channels,))
        self.values[value.name] = value
        frame = self.taps[name].reshape(-1)[-like.channels :]
        self.states.append(State(value, np.ascontiguousarray(np.tile(frame, times), np.int32), written))
        return value

    def last(self, name: str, count: int, layer: str) -> Value:
        """The last `count` frames of a series, the oldest first, (count C,)."""
        if count == 1:
            return self.flat(name)
        if (name, count) not in self.windows:
            written = self.free(f"{layer}.window")
            past = self.begin(name, layer, "past", count, written)
            self.windows[name, count] = self.add(
                Shift(name=written, inputs=(past.name, self.flat(name).name))
            )
        return self.windows[name, count]

    def oldest(self, name: str, count: int, layer: str) -> Value:
        """The frame (C,) that is `count` steps old; what reads the past comes before what moves it."""
        written, frame = self.free(f"{layer}.window"), self.flat(name)
        past = self.begin(name, layer, "past", count, written)
        first = Slice(name=self.free(f"{layer}.oldest"), inputs=(past.name,), start=0, stop=frame.channels)
        found = self.add(first)
        self.add(Shift(name=written, inputs=(past.name, frame.name)))
        return found


def _each_frame(made: _Step, op: Op) -> None:
    """Layers that look at one frame alone."""
    shapes = {made.values[name].shape for name in op.inputs}
    names = op.inputs if len(shapes) == 1 else tuple(made.flat(name).name for name in op.inputs)
    made.add(msgspec.structs.replace(op, inputs=names))


def _reshape(made: _Step, op: Reshape) -> None:
    """A reshape, and so a flatten, sees the whole window."""
    (name,) = op.inputs
    made.add(msgspec.structs.replace(op, inputs=(made.last(name, made.frames(name), op.name).name,)))


def _conv2d(made: _Step, op: Conv2d) -> None:
    width, (name,) = _width(made, op, op.weights.shape[1:3], op.pad), op.inputs
    if op.groups > 1:
        return _windowed(made, op, width)
    fields: dict[str, Any] = {"weight_type": op.weight_type, "bias": op.bias}
    weights = np.ascontiguousarray(op.weights.reshape(len(op.weights), -1))
    made.add(Dense(name=op.name, inputs=(made.last(name, width, op.name).name,), weights=weights, **fields))
    return None


def _max_pool(made: _Step, op: MaxPool) -> None:
    _windowed(made, op, _width(made, op, op.kernel, op.pad))


def _upsample(made: _Step, op: Upsample) -> None:
    raise op.fail(
        "it makes several frames of one, or of a window, and a step answers with one frame",
        "leave it out, or run the whole window at every step",
        f"layer {op.name!r} cannot run frame by frame",
    )


def _windowed(made: _Step, op: Conv2d | MaxPool | SumPool, width: int) -> None:
    """Layers of width k over (1, k, C)."""
    last = made.last(op.inputs[0], width, op.name)
    seen = made.shown(last, (1, width, last.size // width))
    made.add(msgspec.structs.replace(op, inputs=(seen.name,), stride=(1, 1)))


def _sum_pool(made: _Step, op: SumPool) -> None:
    """Sums over many frames: the newest comes, the oldest goes."""
    count, (name,) = _width(made, op, op.kernel), op.inputs
    if count < RUNNING:
        return _windowed(made, op, count)
    total, frame = made.graph.values[op.name], made.flat(name)
    oldest = made.oldest(name, count, op.name)
    held = made.begin(op.name, op.name, "before", 1, op.name)
    gone = made.add(_scaled(made.free(f"{op.name}.gone"), oldest, -1, -frame.hi, -frame.lo))
    change = made.add(Add(name=made.free(f"{op.name}.change"), inputs=(frame.name, gone.name)))
    risen = made.add(Add(name=made.free(f"{op.name}.risen"), inputs=(held.name, change.name)))
    made.add(
        _scaled(op.name, risen, 1, total.lo, total.hi, total.type.name)
    )  # a sum never leaves its interval
    return None


def _scaled(name: str, x: Value, factor: int, lo: int, hi: int, type: str = "") -> Requantize:
    """clamp(factor x, lo, hi)."""
    zeros = np.zeros(x.channels, np.int32)
    return Requantize(
        name=name, inputs=(x.name,), m=zeros + np.int32(factor), b=zeros, s=zeros, zero=0, lo=lo, hi=hi,
        rounding="floor", type=type or smallest(lo, hi).name,
    )  # fmt: skip


def _width(
    made: _Step, op: Conv2d | MaxPool | SumPool, kernel: tuple[int, ...], pad: tuple[int, ...] = (0,)
) -> int:
    """Frames that a convolution or pool looks at, or a refusal."""
    what = f"layer {op.name!r} cannot run frame by frame"
    if any(pad):
        why = f"it is padded by {pad}: at its edges a window has no frames of the stream"
        raise op.fail(why, "train it without padding (pad=0); the past is kept as states", what)
    if op.stride[1] != 1 and kernel[1] != made.frames(op.inputs[0]):
        why = f"it has a stride of {op.stride[1]} frames and would answer at every {op.stride[1]}th only"
        raise op.fail(why, "use a stride of 1, or a pool over all frames", what)
    return int(kernel[1])


LAYERS: dict[type[Op], Callable[..., None]] = {  # all others look at each frame alone
    Conv2d: _conv2d,
    MaxPool: _max_pool,
    SumPool: _sum_pool,
    Reshape: _reshape,
    Upsample: _upsample,
}
