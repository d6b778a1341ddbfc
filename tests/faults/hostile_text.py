"""Texts that are code, or end a comment, a string or a line, in every language that files are written in;
and which parts of a file are code: where they must not be."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import PurePosixPath
from xml.etree import ElementTree

from edgeternary.ir.names import plain

MARK = "HoStIlE"  # neither an identifier, which is lower case, nor a macro, which is upper case
_TEXTS = (
    f"*/ int {MARK}(void) {{ return 7; }} /*",
    f'"; {MARK} = 1; initial $display("',
    f"[exec {MARK}] $(shell {MARK}) `{MARK}` ${{{MARK}}} $[{MARK}] %{MARK}%",
    f"{{{{ {MARK} }}}}{{% for {MARK} in x %}}",
    f"<script>{MARK}()</script><img src=x onerror={MARK}> ]]> -->",
    f"' onload='{MARK}' x=\" onfocus=\"{MARK}",
    f"../../{MARK}",
    f"/tmp/{MARK}",
    f"a: {MARK} # - {MARK} | [x](javascript:{MARK})",
    f'x" }} ] {MARK} = ["',
    f"endmodule module {MARK}; {MARK} ??/ \\",
    f"\\{MARK} 'h0 @{MARK} !{MARK}",
)

TEXTS = tuple(" ".join(_TEXTS[k::4]) for k in range(4))  # names have at most 200 characters

C = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'', re.S)
V = re.compile(r'/\*.*?\*/|//[^\n]*|\(\*.*?\*\)|"(?:[^"\\\n]|\\.)*"', re.S)
XML = (".xml", ".svg", ".pdsc")


class Page(HTMLParser):
    """What a browser runs of a page or loads."""

    def __init__(self) -> None:
        super().__init__()
        self.code: list[str] = []
        self.inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = tag
        self.code += [f"{tag} {name} {value}" for name, value in attrs if _runs(name, value or "")]
        if MARK.lower() in tag:
            self.code.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside in ("script", "style"):
            self.code.append(data)


def _runs(name: str, value: str) -> bool:
    loads = name in ("href", "src", "action", "style") and not value.startswith("#")
    return name.startswith("on") or MARK.lower() in name or loads


def _page(text: str) -> str:
    page = Page()
    page.feed(text)
    page.close()
    return "\n".join(page.code)


def _xml(text: str) -> str:
    root = ElementTree.fromstring(text)
    return "\n".join(
        f"{one.tag} {[(n, v) for n, v in one.attrib.items() if _runs(n, v)]}" for one in root.iter()
    )


def _python(text: str) -> str:
    return "\n".join(
        str(getattr(node, word))
        for node in ast.walk(ast.parse(text))
        for word in ("id", "attr", "name", "arg")
        if hasattr(node, word)
    )


def _lines(text: str) -> str:
    """Of a language with `#` for comments, in which strings are code too; a comment must not go on."""
    kept = [line for line in text.splitlines() if not line.lstrip().startswith("#") or line.endswith("\\")]
    return "\n".join(kept)


def _markdown(text: str) -> str:
    """What a viewer makes markup of: HTML, links, and the ends of code spans."""
    return "\n".join(re.findall(r"<[a-zA-Z!/][^>\n]*|\]\([^)\n]*\)|^#.*`.*$", text, re.M))


def _nothing(read: Callable[[str], object]) -> Callable[[str], str]:
    def check(text: str) -> str:
        read(text)
        return ""

    return check


def _yaml(text: str) -> str:
    import yaml

    return json.dumps(_keys(yaml.safe_load(text)))


def _keys(found: object) -> list[str]:
    if isinstance(found, dict):
        return [str(key) for key in found] + [k for value in found.values() for k in _keys(value)]
    return [k for value in found for k in _keys(value)] if isinstance(found, list) else []


CODE: dict[str, Callable[[str], str]] = {
    **dict.fromkeys(
        (".c", ".h", ".ino", ".cpp"), lambda text: C.sub(" ", re.sub(r"\\\n", f"\n{MARK}", text))
    ),
    ".v": lambda text: V.sub(" ", text),
    ".html": _page,
    **dict.fromkeys(XML, _xml),
    ".py": _python,
    ".md": _markdown,
    ".json": _nothing(json.loads),
    ".toml": _nothing(tomllib.loads),
    **dict.fromkeys((".yml", ".yaml"), _yaml),
}


def code(name: str, content: str) -> str:
    """The code in a file: of a language that is not known here, all but lines with `#` and plain text."""
    kept = content
    if PurePosixPath(name).suffix not in CODE:
        for text in TEXTS:
            kept = kept.replace(plain(text), "")
    return CODE.get(PurePosixPath(name).suffix, _lines)(kept)
