"""The commands of README and of the pages in FOLDERS below docs/, as a reader would type them.

    python -m tests.docs.commands [PAGE ...]     runs them and writes what they print into the pages

In a page a block of code is one of these:

* ```` ```console ```` holds commands after "$ " and below each what it prints on stdout. All commands of
  a page run one after the other, in a folder that is empty at first.
* ```` ```python title="train.py" ```` (or any language) is a file of that folder.
* A comment `<!-- not run: reason -->` on the line before a block says why its commands are not run here, and
  `<!-- exit code N: ... -->` that the last command ends with N and prints its error.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import runpy
import shlex
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edgeternary import cli

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("start", "howto", "explanation")
LANGUAGES = ("console", "python", "c", "cpp", "rust", "toml", "yaml", "verilog", "tcl", "text", "ini")
NUMBER = re.compile(r"\b[0-9a-f]{12,}\b|\d[\d,.]*")
SHELL = re.compile(r"[|<>;&$`*\n]")


def pages() -> list[Path]:
    """README and the pages whose commands run."""
    found = (path for folder in FOLDERS for path in sorted((ROOT / "docs" / folder).glob("*.md")))
    return [ROOT / "README.md", *found]


@dataclass(frozen=True)
class Block:
    """A block of code: its lines of the page (first inside, after the last), and the comment before it."""

    start: int
    end: int
    language: str
    title: str
    comment: str
    text: str

    @property
    def runs(self) -> bool:
        return self.language == "console" and "not run:" not in self.comment

    @property
    def code(self) -> int:
        """The exit code that the last command ends with."""
        found = re.search(r"exit code (\d+)", self.comment)
        return int(found[1]) if found else 0


@dataclass(frozen=True)
class Command:
    text: str
    printed: str


def blocks(page: str) -> Iterator[Block]:
    """Every fenced block of a page, in order."""
    lines, start, head, fence = page.splitlines(), 0, "", ""
    for number, line in enumerate(lines):
        if not fence and (found := re.match(r"(```+)(.*)", line)):
            start, fence, head = number + 1, found[1], found[2]
        elif fence and line == fence:
            language, _, rest = head.strip().partition(" ")
            title = re.search(r'title="([^"]+)"', rest)
            before = lines[start - 2] if start > 1 else ""
            comment = before if before.startswith("<!--") else ""
            text = "\n".join(lines[start:number])
            yield Block(start, number, language, title[1] if title else "", comment, text)
            fence = ""


def commands(block: Block) -> list[Command]:
    """Those of a console block; a line that ends with a backslash goes on in the next."""
    found: list[tuple[list[str], list[str]]] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            found.append(([line[2:]], []))
        elif found and not found[-1][1] and found[-1][0][-1].endswith("\\"):
            found[-1][0].append(line)
        else:
            assert found, f"line {block.start + 1}: a console block starts with a command, after '$ '"
            found[-1][1].append(line)
    return [Command("\n".join(typed), "\n".join(printed)) for typed, printed in found]


def plain(text: str) -> str:
    """Text without what depends on versions of tools: numbers, and the spaces around them."""
    lines = (" ".join(NUMBER.sub("0", line).split()) for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def called(text: str, folder: Path) -> tuple[int, str]:
    """Exit code and output of a command.

    Scripts and, without a shell, verbs of edgeternary run in this process, which imports torch once.
    """
    joined = text.replace("\\\n", " ")
    script = re.fullmatch(r"python (\w+\.py)(?: 2>/dev/null)?", joined)
    piped = re.fullmatch(r"(.*) \| (tail|head) -(\d+)", joined)
    joined = piped[1] if piped else joined
    if script or (joined.startswith("edgeternary ") and not SHELL.search(joined)):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.chdir(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run_script(script[1]) if script else cli.call(shlex.split(joined)[1:])
        printed = out.getvalue().splitlines(keepends=True)
        if piped:
            count = int(piped[3])
            printed = printed[-count:] if piped[2] == "tail" else printed[:count]
        return code, "".join(printed) + error(code, err.getvalue())
    paths = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    env = {**os.environ, "PATH": paths, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'hw'}"}
    done = subprocess.run(["bash", "-c", text], cwd=folder, env=env, capture_output=True, text=True)
    return done.returncode, done.stdout + error(done.returncode, done.stderr)


def error(code: int, text: str) -> str:
    """What a command that fails says on stderr, without the progress before it."""
    found = re.search(r"^(error: |Usage: |Traceback|\S+: line ).*", text, re.M | re.S)
    return found[0] if found and code else ""


def run_script(name: str) -> int:
    """Runs a file of this folder as `python name` does; modules beside it are forgotten again."""
    known, path = set(sys.modules), list(sys.path)
    sys.path.insert(0, str(Path.cwd()))
    try:
        runpy.run_path(name, run_name="__main__")
    except Exception:
        traceback.print_exc()
        return 1
    finally:
        sys.path[:] = path
        for module in set(sys.modules) - known:
            if Path(getattr(sys.modules[module], "__file__", None) or "/").parent == Path.cwd():
                del sys.modules[module]
    return 0


def walked(page: str, folder: Path) -> Iterator[tuple[Block, list[tuple[Command, str]]]]:
    """Each block of a page, its commands with what they print; files are written as they come.

    AssertionError for a command that ends with another exit code than the page says.
    """
    for block in blocks(page):
        assert block.language in LANGUAGES, f"line {block.start}: no language is called {block.language!r}"
        if block.title:
            path = folder / block.title
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{block.text}\n")
        ran = []
        for command in commands(block) if block.runs else ():
            code, printed = called(command.text, folder)
            last = command is commands(block)[-1]
            expected = block.code if not ran or last else 0
            assert code == expected, f"line {block.start + 1}: {command.text}\nends with {code}\n{printed}"
            ran.append((command, printed.rstrip()))
        yield block, ran


def renewed(page: str, folder: Path) -> str:
    """The page with what its commands print now."""
    lines = page.splitlines()
    for block, ran in reversed(list(walked(page, folder))):
        if ran:
            text = [f"$ {command.text}\n{printed}".rstrip() for command, printed in ran]
            lines[block.start : block.end] = "\n".join(text).splitlines()
    return "\n".join(lines) + "\n"


def main() -> None:
    for path in [Path(name).resolve() for name in sys.argv[1:]] or pages():
        with tempfile.TemporaryDirectory() as folder:
            path.write_text(renewed(path.read_text(), Path(folder)))
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
