"""Every command in README and docs is one that the command line takes: verb, options, choices."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from benchmarks.__main__ import app as benchmarks
from edgeternary.cli._app import Session, app

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("docs", "examples", "benchmarks")
DOCUMENTS = [*ROOT.glob("*.md"), *(path for name in FOLDERS for path in (ROOT / name).rglob("*.md"))]
ELLIPSIS = ("...", "…")


def commands(text: str) -> Iterator[list[str]]:
    """The words of each `edgeternary ...` in a code span, or on a line of a code block, without its remark.

    Of a line after "$ ", what a shell reads is left out. Optional words count, of several choices the first;
    a single capital stands for a number.
    """
    blocks = re.findall(r"^```.*?\n(.*?)^```", text, re.M | re.S)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    lines = [re.split(r" (?:\||\d?>|<|&&) ?", line)[0][2:] if line[:2] == "$ " else line for line in lines]
    spans = [" ".join(span.split()) for span in re.findall(r"(?<!`)`([^`]+)`(?!`)", text)]
    rows = [f"edgeternary {row}" for row in re.findall(r"^\| `([a-z]+ [^`]+)` \|", text, re.M)]
    verbs = app.list_commands(click.Context(app))
    for line in [*lines, *spans, *(row for row in rows if row.split()[1] in verbs)]:  # rows: docs/cli.md
        found = re.match(r"(?:\S*/)?edgeternary (?!self test:)(?=[a-z])(.*)", line)  # firmware prints that
        if found and not any(word in found[1] for word in ELLIPSIS):
            plain = re.sub(r"[\[\]]|\\?\|\s*(?!-)\S+|\\?\|", " ", found[1])
            words = [re.sub(r"^[A-Z]$", "1", word) for word in shlex.split(plain, comments=True)]
            yield [word for word in words if word not in (">", "&&", ";")]


def test_commands_are_found() -> None:
    block = "```\n$ edgeternary run x.et --on host   # a remark\nedgeternary bench \\\n  --explain\n```\n"
    text = f"`edgeternary zoo`\n{block}| `boards [NAME] [--kind mcu\\|fpga]` | known boards |\n"
    expected = [
        ["run", "x.et", "--on", "host"],
        ["bench", "--explain"],
        ["zoo"],
        ["boards", "NAME", "--kind", "mcu"],
    ]
    assert list(commands(text)) == expected
    assert list(targets('`make bench-draw BENCH_ARGS="--count 4"`, `make bench-suite`')) == [
        ["draw", "--count", "4"],
        ["suite"],
    ]
    overview = (ROOT / "docs" / "overview.md").read_text(encoding="utf-8")
    assert len(list(commands(overview))) >= 15 and len(list(targets(overview))) >= 3


def targets(text: str) -> Iterator[list[str]]:
    """The words of each `make bench-NAME BENCH_ARGS="..."`: NAME, then the options."""
    for name, options in re.findall(r'make bench-([a-z]+)(?: BENCH_ARGS="([^"]*)")?', text):
        yield [name, *shlex.split(options)]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_documented_commands(document: Path) -> None:
    wrong = []
    text = document.read_text(encoding="utf-8")
    found = [(app, words) for words in commands(text)] + [(benchmarks, words) for words in targets(text)]
    for group, words in found:
        context = click.Context(group, obj=Session())
        verb = group.get_command(context, words[0])
        if verb is None:
            wrong.append((" ".join(words), "no such verb"))
            continue
        try:
            verb.make_context(words[0], list(words[1:]), parent=context)
        except click.exceptions.Exit:
            pass  # --help
        except click.ClickException as error:
            if not re.search(r"does not exist|Missing argument|in the range", error.format_message()):
                wrong.append((" ".join(words), error.format_message()))
    assert not wrong
