"""CXXRTL's C++ without deep expressions: parts of wide values become calls of templates/hdl/wide.h.

A register of n slices is one expression of n levels in what yosys writes, `a.concat(b).concat(c)...`. Each
level is a template of its own that copies the whole value: compilers take O(n^2) time and memory for it, and
end with an error from 1,024 levels on. `join(join(a, b, ...), join(...), ...)` has log(n) levels.
"""

import re

from edgeternary.data import templates_dir

AT_ONCE = 16  # values that one call joins
HEADER = "#include <cxxrtl/cxxrtl.h>\n"
SLICE = re.compile(r"\b([A-Za-z_][\w.]*)\.slice<(\d+)(?:,(\d+))?>\(\)(?:\.val\(\))?")
PIECE = re.compile(r"\.concat\(|<[\d,]*>|\{[^}]*\}|::|[(?:,;]|[^.(?:,;<{]+|.", re.S)


def wide_header() -> str:
    """The text of wide.h."""
    return (templates_dir() / "hdl" / "wide.h").read_text(encoding="utf-8")


def shallow(text: str) -> str:
    """The C++ text with the same meaning; it includes "wide.h"."""
    return "\n".join(map(_line, text.replace(HEADER, f'{HEADER}#include "wide.h"\n', 1).split("\n")))


def _line(line: str) -> str:
    """One statement a line. What is assigned to can be slices and chains as well: it stays."""
    if not line.startswith("\t"):
        return line
    left, assigned, right = line.partition(" = ")
    if not assigned or left.lstrip().startswith(("//", "for ", "if ")):
        return line
    right = SLICE.sub(lambda m: f"wide::cut<{m[2]},{m[3] or m[2]}>({m[1]})", right)
    return left + assigned + (_chains(right) if ".concat(" in right else right)


def _chains(text: str) -> str:
    """An expression whose chains of concat are calls of join; parentheses in it are balanced."""
    found: list[str] = []  # what is before the operand at work
    chain: list[str] = []  # its parts, if it is a chain
    operand = ""
    at = 0
    while at < len(text):
        piece = PIECE.match(text, at)
        assert piece
        word, at = piece[0], piece.end()
        if word in (".concat(", "("):
            end = _closing(text, at)
            inner, at = _chains(text[at:end]), end + 1
            if word == "(":
                operand += f"({inner})"
                continue
            if operand:  # the first part, or what is done with a chain before it goes on
                chain = [_joined(chain) + operand]
            chain, operand = [*chain, inner], ""
        elif word in "?:,;":
            found.append(_joined(chain) + operand + word)
            chain, operand = [], ""
        else:
            lead = re.match(r"\s*", word)
            assert lead
            if not operand and not chain:
                found.append(lead[0])
                word = word[lead.end() :]
            operand += word.rstrip() if at < len(text) and text[at] in "?:" else word
    return "".join(found) + _joined(chain) + operand


def _joined(parts: list[str]) -> str:
    while len(parts) > AT_ONCE:
        parts = [_joined(parts[k : k + AT_ONCE]) for k in range(0, len(parts), AT_ONCE)]
    return f"wide::join({', '.join(parts)})" if len(parts) > 1 else "".join(parts)


def _closing(text: str, at: int) -> int:
    """The place of the parenthesis that closes the one before `at`."""
    depth = 1
    for found in re.compile(r"[()]").finditer(text, at):
        depth += 1 if found[0] == "(" else -1
        if depth == 0:
            return found.start()
    raise ValueError("parentheses are not balanced")
