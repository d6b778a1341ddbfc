"""Which integers a type of codes holds, by name."""

from dataclasses import dataclass
from typing import NoReturn

from edgeternary.errors import EdgeTernaryError


@dataclass(frozen=True)
class Levels:
    """The codes lo, lo + gap, ..., hi of an integer-graph type called `name`."""

    name: str
    lo: int
    hi: int
    gap: int = 1

    @property
    def codes(self) -> tuple[int, ...]:
        return tuple(range(self.lo, self.hi + 1, self.gap))


BIPOLAR = Levels("bipolar", -1, 1, 2)
TERNARY = Levels("ternary", -1, 1)


def levels(kind: str | int) -> Levels:
    """Codes of "bipolar", "binary", "ternary", "uintN", "intN", or N for uintN (N in 1..16)."""
    if kind in ("bipolar", "ternary"):
        return BIPOLAR if kind == "bipolar" else TERNARY
    text = f"uint{kind}" if isinstance(kind, int) else kind
    signed = text.startswith("int")
    digits = "1" if text == "binary" else text.removeprefix("u").removeprefix("int")
    bits = int(digits) if digits.isdigit() else 0
    if not (1 + signed <= bits <= 16) or not text.startswith(("int", "uint", "binary")):
        unknown(
            "activation", kind, "bipolar, binary, ternary, uint1..uint16, int2..int16 or a number of bits"
        )
    if signed:
        return Levels(f"int{bits}", -(1 << (bits - 1)), (1 << (bits - 1)) - 1)
    return Levels("binary" if bits == 1 else f"uint{bits}", 0, (1 << bits) - 1)


def unknown(what: str, kind: object, known: str) -> NoReturn:
    """Refuses a name that no quantiser has."""
    raise EdgeTernaryError(
        f"no {what} quantiser is called {kind!r}", f"known are: {known}", "choose one of these"
    )
