"""Constant arrays of the generated code."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from edgeternary.ir.types import INT32_LO

LINE = 100


@dataclass(frozen=True)
class Table:
    """A constant array of the generated code: `static const <type> <prefix>_<name>[]`.

    once  an equal one that an earlier function has stands for it
    """

    name: str
    data: np.ndarray
    comment: str = ""
    hexadecimal: bool = False
    once: bool = False

    @property
    def ctype(self) -> str:
        return f"{self.data.dtype.name}_t"

    def text(self) -> str:
        """The elements as lines of C; each row of a two-dimensional array starts a line."""
        rows = self.data.reshape(-1, self.data.shape[-1]) if self.data.ndim > 1 else self.data.reshape(1, -1)
        if rows.shape[1] < 4:
            rows = rows.reshape(1, -1)
        return "\n".join(line for row in rows for line in _wrap(row, self))


def narrow(values: np.ndarray) -> np.ndarray:
    """The same integers in the narrowest of int8, uint8, int16, uint16, int32 that holds all of them."""
    for dtype in (np.int8, np.uint8, np.int16, np.uint16):
        info = np.iinfo(dtype)
        if values.size == 0 or (values.min() >= info.min and values.max() <= info.max):
            return values.astype(dtype)
    return values.astype(np.int32)


def _wrap(values: np.ndarray, table: Table) -> Iterator[str]:
    line = "   "
    for value in values.tolist():
        number = f"0x{value:0{table.data.itemsize * 2}x}u" if table.hexadecimal else literal(value)
        if len(line) + len(number) + 2 > LINE:
            yield line
            line = "   "
        line += f" {number},"
    yield line


def literal(value: int) -> str:
    """An int32 as C writes it: the smallest one has no literal of its own."""
    return "(-2147483647 - 1)" if value == INT32_LO else str(value)
