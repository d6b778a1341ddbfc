"""A compiled folder made again from its model and its manifest, and compared file by file."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeternary.build import manifest
from edgeternary.build.files import MARKER
from edgeternary.build.made import Files
from edgeternary.build.manifest import Manifest
from edgeternary.build.project import Project, compile
from edgeternary.errors import NOT_BIT_EXACT, EdgeTernaryError
from edgeternary.toolchains import cache

EQUAL, EDITED, MISSING, DIFFERENT, OTHER = "equal", "edited", "missing", "different", "not of this build"
SHOWN = 40  # characters of a line that differs


@dataclass(frozen=True)
class File:
    """What became of a file.

    state  equal; missing; edited: its digest is not the manifest's; different: it is as it was written, and
           made again it has other bytes; not of this build: the manifest does not name it
    why    the first difference, "" where there is none
    """

    file: str
    state: str
    why: str = ""


@dataclass(frozen=True)
class Again:
    """The files in the order of their names, and {tool: (version then, version now)} where these differ."""

    files: list[File]
    tools: dict[str, tuple[str, str]]

    @property
    def wrong(self) -> list[File]:
        return [file for file in self.files if file.state not in (EQUAL, OTHER)]

    def refuse(self, folder: Path) -> None:
        """EdgeTernaryError (code 4) where a file is not what the model and the manifest give."""
        if not self.wrong:
            return
        lines = [f"{f.file}: {f.state}{f', {f.why}' if f.why else ''}" for f in self.wrong[:8]]
        more = len(self.wrong) - len(lines)
        if more:
            lines.append(f"and {more} more")
        changes = ", ".join(f"{tool} {then} is now {now}" for tool, (then, now) in self.tools.items())
        raise EdgeTernaryError(
            f"{len(self.wrong)} of {len(self.files)} files in {folder} are not what its model gives",
            "\n".join(lines),
            f"the likely reason is another version of a tool: {changes}. Install the versions of the manifest"
            if changes and not any(f.state in (EDITED, MISSING) for f in self.wrong)
            else "compile the model again, or restore the folder",
            NOT_BIT_EXACT,
        )


def again(folder: Path, progress: Callable[[str], None] = lambda text: None) -> Again:
    """Make a compiled folder again, in an empty cache, and compare.

    Where the model or the board's file is not what the manifest says, nothing can be made, and the digests
    alone are compared. EdgeTernaryError where the folder has no manifest, or its model is no model.
    """
    found, whole = manifest.read(folder)
    own = f"{found.options.board}.toml"
    sources = [found.graph, *([own] if own in found.sha256 else [])]
    kept = {name: _content(folder, name) for name in found.sha256}
    kept[MARKER] = _content(folder, MARKER)
    whole_sources = all(_untouched(found, kept, name) for name in sources)
    made = _made(folder, found, progress) if whole_sources else {}
    rows = [_compare(name, found, kept.get(name), made) for name in sorted({*kept, *made} - {MARKER})]
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}
    rows += [File(name, OTHER) for name in sorted(there - {*kept, *made})]
    if made:
        rows.append(_manifests(whole, json.loads(made[MARKER])))
    elif not [row for row in rows if row.state in (EDITED, MISSING)]:
        rows.append(File(MARKER, EDITED, f"it gives no digest of {found.graph}"))
    now = json.loads(made[MARKER])["tools"] if made else found.tools
    names = sorted({*found.tools, *now})
    versions = {name: (found.tools.get(name, "none"), now.get(name, "none")) for name in names}
    return Again(rows, {name: pair for name, pair in versions.items() if pair[0] != pair[1]})


def _made(folder: Path, found: Manifest, progress: Callable[[str], None]) -> Files:
    with cache.apart():
        return _compiled(folder, found, progress, found.options.build).contents(found.report)


def planned(folder: Path, progress: Callable[[str], None] = lambda text: None) -> Project:
    """What the folder was compiled to, without a build. EdgeTernaryError as for `again`."""
    return _compiled(folder, manifest.read(folder)[0], progress, build=False)


def _compiled(folder: Path, found: Manifest, progress: Callable[[str], None], build: bool) -> Project:
    from edgeternary.ir.file import load

    arguments = {**vars(found.options), "build": build}
    if (own := f"{found.options.board}.toml") in found.sha256:
        arguments["board"] = str(folder / own)
    return compile(load(folder / found.graph), **arguments, progress=progress)


def _content(folder: Path, name: str) -> bytes | None:
    path = folder / name
    return path.read_bytes() if path.is_file() else None


def _untouched(found: Manifest, kept: dict[str, bytes | None], name: str) -> bool:
    content = kept.get(name)
    return content is not None and manifest.digest(content) == found.sha256[name]


def _compare(name: str, found: Manifest, kept: bytes | None, made: Files) -> File:
    content = made.get(name)
    data = content.encode() if isinstance(content, str) else content
    if kept is None:
        return File(name, MISSING)
    if manifest.digest(kept) != found.sha256.get(name):
        if kept == data:
            return File(name, EDITED, f"the digest of it in {MARKER} is another one")
        return File(name, EDITED, "" if data is None else difference(kept, data))
    if made and data is None:
        return File(name, DIFFERENT, "it is not made")
    return File(name, EQUAL) if data in (None, kept) else File(name, DIFFERENT, difference(kept, data or b""))


def _manifests(kept: dict[str, Any], made: dict[str, Any]) -> File:
    """The manifests apart from the versions of tools, and from digests, which are compared with the files."""
    apart = ("tools", "sha256")
    keys = [key for key in {**kept, **made} if key not in apart and kept.get(key) != made.get(key)]
    return File(MARKER, DIFFERENT, f"in {', '.join(keys)}") if keys else File(MARKER, EQUAL)


def difference(kept: bytes, made: bytes) -> str:
    """Where two contents begin to differ: the line of texts, else the byte."""
    try:
        here, there = (text.decode().split("\n") for text in (kept, made))
    except UnicodeDecodeError:
        at = next((k for k, (a, b) in enumerate(zip(kept, made)) if a != b), min(len(kept), len(made)))
        return f"from byte {at:,} on; {len(kept):,} bytes, made again {len(made):,}"
    at = next((k for k, (a, b) in enumerate(zip(here, there)) if a != b), min(len(here), len(there)))
    texts = [_shown(lines[at]) if at < len(lines) else "nothing" for lines in (here, there)]
    return f"from line {at + 1:,} on: {texts[0]}, made again {texts[1]}"


def _shown(line: str) -> str:
    return repr(line if len(line) <= SHOWN else f"{line[:SHOWN]}...")
