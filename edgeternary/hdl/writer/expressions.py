"""Signals and operators as text."""

from edgeternary.hdl.writer.live import Live
from edgeternary.hdl.writer.names import Names
from edgeternary.hdl.writer.netlist import Cell, Piece, Spec, width
from edgeternary.hdl.writer.operators import (
    ARITHMETIC,
    BITWISE,
    COMPARISONS,
    REDUCTIONS,
    SHIFTS,
    WORDS,
    Operand,
    operands,
)

LONGEST = 100  # characters of an operator that is written where it is read
DECIMAL = 16  # bits: longer constants are hexadecimal


class Expressions:
    """The texts of a module; `made`: nameless results that became wires, since they were too long."""

    def __init__(self, live: Live, names: Names) -> None:
        self.live, self.names = live, names
        self.made: list[tuple[str, int, str]] = []
        self.loops = False  # whether a loop counts k

    def name(self, wire: str) -> str:
        if wire not in self.names.wires:  # nameless
            item = self.live.driver.get(wire)
            word = WORDS.get(item.kind, "wire_") if isinstance(item, Cell) else "next"
            self.names.wires[wire] = self.names.new(word)
        return self.names.wires[wire]

    def spec(self, spec: Spec, *, inside: bool = False) -> str:
        """A signal. inside: it becomes an operand of an operator."""
        return _concatenated(self._texts(spec, inside and len(spec) == 1))

    def operand(self, operand: Operand, *, inside: bool = True) -> str:
        """A signal as wide as it has to be."""
        spec, more = operand.spec, operand.width - width(operand.spec)
        if more <= 0:
            return self.spec(spec, inside=inside)
        if not operand.signed or not spec or not spec[-1].wire:
            bit = spec[-1].bits[0] if operand.signed and spec else "0"
            if spec and not spec[-1].wire:
                *rest, last = spec
                return self.spec((*rest, Piece("", 0, last.width + more, bit * more + last.bits)))
            return self.spec((*spec, Piece("", 0, more, bit * more)))
        sign = Piece(spec[-1].wire, spec[-1].low + spec[-1].width - 1, 1)
        return self.spec((*spec, *[sign] * more))

    def operator(self, cell: Cell, top: int) -> str:
        """An operator for the lowest `top` bits of its result."""
        a, *others = operands(cell, top)
        kind = cell.kind
        signed = a.signed and kind in (*COMPARISONS, "$sshr", "$shift")
        if kind in ("$not", "$neg"):
            return f"{'~' if kind == '$not' else '-'}{self.operand(a)}"
        if kind in REDUCTIONS:
            return f"{REDUCTIONS[kind]}{self.operand(a)}"
        if kind == "$mux":
            return f"{self.operand(a)} ? {self.operand(others[0])} : {self.operand(others[1])}"
        (b,) = others
        if kind in COMPARISONS:
            size = max(a.width, b.width)
            texts = [self.operand(Operand(x.spec, size, x.signed)) for x in (a, b)]
            if signed and kind not in ("$eq", "$ne"):
                texts = [f"$signed({text})" for text in texts]
            return f"{texts[0]} {COMPARISONS[kind]} {texts[1]}"
        if kind in SHIFTS:
            if not b.spec:
                return self.operand(a)
            symbol = "<<" if kind == "$shl" else ">>>" if signed else ">>"
            left = f"$signed({self.operand(a, inside=False)})" if signed else self.operand(a)
            return f"{left} {symbol} {self.operand(b)}"
        for one, other in ((a, b), (b, a)):
            if _neutral(kind, one):
                return self.operand(other, inside=False)
        return f"{self.operand(a)} {(ARITHMETIC | BITWISE)[kind]} {self.operand(b)}"

    def _texts(self, spec: Spec, inside: bool) -> list[str]:
        """Of each piece, the highest first; equal bits side by side as one."""
        runs: list[tuple[str, int]] = []
        for piece in reversed(spec):
            text = self._piece(piece, inside)
            if runs and piece.width == 1 and runs[-1][0] == text:
                runs[-1] = (text, runs[-1][1] + 1)
            else:
                runs.append((text, 1))
        return [text if count == 1 else f"{{{count}{{{text}}}}}" for text, count in runs]

    def _piece(self, piece: Piece, inside: bool) -> str:
        if not piece.wire:
            return constant(piece.bits)
        if self.live.inlined(piece.wire):
            cell = self.live.driver[piece.wire]
            assert isinstance(cell, Cell)
            text = self.operator(cell, self.live.top(piece.wire))
            if len(text) <= LONGEST:
                return f"({text})" if inside else text
            self.made.append((self.name(piece.wire), self.live.declared[piece.wire], text))
            return self.name(piece.wire)
        size, name = self.live.declared[piece.wire], self.name(piece.wire)
        if piece.width == size:
            return name
        high = piece.low + piece.width - 1
        return f"{name}[{high}]" if piece.width == 1 else f"{name}[{high}:{piece.low}]"


def _neutral(kind: str, operand: Operand) -> bool:
    """Whether an operand of "and" or "or" changes nothing."""
    bits = "".join(piece.bits for piece in operand.spec)
    constant = len(bits) == operand.width and not any(piece.wire for piece in operand.spec)
    return constant and set(bits) == {{"$and": "1", "$or": "0"}.get(kind, "")}


def _concatenated(texts: list[str]) -> str:
    return texts[0] if len(texts) == 1 else f"{{{', '.join(texts)}}}"


def constant(bits: str) -> str:
    """A constant of its width: decimal, or hexadecimal where it is long."""
    size = len(bits)
    if size == 1:
        return f"1'b{bits}"
    if "x" in bits:
        return f"{size}'b{bits}"
    value = int(bits, 2)
    return f"{size}'d{value}" if size <= DECIMAL else f"{size}'h{value:x}"
