"""Every reader of files that others wrote: what a search found stays repaired, and a short one finds nothing.

make fuzz    searches for FUZZ_MINUTES (10) in each reader
"""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeternary.errors import EdgeTernaryError
from tests.fuzz import search
from tests.fuzz.readers import CORPUS, READERS, Reader, kept

SECONDS = 0.3


def _reader(name: str) -> Reader:
    pytest.importorskip(READERS[name].package)
    return READERS[name]


@pytest.mark.parametrize("name", READERS)
def test_what_was_found_stays_repaired(name: str) -> None:
    reader = _reader(name)
    for content in kept(name):
        reader.outcome(content)
    assert name == "manifest" or "read" in map(reader.outcome, reader.seeds())


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
def test_a_short_search_finds_nothing(name: str) -> None:
    _reader(name)
    found = search.search(name, SECONDS, seed=1)
    assert found["faults"] == {} and found.get("read", 0) + found.get("refused", 0) > 0


def test_a_planted_fault_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is three comparisons deep, so that files which reach new lines have to be kept."""

    def read(path: Path) -> None:
        content = path.read_bytes()
        if content[:1] > b"\x80":
            if content[1:2] > b"\x80":
                if content[2:3] > b"\x80":
                    raise ZeroDivisionError
        raise EdgeTernaryError("no")

    planted = Reader(".x", ("test_readers",), read, lambda: [bytes(3)])
    monkeypatch.setitem(search.READERS, "planted", planted)
    monkeypatch.setattr(search, "CORPUS", tmp_path)
    found = search.search("planted", 20, seed=3, most=1)
    assert [fault.split(" at")[0] for fault in found["faults"]] == ["ZeroDivisionError"]
    assert min(next((tmp_path / "planted").iterdir()).read_bytes()[:3]) > 0x80


def test_the_corpus_is_small() -> None:
    files = [path for path in CORPUS.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 200_000
