"""argmax of numbers that come all at once."""

from edgeternary.hdl.part import WiredLayer
from edgeternary.ir import Value
from edgeternary.ops import Argmax
from edgeternary_hw import Circuit, Number


class WiredArgmaxLayer(WiredLayer[Argmax]):
    kind = "argmax"

    def nodes(self, circuit: Circuit, op: Argmax, x: list[Number], y: Value) -> list[Number]:
        """A tournament: of two the right one wins only where it is larger."""
        rivals = [(circuit.node(number), circuit.const(k)) for k, number in enumerate(x)]
        while len(rivals) > 1:
            left = []
            for (a, i), (b, j) in zip(rivals[::2], rivals[1::2], strict=False):
                first = circuit.ge(a, b)
                left.append((circuit.select(first, a, b), circuit.select(first, i, j)))
            rivals = left + rivals[len(rivals) - len(rivals) % 2 :]
        return [Number(((rivals[0][1], 1),))]
