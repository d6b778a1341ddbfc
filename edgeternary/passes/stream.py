"""stream: a network over a window of frames becomes one step, which reads one frame and keeps the past as states.

A layer over the last k frames, one at a time (a convolution or pool of width k, stride 1, unpadded), keeps k - 1 of them:

    window = concat(past, frame)            (1, 1, k C), shown to the layer as (1, k, C)
    past'  = slice(window, C ..)

A sum over many frames is kept instead of made again:

    all  = concat(past, frame)              k frames and the new one
    sum' = sum + frame - slice(all, .. C)   the newest comes, the oldest goes
    past' = slice(all, C ..)

The states begin as they are after an endless stream of `fill` codes. So the step's output is, at every step, the
window network's on the last frames, where those before the first are `fill`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import msgspec
import numpy as np

from edgeternary.errors import EdgeTernaryError
from edgeternary.ir import Graph, IntArray, Op, State, Value, smallest
from edgeternary.ops import Add, Concat, Conv2d, MaxPool, Requantize, Reshape, Slice, SumPool

RUNNING = 4  # frames from which on a sum is kept


def stream(graph: Graph, fill: int | None = None) -> Graph:
    """One step of `graph`, whose input is a window (1, frames, C): reads (1, 1, C), answers for the window so far.

    fill: the code of every channel before the first frame (0, or what is nearest to it in the input's interval).
    An output (1, frames, C) becomes its newest frame. Layers keep their names, and meta.info["window"] is the
    number of frames. EdgeTernaryError, naming the layer, for what would need frames of the future: padding,
    strides.
    """
    window = graph.input
    if graph.states or len(window.shape) != 3 or window.shape[0] != 1 or window.shape[1] < 2:
        why = "it has states already" if graph.states else f"its input has the shape {window.shape}"
        raise EdgeTernaryError(
            f"model {graph.name!r} cannot run frame by frame",
            why,
            "its input must be a window of frames, (1, frames, channels) in the graph, (N, channels, frames) in torch",
        )
    code = int(np.clip(0, window.lo, window.hi)) if fill is None else fill
    if not window.lo <= code <= window.hi or not window.type.contains(np.array(code)):
        raise EdgeTernaryError(
            f"model {graph.name!r} cannot begin with frames of {code}",
            f"its input is {window.type} in [{window.lo}, {window.hi}]",
            "give a fill that is such a code",
        )
    made = _Stream(graph, _constant(graph, code))
    made.values[window.name] = made.input = replace(window, shape=(1, 1, window.channels))
    series = {window.name}
    for op in graph.ops:
        if series.isdisjoint(op.inputs):
            made.add(op)
            continue
        made.check_together(op, series)
        LAYERS.get(type(op), _Stream.add)(made, op)
        if not isinstance(op, Reshape):
            series.add(op.name)
    meta = msgspec.structs.replace(graph.meta, info={**graph.meta.info, "window": str(window.shape[1])})
    return Graph(graph.name, made.input, tuple(made.ops), graph.output, tuple(made.states), meta)


def _constant(graph: Graph, code: int) -> dict[str, IntArray]:
    """What every layer gives for a window of one code: the same in each frame, as nothing is padded."""
    taps = {graph.input.name: np.full((1, *graph.input.shape), code, np.int32)}
    for op in graph.ops:
        taps[op.name] = op.ref(*(taps[name] for name in op.inputs))
    return taps


@dataclass
class _Stream:
    """The step while it is made. taps: values of the window graph on fill codes; windows: histories made so far."""

    graph: Graph
    taps: dict[str, IntArray]
    values: dict[str, Value] = field(default_factory=dict)
    ops: list[Op] = field(default_factory=list)
    states: list[State] = field(default_factory=list)
    windows: dict[tuple[str, int], str] = field(default_factory=dict)
    input: Value = field(init=False)

    def add(self, op: Op) -> Value:
        self.ops.append(op)
        self.values[op.name] = value = op.infer([self.values[name] for name in op.inputs])
        return value

    def frames(self, name: str) -> int:
        """Frames of a series in the window graph."""
        return self.graph.values[name].shape[1]

    def check_together(self, op: Op, series: set[str]) -> None:
        """Refuses an op that joins a series of frames and a value that was made of all of them."""
        if not series.issuperset(op.inputs) and self.frames(op.inputs[0]) > 1:
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

    def begin(self, name: str, value: Value, written: str, times: int) -> None:
        """Declares a state that begins with `times` frames of the value `name`."""
        frame = self.taps[name][0].reshape(-1)[-self.graph.values[name].channels :]
        init = np.ascontiguousarray(np.tile(frame, times).reshape(value.shape), np.int32)
        self.states.append(State(value, init, written))

    def past(self, name: str, count: int, layer: str) -> Value:
        """concat(the last `count` frames, the frame), (1, 1, (count + 1) C), and the state for it."""
        frame = self.values[name]
        held = replace(frame, name=self.free(f"{layer}.past"), shape=(1, 1, count * frame.channels))
        self.values[held.name] = held
        joined = self.add(Concat(name=self.free(f"{layer}.frames"), inputs=(held.name, name)))
        start, stop = frame.channels, joined.channels
        kept = Slice(name=self.free(f"{layer}.next"), inputs=(joined.name,), start=start, stop=stop)
        self.begin(name, held, self.add(kept).name, count)
        return joined

    def window(self, name: str, count: int, layer: str) -> str:
        """The name of a value (1, count, C): the last `count` frames of the value `name`."""
        if count == 1:
            return name
        if (name, count) not in self.windows:
            joined = self.past(name, count - 1, layer)
            shape = (1, count, self.values[name].channels)
            shown = Reshape(name=self.free(f"{layer}.window"), inputs=(joined.name,), shape=shape)
            self.windows[name, count] = self.add(shown).name
        return self.windows[name, count]


def _whole(made: _Stream, op: Op) -> None:
    """A reshape, and so a flatten, sees the whole window."""
    (name,) = op.inputs
    made.add(msgspec.structs.replace(op, inputs=(made.window(name, made.frames(name), op.name),)))


def _windowed(made: _Stream, op: Conv2d | MaxPool | SumPool) -> None:
    """Convolutions and pools of width k over the last k frames."""
    made.add(msgspec.structs.replace(op, inputs=(made.window(op.inputs[0], _width(made, op), op.name),)))


def _summed(made: _Stream, op: SumPool) -> None:
    """Sums over many frames: the newest comes, the oldest goes."""
    count, (name,) = _width(made, op), op.inputs
    if count < RUNNING:
        return _windowed(made, op)
    total = made.graph.values[op.name]
    every = made.past(name, count, op.name)
    frame = made.values[name]
    held = replace(total, name=made.free(f"{op.name}.sum"), shape=frame.shape)
    made.values[held.name] = held
    made.begin(op.name, held, op.name, 1)
    oldest = Slice(name=made.free(f"{op.name}.oldest"), inputs=(every.name,), start=0, stop=frame.channels)
    gone = made.add(_scaled(made.free(f"{op.name}.gone"), made.add(oldest), -1, -frame.hi, -frame.lo))
    change = made.add(Add(name=made.free(f"{op.name}.change"), inputs=(name, gone.name)))
    risen = made.add(Add(name=made.free(f"{op.name}.risen"), inputs=(held.name, change.name)))
    made.add(_scaled(op.name, risen, 1, total.lo, total.hi, total.type.name))  # the sum never leaves its interval
    return None


def _scaled(name: str, x: Value, factor: int, lo: int, hi: int, type: str = "") -> Requantize:
    """clamp(factor x, lo, hi)."""
    zeros = np.zeros(x.channels, np.int32)
    return Requantize(
        name=name, inputs=(x.name,), m=zeros + np.int32(factor), b=zeros, s=zeros, zero=0, lo=lo, hi=hi,
        rounding="floor", type=type or smallest(lo, hi).name,
    )  # fmt: skip


def _width(made: _Stream, op: Conv2d | MaxPool | SumPool) -> int:
    """Frames that a convolution or pool looks at, or a refusal."""
    kernel = op.weights.shape[1:3] if isinstance(op, Conv2d) else op.kernel
    pad = (0, 0, 0, 0) if isinstance(op, SumPool) else op.pad
    if any(pad):
        raise op.fail(
            f"it is padded by {pad}: at its edges a window has no frames of the stream",
            "train it without padding (pad=0); the past is kept as state",
            f"layer {op.name!r} cannot run frame by frame",
        )
    if op.stride[1] != 1 and kernel[1] != made.frames(op.inputs[0]):
        raise op.fail(
            f"it has a stride of {op.stride[1]} frames and would answer at every {op.stride[1]}th only",
            "use a stride of 1, or a pool over all frames",
            f"layer {op.name!r} cannot run frame by frame",
        )
    return int(kernel[1])


LAYERS: dict[type[Op], Callable[..., object]] = {  # any other layer looks at each frame alone
    Conv2d: _windowed,
    MaxPool: _windowed,
    SumPool: _summed,
    Reshape: _whole,
}
