"""The figures of the last release: a JSON file beside the table, which `check --update` writes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from edgeternary.build.files import write_file
from edgeternary.errors import EdgeTernaryError

Figures = dict[str, dict[str, float]]  # {model: {what: measured}}


def lock_path(table: Path) -> Path:
    """edgeternary.lock.json of edgeternary.toml."""
    return table.with_suffix(".lock.json")


def read(path: Path) -> Figures:
    """The figures; {} where there is no such file. EdgeTernaryError for one that holds something else."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise ValueError("it is no table")
        for figures in content.values():
            if not all(isinstance(figure, int | float) for figure in figures.values()):
                raise ValueError("a figure is no number")
        found: Figures = content
        return found
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise EdgeTernaryError(
            f"cannot read {path}", error.strerror or str(error), "check the path"
        ) from error
    except (ValueError, TypeError, AttributeError) as error:
        raise EdgeTernaryError(
            f"{path} holds no figures", str(error), "write it again: edgeternary check --update"
        ) from error


def write(path: Path, figures: Mapping[str, Mapping[str, float]]) -> None:
    """Write them, sorted, so that a change is a small difference."""
    write_file(path, json.dumps(figures, indent=2, sort_keys=True) + "\n")
