"""Indentation and line breaks of generated C, so that templates need not care about either."""

import re
from collections.abc import Iterator

WIDTH = 110
INDENT = 4


def tidy(text: str) -> str:
    """Indent by braces, break long statements, and leave single blank lines only."""
    text = "\n".join(_lines(text.split("\n")))
    text = re.sub(r"\n{3,}", "\n\n", text)
    text = re.sub(r"\{\n\n+", "{\n", text)
    text = re.sub(r"\n\n+( *\})", r"\n\1", text)
    return re.sub(r"\n(\};?)\n(?=[^\n#])", r"\n\1\n\n", text)


def _lines(lines: list[str]) -> Iterator[str]:
    depth = 0
    in_comment = False
    for raw in lines:
        line = raw.strip()
        if in_comment:
            text = " " * INDENT * depth + " " + line
            in_comment = "*/" not in line
            yield text.rstrip() if line.startswith("*") else raw
            continue
        if line.startswith("/*"):
            in_comment = "*/" not in line
        if not line or line.startswith("#"):
            yield line
            continue
        code = re.sub(r"/\*.*?(\*/|$)", "", line)
        here = depth - (len(code) - len(code.lstrip("}")))
        depth += code.count("{") - code.count("}")
        yield from _broken(" " * INDENT * here + line)


def _broken(line: str) -> Iterator[str]:
    """A line that is too long, broken at the commas and operators of the outermost parentheses that help."""
    indent = len(line) - len(line.lstrip())
    while len(line) > WIDTH and "/*" not in line and not line.lstrip().startswith("*"):
        at = _break(line, indent)
        if at is None:
            break
        yield line[:at].rstrip()
        line = " " * (indent + INDENT) + line[at:].lstrip()
    yield line


def _break(line: str, indent: int) -> int | None:
    """Where to break: the least nested, then the last place that fits."""
    depth, best = 0, None
    for i, char in enumerate(line[:WIDTH]):
        depth += (char in "([") - (char in ")]")
        here = line[i - 1 : i] == "," or re.match(r"[-+|?:^] ", line[i:])
        if here and i > indent + 2 * INDENT:
            best = min(best or (depth, -i), (depth, -i))
    return None if best is None else -best[1]
