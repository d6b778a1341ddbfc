"""The documentation as a site: no warning, no request of another host, a page for everything."""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType

import pytest

from tests.need import REQUIRED

ROOT = Path(__file__).resolve().parents[2]
DRAWINGS = sorted((ROOT / "docs").rglob("*.svg"))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site; skipped where the extra `docs` is not installed, but not in CI."""
    if not all(importlib.util.find_spec(name) for name in ("material", "mkdocstrings")):
        (pytest.fail if REQUIRED else pytest.skip)("install it with: pip install 'edgeternary[docs]'")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", folder]
    env = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'hw'}"}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def hooks(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """docs/reference/hooks.py, as mkdocs loads it."""
    monkeypatch.syspath_prepend(ROOT / "docs" / "reference")
    return importlib.import_module("hooks")


@pytest.mark.slow
def test_no_page_requests_the_network(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = hooks(monkeypatch)
    assert not module.requests(site)
    page = site / "planted.html"
    for text in (
        '<link rel="stylesheet" href="https://a.example/css">', '<script src=//cdn.example/a.js></script>',
        '<img src="http://a.example/b.png">', "<style>@import 'https://a.example/c.css'</style>",
    ):  # fmt: skip
        page.write_text(text)
        assert list(module.requests(site)) == ["planted.html"], text
    page.unlink()


class Links(HTMLParser):
    """Links of a page, its anchors, and images without a text for screen readers."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.silent: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.anchors |= {found["id"] or ""} if "id" in found else set()
        if tag == "a" and found.get("href"):
            self.links.append(found["href"] or "")
        if tag == "img" and not found.get("alt"):
            self.silent.append(found.get("src") or "")


@pytest.mark.slow
def test_links_of_the_site_hold(site: Path) -> None:
    pages = {path: Links(path.read_text()) for path in site.rglob("*.html") if path.name != "404.html"}
    wrong = []
    for path, page in pages.items():
        assert not page.silent, f"{path.name}: images without a description"
        for link in page.links:
            target, _, anchor = link.partition("#")
            if re.match(r"[a-z]+:|//", target):
                continue
            file = (path.parent / target).resolve() if target else path
            file = file / "index.html" if file.is_dir() else file
            there = file.is_file() and (not anchor or file not in pages or anchor in pages[file].anchors)
            wrong += [] if there else [f"{path.relative_to(site)}: {link}"]
    assert not wrong


@pytest.mark.slow
def test_the_reference_has_everything(site: Path) -> None:
    from edgeternary import boards, nn
    from edgeternary.c.kernels import kernels
    from edgeternary.cli._app import app
    from edgeternary.ir import REGISTRY

    wanted = {
        "verbs": app.list_commands(None),  # type: ignore[arg-type]
        "ops": REGISTRY, "boards": boards.load_all(), "kernels": [kernel.name for kernel in kernels()],
        "python": [f"{cls.__module__}.{cls.__name__}" for cls in (nn.Conv2d, nn.InputSpec, nn.Streaming)],
    }  # fmt: skip
    for name, entries in wanted.items():
        anchors = Links((site / "reference" / f"{name}.html").read_text()).anchors
        assert set(entries) <= anchors, name


def test_docstrings_keep_their_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("griffe", exc_type=ImportError)
    monkeypatch.syspath_prepend(ROOT / "docs" / "reference")
    readable = importlib.import_module("docstrings").readable
    assert readable("Runs <model>_run.\n\nx     codes\nname  of it") == (
        "Runs &lt;model>_run.\n\n```text\nx     codes\nname  of it\n```"
    )


@pytest.mark.parametrize("path", DRAWINGS, ids=lambda path: path.stem)
def test_drawings_speak(path: Path) -> None:
    """Drawings of explanations have a title and a description, and colours for light and dark pages."""
    text = path.read_text()
    if path.parent.name == "explanation" or path.name == "speedup.svg":
        assert 'role="img" aria-labelledby="title said"' in text
        assert re.search(r'<title id="title">.+</title>\s*<desc id="said">.{40,}</desc>', text)
        assert "prefers-color-scheme: dark" in text and 'class="ground" width="100%" height="100%"' in text
    assert not re.search(r'(href|src)="(https?:)?//', text)


def test_links_of_the_readme_hold() -> None:
    text = (ROOT / "README.md").read_text()
    for target, anchor in re.findall(r"\]\(([^)#:\s]+)(?:#([^)]*))?\)", text):
        assert (ROOT / target).exists(), target
        heads = re.findall(r"^#+ (.*)", (ROOT / target).read_text(), re.M) if target.endswith(".md") else []
        slugs = {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}
        assert not anchor or anchor in slugs, f"{target}#{anchor}"
