"""How fast cores run the texts of lanes: cycles beside the instructions of which a load takes 2 cycles."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Pace:
    """Factors of the estimates of `cost` and `helium`, fitted to counts of the suite's layers.

    add    of additions of words;  shifted  what those of shifted words take more
    word   of loading and finding words
    after  of what makes results of the sums;  store  of storing these
    rest   of loops, calls, starts and stages;  rows  of sums that pass through rows in memory
    pack   of packing the input
    """

    add: float = 1.0
    shifted: float = 0.0
    word: float = 1.0
    after: float = 1.0
    store: float = 1.0
    rest: float = 1.0
    rows: float = 1.0
    pack: float = 1.0


EVEN = Pace()
PACES = {
    "host": EVEN, "cortex-m0plus": EVEN, "cortex-m3": EVEN,
    "cortex-m7": Pace(
        add=0.51, shifted=0.27, word=0.42, after=0.67, store=0.4, rest=0.56, rows=0.7, pack=0.81,
    ),
    "cortex-m55": Pace(add=1.7, after=1.95, store=1.95, rest=0.3, rows=1.3, pack=0.75),
}  # fmt: skip
