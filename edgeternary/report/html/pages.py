"""What a compiled folder says about itself: report.html, its numbers as report.json, and README.md."""

import json
from pathlib import Path
from typing import Any

import jinja2

from edgeternary.build.project import Project
from edgeternary.errors import EdgeTernaryError
from edgeternary.report.html.document import QUICK, VERSION, Document, document
from edgeternary.report.html.page import page
from edgeternary.report.html.readme import readme

NUMBERS, PAGE, README = "report.json", "report.html", "README.md"


def pages(project: Project) -> dict[str, str]:
    """{file name: text}. The same project gives the same bytes: there are no dates and no paths."""
    found = document(project, QUICK)
    return {PAGE: page(found), NUMBERS: as_json(found), README: readme(project, found)}


def as_json(found: Document) -> str:
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"


def read(folder: Path) -> Document:
    """The report of a folder that compile wrote. EdgeTernaryError where there is none, or a broken one."""
    path = folder / NUMBERS
    remedy = "compile the model again without --no-report"
    try:
        found: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        why = f"there is no {NUMBERS}" if not path.is_file() else str(error)
        raise EdgeTernaryError(f"{folder} has no report", why, remedy) from error
    if not isinstance(found, dict) or found.get("report") != VERSION:
        raise EdgeTernaryError(f"{path} is no report", f"it is not version {VERSION} of one", remedy)
    checked(found, str(path))
    return found


def checked(found: Document, what: str) -> str:
    """The page of a document that was read from a file. EdgeTernaryError where it is none."""
    try:
        return page(found)
    except (
        jinja2.TemplateError,
        ArithmeticError,
        LookupError,
        TypeError,
        ValueError,
        AttributeError,
    ) as error:
        raise EdgeTernaryError(f"{what} is no report", str(error)[:200], "compile the model again") from error
