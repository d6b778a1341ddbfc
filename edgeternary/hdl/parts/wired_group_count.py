"""group_count: bits of each group counted at once."""

from itertools import pairwise

from edgeternary.hdl.part import WiredLayer
from edgeternary.hdl.parts.tables import set_bits
from edgeternary.ir import Value
from edgeternary.ops import GroupCount
from edgeternary_hw import Circuit, Number


class WiredGroupCountLayer(WiredLayer[GroupCount]):
    kind = "group_count"

    def nodes(self, circuit: Circuit, op: GroupCount, x: list[Number], y: Value) -> list[Number]:
        bits = set_bits(circuit, x)
        found = []
        for (first, last), bias in zip(pairwise([0, *op.ends.tolist()]), op.bias.tolist(), strict=True):
            group = [b for b in bits[first:last] if circuit.nodes[b].kind != "const"]
            always = sum(circuit.nodes[b].lo for b in bits[first:last] if circuit.nodes[b].kind == "const")
            found.append(Number(((circuit.count(group), 1),) if group else (), bias + always))
        return found
