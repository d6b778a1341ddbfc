"""threshold whose comparators have constants."""

from edgeternary.hdl.part import WiredLayer
from edgeternary.ir import Value
from edgeternary.ops import Threshold
from edgeternary_hw import Circuit, Number

PINS = 4  # of a table that adds up comparisons


class WiredThresholdLayer(WiredLayer[Threshold]):
    kind = "threshold"

    def nodes(self, circuit: Circuit, op: Threshold, x: list[Number], y: Value) -> list[Number]:
        channels = len(op.base)
        t, base, step = op.t.tolist(), op.base.tolist(), op.step.tolist()
        return [_steps(circuit, number, t[k % channels], base[k % channels], step[k % channels])
                for k, number in enumerate(x)]  # fmt: skip


def _steps(circuit: Circuit, x: Number, limits: list[int], base: int, step: int) -> Number:
    """base + step * (limits that x reaches)."""
    reached = [circuit.reached(x, t) for t in limits] if step else []
    always = sum(circuit.nodes[b].kind == "const" and circuit.nodes[b].lo for b in reached)
    bits = [b for b in reached if circuit.nodes[b].kind != "const"]
    if not bits:
        return Number((), base + step * always)
    return Number(((ordered(circuit, bits), step),), base + step * always)


def ordered(circuit: Circuit, bits: list[int]) -> int:
    """How many of some bits are set, where each is set only if the one before is: bit k of the count is odd
    parity of every 2^k-th of them."""
    size = len(bits).bit_length()
    parities = [_parity(circuit, bits[(1 << k) - 1 :: 1 << k]) for k in range(size)]
    return circuit.word(parities, hi=len(bits))


def _parity(circuit: Circuit, bits: list[int]) -> int:
    while len(bits) > 1:
        rows = range(1 << min(len(bits), PINS))
        odd = sum((row.bit_count() & 1) << row for row in rows)
        bits = [*bits[PINS:], circuit.table(bits[:PINS], odd)]
    return bits[0]
