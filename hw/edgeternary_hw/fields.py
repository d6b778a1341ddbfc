"""Per-channel numbers as bit fields of the words of a table."""

from collections.abc import Sequence

from amaranth import Const, Value, signed
from amaranth.utils import bits_for

__all__ = ["Fields"]


class Fields:
    """Columns of numbers, one number a channel; a number that all channels share takes no bits."""

    def __init__(self, columns: Sequence[Sequence[int]]) -> None:
        self.columns = columns
        self.shapes = []
        for column in columns:
            negative = min(column) < 0
            bits = max(bits_for(v, negative) for v in column)
            self.shapes.append((0 if len(set(column)) == 1 else bits, negative))
        self.width = sum(bits for bits, _ in self.shapes)

    def words(self, lanes: int) -> list[int]:
        """One word for every `lanes` channels, `width` bits for each, the first channel in the low bits."""
        channels = len(self.columns[0])
        words = []
        for first in range(0, channels, lanes):
            word, position = 0, 0
            for c in range(first, first + lanes):
                for column, (bits, _) in zip(self.columns, self.shapes, strict=True):
                    word |= (column[c] & ((1 << bits) - 1)) << position
                    position += bits
            words.append(word)
        return words

    def read(self, word: Value) -> list[Value]:
        """The numbers in one channel's part of a word, one for each column; shared ones as constants."""
        values: list[Value] = []
        position = 0
        for column, (bits, negative) in zip(self.columns, self.shapes, strict=True):
            if not bits:
                value = int(column[0])
                values.append(Const(value, signed(bits_for(value, True))))
                continue
            field = word[position : position + bits]
            values.append(field.as_signed() if negative else field)
            position += bits
        return values
