"""What `convert` says of a model: what each layer became, what is inexact about it, and every refusal."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from edgeternary.errors import EdgeTernaryError


class Refusal(EdgeTernaryError):
    """One thing that cannot be converted. where: file:line of the user's code, or empty."""

    def __init__(self, what: str, why: str, remedy: str, where: str = "") -> None:
        super().__init__(what, why, remedy)
        self.where = where


@dataclass(frozen=True)
class Row:
    """What one layer or call of the float model became.

    name   the path of the layer, or the name of the call
    where  file:line of the user's code, or empty
    was    the class of the layer, or the function, with the shape of its result
    became layers of the converted model, in their order; empty: it is not needed any more
    note   what differs from the float model beyond rounding to codes; empty: nothing does
    """

    name: str
    where: str
    was: str
    shape: tuple[int, ...]
    became: str = ""
    note: str = ""


@dataclass
class Report:
    """The whole of it.

    layers    a Row for each layer and call, in the order of forward()
    refusals  everything that cannot be converted; empty for a model that was
    notes     what holds for the whole model, such as a softmax that was left off
    left_off  functions at the end, such as "log_softmax", that the loss or the caller computes
    correlation  of the new model's outputs with the float model's on the example, before any training
    """

    layers: list[Row] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    left_off: list[str] = field(default_factory=list)
    correlation: float = float("nan")

    def data(self) -> dict[str, Any]:
        """The report as lists and dictionaries, for JSON."""
        refused = [
            {"what": r.what, "why": r.why, "remedy": r.remedy, "where": r.where} for r in self.refusals
        ]
        return {
            "layers": [asdict(row) for row in self.layers],
            "refusals": refused,
            "notes": self.notes,
            "left_off": self.left_off,
            "correlation": None if math.isnan(self.correlation) else round(self.correlation, 4),
        }

    def grouped(self) -> list[tuple[Refusal, int]]:
        """Refusals of one line for one reason together, with their number: a loop repeats them."""
        found: dict[tuple[str, str], list[Refusal]] = {}
        for refusal in self.refusals:
            found.setdefault((refusal.where or refusal.what, refusal.why), []).append(refusal)
        return [(same[0], len(same)) for same in found.values()]

    def __str__(self) -> str:
        rows = [("layer", "was", "became")]
        rows += [
            (row.name, f"{row.was} {_by(row.shape)}".strip(), row.became or "(nothing)")
            for row in self.layers
        ]
        widths = [max(len(row[i]) for row in rows) for i in range(2)]
        lines = [f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c}" for a, b, c in rows]
        for at, row in reversed(list(enumerate(self.layers))):
            if row.note:
                lines.insert(at + 2, f"{'':<{widths[0]}}  note: {row.note}")
        lines += [f"note: {note}" for note in self.notes]
        if not math.isnan(self.correlation):
            lines.append(
                f"before training, its outputs correlate {self.correlation:.3f} with those of the float model"
            )
        for refusal, times in self.grouped():
            place = f"{short(refusal.where)}: " if refusal.where else ""
            lines += [
                f"refused: {place}{refusal.what}{f' ({times} times)' if times > 1 else ''}",
                f"         {refusal.why}",
                f"         instead: {refusal.remedy}",
            ]
        return "\n".join(lines)


class Refused(EdgeTernaryError):
    """A model that cannot be converted, with the report that has all reasons."""

    def __init__(self, name: str, report: Report) -> None:
        self.report = report
        groups = report.grouped()
        many, first = len(groups), groups[0][0]
        if many == 1:
            place = f"{short(first.where)}: " if first.where else ""
            super().__init__(f"{place}{first.what}", first.why, first.remedy)
            return
        said = [
            f"\n  {i}. {short(r.where) + ': ' if r.where else ''}{r.what}: {r.why.rstrip('.')}. "
            f"{r.remedy[:1].upper()}{r.remedy[1:]}"
            for i, (r, _) in enumerate(groups, 1)
        ]
        super().__init__(
            f"{name} cannot be converted as it is: {many} things have no integer form{''.join(said)}"
        )


def short(where: str) -> str:
    """file:line with the file's name alone."""
    return Path(where).name


def _by(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
