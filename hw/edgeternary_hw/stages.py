"""The pipeline of a circuit: the stage in which each node is computed, registers between stages."""

from collections.abc import Sequence
from dataclasses import dataclass

from .circuit import Circuit
from .fabric import Fabric

__all__ = ["Stages", "staged"]

SOURCES = ("input", "const")


@dataclass(frozen=True, eq=False)
class Stages:
    """of: by node, its stage, 0 the first one; count: stages, each of which a register ends.

    slowest  ns of the slowest stage
    """

    of: dict[int, int]
    count: int
    slowest: float

    def registers(self, circuit: Circuit, roots: Sequence[int]) -> dict[int, int]:
        """By node, the registers in a row that keep it for later stages; those of the output not counted."""
        found: dict[int, int] = {}
        for n, stage in self.of.items():
            for a in circuit.nodes[n].args:
                if circuit.nodes[a].kind != "const":
                    found[a] = max(found.get(a, 0), stage - self.of[a])
        for n in roots:
            if circuit.nodes[n].kind != "const":
                found[n] = max(found.get(n, 0), self.count - 1 - self.of[n])
        return {n: k for n, k in found.items() if k}

    def flip_flops(self, circuit: Circuit, roots: Sequence[int]) -> int:
        """Flip-flops of all registers, those of the output and the valid bits included."""
        held = sum(circuit.nodes[n].width * k for n, k in self.registers(circuit, roots).items())
        return held + sum(circuit.nodes[n].width for n in roots) + self.count


def staged(
    circuit: Circuit, roots: Sequence[int], fabric: Fabric, *, count: int = 0, limit: float = 0.0
) -> Stages:
    """Stages for what the roots depend on: `count` of them, as equal as can be; or as few as keep each one
    within `limit` ns (a node that takes longer has a stage of its own), see Fabric.even. Neither: one."""
    delays = fabric.delays(circuit, circuit.live(roots))
    longest = sum(delays.values()) + 1.0
    if limit:
        first = _within(circuit, roots, delays, max(limit - fabric.start, 1e-6), count)
        if not fabric.even:
            return first
        count = first.count
    if count <= 1:
        return _within(circuit, roots, delays, longest, 1)
    low, high = 0.0, _within(circuit, roots, delays, longest, 1).slowest
    while high - low > 0.02:
        middle = (low + high) / 2
        low, high = (low, middle) if _used(circuit, delays, middle) <= count else (middle, high)
    return _within(circuit, roots, delays, high, count)


def _used(circuit: Circuit, delays: dict[int, float], limit: float) -> int:
    return max((stage for stage, _ in _soonest(circuit, delays, limit).values()), default=0) + 1


def _soonest(circuit: Circuit, delays: dict[int, float], limit: float) -> dict[int, tuple[int, float]]:
    """(stage, ns within it) of each node, as early as can be."""
    found: dict[int, tuple[int, float]] = {}
    for n, delay in delays.items():
        stage, time = max((found[a] for a in circuit.nodes[n].args), default=(0, 0.0))
        if time + delay > limit + 1e-9 and time > 0:
            stage, time = stage + 1, 0.0
        found[n] = (stage, time + delay)
    return found


def _within(
    circuit: Circuit, roots: Sequence[int], delays: dict[int, float], limit: float, count: int
) -> Stages:
    """Nodes as early as can be, then later where that takes fewer flip-flops."""
    soonest = _soonest(circuit, delays, limit)
    stages = max(count, max((stage for stage, _ in soonest.values()), default=0) + 1)
    of = {n: stage for n, (stage, _) in soonest.items()}
    slowest = max((time for _, time in soonest.values()), default=0.0)
    return Stages(of, stages, slowest)
