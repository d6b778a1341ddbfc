"""MLPerf Tiny's table: records, ratios, the page and its plot, accuracies, and the calls of CMSIS-NN."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import edgeternary
from benchmarks import accuracy, tiny, tiny_page, tiny_plot
from benchmarks.__main__ import app
from benchmarks.published.tiny import Accuracy, Board, Net, Ours, ours, published
from edgeternary import cli
from edgeternary.bench import layers, modes
from edgeternary.errors import EdgeTernaryError
from edgeternary.ops import SumPool, build
from tests.need import need

DOCS = Path(__file__).parents[2] / "docs"
HARDWARE: list[tiny.Row] = json.loads((DOCS / "fpga.json").read_text(encoding="utf-8"))


def row(name: str, core: str, kind: str = tiny.OFFICIAL, **others: object) -> tiny.Row:
    task = next((key for key, task in published().tasks.items() if task.model == name), "keywords")
    figures = {
        "cycles": 1_000_000,
        "instructions": 800_000,
        "flash_bytes": 5,
        "ram_bytes": 7,
        "mismatches": 0,
    }
    built = {"compiler": "gcc 14", "opt_level": "2", "samples": 6}
    return {"task": task, "name": name, "kind": kind, "core": core, **figures, **built, **others}


def test_records() -> None:
    for name, task in published().tasks.items():
        assert set(task.silicon) <= set(tiny.CORES) and set(task.cmsis) <= set(tiny.CORES), name
    names = [net.name for net in ours().nets]
    assert len(set(names)) == len(names)
    for record in (*ours().nets, *ours().accuracies):
        assert record.task in published().tasks
        assert record.accuracy is None or 0 < record.accuracy < 1
        assert not record.accuracy or (record.samples and record.command)


def test_ratios_are_theirs_over_ours() -> None:
    (found,) = tiny_page.beside([row("kws_int8", "cortex-m4")])
    counted = published().tasks["keywords"].cmsis["cortex-m4"][1]
    assert counted and found["cmsis_ratio"] == round(counted / 1e6, 2)
    assert found["silicon_ratio"] == 5.18
    (found,) = tiny_page.beside([row("sww_int8", "cortex-m0plus", cycles=None)])
    assert found["silicon_cycles"] is None and found["cmsis_ratio"] is None


def test_rows_of_a_document_are_replaced_in_their_places() -> None:
    known = [row("kws_int8", core) for core in tiny.CORES] + [row("ic_int8", "cortex-m4")]
    found = tiny.merged(known, [row("ic_int8", "cortex-m0plus"), row("kws_int8", "cortex-m7", cycles=5)])
    assert [(r["name"], r["core"]) for r in found] == [
        *(("kws_int8", core) for core in tiny.CORES), ("ic_int8", "cortex-m0plus"), ("ic_int8", "cortex-m4"),
    ]  # fmt: skip
    assert [r["cycles"] for r in found if r["core"] == "cortex-m7"] == [5]


def test_a_network_of_ours_appears_by_a_record(monkeypatch: pytest.MonkeyPatch) -> None:
    data = "clips"
    official = Accuracy(
        task="keywords", model="kws_int8", data=data, accuracy=0.9, samples=400, command="make bench-accuracy"
    )
    net = Net(
        task="keywords", name="small", file="s.et", data=data, accuracy=0.8, samples=100, command="make x"
    )
    fake = Ours(nets=(net,), accuracies=(official,))
    for module in (tiny, tiny_page, tiny_plot):
        monkeypatch.setattr(module, "ours", lambda: fake)
    rows = [row("kws_int8", "cortex-m4"), row("small", "cortex-m4", tiny.OURS, cycles=300_000)]
    page = tiny_page.document(rows, "tiny", HARDWARE)
    assert (
        "| small | M4 | 300,000 |" in page
        and "| small | clips | 80.00 %, 95 % interval 71.1 to 86.7 %" in page
    )
    assert not re.search(r"\{[a-z]+\}", page)
    marks = list(tiny_plot.marks(rows, "cortex-m4"))
    assert [(mark.cycles, mark.accuracy) for mark in marks if mark.name == "small"] == [(300_000, 0.8)]
    assert len(marks) == 4  # ours, CMSIS-NN and silicon of the official one
    assert tiny_plot.svg(rows).count("<title>") == 1 + len(marks) + 1 + len(tiny_plot.KINDS)
    elsewhere = list(tiny_plot.marks(rows, "cortex-m0plus"))
    assert not elsewhere


@pytest.mark.emulator
def test_a_plan_fits_the_board_of_the_silicon(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The fastest plan of a layer needs more flash than the board has."""
    need("arm-none-eabi-gcc", "unicorn", "capstone")
    graph = layers.graph(layers.parse("conv2d:4x4x4-8,k3"), modes.mode("int8", "int8", "A"), 0)
    edgeternary.save(graph, tmp_path / "m.et")
    entry = tiny.Entry("t", "m", tiny.OURS, tmp_path / "m.et", False)
    found = []
    for flash in (1 << 20, 1200):
        boards = SimpleNamespace(boards={"cortex-m0plus": Board("small", flash, 1 << 20)})
        monkeypatch.setattr(tiny, "published", lambda boards=boards: boards)
        found += tiny.measure([entry], ["cortex-m0plus"], {"compiler": "gcc", "count": 1})
    assert found[0]["flash_bytes"] > 1200 >= found[1]["flash_bytes"]
    assert found[0]["cycles"] < found[1]["cycles"] and not any(row["mismatches"] for row in found)


def test_a_folder_without_models(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(EdgeTernaryError, match=r"none of the models.*kws_int8\.tflite"):
        tiny.entries(tmp_path, ["kws"])
    assert cli.call(["tiny", "--models", str(tmp_path / "absent")], app) == 2
    assert "absent" in capsys.readouterr().err


def test_accuracy_on_a_folder_of_pictures(tmp_path: Path) -> None:
    """The brightest colour is the class; one picture lies in the wrong folder."""
    image = pytest.importorskip("PIL.Image")
    rng = np.random.default_rng(0)
    x = build.value("x", (4, 5, 3), "uint8")
    graph = build.graph(x, SumPool(name="sum", inputs=("x",), kernel=(4, 5), stride=(4, 5)))
    edgeternary.save(graph, tmp_path / "colours.et")
    for number in range(9):
        pixels = rng.integers(0, 100, (4, 5, 3), dtype=np.uint8)
        pixels[..., number % 3] += 100
        folder = tmp_path / "p" / "abc"[(number + (number == 8)) % 3]
        folder.mkdir(parents=True, exist_ok=True)
        image.fromarray(pixels).save(folder / f"{number}.png")
    found = accuracy.measure(tmp_path / "colours.et", tmp_path / "p", "numpy")
    assert (found["right"], found["samples"]) == (8, 9)
    assert found["low"] < 8 / 9 < found["high"]


def test_calls_of_cmsis_nn() -> None:
    pytest.importorskip("tflite")
    from benchmarks import cmsis_calls
    from edgeternary.frontends.tflite.file import parse
    from tests.frontends.tflite_files.writer import Writer

    w = Writer()
    x = w.tensor((1, 5, 4, 3), "INT8", 0.5, -3)
    weights = w.constant(np.ones((2, 3, 2, 3), np.int8), "INT8", [0.25, 0.125])
    y = w.tensor((1, 3, 2, 2), "INT8", 0.5, 7)
    w.operator("CONV_2D", [x, weights, w.constant(np.array([5, -6]))], y, Padding="SAME", StrideH=2,
               StrideW=2, FusedActivationFunction="RELU")  # fmt: skip
    flat = w.tensor((1, 12), "INT8", 0.5, 7)
    w.operator("RESHAPE", [y, w.constant(np.array([1, 12]))], flat)
    z = w.tensor((1, 1), "INT8", 1.0, 0)
    w.operator("FULLY_CONNECTED", [flat, w.constant(np.ones((1, 12), np.int8), "INT8", 0.5)], z)
    model = parse(w.file([x], [z]), "m")
    conv, dense = cmsis_calls.layers(model)
    assert conv["stride"] == (2, 2) and conv["pad"] == (0, 1) and conv["clamp"] == (7, 127)
    assert conv["m"] == [1 << 30, 1 << 30] and conv["shift"] == [-1, -2] and conv["bias"] == [5, -6]
    assert dense["x"] == conv["y"] and dense["shape_x"] == (1, 1, 1, 12)
    assert cmsis_calls.live_bytes(model) == 60 + 12
    text = cmsis_calls.source(model, "m")
    assert "{3, 7, { 2, 2 }, { 0, 1 }, {1, 1}, { 7, 127 }}".replace(" ", "") in text.replace(" ", "")
    assert text.count("int32_t layer_") == 2 and "layer_1();" in text


def test_the_page_is_that_of_its_rows() -> None:
    from benchmarks.commands._options import read_rows

    rows = read_rows(DOCS / "tiny.json")
    assert tiny_page.document(rows, "tiny", HARDWARE) == (DOCS / "tiny.md").read_text(encoding="utf-8")
    assert tiny_page.svg(rows) == (DOCS / "tiny.svg").read_text(encoding="utf-8")
    assert not any(row["mismatches"] for row in rows)
