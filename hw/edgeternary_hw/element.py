"""How one channel of a payload is encoded, as plain data."""

from dataclasses import dataclass
from typing import Any

from amaranth import Cat, Const, Shape, Value

__all__ = ["Element", "lanes", "resize", "signed_bits"]

KINDS = ("unsigned", "signed", "bipolar", "ternary")


@dataclass(frozen=True)
class Element:
    """One channel: `unsigned`/`signed` two's complement of `width` bits, `bipolar` (1 bit, 1 means +1),
    `ternary` (2 bits, bit 0 is the +1 plane, bit 1 the -1 plane; both set is illegal).

    In arithmetic an element x is `scale * u + offset` of an unsigned number u of `width` bits (see `planes`):
    x = u; x = u - 2^(width-1); x = 2u - 1; x = u - 1.
    """

    kind: str
    width: int

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"element kind {self.kind!r} is not one of {', '.join(KINDS)}")
        fixed = {"bipolar": 1, "ternary": 2}.get(self.kind, self.width)
        if self.width != fixed or self.width < 1:
            raise ValueError(f"a {self.kind} element cannot be {self.width} bits wide")

    @property
    def scale(self) -> int:
        return 2 if self.kind == "bipolar" else 1

    @property
    def offset(self) -> int:
        if self.kind == "signed":
            return -(1 << (self.width - 1))
        return -1 if self.kind in ("bipolar", "ternary") else 0

    def planes(self, code: Value) -> list[tuple[Value, bool]]:
        """The bits of u, least significant first, each as (bit, inverted)."""
        if self.kind == "ternary":
            return [(code[0] | code[1], True), (code[0], False)]
        return [(code[k], self.kind == "signed" and k == self.width - 1) for k in range(self.width)]

    def number(self, code: Value) -> Value:
        """The integer that a code stands for, as a signed or unsigned Amaranth value."""
        if self.kind == "signed":
            return code.as_signed()
        if self.kind == "bipolar":
            return Cat(1, ~code).as_signed()
        if self.kind == "ternary":
            return Cat(code[0] | code[1], code[1]).as_signed()
        return code

    def code(self, number: Value) -> Value:
        """The code of an integer that is known to be in range; `width` bits."""
        negative = number[-1] if number.shape().signed else Const(0, 1)
        if self.kind == "bipolar":
            return ~negative
        if self.kind == "ternary":
            return Cat(number[0] & ~negative, negative)
        return resize(number, self.width)

    def encode(self, number: int) -> int:
        """The code of a Python integer."""
        if self.kind == "bipolar":
            return int(number > 0)
        if self.kind == "ternary":
            return {0: 0, 1: 1, -1: 2}[int(number)]
        return int(number) & ((1 << self.width) - 1)

    def decode(self, code: int) -> int:
        """The Python integer of a code."""
        if self.kind == "bipolar":
            return 2 * code - 1
        if self.kind == "ternary":
            return (code & 1) - (code >> 1)
        if self.kind == "signed" and code >> (self.width - 1):
            return code - (1 << self.width)
        return code

    def pack(self, numbers: Any) -> int:
        """A payload: the codes of `numbers`, the first in the low bits."""
        return sum(self.encode(int(n)) << (k * self.width) for k, n in enumerate(numbers))

    def unpack(self, payload: int, count: int) -> list[int]:
        """The `count` integers of a payload."""
        mask = (1 << self.width) - 1
        return [self.decode((payload >> (k * self.width)) & mask) for k in range(count)]


def lanes(payload: Value, count: int) -> list[Value]:
    """The codes of the `count` channels of a payload, channel 0 first."""
    width = len(payload) // count
    return [payload[k * width : (k + 1) * width] for k in range(count)]


def resize(number: Value, width: int) -> Value:
    """The low `width` bits of a number, sign- or zero-extended when it is narrower."""
    return (number | Const(0, Shape(width, number.shape().signed)))[:width]


def signed_bits(value: int) -> int:
    """Bits that hold a signed number."""
    return (value if value >= 0 else ~value).bit_length() + 1
