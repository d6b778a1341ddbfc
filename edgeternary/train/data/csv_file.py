"""Files of comma-separated numbers, read as columns."""

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeternary.train.data.problems import Problems

DELIMITERS = ",;\t"
Read = tuple[NDArray[np.float64], list[list[str]], list[str]]


@dataclass(frozen=True)
class Columns:
    """Which columns of a file are read.

    numbers  their names, or all but those of `texts`; a file without a header has the names 1, 2, ...
    texts    columns that are read as text
    """

    numbers: tuple[str, ...]
    texts: tuple[str, ...]

    def read(self, path: Path, problems: Problems) -> Read | None:
        """(rows, columns) as numbers, the texts of each row, and the names of the columns of numbers.

        None, and an entry of `problems`, for a file that has something else.
        """
        try:
            text = path.read_text(encoding="utf-8-sig")
            first = text.partition("\n")[0]
            delimiter = max(DELIMITERS, key=first.count)
            rows = [row for row in csv.reader(text.splitlines(), delimiter=delimiter) if row]
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            problems.add(path, "broken", f"it cannot be read as text: {error}")
            return None
        if not rows:
            problems.add(path, "empty", "it has no rows")
            return None
        numbered = bool(self.texts) and self.texts[0].isdigit()
        header = not numbered and not all(_is_number(cell) for cell in rows[0])
        names = [cell.strip() for cell in rows[0]] if header else [str(i + 1) for i in range(len(rows[0]))]
        wanted = list(self.numbers) or [name for name in names if name not in self.texts]
        for name in (*wanted, *self.texts):
            if name not in names:
                why = f"it has no column {name!r}, but {', '.join(names[:12])}"
                problems.add(path, "without a column", why, "name the columns: columns = [...]")
                return None
        return self._numbers(path, rows[header:], names, wanted, 1 + header, problems)

    def _numbers(
        self, path: Path, rows: Sequence[Sequence[str]], names: list[str], wanted: list[str], line: int,
        problems: Problems,
    ) -> Read | None:  # fmt: skip
        at, texts = [names.index(name) for name in wanted], [names.index(name) for name in self.texts]
        found = np.zeros((len(rows), len(at)))
        for i, row in enumerate(rows):
            if len(row) != len(names):
                why = f"row {i + line} has {len(row)} cells, the first one {len(names)}"
                problems.add(path, "broken", why)
                return None
            for k, place in enumerate(at):
                if not _is_number(row[place]):
                    why = f"row {i + line}, column {wanted[k]!r}: {row[place][:20]!r} is no number"
                    problems.add(
                        path, "broken", why, "fill gaps first, or leave the column out: columns = [...]"
                    )
                    return None
                found[i, k] = float(row[place])
        return found, [[row[place].strip() for place in texts] for row in rows], wanted


def _is_number(cell: str) -> bool:
    try:
        return math.isfinite(float(cell))
    except ValueError:
        return False
