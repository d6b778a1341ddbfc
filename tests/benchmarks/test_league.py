"""The league table: what a folder of Verilog says, what a netlist answers, the page and the plot."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import league, league_page, league_plot, published, rivals
from benchmarks.__main__ import app
from benchmarks.netlist import Netlist
from edgeternary import cli, zoo
from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.run import run
from tests.need import need

DOCS = Path(__file__).parents[2] / "docs"
ROWS: list[league.Row] = json.loads((DOCS / "league.json").read_text(encoding="utf-8"))
FACTS = {
    "name": "the larger of two", "data": "numbers", "accuracy": 0.5, "frames": 300, "top": "larger",
    "input": "x", "output": "y", "latency": 2, "takes": "2 numbers of 8 bits", "holds": "argmax",
    "made": "written for a test", "source": "nowhere", "commit": "0123456789abcdef",
}  # fmt: skip
VERILOG = """
module larger(input clk, input [15:0] x, output reg [1:0] y);
    reg [15:0] q;
    always @(posedge clk) begin
        q <= x;
        y <= q[15:8] == q[7:0] ? 2'd2 : q[15:8] > q[7:0];
    end
endmodule
"""


def folder(place: Path, facts: Mapping[str, object] = FACTS, verilog: str = VERILOG) -> Path:
    """A folder with one network, its facts and 300 frames with labels."""
    inside = place / "larger"
    inside.mkdir()
    text = "".join(f"{key} = {json.dumps(value)}\n" for key, value in facts.items())
    (inside / rivals.FACTS).write_text(text, encoding="utf-8")
    if verilog:
        (inside / "larger.v").write_text(verilog, encoding="utf-8")
    numbers = np.random.default_rng(1).integers(0, 256, (300, 2)).astype(np.uint8)
    numbers[::3, 1] = numbers[::3, 0]
    labels = np.where(numbers[:, 0] == numbers[:, 1], 2, numbers[:, 1] > numbers[:, 0])
    labels[:30] = 3  # what no network answers
    np.savez(inside / rivals.FRAMES, inputs=numbers, labels=labels)
    return place


@pytest.mark.synth
def test_a_network_of_a_folder(tmp_path: Path) -> None:
    """Its LUTs are counted in three fabrics, and its frames run through the netlist, one a clock."""
    need("yosys")
    page = tmp_path / "page.md"
    arguments = [str(folder(tmp_path)), "--only", "larger", "--yosys", "native", "--document", str(page)]
    assert cli.call(["league", *arguments], app) == 0
    (row,) = json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))
    assert row["accuracy"] == 0.9 and row["accuracy_of"].startswith("90.00% of 300 frames")
    assert set(row["counts"]) == set(league.FAMILIES)
    for fabric, count in row["counts"].items():
        assert 5 < count["luts"] < 60 and 16 <= count["ffs"] <= 18 and count["multipliers"] == 0, fabric
    assert row["counts"]["ice40"]["carries"] >= 8 and row["counts"]["ecp5"]["carries"] == 0
    assert "| the larger of two | 90.00% |" in page.read_text(encoding="utf-8")
    first = page.read_text(encoding="utf-8")
    rows = ["--rows", str(page.with_suffix(".json")), "--document", str(page)]
    assert cli.call(["league", *rows], app) == 0 and page.read_text(encoding="utf-8") == first


def test_bad_folders(tmp_path: Path) -> None:
    with pytest.raises(EdgeTernaryError, match="holds no network") as caught:
        list(rivals.found(tmp_path))
    assert caught.value.code == USAGE
    for number, (facts, verilog, words) in enumerate(
        [
            ({**FACTS, "lut": 3}, VERILOG, "unknown field `lut`"),
            ({**FACTS, "latency": "two"}, VERILOG, "latency"),
            (FACTS, "", "holds no Verilog"),
        ]
    ):
        place = tmp_path / str(number)
        place.mkdir()
        with pytest.raises(EdgeTernaryError, match=words) as caught:
            list(rivals.found(folder(place, facts, verilog)))
        assert caught.value.code == USAGE


def netlist(path: Path, *cells: tuple[str, Mapping[str, object], str]) -> Path:
    """A file of a module `top` with an input x of 3 bits, nets 2 to 4, and an output y, net 9."""
    ports = {"x": {"bits": [2, 3, 4]}, "y": {"bits": [9]}}
    found = {
        f"cell{i}": {
            "type": kind,
            "parameters": {"LUT_INIT": init} if init else {},
            "connections": {pin: [net] for pin, net in pins.items()},
        }
        for i, (kind, pins, init) in enumerate(cells)
    }
    path.write_text(json.dumps({"modules": {"top": {"ports": ports, "cells": found}}}), encoding="utf-8")
    return path


def test_cells_of_a_netlist(tmp_path: Path) -> None:
    """y is x0 xor majority(x), a clock later and 0 where x2 was 1."""
    made = netlist(
        tmp_path / "a.json",
        ("SB_DFFSR", {"D": 6, "R": 4, "Q": 9, "C": "0"}, ""),
        ("SB_LUT4", {"I0": 2, "I1": 5, "I2": "0", "I3": "x", "O": 6}, f"{0b0110:016b}"),
        ("SB_CARRY", {"I0": 2, "I1": 3, "CI": 4, "CO": 5}, ""),
    )
    frames = np.random.default_rng(2).integers(0, 8, (2500, 1)).astype(np.uint8)
    a, b, c = (frames[:, 0] >> i & 1 for i in range(3))
    expected = (a ^ (a + b + c > 1)) & (1 - c)
    np.testing.assert_array_equal(Netlist(made, "top").run("x", "y", frames, 1), expected)


def test_netlists_that_are_no_pipelines(tmp_path: Path) -> None:
    loop = netlist(tmp_path / "b.json", ("SB_DFF", {"D": 9, "Q": 9}, ""))
    with pytest.raises(EdgeTernaryError, match="feedback"):
        Netlist(loop, "top")
    memory = netlist(tmp_path / "c.json", ("SB_RAM40_4K", {"RDATA": 9}, ""))
    with pytest.raises(EdgeTernaryError, match="SB_RAM40_4K"):
        Netlist(memory, "top")


def test_our_networks_are_found_in_the_zoo() -> None:
    names = [entry.name for entry in league.entries()]
    assert len(set(names)) == len(names) and "mnist-mlp-100, folded for up5k" in names
    graph, images = zoo.load("mnist-mlp-100"), zoo.images("mnist-mlp-100")[0][:50].astype(np.int32)
    found = run(league.with_argmax(graph), images, on="numpy").outputs
    np.testing.assert_array_equal(found[:, 0], run(graph, images, on="numpy").outputs.argmax(axis=1))


def test_new_rows_take_the_places_of_old_ones() -> None:
    changed = {**ROWS[0], "latency": 77}
    merged = league.merged(ROWS, [changed])
    assert len(merged) == len(ROWS) and changed in merged and ROWS[0] not in merged
    part = {**ROWS[0], "counts": {"xc7": {"luts": 5}}}
    (row,) = (one for one in league.merged(ROWS, [part]) if one["name"] == part["name"])
    assert row["counts"] == {**ROWS[0]["counts"], "xc7": {"luts": 5}}


def test_the_front() -> None:
    def mark(luts: int, accuracy: float) -> league_plot.Mark:
        return league_plot.Mark("ours", f"{luts}", luts, accuracy, True)

    points = [mark(900, 97.0), mark(100, 95.0), mark(200, 94.0), mark(100, 93.0), mark(950, 97.0)]
    assert [(one.luts, one.accuracy) for one in league_plot.front(points)] == [(100, 95.0), (900, 97.0)]


def test_the_page_is_made_of_its_rows() -> None:
    assert (DOCS / "league.md").read_text(encoding="utf-8") == league_page.document(ROWS, "league")
    assert (DOCS / "league.svg").read_text(encoding="utf-8") == league_plot.svg(ROWS)
    for row in ROWS:
        assert row.get("mismatches", 0) == 0 and row["counts"], row["name"]
        assert not any(count["multipliers"] for count in row["counts"].values()), row["name"]


def test_every_published_row_is_an_open_mark_of_the_plot() -> None:
    root = ElementTree.fromstring(league_plot.svg(ROWS))
    titles = [element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}title")]
    shown = [d for d in published.designs() if d.data == "MNIST" and d.accuracy >= league_plot.FLOOR]
    for design in shown:
        assert any(title.startswith(f"{design.name}: ") for title in titles), design.name
    text = league_plot.svg(ROWS)
    marks: list[Any] = re.findall(r'<circle [^>]*fill="#fff"', text)
    assert len(marks) == len(shown) + 1  # and one of the key
