"""How long a step takes where it waits for what the step before left: exact, without a simulation.

A loop of parts through a state lets a new step begin only when the last one has come around. Its period
comes from the times at which beats leave each part when the input is always there and nothing that follows
pauses (a max-plus system): hdl.parts gives for each part the times of beats out from those of beats in.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from edgeternary.hdl.part import Part
from edgeternary.hdl.parts import part_of
from edgeternary.hdl.times import ALWAYS, Times
from edgeternary_hw.fifo import Fifo
from edgeternary_hw.state import State

Edges = Sequence[tuple[Any, Any, str]]  # (output port, part, name of its input port)
STEPS = 64  # of which the second half is averaged, where states move at different paces or in turns
SETTLED = 3  # steps of one length in a row


def period(parts: Sequence[tuple[str, Any]], edges: Edges) -> int:
    """Cycles from one step to the next as far as states set them; 0 where there are none."""
    states = [part for _, part in parts if isinstance(part, State)]
    if not states:
        return 0
    network = Network([part for _, part in parts], edges)
    times: dict[int, Times] = {id(s): np.arange(len(s.initial), dtype=np.int64) for s in states}
    settled, halfway = 0, times
    for step in range(STEPS):
        network.step(times)
        after = {id(s): part_of(s).times(s, [network.written(s)], times[id(s)]) for s in states}
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


def latency(parts: Sequence[tuple[str, Any]], edges: Edges, beats: Sequence[int], outputs: int) -> int:
    """Cycles from the first beat of a frame in to the last beat of its answers, both counted, when what
    states hold is there already.

    beats    of a frame in, one number for each of the first parts, which take the inputs
    outputs  how many of the last parts give the answers
    """
    instances = [part for _, part in parts]
    network = Network(instances, edges)
    read = {id(s): np.full(len(s.initial), ALWAYS) for s in instances if isinstance(s, State)}
    entries = zip(instances, beats, strict=False)
    network.step(read, {id(part): np.arange(n, dtype=np.int64) for part, n in entries})
    answers = [network.at(part) for part in instances[-outputs:]]
    return max(int(times[-1]) for times in answers if times is not None) + 1


def waiting(parts: Sequence[tuple[str, Any]], edges: Edges, beats: Sequence[int], cycles: int) -> int:
    """Cycles from one frame to the next as far as branches set them that keep a frame until what it waits for
    is there, such as a gate that is made of the whole frame; 0 where there are none. An upper bound.

    A FIFO of D beats takes beat n + D when beat n has left. With frames of B beats in P cycles each,

        P >= (left(n) - came((n + D) mod B)) / floor((n + D) / B)

    where came and left are those of a frame alone whose `beats`, one number for each of the first parts,
    which take the inputs, come evenly within `cycles`.
    """
    instances = [part for _, part in parts]
    network = Network(instances, edges)
    entries = zip(instances, beats, strict=False)
    network.step({}, {id(part): np.arange(n, dtype=np.int64) * cycles // n for part, n in entries})
    readers = {id(port): part for port, part, _ in edges}
    longest = 0
    for part in instances:
        if not isinstance(part, Fifo):
            continue
        came, end = network.at(*network.inputs[id(part)]["i"]), part
        if came is None or part.depth < len(came):
            continue
        while len(network.inputs[id(end)]) == 1 and id(getattr(end, "o", None)) in readers:
            end = readers[id(end.o)]
        sent = network.at(end)
        assert sent is not None
        n = np.arange(len(came))
        later = n + part.depth + 1  # and one in the FIFO's register
        left = sent[n * len(sent) // len(came)]
        longest = max(longest, int(np.max(-(-(left - came[later % len(came)]) // (later // len(came))))))
    return longest


class Network:
    """The parts, and what each has sent last."""

    def __init__(self, parts: Sequence[Any], edges: Edges) -> None:
        self.parts = parts
        owner = {id(getattr(part, name)): (part, name) for part in parts for name in part.signature.members}
        self.inputs: dict[int, dict[str, tuple[Any, str]]] = {}
        for port, part, name in edges:
            self.inputs.setdefault(id(part), {})[name] = owner[id(port)]
        self.last: dict[int, Times | None] = {}
        self.sent: dict[tuple[int, str], Times | None] = {}

    def step(self, read: dict[int, Times], entries: dict[int, Times] | None = None) -> None:
        """Begins a step: the times at which states are read; and those at which the inputs come, by the part
        that takes them; None where they are always there."""
        self.sent = {(state, ""): times for state, times in read.items()}
        self.entries = entries or {}

    def finish(self) -> None:
        """All turns of this step, which come before those of the next one."""
        for part in self.parts:
            if part_of(part).times_vary:
                for port in part.signature.members:
                    if port.startswith("o"):
                        self.at(part, port)

    def written(self, state: State) -> Times:
        """The times at which a state gets what this step leaves in it."""
        found = self.at(*self.inputs[id(state)]["i0"])
        return np.full(len(state.initial), ALWAYS) if found is None else found

    def at(self, part: Any, port: str = "") -> Times | None:
        """The times at which a part sends the beats of this step; None for any."""
        description = part_of(part)
        key = (id(part), port if description.times_vary else "")
        if key not in self.sent:
            self.sent[key] = description.sent(self, part, port)
        return self.sent[key]

    def passed(self, part: Any, description: Part[Any]) -> Times | None:
        """The times at which a part sends what all its inputs bring; inputs that no state reaches are always
        there."""
        sources = self.inputs.get(id(part), {})
        ins = [self.at(*sources[name]) for name in sorted(sources, key=lambda name: (len(name), name))]
        if not ins:
            ins = [self.entries.get(id(part))]
        if all(times is None for times in ins):
            return None
        sizes = description.lengths(part, ins)
        whole = [np.full(n, ALWAYS, np.int64) if t is None else t for t, n in zip(ins, sizes, strict=True)]
        out = self.last[id(part)] = description.times(part, whole, self.last.get(id(part)))
        return out
