"""Weights of words in vector registers: which ones a product takes, which ones their digits.

VMLA adds a vector times a core register to another vector. The most frequent weights of a group of outputs
stay in CONSTANTS; others of several digits are loaded each time. Weights of one digit are additions of the
word, which is shifted on the way, the smallest digits first.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache

from edgeternary.c.lanes.butterfly import butterflies
from edgeternary.c.lanes.digits import split
from edgeternary.c.lanes.program import Group

CONSTANTS = ("r7", "r8", "r9", "r10", "r11", "lr")
LOADED, SHIFTED = 10, 3  # tenths of an instruction that a constant saves: a load, or its share of a shift

KEPT = 1024  # groups whose figures are kept

Terms = Sequence[tuple[int, int]]


def weights(terms: Terms) -> list[tuple[int, list[int]]]:
    """(accumulator, digits) of the terms of a word."""
    found: dict[int, list[int]] = {}
    for index, digit in terms:
        found.setdefault(index, []).append(digit)
    return list(found.items())


@lru_cache(maxsize=KEPT)
def constants(group: Group) -> dict[int, str]:
    """{weight: its register} of those whose products save most."""
    saved: Counter[int] = Counter()
    for part in group.parts:
        for load in part:
            for terms in load.terms:
                for _, digits in weights(terms):
                    if abs(sum(digits)) > 1:
                        saved[sum(digits)] += LOADED if len(digits) > 1 else SHIFTED
    chosen = sorted(saved, key=lambda weight: (-saved[weight], weight))[: len(CONSTANTS)]
    return dict(zip(chosen, CONSTANTS, strict=False))


def added(terms: Terms, registers: dict[int, str], accs: Sequence[str], bits: int) -> Iterator[str]:
    """What adds a word in q0, which is shifted meanwhile, to its accumulators."""
    left: list[tuple[int, int]] = []
    for index, digits in weights(terms):
        weight = sum(digits)
        if weight in registers:
            yield f"vmla.i{bits} {accs[index]}, q0, {registers[weight]}"
        elif len(digits) > 1:
            yield from [f"movw r5, #{weight % 2**16}", f"vmla.i{bits} {accs[index]}, q0, r5"]
        else:
            left.append((index, weight))
    shifted = 0
    for index, digit in sorted(left, key=lambda term: abs(term[1])):
        shift = split(digit)[1]
        if shift > shifted:
            yield f"vshl.i{bits} q0, q0, #{shift - shifted}"
            shifted = shift
        yield f"{'vadd' if digit > 0 else 'vsub'}.i{bits} {accs[index]}, {accs[index]}, q0"


@lru_cache(maxsize=KEPT)
def instructions(group: Group) -> int:
    """Of adding all words."""
    registers, accs = constants(group), [""] * group.size
    parts = [butterflies(part, group.size) or part for part in group.parts]
    words = [terms for part in parts for load in part for terms in load.terms]
    return sum(sum(1 for _ in added(terms, registers, accs, 0)) for terms in words)
