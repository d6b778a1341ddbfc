"""Plain English: words that a reader whose first language is another one reads twice are not used."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLACES = ("edgeternary", "hw", "templates", "firmware", "benchmarks", "examples", "docs", "tests")
SUFFIXES = (".py", ".md", ".j2", ".c", ".h", ".in", ".toml", ".v")
PLAINER = {
    r"so many": "the parameter's name: n flip-flops",
    r"behind": "after",
    r"reckon\w*": "count, estimate",
    r"wish|wishes": "constraint, option",
    r"foretold": "estimated",
    r"anew": "again",
    r"what of": "a sentence with a subject and a verb",
    r"float twins?": "float reference",
    r"mend(s|ed|ing)?": "correct, repair",
}
FORBIDDEN = re.compile(rf"\b({'|'.join(PLAINER)})\b", re.IGNORECASE)
ALLOWED = ("tests/packaging/test_words.py",)


def found(text: str) -> list[str]:
    """Each word that is not used, with its line's number."""
    lines = enumerate(text.splitlines(), 1)
    return [f"{number}: {match[0]}" for number, line in lines for match in FORBIDDEN.finditer(line)]


def test_plain_words() -> None:
    paths = [path for place in PLACES for path in (ROOT / place).rglob("*") if path.suffix in SUFFIXES]
    texts = {
        path.relative_to(ROOT).as_posix(): path
        for path in [*paths, ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
    }
    words = {name: found(path.read_text()) for name, path in texts.items() if not name.startswith(ALLOWED)}
    assert not {name: lines for name, lines in words.items() if lines}, PLAINER


def test_a_word_is_found_with_its_line() -> None:
    assert found("a register\nbehind each of so many layers, behindhand") == ["2: behind", "2: so many"]
