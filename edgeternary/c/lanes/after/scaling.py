"""How a sum of 32 bits becomes a code: constants of each channel, and the text for both lanes of a word."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from edgeternary.c.lanes.after.base import Cycles
from edgeternary.c.lanes.program import Wide


@dataclass(frozen=True)
class Scaling(ABC):
    """low     what the smallest code becomes: 0 where codes are raised, else itself
    lowest  the smallest code
    """

    low: int
    lowest: int

    @property
    @abstractmethod
    def width(self) -> int:
        """Words of constants of a channel."""

    def ends(self, top: int) -> str:
        """Of a clamp in C to numbers of `top` bits."""
        return f"{self.low}, {self.low + 2**top - 1}"

    @abstractmethod
    def columns(self, channels: range, offset: Wide) -> list[Wide]:
        """`width` columns of constants (n,) for sums that are S = L + offset."""

    @abstractmethod
    def c(self, total: str, k: Sequence[str], channel: int) -> tuple[list[str], str]:
        """Lines of C that set v, and the code of L, from its constants."""

    @abstractmethod
    def head1(self) -> Iterator[str]:
        """Thumb-1 before the first channel; r1 to r4 are free, r7 stays as it is left."""

    @abstractmethod
    def thumb1(self, channel: int) -> Iterator[str]:
        """From L to raised codes in r2 and r3; constants at r6, which moves on; r1 and r4 are free."""

    @abstractmethod
    def thumb2(self, channel: int, lanes: tuple[str, str]) -> Iterator[str]:
        """From L to codes in the registers `lanes`; constants at r0, which moves on; r2, r3, lr are free."""

    @abstractmethod
    def cycles(self) -> Cycles:
        """An estimate for a word of two lanes."""
