"""Frames in a row and pauses of any kind: every state that the handshake of the RTL can reach.

One frame is followed as formulas among frames whose numbers are unknown, which stand for all numbers. In each
state the source may offer a beat or not, and the sink may take one or not. The frame must leave in its turn,
with the formulas that it had alone; and while the sink takes what comes, it must leave after some clocks.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from edgeternary.errors import EdgeTernaryError
from edgeternary.prove.observe import Frame, Observed
from edgeternary.prove.terms import FALSE, TRUE, Word, X

if TYPE_CHECKING:
    from edgeternary.hdl.top import Design
    from edgeternary.prove.netlist import Module

MOST = 200_000  # states


@dataclass(frozen=True)
class State:
    """Where a design is before a clock.

    registers  the bits of all of them
    into, out  beats of the frame that is on its way in, and out
    ahead      frames that are to leave before the one that is followed
    followed   0: it is not there; 1: it is coming in; 2: it is in;  waiting: a beat is offered
    """

    registers: tuple[Word, ...]
    into: int = 0
    out: int = 0
    ahead: int = 0
    followed: int = 0
    waiting: bool = False


class Explorer:
    """All states of one design with one stream in and one out, and no memory that is written."""

    def __init__(self, design: Design, module: Module, observed: Observed, deadline: float) -> None:
        self.design, self.deadline = design, deadline
        self.frame = Frame(design, module, observed)
        self.machine = self.frame.machine
        self.answer = observed.answer[design.o.name]

    @staticmethod
    def why_not(design: Design, module: Module) -> str:
        """What keeps a design from being explored, "" for nothing."""
        if len(design.ins) > 1 or len(design.outs) > 1 or design.stateful:
            return "several streams, or states"
        if any(memory.writes for memory in module.memories):
            return "a memory that is written"
        return ""

    def run(self) -> int:
        """The number of states. EdgeTernaryError for a state in which something is wrong, TimeoutError where
        there are too many or time runs out."""
        self.frame.reset()
        first = State(self._registers())
        known, stack = {first}, [first]
        taking: dict[
            State, set[State]
        ] = {}  # of states with the frame, what follows while the sink takes beats
        while stack:
            state = stack.pop()
            if len(known) > MOST or time.monotonic() > self.deadline:
                raise TimeoutError(f"{len(known):,} states were reached")
            for offer in (True,) if state.waiting else (False, True):
                for ready in (False, True):
                    for after in self._after(state, offer, ready):
                        if state.followed == 2 and ready:
                            taking.setdefault(state, set()).add(after)
                        if after not in known:
                            known.add(after)
                            stack.append(after)
        self._leaves(taking)
        return len(known)

    def _registers(self) -> tuple[Word, ...]:
        return tuple(self.machine.read(r.q) for _, r in self.machine.registers)

    def _after(self, state: State, offer: bool, ready: bool) -> list[State]:
        """The states that can follow; with the frame that is followed and without where it may begin."""
        choices = [state]
        if offer and state.followed == 0 and state.into == 0 and not state.waiting:
            choices.append(replace(state, followed=1))
        found = []
        for chosen in choices:
            if (after := self._clock(chosen, offer, ready)) is not None:
                found.append(after)
        return found

    def _clock(self, state: State, offer: bool, ready: bool) -> State | None:
        """One clock; None where the frame has left."""
        frame, machine, name = self.frame, self.machine, self.design.i.name
        for (_, register), word in zip(machine.registers, state.registers, strict=True):
            machine.write(register.q, word)
        bits = len(frame.module.ports[f"{name}__payload"][1])
        frame.sent[name] = state.into
        frame.drive(f"{name}__valid", (TRUE if offer else FALSE,))
        frame.drive(f"{name}__payload", frame.beat(name) if offer and state.followed == 1 else (X,) * bits)
        frame.drive("o__ready", (TRUE if ready else FALSE,))
        machine.settle()
        taken = offer and frame.known(f"{name}__ready")
        there = frame.known("o__valid")
        into, out, ahead, followed = state.into, state.out, state.ahead, state.followed
        if there and followed == 2 and ahead == 0:
            nets = frame.module.ports["o__payload"][1]
            if machine.read(machine.seen(nets)) != self.answer[out]:
                raise EdgeTernaryError("an answer depends on pauses or on other frames", f"beat {out} of it")
        elif there and followed == 1 and ahead == 0:
            raise EdgeTernaryError("an answer leaves before its frame is in", f"beat {out} of it")
        if there and ready:
            out += 1
            if out == self.design.o.beats:
                out = 0
                if followed and ahead == 0:
                    return None
                ahead -= 1
        if taken:
            into += 1
            if into == self.design.i.beats:
                into = 0
                if followed == 0:
                    ahead += 1
                elif followed == 1:
                    followed = 2
        if ahead < 0:
            raise EdgeTernaryError("more answers leave than frames came in", "")
        machine.clock()
        return State(self._registers(), into, out, ahead, followed, offer and not taken)

    def _leaves(self, taking: dict[State, set[State]]) -> None:
        """EdgeTernaryError where a frame stays inside for ever although beats are taken."""
        done: set[State] = set()
        for start in taking:
            path, stack = set[State](), [(start, False)]
            while stack:
                state, end = stack.pop()
                if end:
                    path.discard(state)
                    done.add(state)
                    continue
                if state in path:
                    raise EdgeTernaryError("a frame never leaves", "although the sink takes every beat")
                if state in done:
                    continue
                path.add(state)
                stack.append((state, True))
                stack += [(after, False) for after in taking.get(state, ())]
