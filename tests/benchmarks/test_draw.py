"""Drawn layers: the same ones for a seed, of every kind, inside the sizes that are documented."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks import draw
from edgeternary.bench import layers, modes, rows


def test_shapes_come_from_the_seed_and_the_kinds_take_turns() -> None:
    drawn = list(draw.shapes(60, 7))
    assert drawn == list(draw.shapes(60, 7)) and drawn[:20] == list(draw.shapes(20, 7))
    assert drawn != list(draw.shapes(60, 8)) and len(set(drawn)) > 55
    found = [layers.parse(text) for text in drawn]
    assert [layer.kind for layer in found[:5]] == list(draw.KINDS)
    for layer in found:
        assert draw.FEWEST <= layer.macs <= draw.MOST
        assert layer.macs == layers.graph(layer, modes.SUITE[0]).macs()
    assert {layer.stride for layer in found if layer.kind == "conv2d"} == {(1, 1), (2, 2)}
    assert {layer.padded for layer in found if layer.kind == "depthwise"} == {True, False}


def test_shares_are_of_the_median_of_the_same_group(monkeypatch: pytest.MonkeyPatch) -> None:
    def row(layer: layers.Layer, *_: Any) -> rows.Row:
        ratio = {"dense": 2.0, "conv2d": 6.0}.get(layer.kind, 5.0)
        return {"layer": layer.name, "core": "cortex-m4", "ratio": ratio, "baseline_layer": "dense:128-10"}

    monkeypatch.setattr(rows, "layer_row", row)
    drawn = ["dense:40-9", "conv2d:8x8x8-8", "depthwise:9x9x8"]
    found = draw.measure(drawn, modes.SUITE[0], 1, "cortex-m4", {})
    assert [(row["suite_median"], row["share"]) for row in found] == [(2.0, 1.0), (6.0, 1.0), (6.0, 0.833)]
    weak = {**found[0], "share": 0.79}
    (total,) = draw.summary([*found, weak])
    assert total["layers"] == 4 and total["enough"] == 3 and total["least"] == 0.79
    assert total["slower"] == 0 and total["least_ratio"] == 2.0
