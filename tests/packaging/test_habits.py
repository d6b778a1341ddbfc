"""Habits of the repository that no linter checks."""

from __future__ import annotations

import re
import statistics
import subprocess
import tomllib
from pathlib import Path

import edgeternary

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("edgeternary", "hw", "templates", "firmware", "tests", "examples")
SUFFIXES = (".py", ".j2", ".c", ".h", ".toml")
MAX_LINES, MEDIAN_LINES = 400, 120


def lines() -> dict[str, int]:
    """Lines of every source file that has any."""
    paths = [path for top in SOURCES for path in (ROOT / top).rglob("*") if path.suffix in SUFFIXES]
    found = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in paths}
    return {name: count for name, count in found.items() if count and "golden" not in name}


def test_small_files() -> None:
    too_long = {name: count for name, count in lines().items() if count > MAX_LINES}
    assert not too_long
    assert statistics.median(lines().values()) <= MEDIAN_LINES


def test_every_dependency_says_why() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    project = tomllib.loads(text)["project"]
    extras = project["optional-dependencies"].values()
    for requirement in [*project["dependencies"], *(r for extra in extras for r in extra)]:
        if requirement.startswith("edgeternary["):
            continue
        assert re.search(rf'"{re.escape(requirement)}",?\s*# \w', text), f"{requirement} has no comment"
        assert ">=" in requirement


def test_version_is_stated_once_per_place() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == edgeternary.__version__
    assert f"## {edgeternary.__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_public_names_exist() -> None:
    for name in edgeternary.__all__:
        if name not in ("lower", "nn"):  # these need torch
            assert getattr(edgeternary, name) is not None


def test_whatever_is_started_ends_with_python() -> None:
    """One class starts programs: edgeternary.toolchains.Child."""
    starts = re.compile(
        r"\bsubprocess\.(Popen|run|call|check_\w+)\(|\bos\.(system|popen|spawn\w+|posix_spawn\w*)\("
    )
    found = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "edgeternary").rglob("*.py")
        if path.name != "child.py" and starts.search(path.read_text())
    ]
    assert not found


def test_one_jinja_environment() -> None:
    """Every template is rendered by edgeternary.templating."""
    paths = [path for top in ("edgeternary", "benchmarks") for path in (ROOT / top).rglob("*.py")]
    assert [path.name for path in paths if "Environment(" in path.read_text()] == ["templating.py"]


def test_links_between_documents() -> None:
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "examples").glob("*.md")]
    for document in documents:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"


def test_make_says_clearly_that_python_is_too_old(tmp_path: Path) -> None:
    done = subprocess.run(
        ["make", "-C", ROOT, "setup", f"VENV={tmp_path / 'venv'}", "PYTHON="], capture_output=True, text=True
    )
    assert done.returncode != 0
    assert "needs Python 3.11 or newer" in done.stdout
    assert not (tmp_path / "venv").exists()
