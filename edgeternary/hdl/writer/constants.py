"""Comparisons that are always true or never, such as that of a row with 0, become constants; a choice by a
constant becomes what it chooses."""

import operator
from collections.abc import Callable

from edgeternary.hdl.writer.netlist import Assign, Body, Case, Cell, Module, Piece, Spec, Switch, cut, width

TESTS = {
    "$eq": operator.eq, "$ne": operator.ne, "$lt": operator.lt, "$le": operator.le, "$gt": operator.gt,
    "$ge": operator.ge,
}  # fmt: skip
OPPOSITE = {"$lt": "$gt", "$gt": "$lt", "$le": "$ge", "$ge": "$le"}


def folded(module: Module) -> Module:
    """The module, changed in place: whoever read such a result reads the constant."""
    found = {}
    for cell in module.cells:
        if (bit := _outcome(cell)) is not None:
            found[cell.ports["Y"][0].wire] = bit
    muxes = [cell for cell in module.cells if cell.kind == "$mux" and not cell.ports["S"][0].wire]
    for cell in muxes:
        chosen = cell.ports["B" if cell.ports["S"][0].bits == "1" else "A"]
        module.connects.append(Assign(cell.ports["Y"], chosen))
        module.cells.remove(cell)
    for cell in [cell for cell in module.cells if cell.kind == "$mul" and _power(cell.ports["B"])]:
        a, y = cell.ports["A"], cell.ports["Y"]
        zeros = Piece("", 0, shift := _power(cell.ports["B"]), "0" * shift)
        more = width(y) - width(a) - shift
        padded = (zeros, *a, *([Piece("", 0, more, "0" * more)] if more > 0 else []))
        module.connects.append(Assign(y, cut(padded, width(y))))
        module.cells.remove(cell)
    if not found:
        return module

    def put(spec: Spec) -> Spec:
        if not any(piece.wire in found for piece in spec):
            return spec
        return tuple(Piece("", 0, 1, found[p.wire]) if p.wire in found else p for p in spec)

    module.cells = [cell for cell in module.cells if _outcome(cell) is None]
    for cell in module.cells:
        cell.ports = {port: put(spec) for port, spec in cell.ports.items()}
    module.processes = [_body(body, put) for body in module.processes]
    module.connects = [Assign(connect.left, put(connect.right)) for connect in module.connects]
    return module


def _outcome(cell: Cell) -> str | None:
    """The bit that a comparison always gives."""
    if cell.kind not in TESTS:
        return None
    kind, a, b = cell.kind, cell.ports["A"], cell.ports["B"]
    signed = cell.parameters["A_SIGNED"].endswith("1")
    if not _wires(a) and not _wires(b):
        return str(int(TESTS[kind](_value(a, signed), _value(b, signed))))
    if signed or kind not in OPPOSITE:
        return None
    if not _wires(a):
        kind, a, b = OPPOSITE[kind], b, a
    if _wires(b):
        return None
    value = _value(b, False)
    if value == 0 and kind in ("$ge", "$lt"):
        return "1" if kind == "$ge" else "0"
    if value >= (1 << width(a)) - 1 and kind in ("$le", "$gt"):
        return "1" if kind == "$le" else "0"
    return None


def _power(spec: Spec) -> int:
    """n of a constant that is 2^n with n > 0; 0 of any other signal."""
    value = 0 if _wires(spec) else _value(spec, False)
    return value.bit_length() - 1 if value > 1 and value & (value - 1) == 0 else 0


def _wires(spec: Spec) -> bool:
    return any(piece.wire for piece in spec)


def _bits(spec: Spec) -> str:
    return "".join(piece.bits for piece in reversed(spec))


def _value(spec: Spec, signed: bool) -> int:
    bits = _bits(spec) or "0"
    return int(bits, 2) - (int(bits[0]) << len(bits) if signed else 0)


def _body(body: Body, put: Callable[[Spec], Spec]) -> Body:
    """A process in which constants are put; a switch over one is the case that it names."""
    found: Body = []
    for item in body:
        if isinstance(item, Assign):
            found.append(Assign(item.left, put(item.right)))
            continue
        cases = [Case(case.patterns, _body(case.body, put)) for case in item.cases]
        switch = Switch(put(item.selector), cases)
        if not switch.selector or _wires(switch.selector):
            found.append(switch)
            continue
        bits = _bits(switch.selector)
        fits = (c for c in cases if not c.patterns or any(_fits(p, bits) for p in c.patterns))
        found += next(fits, Case([])).body
    return found


def _fits(pattern: str, bits: str) -> bool:
    return all(p in ("-", bit) for p, bit in zip(pattern, bits, strict=True))
