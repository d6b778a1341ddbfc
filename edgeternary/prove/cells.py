"""What yosys's cells do to exact bits: one function for each type of cell, from its words to its answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce

from edgeternary.errors import EdgeTernaryError
from edgeternary.prove.terms import FALSE, TRUE, Terms, Word, X, added

Inputs = Mapping[str, Word]
Parameters = Mapping[str, int]
Rule = Callable[[Terms, Inputs, Parameters], Word]
MOST_PINS = 8  # of a shift of constants that is taken as a table
MOST_CHOICES = 1 << 10  # words among which an unknown address may choose


def extended(bits: Word, width: int, signed: bool) -> Word:
    """The word with `width` bits."""
    return (*bits, *(bits[-1] if signed and bits else FALSE for _ in range(width - len(bits))))[:width]


def _operands(i: Inputs, p: Parameters, width: int) -> tuple[Word, Word]:
    both = bool(p["A_SIGNED"] and p.get("B_SIGNED", 1))
    return extended(i["A"], width, both), extended(i.get("B", ()), width, both)


def _bitwise(gate: Callable[[Terms, int, int], int]) -> Rule:
    def rule(t: Terms, i: Inputs, p: Parameters) -> Word:
        return tuple(gate(t, a, b) for a, b in zip(*_operands(i, p, p["Y_WIDTH"]), strict=True))

    return rule


def _not(t: Terms, i: Inputs, p: Parameters) -> Word:
    return tuple(map(t.invert, extended(i["A"], p["Y_WIDTH"], bool(p["A_SIGNED"]))))


def _same(t: Terms, i: Inputs, p: Parameters) -> Word:
    return extended(i["A"], p["Y_WIDTH"], bool(p["A_SIGNED"]))


def _wide(bit: int, p: Parameters) -> Word:
    return (bit, *(FALSE,) * (p["Y_WIDTH"] - 1))


def _any(t: Terms, word: Word) -> int:
    return t.invert(t.all_of(map(t.invert, word)))


def _sum(*signs: int) -> Rule:
    """A (and B) with these signs, modulo 2^Y_WIDTH."""

    def rule(t: Terms, i: Inputs, p: Parameters) -> Word:
        width = p["Y_WIDTH"]
        words = _operands(i, p, width)[: len(signs)]
        return total(t, list(zip(signs, words, strict=True)), width)

    return rule


def total(t: Terms, terms: list[tuple[int, Word]], width: int, offset: int = 0) -> Word:
    """offset + the sum of factor * word, modulo 2^width; the words have that width."""
    forms = [(factor, t.modulo(word)) for factor, word in terms]
    if any(form is None for _, form in forms):
        return (X,) * width
    return t.word(added(((f, form) for f, form in forms if form is not None), offset), width)


def _order(swap: bool, turned: bool) -> Rule:
    """A < B, or what follows from it by swapping the operands and the answer."""

    def rule(t: Terms, i: Inputs, p: Parameters) -> Word:
        width = max(len(i["A"]), len(i["B"]))
        signed = bool(p["A_SIGNED"] and p["B_SIGNED"])
        a, b = (t.number(word, signed) for word in _operands(i, p, width))
        if a is None or b is None:
            return _wide(X, p)
        if swap:
            a, b = b, a
        return _wide(t.below(added([(1, a), (-1, b)])) ^ turned, p)

    return rule


def _equal(turned: bool) -> Rule:
    def rule(t: Terms, i: Inputs, p: Parameters) -> Word:
        width = max(len(i["A"]), len(i["B"]))
        pairs = zip(*_operands(i, p, width), strict=True)
        same = t.all_of(t.invert(t.differ(a, b)) for a, b in pairs)
        return _wide(t.invert(same) if turned else same, p)

    return rule


def chosen(t: Terms, address: Word, words: list[Word]) -> Word:
    """words[address]; an address that is out of range gives unknown bits."""
    width = len(words[0])
    known = sum(1 << k for k, bit in enumerate(address) if bit == TRUE)
    if all(bit in (FALSE, TRUE) for bit in address):
        return words[known] if known < len(words) else (X,) * width
    if len(words) > MOST_CHOICES or min(address) < 0:
        return (X,) * width
    found = words + [(X,) * width] * ((1 << len(address)) - len(words))
    for bit in address:
        found = [
            tuple(map(t.choose, (bit,) * width, a, b)) for a, b in zip(found[::2], found[1::2], strict=True)
        ]
    return found[0]


def _mux(t: Terms, i: Inputs, p: Parameters) -> Word:
    return tuple(t.choose(i["S"][0], a, b) for a, b in zip(i["A"], i["B"], strict=True))


def _pmux(t: Terms, i: Inputs, p: Parameters) -> Word:
    found, width = i["A"], len(i["A"])
    for k, s in enumerate(i["S"]):
        found = tuple(map(t.choose, (s,) * width, found, i["B"][k * width : (k + 1) * width]))
    return found


def _bmux(t: Terms, i: Inputs, p: Parameters) -> Word:
    width = p["WIDTH"]
    return chosen(t, i["S"], [i["A"][k : k + width] for k in range(0, len(i["A"]), width)])


def _shift(left: bool) -> Rule:
    def rule(t: Terms, i: Inputs, p: Parameters) -> Word:
        width = p["Y_WIDTH"]
        signed = bool(p["A_SIGNED"])
        if not left and not signed and not p["B_SIGNED"] and min(i["B"]) >= 0:
            if max(i["A"]) < 2 and min(i["A"]) >= 0 and len(i["B"]) <= MOST_PINS and max(i["B"]) > 1:
                rows = extended(i["A"], 1 << len(i["B"]), False)
                return (t.table(i["B"], rows), *(X,) * (width - 1))  # no more than this bit is ever read
        size = max(width, len(i["A"]))
        word = extended(i["A"], size, signed)
        by_sign = bool(p["B_SIGNED"]) and p["_shift"]
        for k, s in enumerate(i["B"]):
            back = by_sign and k == len(i["B"]) - 1  # a negative amount shifts to the left
            amount = min(1 << k, size)
            fill = (word[-1] if signed and not p["_shift"] else FALSE,) * amount
            moved = (FALSE,) * amount + word[: size - amount] if left or back else word[amount:] + fill
            word = tuple(map(t.choose, (s,) * size, word, moved))
        return word[:width]

    return rule


def _shiftx(left: bool, either_way: bool) -> Rule:
    inner = _shift(left)
    return lambda t, i, p: inner(t, i, {**p, "_shift": int(either_way)})


RULES: dict[str, Rule] = {
    "$not": _not,
    "$pos": _same,
    "$buf": lambda t, i, p: i["A"],
    "$and": _bitwise(lambda t, a, b: t.both(a, b)),
    "$or": _bitwise(lambda t, a, b: t.either(a, b)),
    "$xor": _bitwise(lambda t, a, b: t.differ(a, b)),
    "$xnor": _bitwise(lambda t, a, b: t.invert(t.differ(a, b))),
    "$reduce_and": lambda t, i, p: _wide(t.all_of(i["A"]), p),
    "$reduce_or": lambda t, i, p: _wide(_any(t, i["A"]), p),
    "$reduce_bool": lambda t, i, p: _wide(_any(t, i["A"]), p),
    "$reduce_xor": lambda t, i, p: _wide(reduce(t.differ, i["A"], FALSE), p),
    "$reduce_xnor": lambda t, i, p: _wide(t.invert(reduce(t.differ, i["A"], FALSE)), p),
    "$logic_not": lambda t, i, p: _wide(t.invert(_any(t, i["A"])), p),
    "$logic_and": lambda t, i, p: _wide(t.both(_any(t, i["A"]), _any(t, i["B"])), p),
    "$logic_or": lambda t, i, p: _wide(t.either(_any(t, i["A"]), _any(t, i["B"])), p),
    "$add": _sum(1, 1),
    "$sub": _sum(1, -1),
    "$neg": _sum(-1),
    "$lt": _order(False, False),
    "$ge": _order(False, True),
    "$gt": _order(True, False),
    "$le": _order(True, True),
    "$eq": _equal(False),
    "$ne": _equal(True),
    "$eqx": _equal(False),
    "$nex": _equal(True),
    "$mux": _mux,
    "$pmux": _pmux,
    "$bmux": _bmux,
    "$shl": _shiftx(True, False),
    "$sshl": _shiftx(True, False),
    "$shr": _shiftx(False, False),
    "$sshr": _shiftx(False, False),
    "$shift": _shiftx(False, True),
    "$shiftx": _shiftx(False, True),
}


def parameter(text: str | int) -> int:
    """A parameter of yosys's JSON: a number in binary."""
    if isinstance(text, int):
        return text
    return int(text, 2) if text and set(text) <= {"0", "1"} else 0


def rule(kind: str, where: str) -> Rule:
    """What a type of cell does. EdgeTernaryError for one that is not known."""
    if kind not in RULES:
        raise EdgeTernaryError(
            f"cell {where[:80]} of type {kind} is not known to the prover",
            "it reads the cells that yosys has after `proc`",
            "report this: the type has to be added to edgeternary/prove/cells.py",
        )
    return RULES[kind]
