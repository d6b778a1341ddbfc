"""The one Jinja2 environment: every text that the package writes from templates/ comes from here."""

import re
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from jinja2.bccache import Bucket

from edgeternary.data import templates_dir
from edgeternary.errors import EdgeTernaryError
from edgeternary.toolchains import cache as builds

FOLDER = "templates"  # of the cache


class Compiled(jinja2.BytecodeCache):
    """Templates as Python's byte code in the cache of builds: compiling those of a model takes half a second.

    Without a place for that cache they are compiled again.
    """

    def load_bytecode(self, bucket: Bucket) -> None:
        try:
            with (builds.directory() / FOLDER / _name(bucket) / "code").open("rb") as file:
                bucket.load_bytecode(file)
        except (OSError, EdgeTernaryError):
            pass

    def dump_bytecode(self, bucket: Bucket) -> None:
        def fill(folder: Path) -> None:
            (folder / "code").write_bytes(bucket.bytecode_to_string())

        try:
            builds.build(_name(bucket), fill, FOLDER)
        except (OSError, EdgeTernaryError):
            pass


def _name(bucket: Bucket) -> str:
    return builds.digest(bucket.key, bucket.checksum, jinja2.__version__, sys.version)


@cache
def environment() -> jinja2.Environment:
    """Names are relative to templates/ or, for C, to templates/c. Texts of .svg and .html are escaped."""
    folder = templates_dir()
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader([folder, folder / "c"]),
        bytecode_cache=Compiled(),
        auto_reload=False,  # asking for each template's date takes longer than to fill in most of them
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=lambda name: name is not None and name.endswith((".svg.j2", ".html.j2")),
    )
    made.filters.update(percent=percent, asm=asm)
    return made


def percent(share: float | None) -> str:
    """0.9318 as 93.18; nothing for None. A filter of the templates."""
    return "" if share is None else f"{100 * share:.2f}"


def asm(text: str) -> str:
    """Instructions, with `;` between those of a line, as the strings of an __asm__ statement. A filter.

    A label may stand before the instructions of a line, a C comment after them. A line `---` ends the
    statement and begins another one: a compiler need not take longer strings than 4,095 characters.
    """
    lines: list[str] = []
    for line in text.splitlines():
        code, mark, comment = line.partition("/*")
        parts = re.sub(r"^ *(\d+:)", r"\1;", code).split(";")
        strings = [f'        "{part.strip()}\\n"' for part in parts if part.strip()]
        if code.strip() == "---":
            strings = ["    __asm__("]
            lines[-1] += ");"
        if mark:
            strings = [*strings[:-1], f"{strings[-1]} /*{comment}" if strings else f"        /*{comment}"]
        lines += strings
    return "\n".join(lines)


def render(template: str, fields: Mapping[str, Any]) -> str:
    """The text of a template, such as "report/card.md.j2"; a field that it names and lacks is an error."""
    return environment().get_template(template).render(fields)
