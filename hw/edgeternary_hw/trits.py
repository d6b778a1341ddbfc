"""Five ternary numbers in a byte: 243 of its 256 codes, chosen so that they come apart in few LUTs.

The code is that of trits in ASTC's integer sequences (Khronos Data Format Specification 1.3, section 23.12,
"Integer Sequence Encoding"): three of the five, or two of them, take a short form where one of them is 2.
"""

from collections.abc import Sequence

from amaranth import Cat, Mux, Value

__all__ = ["TRITS", "bytes_of", "decoded", "pack", "unpack"]

TRITS = 5  # in a byte


def unpack(code: int) -> list[int]:
    """The five numbers 0, 1, 2 of a byte; every byte has some, 13 of them the same as another one."""
    if code >> 2 & 7 == 7:
        low, fourth, third = (code >> 5 & 7) << 2 | code & 3, 2, 2
    else:
        low = code & 31
        high = code >> 5 & 3
        third, fourth = (code >> 7, 2) if high == 3 else (high, code >> 7)
    if low & 3 == 3:
        second, first = 2, low >> 4
        zeroth = (low >> 3 & 1) << 1 | (low >> 2 & 1) & ~(low >> 3) & 1
    elif low >> 2 & 3 == 3:
        second, first, zeroth = 2, 2, low & 3
    else:
        second, first = low >> 4, low >> 2 & 3
        zeroth = (low >> 1 & 1) << 1 | low & 1 & ~(low >> 1)
    return [zeroth, first, second, third, fourth]


_CODES = {tuple(unpack(code)): code for code in reversed(range(256))}


def bytes_of(count: int) -> int:
    """Bytes that hold `count` ternary numbers."""
    return -(-count // TRITS)


def pack(numbers: Sequence[int]) -> int:
    """Numbers -1, 0, +1 as bytes, the first in the low one; those that are missing from the last are 0."""
    codes = [n % 3 for n in numbers]
    codes += [0] * (-len(codes) % TRITS)
    return sum(
        _CODES[tuple(codes[k : k + TRITS])] << 8 * j for j, k in enumerate(range(0, len(codes), TRITS))
    )


def decoded(word: Value, count: int) -> tuple[Value, Value]:
    """Planes (+1, -1) of the first `count` numbers of a packed word."""
    ones, twos = [], []
    for j in range(bytes_of(count)):
        one, two = _byte(word.word_select(j, 8))
        ones.append(one)
        twos.append(two)
    return Cat(*ones)[:count], Cat(*twos)[:count]


def _byte(code: Value) -> tuple[Value, Value]:
    """Bits 0 and bits 1 of the five numbers."""
    short = code[2:5].all()  # the fourth and the third are 2
    low = Mux(short, Cat(code[:2], code[5:8]), code[:5])
    both = code[5:7].all()  # else the fourth is 2
    two, pair = low[:2].all(), low[2:4].all()  # the second is 2; or so are the first and the second
    zero = Mux(two, low[2:4], low[:2])
    ones = [
        Mux(two | ~pair, zero[0] & ~zero[1], low[0]),
        Mux(two, low[4], low[2] & ~pair),
        low[4] & ~two & ~pair,
        ~short & Mux(both, code[7], code[5]),
        ~short & ~both & code[7],
    ]
    twos = [
        Mux(two | ~pair, zero[1], low[1]),
        ~two & low[3],
        two | pair,
        short | (~both & code[6]),
        short | both,
    ]
    return Cat(*ones), Cat(*twos)
