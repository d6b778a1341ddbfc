"""Hooks of mkdocs: generated pages, files outside docs/ that pages link to, and a check of the built site.

The README is the first page. A link from a page to examples/README.md, say, brings that file into the site,
with what it links to in turn; links are written for a checkout and changed here.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import generate
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"(\]\()([^)\s#:]+)((?:#[^)\s]*)?\))")
REQUEST = re.compile(
    r"""<(?:script|img|iframe|source|video|audio)\b[^>]*\bsrc=["']?(?:https?:)?//"""
    r"""|<link\b(?![^>]*\brel=["']?canonical)[^>]*\bhref=["']?(?:https?:)?//"""
    r"""|(?:url\(|@import\s)\s*["']?(?:https?:)?//|https://unpkg\.com""",
    re.IGNORECASE,
)


def in_checkout(uri: str) -> str:
    """Path in the checkout of a file of the site."""
    return f"docs/{uri}" if (ROOT / "docs" / uri).is_file() else uri


def in_site(path: str) -> str:
    """Path in the site of a file of the checkout; a folder stands for its README."""
    found = path if (ROOT / path).is_file() else f"{path}/README.md"
    return found.removeprefix("docs/")


def links(path: str, text: str) -> Iterator[str]:
    """Files and folders of the checkout that a Markdown file links to."""
    for match in LINK.finditer(text):
        target = posixpath.normpath(posixpath.join(posixpath.dirname(path), match[2]))
        if (ROOT / target).exists():
            yield target


@cache
def outside() -> tuple[str, ...]:
    """Files outside docs/ that belong to the site, in the order in which links reach them."""
    todo = ["README.md", *(str(p.relative_to(ROOT)) for p in sorted((ROOT / "docs").rglob("*.md")))]
    seen = dict.fromkeys(todo)
    for path in todo:
        for target in links(path, (ROOT / path).read_text()) if path.endswith(".md") else ():
            file = target if (ROOT / target).is_file() else f"{target}/README.md"
            if file not in seen and (ROOT / file).is_file():
                seen[file] = None
                todo.append(file)
    return tuple(path for path in todo if not path.startswith("docs/"))


def on_files(files: Files, config: Any) -> Files:
    for path in outside():
        files.append(File.generated(config, path, abs_src_path=str(ROOT / path)))
    for uri, text in generate.pages().items():
        files.append(File.generated(config, uri, content=text))
    return files


def row(line: str) -> str:
    """The row of a table, without the backslashes before pipes in its code."""
    parts = line.split("`")
    parts[1::2] = [part.replace(r"\|", "|") for part in parts[1::2]]
    return "`".join(parts)


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Links of the checkout become links of the site; a pipe in code of a table needs no backslash here."""
    uri = page.file.src_uri
    markdown = "\n".join(row(line) if line.startswith("|") else line for line in markdown.split("\n"))
    if uri in generate.pages():
        return markdown
    here = posixpath.dirname(in_checkout(uri))

    def changed(match: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(here, match[2]))
        if not (ROOT / target).exists():
            return match[0]
        relative = posixpath.relpath(in_site(target), posixpath.dirname(uri) or ".")
        return f"{match[1]}{relative}{match[3]}"

    return LINK.sub(changed, markdown)


def on_post_build(config: Any) -> None:
    """Scripts of others' hosts are cut from the theme's bundle; PluginError for a page that requests one."""
    site = Path(config["site_dir"])
    for path in site.rglob("*.js"):
        text = path.read_text()
        if "https://unpkg.com/" in text:  # scripts that no page here uses: for diagrams, for old browsers
            path.write_text(text.replace("https://unpkg.com/", "about:blank#"))
    for path in site.rglob("*.map"):
        path.unlink()
    if found := requests(site):
        raise PluginError(f"pages that request the network: {found}")


def requests(site: Path) -> Mapping[str, str]:
    """{file of the built site: its first request of another host}."""
    kinds = (path for path in sorted(site.rglob("*")) if path.suffix in (".html", ".css", ".js", ".svg"))
    found = ((path, REQUEST.search(path.read_text())) for path in kinds)
    return {path.relative_to(site).as_posix(): match[0] for path, match in found if match}
