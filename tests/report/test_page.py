"""The report: its numbers are those of its document, names do no harm, equal models give equal bytes."""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edgeternary
from edgeternary.bench.make import Maker
from edgeternary.bench.modes import mode
from edgeternary.c.explain import explain_plan
from edgeternary.c.select import Budget, Planner
from edgeternary.errors import EdgeTernaryError
from edgeternary.ir import Graph
from edgeternary.report.html.document import document
from edgeternary.report.html.page import page
from edgeternary.report.html.pages import checked
from edgeternary.report.tiny import tiny_graph
from tests.cli.conftest import Answer
from tests.need import need
from tests.registry.graphs import STATEFUL
from tests.registry.several import two_heads
from tests.report.nets import EVIL, residual
from tests.report.read import Page

Call = Callable[..., Answer]


TARGETS = {"board": {"board": "nucleo_l476rg"}, "host": {"core": "host"}, "device": {"device": "up5k"}}


@cache
def made(target: str, hostile: bool = False) -> dict[str, Any]:
    if target == "device":
        need("amaranth")
    graph = residual(EVIL, title=EVIL[0]) if hostile else residual()
    return document(edgeternary.compile(graph, **TARGETS[target]))


def plain(number: int | float) -> str:
    return f"{number:,}"


@pytest.mark.parametrize("target", TARGETS)
def test_the_page_is_whole_and_alone(target: str) -> None:
    text = page(made(target, hostile=target != "host"))
    read = Page(text)
    assert read.wrong == []
    ids = read.ids()
    assert len(ids) == len(set(ids))
    assert {link.removeprefix("#") for link in read.links()} <= set(ids), (
        "every link leads to a place of the page"
    )
    used = {tag for tag, _ in read.tags}
    assert not used & {"script", "link", "img", "iframe", "object", "base", "form"}
    assert "default-src 'none'" in text
    for _, values in read.tags:
        assert not {
            name for name in values if name.startswith("on") or name in ("src", "srcset", "xlink:href")
        }
    assert "http:" not in text and "https:" not in text and "url(" not in text and "@import" not in text
    sections = ["figures", "graph", "layers", "accuracy", "exactness", "made"]
    own = ["parts"] if target == "device" else ["kernels", "arena"]
    assert {*sections, *own} <= set(read.rows) | set(read.texts)


@pytest.mark.parametrize("make", [*STATEFUL, two_heads], ids=lambda make: make.__name__)
def test_graphs_with_states_and_several_outputs(make: Callable[[], Graph]) -> None:
    graph = make()
    found = document(edgeternary.compile(graph, core="cortex-m0plus"))
    read = Page(page(found))
    assert read.wrong == []
    for value in (*graph.inputs, *graph.output_values, *(state.value for state in graph.states)):
        assert value.name in read.texts["graph"] + read.texts["made"]
    assert found["figures"][0]["word"] == "flash_bytes"


def test_numbers_of_c_are_those_of_the_document() -> None:
    found = made("board")
    read = Page(page(json.loads(json.dumps(found))))
    head, *rows = read.rows["layers"]
    assert (
        [row[0] for row in rows]
        == [layer["name"] for layer in found["layers"]]
        == ["stem", "one", "two", "sum", "fc"]
    )
    for row, layer in zip(rows, found["layers"], strict=True):
        assert row[head.index("Output")] == "\u00d7".join(map(str, layer["shape"]))
        for column, word in (
            ("Weights", "weights"),
            ("MACs", "macs"),
            ("Estimated cycles", "estimated_cycles"),
        ):
            assert row[head.index(column)] == plain(layer[word])
        assert row[head.index("Flash, bytes")] == plain(layer["estimated_flash_bytes"])
    for row in found["figures"]:
        assert row["source"] == "estimated"
        if isinstance(row["value"], int):
            assert plain(row["value"]) in read.texts["figures"]
    cycles = next(row["value"] for row in found["figures"] if row["word"] == "cycles")
    ms = next(row["value"] for row in found["figures"] if row["word"] == "ms")
    assert cycles == found["estimates"]["estimated_cycles"]
    assert ms == round(1e3 * cycles / 80_000_000, 4)
    assert sum(layer["estimated_cycles"] for layer in found["layers"]) == pytest.approx(
        cycles, abs=len(found["steps"])
    )
    for row in found["candidates"]:
        if row["verdict"] == "chosen":
            assert plain(row["cycles"]) in read.texts["kernels"]
        else:
            assert any(c["kernel"] == row["kernel"] and c["op"] == row["op"] for c in found["candidates"])
            assert row["kernel"] in read.texts["kernels"]


def test_candidates_may_be_left_out() -> None:
    """A page of a network with too many ways to run says so; nothing else changes."""
    project = edgeternary.compile(residual(), core="cortex-m4")
    few, all_of_them = document(project, 3), document(project)
    assert few["candidates"] is None and all_of_them["candidates"]
    assert {**few, "candidates": all_of_them["candidates"]} == all_of_them
    read = Page(page(few))
    assert "edgeternary report MODEL --core cortex-m4" in read.texts["kernels"]
    assert read.wrong == [] and {link.removeprefix("#") for link in read.links()} <= set(read.ids())


def test_more_layers_than_calls_may_nest() -> None:
    maker = Maker("deep", mode("ternary", "2-bit", "A"), (4,), "uint2", seed=0)
    for number in range(60):
        maker.dense(4, f"fc{number}").act(f"act{number}")
    planner = Planner(maker.graph(), "host")
    plan, limit = planner.choose("cycles", Budget()), sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + 100)
    try:
        found = explain_plan(planner, plan)
    finally:
        sys.setrecursionlimit(limit)
    assert [row.layer for row in found if row.verdict == "chosen"] == [f"fc{number}" for number in range(60)]


def test_candidates_are_those_that_bench_explains(et: Call, model: Path, tmp_path: Path) -> None:
    answer = et("bench", model, "--board", "pico", "--explain", "--json").json()
    report = et("report", model, "--board", "pico", "--json").json()
    words = ("kernel", "layouts", "cycles", "flash", "scratch", "whole", "verdict")
    ours = [{"layer": row["op"], **{word: row[word] for word in words}} for row in report["candidates"]]
    assert ours == [{"layer": row["layer"], **{word: row[word] for word in words}} for row in answer]
    compiled = et("compile", model, "--board", "pico", "--no-build", "-o", tmp_path / "b", "--json").json()
    assert report["estimates"] == compiled["estimates"]
    assert [{k: row[k] for k in compiled["layers"][0]} for row in report["steps"]] == compiled["layers"]


def test_numbers_of_hardware_are_those_of_the_document(et: Call, tmp_path: Path) -> None:
    need("amaranth")
    edgeternary.save(residual(), tmp_path / "m.et")
    compiled = et("compile", tmp_path / "m.et", "--device", "up5k", "-o", tmp_path / "b", "--json").json()
    found = json.loads((tmp_path / "b" / "report.json").read_text(encoding="utf-8"))
    assert [
        {k: row[k] for k in part} for row, part in zip(found["parts"], compiled["layers"], strict=True)
    ] == (compiled["layers"])
    read = Page((tmp_path / "b" / "report.html").read_text(encoding="utf-8"))
    head, *rows = read.rows["parts"]
    for row, part in zip(rows, compiled["layers"], strict=False):
        assert row[0] == part["name"]
        for column, word in (
            ("LUTs", "luts"),
            ("Flip-flops", "ffs"),
            ("Block RAMs", "ram_blocks"),
            ("Cycles", "cycles"),
        ):
            assert row[head.index(column)] == plain(part[word])
        if "pe" in part:
            assert (row[head.index("PE")], row[head.index("SIMD")]) == (
                plain(part["pe"]),
                plain(part["simd"]),
            )
    busiest = max(compiled["layers"], key=lambda part: part["cycles"])
    (marked,) = [row for row in rows if row[-1] == "bottleneck"]
    assert marked[0] == busiest["name"]
    assert plain(compiled["estimates"]["cycles"]) in read.texts["figures"]


@pytest.mark.parametrize("target", ["board", "device"])
def test_hostile_names_are_text(target: str) -> None:
    text = page(made(target, hostile=True))
    read = Page(text)
    assert read.wrong == []
    assert not {tag for tag, _ in read.tags} & {"script", "img", "i", "b"}
    assert "7 * 7" in read.texts["graph"] and "49" not in re.findall(r"\d+", read.texts["graph"])
    names = [row[0] for row in read.rows["layers"]][1:]
    assert names == [EVIL[0], EVIL[1], EVIL[2], EVIL[3], EVIL[5]]
    assert residual().meta.info["summary"] in read.texts[""]


def test_hostile_names_in_a_readme(tmp_path: Path) -> None:
    edgeternary.compile(residual(EVIL, title=EVIL[0]), core="cortex-m4", directory=tmp_path / "out")
    text = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "<" not in re.sub(r"```.*?```", "", text, flags=re.S).replace("<stdio.h>", "")


@pytest.mark.parametrize("target", ["board", "device"])
def test_the_same_bytes_elsewhere(target: str, tmp_path: Path) -> None:
    if target == "device":
        need("amaranth")
    folders = [tmp_path / "a", tmp_path / "deep" / "b"]
    folders[1].parent.mkdir()
    for folder in folders:
        edgeternary.compile(tiny_graph(), **TARGETS[target], directory=folder)
    for name in ("report.html", "report.json", "README.md"):
        first, second = ((folder / name).read_bytes() for folder in folders)
        assert first == second
        assert str(tmp_path).encode() not in first
        assert not re.search(rb"20\d\d-\d\d-\d\d", first)


def test_a_folder_without_a_report(et: Call, model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert et("compile", model, "--core", "cortex-m4", "--no-report", "-o", out).code == 0
    assert {path.name for path in out.iterdir()} == {"tiny.c", "tiny.et", "tiny.h", "edgeternary.json"}
    answer = et("report", out, "-o", tmp_path / "r.html")
    assert answer.code == 1 and "no report" in answer.err and "--no-report" in answer.err
    (out / "report.json").write_text('{"report": 1, "model": {"name": 3}}')
    answer = et("report", out, "-o", tmp_path / "r.html")
    assert answer.code == 1 and "is no report" in answer.err
    assert not (tmp_path / "r.html").exists()


def test_a_build_and_a_model_give_the_same_report(et: Call, model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert et("compile", model, "--board", "pico", "--no-build", "-o", out).code == 0
    folder = et("report", out, "--json").json()
    whole = et("report", model, "--board", "pico", "--json").json()
    assert folder == whole
    assert et("report", out, "-o", tmp_path / "a.html").code == 0
    assert (tmp_path / "a.html").read_bytes() == (out / "report.html").read_bytes()


def test_two_builds_are_compared(et: Call, tmp_path: Path) -> None:
    for name, graph in (("a", residual()), ("b", tiny_graph())):
        edgeternary.save(graph, tmp_path / f"{name}.et")
    first, out = tmp_path / "a.et", tmp_path / "out"
    assert et("compile", first, "--core", "cortex-m4", "--optimize", "flash", "-o", out).code == 0
    found = et("report", first, "--core", "cortex-m4", "--against", out, "--json").json()
    other = json.loads((out / "report.json").read_text(encoding="utf-8"))
    difference = found["against"]
    assert difference["same_model"] is True
    for row in difference["totals"]:
        if row["word"] in ("flash_bytes", "cycles", "ram_bytes"):
            a, b = (
                next(f["value"] for f in one["figures"] if f["word"] == row["word"]) for one in (found, other)
            )
            assert (row["first"], row["second"], row["difference"]) == (a, b, b - a)
    for row, a, b in zip(difference["layers"], found["layers"], other["layers"], strict=True):
        assert row["kernels"] == [a["kernels"], b["kernels"]]
        assert row["estimated_cycles"]["difference"] == b["estimated_cycles"] - a["estimated_cycles"]
    read = Page(page(found))
    assert read.wrong == [] and "same model file" in read.texts["against"]
    third = et("report", out, "--against", tmp_path / "b.et", "--json").json()["against"]
    assert third["same_model"] is False
    assert {row["name"]: row["there"] for row in third["layers"]} == {
        "stem": [True, False], "one": [True, False], "two": [True, False], "sum": [True, False],
        "fc": [True, True], "conv": [False, True], "pool": [False, True],
    }  # fmt: skip


@pytest.mark.emulator
def test_what_is_measured(et: Call, tmp_path: Path) -> None:
    need("zig", "unicorn", "capstone")
    graph = residual()
    rng = np.random.default_rng(0)
    inputs, labels = rng.integers(0, 256, (1000, 6, 6, 1), dtype=np.uint8), rng.integers(0, 3, 1000)
    edgeternary.save(graph, tmp_path / "m.et")
    np.savez(tmp_path / "x.npz", images=inputs, labels=labels)
    found = et(
        "report",
        tmp_path / "m.et",
        "--core",
        "cortex-m4",
        "--measure",
        "--inputs",
        tmp_path / "x.npz",
        "--json",
    ).json()
    rows = {row["executor"]: row for row in found["exactness"]}
    assert list(rows) == ["numpy", "host", "cortex-m4"]
    assert {row["mismatches"] for row in rows.values()} == {0} and {
        row["samples"] for row in rows.values()
    } == {1000}
    assert len({row["digest"] for row in rows.values()}) == 1
    outputs = graph.run(inputs).outputs
    answers = outputs.argmax(1)
    matrix = np.array(found["accuracy"]["confusion"])
    assert matrix.sum() == 1000
    assert matrix[0, 1] == np.sum((labels == 0) & (answers == 1))
    assert np.trace(matrix) / 1000 == found["accuracy"]["accuracy"] == np.mean(answers == labels)
    sources = {row["word"]: row["source"] for row in found["figures"]}
    assert sources == {"flash_bytes": "built", "ram_bytes": "built", "cycles": "counted"}
    assert found["measured"]["timing"].endswith("+-5 %")
    steps = [row["cycles"] for row in found["steps"]]
    assert all(steps) and sum(steps) <= found["measured"]["cycles"] < 1.02 * sum(steps)
    for layer in found["layers"]:
        own = [row["cycles"] for row in found["steps"] if row["layer"] == layer["name"]]
        assert layer["cycles"] == sum(own)
    text = page(found)
    assert "\u00b15 %" in text
    head, *shown = Page(text).rows["layers"]
    assert [row[head.index("Counted cycles")] for row in shown] == [
        plain(row["cycles"]) for row in found["layers"]
    ]


@pytest.mark.emulator
def test_a_folder_is_measured(et: Call, model: Path, tmp_path: Path) -> None:
    need("zig", "unicorn", "capstone")
    out = tmp_path / "out"
    assert et("compile", model, "--board", "pico", "--no-build", "-o", out).code == 0
    found = et("report", out, "--measure", "--samples", 3, "--json").json()
    assert found == et("report", model, "--board", "pico", "--measure", "--samples", 3, "--json").json()
    assert [row["executor"] for row in found["exactness"]] == ["numpy", "host", "cortex-m0plus"]
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    report["steps"][0]["kernel"] = "another"
    (out / "report.json").write_text(json.dumps(report), encoding="utf-8")
    answer = et("report", out, "--measure")
    assert answer.code == 4 and "verify-build" in answer.err


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--on", "host"), "add --measure"),
        (("--core", "cortex-m4", "--board", "pico"), "name one target"),
        (("--core", "cortex-m4", "--fps", "3"), "--fps has no effect"),
    ],
)
def test_options_that_say_nothing_are_refused(
    et: Call, model: Path, arguments: tuple[str, ...], text: str
) -> None:
    answer = et("report", model, *arguments, "--json")
    assert answer.code == 2 and text in answer.err


def test_a_target_of_a_folder_is_its_own(et: Call, model: Path, tmp_path: Path) -> None:
    assert et("compile", model, "--core", "cortex-m4", "-o", tmp_path / "out").code == 0
    for option in (("--board", "pico"), ("--fps", 3), ("--optimize", "ram"), ("--from", "conv")):
        answer = et("report", tmp_path / "out", *option)
        assert answer.code == 2 and f"{option[0]} has no effect on a folder" in answer.err


@pytest.mark.parametrize("target", ["board", "device"])
def test_a_broken_document_is_refused(target: str) -> None:
    """Whatever stands in place of a part of it: a page, or one clear error."""
    found = {**made(target, hostile=True), "against": None}
    for key in found:
        for content in (None, [], {}, "<script>", -1, [{}], {"rows": 1}, float("nan"), [[1, "</td>"]]):
            try:
                text = checked({**found, key: content}, "a file")
            except EdgeTernaryError as error:
                assert "is no report" in error.what
            else:
                assert "<script" not in text
