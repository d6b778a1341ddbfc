"""The ways to multiply that `words` describes, as records that kernels of dense and conv2d share."""

from collections.abc import Callable
from dataclasses import dataclass

from edgeternary.c.products import thumb1, words
from edgeternary.c.tables import Table
from edgeternary.c.weights import Codes
from edgeternary.cores import Core
from edgeternary.ir import Type, Value
from edgeternary.ops import Conv2d, Dense

SUM_BYTES = 4


@dataclass(frozen=True)
class Costs:
    """Cycles, from counts of layers.

    term   of a register of sums and an input: its share of the load, the product, the addition
    group  for an input of a block: to load it, its share of the loop
    apart  of a register of sums at the end of a run, and call: of the run besides
    sum    of an input, where weights have an excess
    """

    term: float
    group: float
    apart: float
    call: float
    sum: float = 0


@dataclass(frozen=True)
class Way:
    """One of them.

    name     of the way
    excess   what is added to weights
    bits     of the widest weights
    lanes    outputs of a register of sums
    bytes    of a register's weights for one input
    shapes   registers of sums that a block may have
    table    weights (out, in) for blocks of n registers
    routine  assembly for n registers, inputs of a type, and cores with Thumb-2 or not
    costs    by core; the others have faster kernels
    """

    name: str
    excess: int
    bits: int
    lanes: int
    bytes: int
    shapes: tuple[int, ...]
    table: Callable[[Codes, int], Table]
    routine: Callable[[int, Type, bool], list[str]]
    costs: dict[str, Costs]

    def runs(self, op: Dense | Conv2d, x: Value) -> words.Run | None:
        """How many inputs are taken at once; None where lanes are too short for any."""
        codes = op.weights.reshape(len(op.bias), -1)
        if self.lanes == 1:
            return words.Run(codes.shape[1], 1)
        return words.run(codes, self.excess, x)

    def serves(self, core: Core) -> bool:
        """Whether the core has no faster kernels."""
        return core.name in self.costs

    def best(self, core: Core, op: Dense | Conv2d, run: words.Run) -> tuple[int, float]:
        """Registers of a block, and cycles of one vector of inputs."""
        costs, inputs = self.costs[core.name], op.weights[0].size
        found = []
        for registers in self.shapes:
            terms = inputs * (costs.group + costs.term * registers)
            ends = run.count * (costs.call + costs.apart * registers)
            blocks = self.padded(op, registers) // (registers * self.lanes)
            found.append((blocks * (terms + ends) + inputs * costs.sum, registers))
        cycles, registers = min(found)
        return registers, cycles

    def padded(self, op: Dense | Conv2d, registers: int) -> int:
        """Outputs, those that fill the last block included."""
        block = registers * self.lanes
        return -(-len(op.bias) // block) * block

    def flash(self, op: Dense | Conv2d, registers: int) -> int:
        """Bytes of the weights."""
        return self.bytes * self.padded(op, registers) // self.lanes * op.weights[0].size


WORDS = Way(
    "words", 0, 8, words.LANES, 4, (1, 2, 3, 4, 5, 6), words.words, thumb1.words,
    {
        "host": Costs(1.5, 1, 4, 10), "cortex-m0plus": Costs(3.4, 4.6, 13, 75),
        "cortex-m3": Costs(3.5, 4, 12, 30),
    },
)  # fmt: skip
NIBBLES = Way(
    "nibbles", words.NIBBLES, 4, words.LANES, 1, (4, 8), words.nibbles, thumb1.nibbles,
    {
        "host": Costs(2, 1, 4, 10, 1), "cortex-m0plus": Costs(4.35, 6.6, 13, 75, 5),
        "cortex-m3": Costs(4, 4, 12, 30, 4),
    },
)  # fmt: skip
OCTETS = Way(
    "octets", words.BYTES, 8, 1, 1, (4, 5, 6, 7, 8, 9, 10), words.octets, thumb1.octets,
    {"host": Costs(1, 1, 1, 10, 1), "cortex-m0plus": Costs(4, 5.7, 3, 80, 5)},
)  # fmt: skip
