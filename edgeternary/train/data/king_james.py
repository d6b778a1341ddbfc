"""The King James Bible as text: 1,189 chapters, a line for each verse, without numbers; 63 characters."""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from edgeternary.errors import TOOL_MISSING, EdgeTernaryError
from edgeternary.toolchains.process import run

REMEDY = "apt install bible-kjv bible-kjv-text"
WHOLE = "gen1:1-rev22:21"
CHAPTERS = 1189
HELD_OUT = 20  # every HELD_OUT-th chapter is held out, or the last 1 / HELD_OUT of the text


@dataclass(frozen=True)
class Text:
    """Text on which a language model is trained, and text on which it is measured.

    symbols  the characters of both in the order of their code points; the place of a character is its code
    """

    name: str
    train: str
    held_out: str
    symbols: str


def king_james_reader() -> Path | None:
    """Debian's program `bible`, if it and its text are installed."""
    found = shutil.which("bible")
    return Path(found) if found and Path("/usr/lib/bible.data").is_file() else None


def king_james(held_out: str = "chapters") -> Text:
    """The whole text in the order of the books, 4,137,850 characters.

    held_out: "chapters" holds out the chapters 20, 40, 60, ... (202,035 characters of 45 books: prose, psalms
    and letters). "end" holds out the last 20th of the characters: letters and the Revelation, which differ
    from the text before them. EdgeTernaryError (exit code 3) without Debian's bible-kjv and its text.
    """
    if held_out not in ("chapters", "end"):
        raise EdgeTernaryError(f"{held_out!r} cannot be held out", remedy="give chapters or end")
    program = king_james_reader()
    if program is None:
        raise EdgeTernaryError(
            "the King James text is missing",
            "it comes with Debian's program bible; the program or its text is not installed",
            f"install both with: {REMEDY}",
            TOOL_MISSING,
        )
    return split(run([program, "-l10000", WHOLE], what="reading the King James text"), held_out == "end")


def split(printed: str, at_end: bool = False) -> Text:
    """The text that `bible` printed. Lines "Genesis 1" start chapters; lines "  1 In the ..." are verses."""
    chapters: list[list[str]] = []
    for line in printed.splitlines():
        if verse := re.match(r"\s+\d+ (.*)$", line):
            if not chapters:
                break
            chapters[-1].append(verse[1])
        elif re.search(r"\w \d+$", line):
            chapters.append([])
    if len(chapters) != CHAPTERS or not all(chapters):
        raise EdgeTernaryError(
            "the King James text is not complete",
            f"bible printed {len(chapters)} chapters, not {CHAPTERS:,}",
            f"install it again: {REMEDY}",
        )
    texts = ["\n".join(chapter) + "\n" for chapter in chapters]
    train = "".join(text for i, text in enumerate(texts, 1) if i % HELD_OUT)
    held_out = "".join(texts[HELD_OUT - 1 :: HELD_OUT])
    if at_end:
        whole = "".join(texts)
        train, held_out = whole[: -(len(whole) // HELD_OUT)], whole[-(len(whole) // HELD_OUT) :]
    return Text("King James Bible", train, held_out, "".join(sorted(set(train + held_out))))
