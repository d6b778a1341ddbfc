"""One frame through the RTL as formulas: every layer's numbers in terms of those of the layer before.

The RTL runs from reset, one frame comes in without pauses, and nothing pauses the answer. Where a layer's
numbers leave it, their formulas are noted, and what follows sees free bits in their place.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Container
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edgeternary.errors import EdgeTernaryError
from edgeternary.prove.cuts import Borders, borders
from edgeternary.prove.machine import Machine
from edgeternary.prove.netlist import Module
from edgeternary.prove.places import Places, of_element
from edgeternary.prove.terms import FALSE, TRUE, Terms, Word, X

if TYPE_CHECKING:
    from edgeternary.hdl.top import Design

SLACK = 64  # clocks beyond the latency that is predicted
SHOWN = 64  # clocks between two words of progress


@dataclass
class Observed:
    """borders  the layers whose numbers were seen
    answer   payloads of the beats that left, by stream
    clocks   from the first beat in to the last one out
    """

    terms: Terms
    places: Places
    borders: Borders
    answer: dict[str, list[Word]] = field(default_factory=dict)
    clocks: int = 0


class Frame:
    """A frame on its way through a design.

    observed  what was seen of a frame before; or the names of the layers that are looked for
    """

    def __init__(self, design: Design, module: Module, observed: Observed | Container[str]) -> None:
        self.design, self.module = design, module
        self.sent = {port.name: 0 for port in design.ins}
        if isinstance(observed, Observed):
            self.observed = observed
            for beats in observed.borders.beats:
                beats.count = 0
            self._wire()
            return
        terms = Terms()
        places = Places(terms)
        for port in design.ins:
            places.values[port.value.name] = port.value
            for index in range(port.value.size):
                places.fresh((port.value.name, index), of_element(port.element))
        found = borders(design, module, places, observed)
        self.observed = Observed(terms, places, found, {port.name: [] for port in design.outs})
        self._wire()

    def _wire(self) -> None:
        cuts = [cut for one in self.observed.borders.borders.values() for cut in one.cuts]
        self.machine = Machine(self.observed.terms, self.module, cuts)

    def drive(self, port: str, word: Word) -> None:
        self.machine.write(self.module.ports[port][1], word)

    def known(self, port: str) -> bool:
        """A signal of the handshake. EdgeTernaryError where it depends on numbers."""
        (bit,) = self.machine.read(self.machine.seen(self.module.ports[port][1]))
        if bit not in (FALSE, TRUE):
            raise EdgeTernaryError(
                f"{port} of the RTL of {self.module.name} depends on the numbers of the input",
                "when it answers is not the same for all inputs",
                "its answers can be simulated: edgeternary simulate",
            )
        return bit == TRUE

    def beat(self, name: str) -> Word:
        """The bits of the next beat of a stream in; beyond the frame 0."""
        port = next(port for port in self.design.ins if port.name == name)
        bits = len(self.module.ports[f"{name}__payload"][1])
        found: list[int] = []
        for lane in range(port.lanes):
            index = self.sent[name] * port.lanes + lane
            word = self.observed.places.words.get((port.value.name, index))
            found += word or (FALSE,) * port.element.width
        return (*found, *(FALSE,) * (bits - len(found)))

    def reset(self) -> None:
        """A clock in reset, nothing valid."""
        for port in self.design.outs:
            self.drive(f"{port.name}__ready", (TRUE,))
        for port in self.design.ins:
            self.drive(f"{port.name}__valid", (FALSE,))
        self.drive("rst", (TRUE,))
        self.machine.settle()
        self.machine.clock()
        self.drive("rst", (FALSE,))

    @property
    def done(self) -> bool:
        return all(len(self.observed.answer[port.name]) >= port.beats for port in self.design.outs)

    def clock(self) -> None:
        """One clock: beats that are left are offered, beats that come are taken."""
        for port in self.design.ins:
            more = self.sent[port.name] < port.beats
            bits = len(self.module.ports[f"{port.name}__payload"][1])
            self.drive(f"{port.name}__valid", (TRUE if more else FALSE,))
            self.drive(f"{port.name}__payload", self.beat(port.name) if more else (X,) * bits)
        self.machine.settle()
        for port in self.design.ins:
            self.sent[port.name] += self.known(f"{port.name}__ready") and self.sent[port.name] < port.beats
        for port in self.design.outs:
            if self.known(f"{port.name}__valid"):
                nets = self.module.ports[f"{port.name}__payload"][1]
                self.observed.answer[port.name].append(self.machine.read(self.machine.seen(nets)))
        for beats in self.observed.borders.beats:
            beats.clock(self.machine)
        self.machine.clock()
        self.observed.clocks += 1


def observe(
    design: Design,
    module: Module,
    known: Container[str],
    progress: Callable[[str], None] = lambda text: None,
    deadline: float = math.inf,
) -> Observed:
    """Runs a frame until `deadline` (time.monotonic), then TimeoutError.

    known  names of the layers whose numbers are looked for
    EdgeTernaryError where no answer comes, or when it comes depends on the input.
    """
    frame, limit = Frame(design, module, known), design.latency + SLACK
    frame.reset()
    while not frame.done:
        frame.clock()
        clocks = frame.observed.clocks
        if clocks > limit:
            raise EdgeTernaryError(
                f"the RTL of {design.graph.name!r} does not answer", f"nothing leaves within {limit:,} clocks"
            )
        if time.monotonic() > deadline:
            raise TimeoutError(f"{clocks:,} of about {design.latency:,} clocks")
        if clocks % SHOWN == 0:
            progress(f"clock {clocks:,} of about {design.latency:,}")
    return frame.observed
