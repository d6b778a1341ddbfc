"""Options that several commands share, and the files that they write."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

import click

from edgeternary.build.files import write_file
from edgeternary.cli._output import note
from edgeternary.errors import USAGE, EdgeTernaryError

only_option = click.option("--only", multiple=True, help="Only what contains this text; may be repeated.")
document_option = click.option(
    "--document", type=click.Path(path_type=Path), help="Write FILE.md and the rows as FILE.json."
)
rows_option = click.option(
    "--rows",
    type=click.Path(path_type=Path, exists=True),
    help="Measure nothing; use the rows of this .json.",
)


class Named(Protocol):
    @property
    def name(self) -> str: ...


N = TypeVar("N", bound=Named)


def chosen(entries: Sequence[N], only: Sequence[str], what: str) -> list[N]:
    """The entries whose names contain one of `only`, all without. EdgeTernaryError (code 2) for none."""
    found = [entry for entry in entries if not only or any(word in entry.name for word in only)]
    if not found:
        names = ", ".join(entry.name for entry in entries)
        raise EdgeTernaryError(f"no such {what}", f"there are {names}", "choose with --only", USAGE)
    return found


def read_rows(path: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return rows


def write_page(path: Path, text: str, rows: Sequence[dict[str, Any]], **others: str) -> None:
    """PATH.md and its rows as PATH.json; others: {suffix: text}."""
    files = {path: text, path.with_suffix(".json"): json.dumps(rows, indent=1) + "\n"}
    files |= {path.with_suffix(f".{suffix}"): content for suffix, content in others.items()}
    for file, content in files.items():
        write_file(file, content)
    note(f"wrote {', '.join(map(str, files))}")
