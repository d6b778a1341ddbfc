"""CXXRTL's C++ in several translation units, which compile at the same time.

yosys writes all of a design's logic as one function, `eval`. For netlists of ten thousand cells it has tens
of megabytes, and compilers take more than linear time for one function. Here it becomes functions of bounded
size, `eval_0()` and so on, which are called in order. A variable that several of them use becomes a member.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

SPLIT = 1_000_000  # characters of `eval` from which it is split
PIECE = 250_000  # characters of a function
LOCAL = re.compile(r"\tvalue<\d+> (\w+);")
EDGE = re.compile(r"\tbool (\w+) = this->\w+\(\);")
HEADER, DESIGN = "design.h", "design.cpp"


def units(text: str, count: int) -> dict[str, str]:
    """Files for the text of design.cpp: design.cpp, and where it is long design.h and at most `count` units.

    design.cpp, which main.cpp includes, and the units make up the program.
    """
    found = re.search(r"^bool (\w+)::eval\(performer \*performer\) \{\n(.*?)^\}\n", text, re.M | re.S)
    if not found or len(found[2]) < SPLIT:
        return {DESIGN: text}
    top, lines = found[1], [line for line in found[2].splitlines() if not line.lstrip().startswith("//")]
    start = next(k for k, line in enumerate(lines) if not _declares(line))
    variables = {match[1]: line for line in lines[:start] if (match := LOCAL.fullmatch(line))}
    edges = [match[1] for line in lines[:start] if (match := EDGE.fullmatch(line))]
    head = [line for line in lines[:start] if not LOCAL.fullmatch(line)]
    pieces = list(_pieces(lines[start:-1]))
    used = [set(re.findall(r"\w+", piece)) & variables.keys() for piece in pieces]
    once: set[str] = set()
    shared: set[str] = set()
    for names in used:
        shared |= once & names
        once |= names
    parameters = ", ".join(["performer *performer", "bool &converged", *(f"bool {edge}" for edge in edges)])
    arguments = ", ".join(["performer", "converged", *edges])
    functions = []
    for k, (piece, names) in enumerate(zip(pieces, used, strict=True)):
        own = "".join(f"{variables[name]}\n" for name in sorted(names - shared))
        functions.append(f"void {top}::eval_{k}({parameters}) {{\n{own}{piece}}}\n")
    members = [variables[name] for name in sorted(shared)]
    members += [f"\tvoid eval_{k}({parameters});" for k in range(len(pieces))]
    end = f"}}; // struct {top}\n"
    before, _, after = text[: found.start()].partition(end)
    header = f"{before}{chr(10).join(members)}\n{end}\n}} // namespace cxxrtl_design\n"
    calls = [f"\teval_{k}({arguments});" for k in range(len(pieces))]
    body = "\n".join([*head, *calls, lines[-1]])
    rest = f"{after}bool {top}::eval(performer *performer) {{\n{body}\n}}\n{text[found.end() :]}"
    files = {HEADER: header, DESIGN: f"{_opened(after=rest)}"}
    borders = [round(k * len(functions) / count) for k in range(count + 1)]
    for k, (first, last) in enumerate(pairwise(borders)):
        if first < last:
            files[f"unit{k}.cpp"] = (
                _opened("\n".join(functions[first:last])) + "} // namespace cxxrtl_design\n"
            )
    return files


def _opened(after: str) -> str:
    return f'#include "{HEADER}"\n\nnamespace cxxrtl_design {{\n\n{after}\n'


def _declares(line: str) -> bool:
    return bool(LOCAL.fullmatch(line) or EDGE.fullmatch(line)) or line.startswith("\tbool converged = ")


def _pieces(lines: list[str]) -> Iterator[str]:
    """Whole statements, together at least PIECE characters; the last one may be shorter.

    A statement ends with a line of one tab that does not open a block.
    """
    piece: list[str] = []
    size = 0
    for line in lines:
        piece.append(line)
        size += len(line)
        whole = re.match(r"\t[^\t]", line) and not line.endswith("{") and line.endswith(("}", ";"))
        if whole and size >= PIECE:
            yield "\n".join(piece) + "\n"
            piece, size = [], 0
    if piece:
        yield "\n".join(piece) + "\n"
