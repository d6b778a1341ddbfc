"""Docstrings as mkdocstrings shows them: columns keep their spaces, <model> is no tag of HTML."""

from __future__ import annotations

import re
from typing import Any

import griffe

COLUMNS = re.compile(r"\S {2,}\S|^ {2,}\S", re.M)


def readable(text: str) -> str:
    """Paragraphs with columns or indented lines become blocks of text."""
    return "\n\n".join(paragraph(part) for part in re.split(r"\n[ \t]*\n", text))


def paragraph(text: str) -> str:
    return f"```text\n{text}\n```" if COLUMNS.search(text) else re.sub(r"<(?=\w+>)", "&lt;", text)


class Readable(griffe.Extension):
    """Changes every docstring once, when it is read."""

    def on_object(self, *, obj: Any, **_: Any) -> None:
        if obj.docstring:
            obj.docstring.value = readable(obj.docstring.value)
