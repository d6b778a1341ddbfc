"""How the loop around a group's program moves through its input and its output."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Walk:
    """Words of x and bytes of y for one output, and from the end of a row to the beginning of the next.

    outputs  of a row
    apart    words of y between the parts of a sum
    lanes    where y are the codes themselves, in natural layout: bytes of y from the first lane to each;
             else empty
    low      the code that 0 in a lane means, and unit the distance of codes, where y are codes
    bits     of a lane;  ones  a word with 1 in every lane
    dsp      the core has USAT16
    codes    C type of the elements of the table that is the fifth argument, if there is one
    fields   the codes of four channels are stored as a word, see `lanes/fields`
    routine  outputs of the groups that call one routine for what follows their sums, whose address is the
             fifth argument; 0 where each group has that text itself
    """

    outputs: int
    x_step: int
    x_row: int
    y_step: int
    y_row: int
    apart: int
    lanes: tuple[int, ...]
    low: int
    unit: int
    bits: int
    ones: int
    dsp: bool
    fields: bool = False
    codes: str = ""
    routine: int = 0
