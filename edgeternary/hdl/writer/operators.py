"""What operators of RTLIL read, and how wide they are in Verilog.

In Verilog every operand is as wide as the operator, so that no context widens anything and linters have
nothing to warn of. Of a sum whose highest bits nobody reads only the others are made.
"""

from dataclasses import dataclass

from edgeternary.hdl.writer.netlist import Cell, Spec, cut, width

ARITHMETIC = {"$add": "+", "$sub": "-", "$mul": "*"}
BITWISE = {"$and": "&", "$or": "|", "$xor": "^"}
COMPARISONS = {"$eq": "==", "$ne": "!=", "$lt": "<", "$le": "<=", "$gt": ">", "$ge": ">="}
REDUCTIONS = {"$reduce_bool": "|", "$reduce_or": "|", "$reduce_and": "&", "$reduce_xor": "^"}
SHIFTS = ("$shl", "$shr", "$sshr", "$shift")
OPERATORS = {*ARITHMETIC, *BITWISE, *COMPARISONS, *REDUCTIONS, *SHIFTS, "$not", "$neg", "$mux"}
# what a wire without a name of its own is called
WORDS = {
    "$add": "sum", "$sub": "difference", "$mul": "product", "$and": "both", "$or": "either", "$xor": "odd",
    "$eq": "equal", "$ne": "unequal", "$lt": "below", "$le": "at_most", "$gt": "above", "$ge": "at_least",
    "$not": "inverse", "$neg": "negative", "$mux": "choice", "$memrd_v2": "word", "$dff": "register",
    **dict.fromkeys(REDUCTIONS, "reduced"), **dict.fromkeys(SHIFTS, "shifted"),
}  # fmt: skip


@dataclass(frozen=True)
class Operand:
    """A signal as `width` bits: with zeros, or with copies of its sign bit above it."""

    spec: Spec
    width: int
    signed: bool = False

    @property
    def copies(self) -> int:
        """Of the sign bit."""
        return self.width - width(self.spec) if self.signed else 0


def made(cell: Cell, top: int) -> int:
    """Bits of the wire that an operator drives, of which `top` are read."""
    if cell.kind in ("$shr", "$sshr", "$shift"):
        return max(top, width(cell.ports["A"]))
    return 1 if cell.kind in {**COMPARISONS, **REDUCTIONS} else top


def operands(cell: Cell, top: int) -> list[Operand]:
    """What the operator reads for its lowest `top` bits, in the order of Verilog."""
    ports, size = cell.ports, made(cell, top)

    def operand(port: str, bits: int) -> Operand:
        signed = cell.parameters.get(f"{port}_SIGNED", "0").endswith("1")
        return Operand(cut(ports[port], bits), bits, signed)

    def whole(port: str) -> Operand:
        return Operand(ports[port], width(ports[port]))

    if cell.kind in COMPARISONS:
        size = max(width(ports["A"]), width(ports["B"]))
    if cell.kind in REDUCTIONS:
        return [whole("A")]
    if cell.kind in SHIFTS:
        return [operand("A", size), whole("B")]
    if cell.kind == "$mux":
        return [whole("S"), operand("B", size), operand("A", size)]
    if cell.kind in ("$not", "$neg"):
        return [operand("A", size)]
    return [operand("A", size), operand("B", size)]
