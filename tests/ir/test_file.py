"""`.et` files: round trips, deterministic bytes, and writing whole or not at all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

import edgeternary
from edgeternary.errors import EdgeTernaryError
from edgeternary.ir import Graph, Meta
from edgeternary.ir.file import to_bytes
from tests.registry.graphs import STATEFUL, WHOLE, chosen, kinds, tiny_mlp


def same(a: Graph, b: Graph) -> None:
    """Equal in every field of every op, in states and in metadata."""
    assert (a.name, a.input, a.output, a.meta) == (b.name, b.input, b.output, b.meta)
    assert [op.name for op in a.ops] == [op.name for op in b.ops]
    for one, other in zip(a.ops, b.ops, strict=True):
        assert type(one) is type(other)
        for field in one.__struct_fields__:
            left, right = getattr(one, field), getattr(other, field)
            if isinstance(left, np.ndarray):
                assert left.dtype == right.dtype
            np.testing.assert_array_equal(left, right)
    for before, after in zip(a.states, b.states, strict=True):
        assert (before.value, before.next) == (after.value, after.next)
        np.testing.assert_array_equal(before.init, after.init)


@pytest.mark.parametrize("kind", kinds())
def test_round_trip_of_every_example(kind: str, tmp_path: Path) -> None:
    for graph in chosen(kind):
        edgeternary.save(graph, tmp_path / "m.et")
        found = edgeternary.load(tmp_path / "m.et")
        same(graph, found)
        assert to_bytes(found) == (tmp_path / "m.et").read_bytes()


@pytest.mark.parametrize("make", WHOLE + STATEFUL)
def test_round_trip_of_whole_models(make: object, tmp_path: Path) -> None:
    assert callable(make)
    edgeternary.save(make(), tmp_path / "m.et")
    same(make(), edgeternary.load(tmp_path / "m.et"))


def test_the_same_graph_gives_the_same_bytes() -> None:
    assert to_bytes(tiny_mlp()) == to_bytes(tiny_mlp())


def test_weights_are_stored_as_bit_planes() -> None:
    # 420 ternary and 140 bipolar codes: 112 and 20 bytes in planes of whole words.
    data = to_bytes(tiny_mlp())
    header = int.from_bytes(data[:8], "little")
    biases, thresholds, steps = 35 + 4, 35 * 2, 35 + 35
    assert len(data) - 8 - header <= 112 + 20 + biases + thresholds + steps


def test_scales_and_zero_points_of_channels_survive(tmp_path: Path) -> None:
    meta = Meta(input_scale=tuple(0.1 * k for k in range(1, 13)), input_zero=tuple(range(-6, 6)))
    graph = replace(tiny_mlp(), meta=meta)
    edgeternary.save(graph, tmp_path / "m.et")
    found = edgeternary.load(tmp_path / "m.et")
    same(graph, found)
    x = np.linspace(-50, 300, 24).reshape(2, 12)
    np.testing.assert_array_equal(edgeternary.quantize(found, x), edgeternary.quantize(graph, x))


def test_names_and_labels_of_any_kind_survive(tmp_path: Path) -> None:
    odd = "a\"b\\c'*/ 名 ??/"
    graph = tiny_mlp()
    ops = [*graph.ops[:-1], msgspec.structs.replace(graph.ops[-1], name=odd)]
    meta = msgspec.structs.replace(graph.meta, labels=(odd, "\n", "", "\0"))
    changed = replace(graph, ops=tuple(ops), outputs=(odd,), meta=meta)
    edgeternary.save(changed, tmp_path / "m.et")
    same(changed, edgeternary.load(tmp_path / "m.et"))


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "m.et"
    target.write_bytes(b"before")

    def broken(graph: Graph) -> bytes:
        raise RuntimeError("disk on fire")

    monkeypatch.setattr("edgeternary.ir.file.to_bytes", broken)
    with pytest.raises(RuntimeError):
        edgeternary.save(tiny_mlp(), target)
    assert [path.name for path in tmp_path.iterdir()] == ["m.et"]
    assert target.read_bytes() == b"before"


@pytest.mark.parametrize("name", ["missing.et", "."])
def test_a_path_that_is_no_file(name: str, tmp_path: Path) -> None:
    with pytest.raises(EdgeTernaryError, match="cannot read") as caught:
        edgeternary.load(tmp_path / name)
    assert caught.value.code == 1
