"""The model of examples/matmulfree_lm: what its README claims, recomputed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import edgeternary
from edgeternary.frontends.torch_lm import lower_lm
from edgeternary.ir import Graph
from edgeternary.ir.file import to_bytes
from edgeternary.nn import MatMulFreeLM
from edgeternary.ops.sizes import sizes
from edgeternary.report.lm_memory import lm_memory
from edgeternary.run import open_session, run
from edgeternary.run._sampling import chooser
from edgeternary.run._text import Vocabulary, continued
from edgeternary.train.data import king_james
from edgeternary.train.lm import bits_of_graph, encode
from tests.full import FULL
from tests.need import need

pytestmark = pytest.mark.torch
COUNT = 500 if FULL else 120
FOLDER = Path(__file__).resolve().parents[2] / "examples" / "matmulfree_lm"


@pytest.fixture(scope="module")
def graph() -> Graph:
    return edgeternary.load(FOLDER / "kjv.et")


@pytest.fixture(scope="module")
def model(graph: Graph) -> MatMulFreeLM:
    model = MatMulFreeLM(len(graph.meta.labels))
    model.load_state_dict(load_file(FOLDER / "kjv.safetensors"))
    return model.eval()


def test_the_graph_is_the_lowered_model(graph: Graph, model: MatMulFreeLM) -> None:
    again = lower_lm(model, graph.meta.labels, name=graph.name, info=graph.meta.info)
    assert to_bytes(again) == (FOLDER / "kjv.et").read_bytes()


def test_every_logit_of_10000_characters(graph: Graph, model: MatMulFreeLM) -> None:
    x = np.random.default_rng(0).integers(0, model.symbols, (250, 40))
    right, _ = model(torch.from_numpy(x), model.initial(40))
    found = run(graph, x.T[..., None]).outputs.transpose(1, 0, 2)
    np.testing.assert_array_equal(found * graph.meta.logit_scale, right.numpy())


def test_memory(graph: Graph) -> None:
    ours, half, transformer = lm_memory(graph)
    assert sizes(graph)["packed_bytes"] <= 84_000
    assert float(half["times"]) >= 7 and float(transformer["times_with_constants"]) >= 10
    assert ours["memory"] == 2 * 128 * 2


def test_bits_a_character(graph: Graph) -> None:
    """Of the first 8,000 held-out characters; the README has all of them."""
    need("bible")
    text = king_james()
    assert "".join(graph.meta.labels) == text.symbols
    assert bits_of_graph(graph, encode(text.held_out, text.symbols)[:8000], columns=16) < 1.8


@pytest.mark.emulator
@pytest.mark.slow
@pytest.mark.parametrize("executor", ["host", "cortex-m4"])
def test_generated_characters(graph: Graph, executor: str) -> None:
    need("zig|arm-none-eabi-gcc", "unicorn", "capstone")
    texts = []
    for on in ("numpy", executor):
        with open_session(graph, on, {"optimize": "flash"}) as session:
            choose = chooser(graph.meta.logit_scale, 0.7, 1)
            texts.append("".join(continued(session, Vocabulary(graph), "In the beginning ", COUNT, choose)))
            if on == "cortex-m4":
                assert float(session.stats["cycles"] or 0) < 620_000
    assert texts[0] == texts[1] and len(texts[0]) == COUNT
