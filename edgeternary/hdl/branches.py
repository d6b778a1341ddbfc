"""How much the branches of a fork have to hold, so that none of them ever waits for another one for good.

A layer that is LATE (hdl.part.Answers) answers later than element by element, within the frame. Where
branches meet again, one that has such a layer is late, and the others keep what comes in until then: a frame,
since what any reader needs for its next answer lies in the frame that the slowest one is in.
"""

from collections.abc import Sequence

from edgeternary.hdl.part import Answers
from edgeternary.hdl.parts import layers
from edgeternary.hdl.states import kept, reached
from edgeternary.ir import Graph

STAGES = 8  # registers that one branch may have more than another one between a fork and where they meet
SMALL = 32  # beats of a FIFO that makes up for those


def capacities(graph: Graph, readers: Sequence[tuple[str, int]], beats: int, cycles: int) -> list[int]:
    """Beats of the FIFO in front of each reader, see hdl.top; 0: none.

    cycles  from one frame to the next, or fewer. With more than the design takes a FIFO could be missing, and
            the branches would be slower than `Design.cycles` says

    Only layers before the branches have met count: those that all readers lead to come after that. The only
    branch with such a layer needs no FIFO, nor does one that writes a state which it was made of: a state has
    room for a frame of its own, and the next one cannot come before it is read. Where no branch has one, all
    answer element by element, and a short FIFO keeps the pace where `beats` a frame come that fast. Layers
    that are IN_TURN take some channels before others: in front of one all layers count. With several inputs
    or outputs every branch keeps a frame.
    """
    leads = [reached(graph, name) if name else frozenset[str]() for name, _ in readers]
    common = frozenset.intersection(*leads)
    short = 0 if beats * STAGES <= cycles else min(beats, SMALL)

    def among(names: frozenset[str], when: Answers) -> bool:
        return any(layers()[graph.op(name).kind].answers is when for name in names)

    if among(frozenset().union(*leads), Answers.IN_TURN):
        common, short = frozenset(), beats
    holds = [among(names - common, Answers.LATE) for names in leads]
    needed = beats if any(holds) else short
    alone = sum(holds) == 1
    states = kept(graph)
    if graph.several:  # who reads one output late, or sends one input late, stops nobody within a frame
        holds, alone, needed = [True] * len(leads), False, beats
    circles = [state.next in reached(graph, state.value.name) for state in states]
    writes = [not name and k > 0 and circles[k - 1] for name, k in readers]
    return [0 if w or (held and alone) else needed for held, w in zip(holds, writes, strict=True)]
