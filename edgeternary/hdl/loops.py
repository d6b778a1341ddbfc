"""How long a step takes where it waits for what the step before left: exact, without a simulation.

A loop of parts through a state lets a new step begin only when the last one has come around. Its period comes
from the times at which beats leave each part when the input is always there and nobody behind it pauses (a
max-plus system): one function a kind of part, from the times of beats in to those of beats out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeternary_hw import (
    Add,
    Answer,
    ArgMax,
    Concat,
    Fill,
    Fork,
    Lookup,
    MatrixVector,
    MaxPool,
    Multiply,
    Narrow,
    Pick,
    Recode,
    Replay,
    Requantize,
    RmsNorm,
    Row,
    Skid,
    Slice,
    Starts,
    State,
    SumPool,
    Threshold,
    Turns,
    Widen,
    Window,
    WiredArgMax,
    WiredDense,
    WiredThreshold,
)
from edgeternary_hw.fields import Fields

Times = NDArray[np.int64]  # of the beats of a frame: the cycle in which each is there
Edges = Sequence[tuple[Any, Any, str]]  # (output port, part, name of its input port)
ALWAYS = -(1 << 40)
STEPS = 64  # of which the second half is averaged, where states move at different paces or in turns
SETTLED = 3  # steps of one length in a row

Model = Callable[[Any, list[Times], "Times | None"], Times]


def _spaced(times: Times, gap: int, last: Times | None, first_gap: int = 0) -> Times:
    """The earliest times not before `times` that are `gap` apart, also from the last ones of the frame
    before."""
    steps = gap * np.arange(len(times), dtype=np.int64)
    start = times - steps
    if last is not None:
        start[0] = max(start[0], last[-1] + (first_gap or gap))
    return np.maximum.accumulate(start) + steps


def _delay(cycles: Callable[[Any], int]) -> Model:
    """A beat a cycle, each so many cycles after it came."""

    def model(part: Any, ins: list[Times], last: Times | None) -> Times:
        return _spaced(np.maximum.reduce(ins) + cycles(part), 1, last)

    return model


def _requantize(part: Requantize) -> int:
    words = Fields(part.columns).words(part.lanes)
    return 2 + part.stages + (len(set(words)) > 1) * (1 + part.after("table"))


def _threshold(part: Threshold, ins: list[Times], last: Times | None) -> Times:
    if part.mode == "serial":
        return _spaced(ins[0] + (2 + part.kept) * part.levels + 1, part.interval, last)
    if part.mode == "tree":
        stages = 2 * part.levels + part.kept_levels
    else:
        stages = 2 + ("table" in part.memories) * (1 + part.after("table"))
    return _spaced(ins[0] + stages, 1, last)


def _multiply(part: Multiply, ins: list[Times], last: Times | None) -> Times:
    return _spaced(np.maximum.reduce(ins) + part.speed.latency + 1, part.speed.steps, last)


def _row(part: Row, ins: list[Times], last: Times | None) -> Times:
    return _spaced(np.repeat(ins[0] + 3, part.beats), 1, last)


def _rms_norm(part: RmsNorm, ins: list[Times], last: Times | None) -> Times:
    """Vector by vector: taken in, a number in `steps` cycles; the root; sent in the same way."""
    found, steps = [], part.speed.steps
    for vector in ins[0].reshape(-1, part.channels):
        before = None if last is None else last[-1:] - steps - 1  # the last one is on its way out
        taken = _spaced(vector, steps, before)
        last = taken[-1] + part.pause + steps * np.arange(part.channels, dtype=np.int64)
        found.append(last)
    return np.concatenate(found)


def _narrow(part: Narrow, ins: list[Times], last: Times | None) -> Times:
    return _spaced(np.repeat(ins[0] + 2, part.ratio), 1, last)


def _gathered(count: Callable[[Any], int]) -> Model:
    """One beat out for so many in."""

    def model(part: Any, ins: list[Times], last: Times | None) -> Times:
        return ins[0][count(part) - 1 :: count(part)] + 1

    return model


def _replay(part: Replay, ins: list[Times], last: Times | None) -> Times:
    vectors = (ins[0] + 2 + part.registered).reshape(-1, part.length)
    return _spaced(np.tile(vectors, part.times).reshape(-1), 1, last)


def _concat(part: Concat, ins: list[Times], last: Times | None) -> Times:
    pixels = [times.reshape(-1, beats) for times, beats in zip(ins, part.beats, strict=True)]
    return _spaced(np.concatenate(pixels, axis=1).reshape(-1), 1, last)


def _slice(part: Slice, ins: list[Times], last: Times | None) -> Times:
    """Some of the beats, as they come."""
    pixels = ins[0].reshape(-1, part.before + part.kept + part.after)
    return pixels[:, part.before : part.before + part.kept].reshape(-1)


def _fill(part: Fill, ins: list[Times], last: Times | None) -> Times:
    """The beats as they come, then those of constants alone."""
    extra = np.full(part.beats - part.taken, ins[0][-1])
    return _spaced(np.concatenate([ins[0], extra]), 1, last)


def _window(part: Window, ins: list[Times], last: Times | None) -> Times:
    """A row of windows begins when the last map row that it reads is stored."""
    row = part.width * part.beats
    ends = [y * part.stride[0] - part.pad[0] + part.kernel[0] for y in range(part.out_height)]
    ready = [ins[0][min(end, part.height) * row - 1] if end > 0 else ALWAYS for end in ends]
    beats = part.out_width * part.steps
    return _spaced(np.repeat(np.array(ready, np.int64) + 2 + part.late, beats), 1, last)


def _answer(part: Answer, ins: list[Times], last: Times | None) -> Times:
    """Beats of the numbers, then those of the index, which waits until the last number is compared."""
    beats = part.number_beats
    gap = int(beats == 1 and not part.eager)
    starts = _spaced(ins[0] + 1, beats, None if last is None else last[-1:] + 1 - beats)
    times = (starts[:, None] + np.arange(beats)).reshape(-1)
    return np.concatenate([times, times[-1] + 1 + gap + np.arange(part.index_beats)])


def _matrix(part: MatrixVector, ins: list[Times], last: Times | None) -> Times:
    """A pass ends `depth` stages after its last beat; a cycle later its sums move to the way out, where
    those of the pass before must have left."""
    groups = part.pe // part.outputs
    finished = ins[0][part.beats - 1 :: part.beats] + part.latency
    before = None if last is None else last[-1:] - (groups - 1)
    starts = _spaced(finished, groups + (groups > 1), before)
    return (starts[:, None] + np.arange(groups)).reshape(-1)


def _state(part: State, ins: list[Times], last: Times | None) -> Times:
    """Written, and read two cycles later through a register, or two."""
    return _spaced(ins[0] + 3 + part.ring.registered, 1, last)


MODELS: dict[type, Model] = {
    Skid: _delay(lambda part: 1),
    Starts: _delay(lambda part: 0),
    Turns: _delay(lambda part: 0),
    Recode: _delay(lambda part: 0),
    Fork: _delay(lambda part: 0),
    Add: _delay(lambda part: 2),
    Pick: _delay(lambda part: 0),
    Requantize: _delay(_requantize),
    Lookup: _delay(lambda part: 1 + part.kept),
    WiredDense: _delay(lambda part: 1),
    WiredThreshold: _delay(lambda part: 1),
    WiredArgMax: _delay(lambda part: 1),
    Multiply: _multiply,
    RmsNorm: _rms_norm,
    Row: _row,
    Threshold: _threshold,
    Narrow: _narrow,
    Widen: _gathered(lambda part: part.ratio),
    ArgMax: _gathered(lambda part: part.channels),
    Answer: _answer,
    Replay: _replay,
    Concat: _concat,
    Fill: _fill,
    Slice: _slice,
    MatrixVector: _matrix,
    Window: _window,
}


def period(parts: Sequence[tuple[str, Any]], edges: Edges) -> int:
    """Cycles from one step to the next as far as states set them; 0 where there are none."""
    states = [part for _, part in parts if isinstance(part, State)]
    if not states:
        return 0
    network = _Network([part for _, part in parts], edges)
    times: dict[int, Times] = {id(s): np.arange(len(s.initial), dtype=np.int64) for s in states}
    settled, halfway = 0, times
    for step in range(STEPS):
        network.step(times)
        after = {id(s): _state(s, [network.written(s)], times[id(s)]) for s in states}
        network.finish()
        lengths = np.concatenate([after[key] - times[key] for key in after])
        settled = settled + 1 if lengths.min() == lengths.max() else 0
        if settled == SETTLED:
            return int(lengths[0])
        times = after
        if step == STEPS // 2 - 1:
            halfway = after
    total = max(int((times[key] - halfway[key]).max()) for key in times)
    return -(-total // (STEPS // 2))


def latency(parts: Sequence[tuple[str, Any]], edges: Edges, beats: int) -> int:
    """Cycles from the first of a frame's `beats` in to the last beat of its answer, both counted, when what
    states hold is there already."""
    instances = [part for _, part in parts]
    network = _Network(instances, edges)
    read = {id(s): np.full(len(s.initial), ALWAYS) for s in instances if isinstance(s, State)}
    network.step(read, np.arange(beats, dtype=np.int64))
    answer = network.at(instances[-1])
    assert answer is not None
    return int(answer[-1]) + 1


class _Network:
    """The parts, and what each has sent last."""

    def __init__(self, parts: Sequence[Any], edges: Edges) -> None:
        self.parts = parts
        owner = {id(getattr(part, name)): (part, name) for part in parts for name in part.signature.members}
        self.inputs: dict[int, dict[str, tuple[Any, str]]] = {}
        for port, part, name in edges:
            self.inputs.setdefault(id(part), {})[name] = owner[id(port)]
        self.last: dict[int, Times | None] = {}
        self.sent: dict[tuple[int, str], Times | None] = {}

    def step(self, read: dict[int, Times], entry: Times | None = None) -> None:
        """Begins a step: the times at which states are read; and those at which the input comes, None where
        it is always there."""
        self.sent = {(state, ""): times for state, times in read.items()}
        self.entry = entry

    def finish(self) -> None:
        """All turns of this step: those of the next one come behind them."""
        for part in self.parts:
            if isinstance(part, Turns):
                self.at(part, f"o{part.count - 1}")

    def written(self, state: State) -> Times:
        """The times at which a state gets what this step leaves in it."""
        found = self.at(*self.inputs[id(state)]["i0"])
        return np.full(len(state.initial), ALWAYS) if found is None else found

    def at(self, part: Any, port: str = "") -> Times | None:
        """The times at which a part sends the beats of this step; None for any."""
        key = (id(part), port if isinstance(part, Turns) else "")
        if key not in self.sent:
            self.sent[key] = self._turn(part, int(port[1:])) if isinstance(part, Turns) else self._sends(part)
        return self.sent[key]

    def _sends(self, part: Any) -> Times | None:
        sources = self.inputs.get(id(part), {})
        ins = [self.at(*sources[name]) for name in sorted(sources, key=lambda name: (len(name), name))]
        if not ins:
            ins = [self.entry]
        return None if all(times is None for times in ins) else self._out(part, _filled(part, ins))

    def _turn(self, exit: Turns, turn: int) -> Times:
        """What leaves in a turn: through the parts that all share, in which it follows the turn before."""
        for before in range(turn):
            self.at(exit, f"o{before}")
        chain: list[Any] = [exit]
        while not isinstance(chain[-1], Concat):
            chain.append(self.inputs[id(chain[-1])]["i"][0])
        times = self.at(*self.inputs[id(chain[-1])][f"i{turn}"])
        if times is None:
            times = np.full(exit.beats[turn], ALWAYS)
        for part in reversed(chain):
            model = _delay(lambda part: 0) if isinstance(part, Concat) else _model(part)
            times = self.last[id(part)] = model(part, [times], self.last.get(id(part)))
        return times

    def _out(self, part: Any, ins: list[Times]) -> Times:
        if isinstance(part, MaxPool | SumPool):  # a window's taps, a register, and one for the result
            taps = part.window.kernel[0] * part.window.kernel[1]
            return self._out(part.window, ins)[taps - 1 :: taps] + 2
        out = _model(part)(part, ins, self.last.get(id(part)))
        self.last[id(part)] = out
        return out


def _model(part: Any) -> Model:
    return next(MODELS[kind] for kind in type(part).__mro__ if kind in MODELS)


def _filled(part: Any, ins: list[Times | None]) -> list[Times]:
    """Inputs that no state reaches are always there."""
    known = next(times for times in ins if times is not None)
    if isinstance(part, Concat):
        at = next(k for k, times in enumerate(ins) if times is not None)
        pixels = len(known) // part.beats[at]
        sizes = [pixels * beats for beats in part.beats]
    else:
        sizes = [len(known)] * len(ins)
    return [np.full(n, ALWAYS, np.int64) if t is None else t for t, n in zip(ins, sizes, strict=True)]
