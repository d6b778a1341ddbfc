"""edgeternary zoo: the list, a card, and a check that notices one flipped weight and a wrong claim."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from edgeternary import zoo
from edgeternary.ir.file import save
from tests.cli.conftest import Answer

Call = Callable[..., Answer]
KEYS = [
    "name", "data", "weights_bits", "activations_bits", "weights", "packed_bytes", "accuracy",
    "float_accuracy", "seed", "seeds", "mean_accuracy", "spread", "samples", "mismatches_torch",
]  # fmt: skip


def test_list(et: Call) -> None:
    answer = et("zoo", "--json")
    assert answer.code == 0, answer.err
    rows = {row["name"]: row for row in answer.json()}
    assert list(rows) == list(zoo.names())
    assert all(list(row) == KEYS for row in rows.values())
    expected = {
        "data": "fashion-mnist", "weights_bits": 2, "activations_bits": 1, "weights": 268_800,
        "packed_bytes": 67_200, "accuracy": 0.8927, "samples": 10_000, "mismatches_torch": 0,
    }  # fmt: skip
    assert {key: rows["fashion-mlp"][key] for key in expected} == expected
    table = et("zoo").out
    assert "89.27%" in table and "67,200" in table


@pytest.mark.parametrize("text", ["fashion-cnn", "zoo:fashion-cnn"])
def test_card(et: Call, text: str) -> None:
    out = et("zoo", text).out
    assert "test_accuracy: 0.9058" in out and "seed: 1" in out
    assert et("zoo", text, "--json").json()["test_accuracy"] == 0.9058


def test_unknown_name(et: Call) -> None:
    answer = et("zoo", "fashion-nn", "--check")
    assert answer.code == 1
    assert "fashion-mlp" in answer.err


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A zoo of one model, whose test set are its shipped samples, and a card to match."""
    pytest.importorskip("torch")
    from edgeternary.zoo import check

    for suffix in ("et", "json", "safetensors", "logits.npz"):
        shutil.copy(zoo.file("fashion-mlp", suffix), tmp_path)
    images, labels = zoo.images("fashion-mlp")
    monkeypatch.setattr(zoo, "NETS", tmp_path)
    monkeypatch.setattr(check, "full_test_set", lambda name: (images, labels))
    change_card(tmp_path, test_accuracy=float(np.mean(zoo.logits("fashion-mlp")[0].argmax(1) == labels)))
    return tmp_path


def change_card(folder: Path, **changes: Any) -> None:
    path = folder / "fashion-mlp.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.mark.torch
def test_check(et: Call, small: Path) -> None:
    answer = et("zoo", "--check", "fashion-mlp", "--json")
    assert answer.code == 0, answer.err
    row = answer.json()
    assert (row["samples"], row["mismatches_torch"]) == (1000, 0)
    assert row["accuracy"] == row["card_accuracy"]


@pytest.mark.torch
def test_one_flipped_weight_is_noticed(et: Call, small: Path) -> None:
    graph = zoo.load("fashion-mlp")
    weights = graph.op("fc3").weights.copy()
    weights[3, 17] = {0: 1, 1: -1, -1: 0}[int(weights[3, 17])]
    ops = [msgspec.structs.replace(op, weights=weights) if op.name == "fc3" else op for op in graph.ops]
    save(replace(graph, ops=tuple(ops)), small / "fashion-mlp.et")
    answer = et("zoo", "--check", "fashion-mlp", "--json")
    assert answer.code == 4
    assert answer.json()["mismatches_torch"] == 1000
    assert "1,000 of 1,000 samples differ" in answer.err


@pytest.mark.torch
def test_a_wrong_claim_is_noticed(et: Call, small: Path) -> None:
    change_card(small, test_accuracy=0.95)
    answer = et("zoo", "--check")
    assert answer.code == 1
    assert "claims an accuracy of 0.95" in answer.err


@pytest.mark.torch
def test_record_writes_what_torch_answers(small: Path) -> None:
    from edgeternary.zoo import record

    before = zoo.logits("fashion-mlp")
    (small / "fashion-mlp.logits.npz").unlink()
    record.record_logits("fashion-mlp")
    after = zoo.logits("fashion-mlp")
    np.testing.assert_array_equal(before[0], after[0])
    assert before[1] == after[1]
