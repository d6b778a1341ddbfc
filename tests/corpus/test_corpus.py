"""Networks as their authors wrote them: each converts, trains and is exact, or is refused in one report.

With EDGETERNARY_FULL=1 all of them run, those of real size too, and on the executors that they name: minutes.

status.toml says what holds today; `python -m tests.corpus --status --slow --all-executors` writes it. Entries
that are "not yet" what they should be may fail.
"""

from __future__ import annotations

import os
import tomllib
from collections import Counter

import pytest
import torch

from tests.corpus.check import Row, attempt, outputs, refused_well
from tests.corpus.entry import HERE, Entry, entries
from tests.need import need

NEEDS = {
    "host": ("zig|gcc|clang",),
    "cortex-m4": ("zig|arm-none-eabi-gcc", "unicorn", "capstone"),
    "hdl": ("amaranth",),
}
LONG = ("branches", "excite", "mobile", "resnets", "resnets_more")  # files: kernels of branches take seconds
CORPUS = entries()
STATUS = tomllib.loads((HERE / "status.toml").read_text(encoding="utf-8"))


FULL = bool(os.environ.get("EDGETERNARY_FULL"))
SHOWN = {"cortex-m4": 4, "hdl": 2}  # entries on these executors without EDGETERNARY_FULL


def executors() -> dict[str, tuple[str, ...]]:
    """What each entry is compared on: numpy; but for files of LONG every eighth on host, a few on others."""
    if FULL:
        return {entry.name: ("numpy", "host", *entry.on) for entry in CORPUS}
    found, left = {}, dict(SHOWN)
    for index, entry in enumerate(CORPUS):
        more = [on for on in entry.on if left.get(on, 0) > 0] if entry.source().stem not in LONG else []
        if entry.source().stem not in LONG and (more or index % 8 == 0):
            more = ["host", *more]
        for on in more:
            left[on] = left.get(on, 1) - 1
        found[entry.name] = ("numpy", *more)
    return found


def quick() -> list[Entry]:
    """Those that are not slow; of each file of LONG the first two, of the others that convert two thirds."""
    found: list[Entry] = []
    on = executors()
    for number, entry in enumerate(CORPUS):
        left = entry.expected == "converts" and len(on[entry.name]) == 1 and number % 3 == 1
        if entry.slow or left:
            continue
        stem = entry.source().stem
        if stem not in LONG or sum(other.source().stem == stem for other in found) < 2:
            found.append(entry)
    return found


def cases() -> list[object]:
    """Each entry, marked slow where it or its file is, expected to fail where status.toml says "not yet"."""
    found = []
    for entry in CORPUS if FULL else quick():
        slow = entry.slow or entry.source().stem in LONG
        marks = [pytest.mark.torch, *([pytest.mark.slow] if slow else [])]
        status = STATUS.get(entry.name, "")
        if status.startswith("not yet"):
            marks.append(pytest.mark.xfail(reason=status, strict=True))
        found.append(pytest.param(entry, id=entry.name, marks=marks))
    return found


@pytest.mark.parametrize("entry", cases())
def test_entry(entry: Entry) -> None:
    on = executors()[entry.name]
    for executor in on:
        need(*NEEDS.get(executor, ()))
    dry = FULL or entry.expected == "refused" or CORPUS.index(entry) % 3 == 0  # it is lowered twice then
    row = attempt(entry, on, dry)
    assert row.good, f"{row.entry.name} ({row.entry.style}): {row.failure}"


def test_the_status_names_each_entry_once() -> None:
    assert Counter(entry.name for entry in CORPUS) == Counter(list(STATUS))
    other = {e.name: STATUS[e.name] for e in CORPUS if STATUS[e.name] != e.expected}
    assert not {name: text for name, text in other.items() if not text.startswith("not yet: ")}


def test_the_corpus_is_large_enough() -> None:
    assert len(CORPUS) >= 75
    assert sum(entry.expected == "converts" for entry in CORPUS) >= 54
    assert sum("cortex-m4" in entry.on for entry in CORPUS) >= 20
    assert sum("hdl" in entry.on for entry in CORPUS) >= 10
    for entry in CORPUS:
        assert bool(entry.lines()) == (entry.expected == "refused"), entry.name


@pytest.mark.torch
def test_an_entry_is_a_program_that_its_author_runs() -> None:
    entry = next(entry for entry in CORPUS if entry.name == "two_heads")
    example = entry.example(3)
    assert [tuple(answer.shape) for answer in outputs(entry.model()(example))] == [(3, 2), (3, 1)]
    assert float(example.min()) >= 0 and float(example.max()) <= 1
    torch.testing.assert_close(example * 255, entry.codes(3))


def test_a_refusal_names_each_line_and_comes_before_training() -> None:
    entry = next(entry for entry in CORPUS if entry.name == "group_norm")
    places = [f"{entry.source()}:{line}" for line in entry.lines().values()]
    assert not refused_well(entry, "converts", " ".join(places))
    assert places[-1].rpartition("/")[2] in refused_well(entry, "converts", " ".join(places[:-1]))
    assert "in place of convert" in refused_well(entry, "lowers", " ".join(places))


def test_what_was_expected_to_be_refused_and_was_not_is_bad() -> None:
    entry = next(entry for entry in CORPUS if entry.expected == "refused")
    assert not Row(entry, {"converts": True}).good
    assert Row(entry, {"converts": False}, refusal="why").good
