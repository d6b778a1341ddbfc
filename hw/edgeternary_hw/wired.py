"""A run of layers whose weights are wires: a circuit in stages, a whole beat every cycle.

Nothing is folded and nothing is stored, so an answer takes as many clocks as there are stages.
"""

from collections.abc import Sequence

from amaranth import Cat, Const, Module, Mux, Shape, Signal, Value

from .circuit import Circuit, Node
from .counters import ones_table
from .element import resize
from .stage import Streams
from .stages import Stages

__all__ = ["Wired"]

SHOWN = {"shown": 1}  # attribute of signals that keep their names in Verilog: proofs look for them


class Wired(Streams):
    """Layers whose weights are wires: all numbers of a beat at once, with registers between the stages.

    circuit  what is computed out of the payload
    outputs  (node, bits) that make the payload of the answer, the low bits first
    stages   where the registers are, see edgeternary_hw.stages

    The nodes in circuit.layers are signals called <layer>_<channel>, or <layer>_<channel>_<k> for a channel
    that several nodes make; register k of a node is called the same with _after<k>.
    """

    def __init__(
        self, circuit: Circuit, i_width: int, outputs: Sequence[tuple[int, int]], stages: Stages
    ) -> None:
        self.circuit, self.outputs, self.stages = circuit, list(outputs), stages
        super().__init__(i=i_width, o=sum(width for _, width in outputs))

    @property
    def roots(self) -> list[int]:
        """The nodes of the answer."""
        return [n for n, _ in self.outputs]

    @property
    def names(self) -> dict[str, int]:
        """The node of each name that layers give."""
        found = {}
        for layer, channels in self.circuit.layers.items():
            for k, channel in enumerate(channels):
                for place, (n, _) in enumerate(channel.terms):
                    found[f"{layer}_{k}_{place}" if len(channel.terms) > 1 else f"{layer}_{k}"] = n
        return found

    def elaborate(self, platform: object) -> Module:
        m = Module()
        circuit, of, last = self.circuit, self.stages.of, self.stages.count - 1
        move, valid = Signal(), self.i.valid
        m.d.comb += [move.eq(~self.o.valid | self.o.ready), self.i.ready.eq(move)]
        names: dict[int, list[str]] = {}
        for name, n in self.names.items():
            if n in of:
                names.setdefault(n, []).append(name)
        lengths = self.stages.registers(circuit, self.roots)
        rows: dict[int, list[Value]] = {}  # of each node, its value in its own stage and in those after it
        registers = []

        def value(n: int, stage: int) -> Value:
            return rows[n][stage - of[n] if len(rows[n]) > 1 else 0]

        for n, stage in of.items():
            node = circuit.nodes[n]
            expression = _expression(circuit, node, [value(a, stage) for a in node.args], self.i.payload)
            rows[n] = [expression]
            if node.kind == "const":
                continue
            name, *others = names.get(n, [f"n{n}"])
            shape = Shape(node.width, node.signed)
            if node.kind != "input" or n in names:
                now = Signal(shape, name=name, attrs=SHOWN if n in names else {})
                m.d.comb += now.eq(expression)
                rows[n] = [now]
            for other in others:  # the same number under each of its names
                alias = Signal(shape, name=other, attrs=SHOWN)
                m.d.comb += alias.eq(rows[n][0])
            for k in range(1, lengths.get(n, 0) + 1):
                held = Signal(shape, name=f"{name}_after{k}", reset_less=True)
                registers.append(held.eq(rows[n][-1]))
                rows[n].append(held)
        code = Cat(*(resize(value(n, last), width) for n, width in self.outputs))
        valids = [Signal(name=f"valid{k}") for k in range(last)]
        with m.If(move):
            m.d.sync += registers
            for there in valids:
                m.d.sync += there.eq(valid)
                valid = there
            m.d.sync += [self.o.valid.eq(valid), self.o.payload.eq(code)]
        return m


def _expression(circuit: Circuit, node: Node, args: list[Value], payload: Value) -> Value:
    if node.kind == "const":
        return Const(node.lo, Shape(node.width, node.signed))
    if node.kind == "input":
        first, width, signed = node.data
        code = payload[first : first + width]
        return code.as_signed() if signed else code
    if node.kind == "word":
        return Cat(*args)
    if node.kind == "add":
        return _sum(node, args)
    if node.kind == "ge":
        return _at_least(args[0] << node.data[0], args[1] << node.data[1], circuit.fabric)
    if node.kind == "count":
        return _count(args)
    if node.kind == "tally":
        return _tally(node, args[0], args[1:])
    if node.kind == "select":
        return _either(node, *args)
    if node.kind == "bit":
        return args[0][node.data[0]]
    if node.kind == "shift":
        return args[0] >> node.data[0]
    if node.kind == "clamp":
        low, high = node.data
        return Mux(args[0] < low, low, Mux(args[0] > high, high, args[0]))
    return _table(args, node.data[0])


def _sum(node: Node, args: list[Value]) -> Value:
    """A carry, or none, comes in on a bit below the others. That bit also keeps synthesis from merging this
    sum into the one that reads it: a tree of carry chains takes fewer LUTs than full adders made of them."""
    sa, sb, minus = node.data
    if not (sa or sb or minus) and all(len(a) == 1 and not a.shape().signed for a in args):
        return _full(*args)
    carry = args[2] if len(args) == 3 else Const(0, 1)
    a, b = _below(args[0] << sa, Const(0, 1) if minus else carry), _below(args[1] << sb, carry)
    return (a - b if minus else a + b) >> 1


def _tally(node: Node, number: Value, bits: list[Value]) -> Value:
    """number + b = number - ~b - 1, where the bit below the others takes away the 1 and brings in the last
    bit as a carry. Of a difference, synthesis puts the first operand on the carry chain's own pins, so that
    the tables that make b merge into the LUTs of the chain; of a sum it puts there what is narrower."""
    *others, carry = bits
    size = len(others)
    b = [_table(others, ones_table(size, k)) if size > 1 else others[0] for k in range(size.bit_length())]
    taken = Cat(~carry, *(~bit for bit in b), *[Const(1, 1)] * (node.width - len(b)))
    return (_below(number, carry) - taken)[1 : node.width + 1]


def _at_least(a: Value, b: Value, fabric: str) -> Value:
    """a >= b. On ECP5 the sign of the difference: yosys takes the carry itself, which leaves its chain in
    the middle where numbers have an odd number of bits."""
    return (a - b)[-1] == 0 if fabric == "ecp5" else a >= b


def _either(node: Node, bit: Value, a: Value, b: Value) -> Value:
    """a where the bit is set, else b. Bits above an unsigned number are gates: of multiplexers with a
    constant synthesis makes synchronous resets, whose wires are slow."""
    low, high = (node.width if x.shape().signed else len(x) for x in (a, b))
    if low == high:
        return Mux(bit, a, b)
    if low > high:
        a, b, bit = b, a, ~bit
    b = Cat(b, b[-1].replicate(node.width - len(b)))
    return Cat(Mux(bit, a, b[: len(a)]), b[len(a) :] & ~bit.replicate(len(b) - len(a)))


def _full(a: Value, b: Value, c: Value | None = None) -> Value:
    """A full or a half adder: two LUTs."""
    if c is None:
        return Cat(a ^ b, a & b)
    return Cat(a ^ b ^ c, (a & b) | (a & c) | (b & c))


def _below(number: Value, bit: Value) -> Value:
    longer = Cat(bit, number)
    return longer.as_signed() if number.shape().signed else longer


def _count(bits: list[Value]) -> Value:
    """A balanced tree of adders."""
    level = list(bits)
    while len(level) > 1:
        pairs = [a + b for a, b in zip(level[::2], level[1::2], strict=False)]
        level = [*pairs, *level[len(level) - len(level) % 2 :]]
    return level[0]


def _table(bits: list[Value], table: int) -> Value:
    if len(bits) == 1:
        return ~bits[0]  # the only table of one bit that is not a wire
    return Const(table, 1 << len(bits)).bit_select(Cat(*bits), 1)
