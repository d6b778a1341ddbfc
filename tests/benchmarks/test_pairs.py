"""Pairs: the smallest ternary network of the same data that is as accurate, within 0.2 points."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks import pairs, published
from benchmarks.__main__ import app
from benchmarks.commands import pairs as command
from benchmarks.pairs import Model
from edgeternary.bench import layers, modes, rows

INT8 = Model("m-int8", "mnist", 8, 9000, 0.9950)
MODELS = [
    INT8,
    Model("best", "mnist", 2, 5000, 0.9960),
    Model("edge", "mnist", 2, 3000, 0.9930),
    Model("small", "mnist", 2, 1000, 0.9929),
    Model("mixed", "mnist", 4.6, 4000, 0.9940),
    Model("binary", "mnist", 1, 500, 0.9970),
    Model("other", "fashion-mnist", 2, 100, 0.9990),
    Model("alone-int8", "vowels", 8, 10, 0.9),
]


def test_the_smallest_that_is_as_accurate() -> None:
    found = {int8.name: ternary and ternary.name for int8, ternary in pairs.find(MODELS)}
    assert found == {"m-int8": "edge", "alone-int8": None}


def test_ratios(monkeypatch: pytest.MonkeyPatch) -> None:
    def row(graph: Any, core: str, options: Any) -> rows.Row:
        times = 3 if graph == "m-int8" else 1
        figures = dict.fromkeys(pairs.COMPARED, 100 * times)
        return {**figures, "cycles": None if core == "cortex-m33" else 7, "mismatches": 0, "compiler": "gcc"}

    monkeypatch.setattr(rows, "measure", row)
    graphs: Any = {model.name: (lambda name=model.name: name) for model in MODELS}
    found = list(pairs.measure(list(pairs.find(MODELS)), graphs, ["cortex-m4", "cortex-m33"], {}))
    assert [row["int8"] for row in found] == ["m-int8", "m-int8", "alone-int8", "alone-int8"]
    assert found[0]["flash_bytes_ratio"] == 3 and found[0]["cycles_ratio"] == 1
    assert found[1]["cycles_ratio"] is None and found[2]["fewer"] is None


def test_the_same_network_in_cmsis_nn(monkeypatch: pytest.MonkeyPatch) -> None:
    figures = {**dict.fromkeys(pairs.COMPARED, 1000), "mismatches": 0, "compiler": "gcc"}
    monkeypatch.setattr(rows, "measure", lambda graph, core, options: figures)
    known = Model("mnist-cnn-int8", "mnist", 8, 9000, 0.9950)
    graphs: Any = {name: (lambda: None) for name in (known.name, "edge")}
    pair = [(known, Model("edge", "mnist", 2, 3000, 0.9930))]
    on_m4, on_m55 = pairs.measure(pair, graphs, ["cortex-m4", "cortex-m55"], {})
    counted = published.counted(known.name, "cortex-m4")
    assert counted is not None and counted[1] > counted[0] > 10**6
    assert (on_m4["cmsis_instructions"], on_m4["cmsis_cycles"]) == counted
    assert on_m4["fewer_of_cmsis_cycles"] == pytest.approx(counted[1] / 1000)
    assert on_m55["cmsis_cycles"] is None and on_m55["int8_of_cmsis_cycles"] is None


@pytest.mark.emulator
def test_two_networks_side_by_side(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command on a zoo of two small layers."""
    from edgeternary import cli, zoo
    from tests.need import need

    need("zig|arm-none-eabi-gcc", "unicorn", "capstone")
    layer = layers.parse("dense:60-12")
    nets = {
        "a-int8": layers.graph(layer, modes.mode("int8", "int8", "B")),
        "b": layers.graph(layer, modes.mode("ternary", "int8")),
    }
    listed = [
        {"name": name, "data": "x", "weights": 8, "packed_bytes": bits, "accuracy": 0.9}
        for name, bits in (("a-int8", 8), ("b", 2))
    ]
    monkeypatch.setattr(command, "zoo_rows", lambda: listed)
    monkeypatch.setattr(zoo, "load", nets.__getitem__)
    assert cli.call(["pairs", "--core", "m4"], app) == 0
    text = capsys.readouterr().out
    assert "a-int8" in text and "cortex-m4" in text
