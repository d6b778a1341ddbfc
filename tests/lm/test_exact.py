"""The language model's eval mode is its integer graph: every logit, on every executor that keeps states."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch

from edgeternary.errors import EdgeTernaryError
from edgeternary.frontends.torch_lm import lower_lm
from edgeternary.ir import Graph
from edgeternary.ir.file import load, save
from edgeternary.nn.lm import MatMulFreeLM
from edgeternary.ops import Lookup
from edgeternary.run import run
from tests.lm.models import SYMBOLS, lowered, small, texts
from tests.need import need
from tests.registry.fleet import Fleet

pytestmark = pytest.mark.torch


def logits_in_torch(model: MatMulFreeLM, x: np.ndarray) -> np.ndarray:
    """(samples, steps, symbols) float64."""
    logits, _ = model(torch.from_numpy(x.T.copy()), model.initial(len(x)))
    return logits.numpy().transpose(1, 0, 2)


@pytest.mark.parametrize(("width", "layers", "hidden"), [(24, 2, 40), (33, 1, 7), (8, 3, 64)])
def test_every_logit_is_the_graphs(width: int, layers: int, hidden: int) -> None:
    model = small(width, layers, hidden)
    graph, x = lowered(model), texts(8, 150)
    right = logits_in_torch(model, x)
    found = run(graph, x[..., None]).outputs
    np.testing.assert_array_equal(found * graph.meta.logit_scale, right)
    assert len(np.unique(found.argmax(-1))) > 3, "the model answers with one symbol only"


@pytest.mark.parametrize("value", [2.0**31, -3e9, 1e30, float("inf"), float("nan")])
def test_a_bias_beyond_int32_is_refused(value: float) -> None:
    model = small()
    with torch.no_grad():
        model.bias[3] = value * model.logit_scale()
    with pytest.raises(EdgeTernaryError, match=r"layer 'head'.*bias.*beyond int32"):
        lowered(model)


def test_a_bias_within_int32_is_exact() -> None:
    model, x = small(), texts(2, 9)
    with torch.no_grad():
        model.bias[3] = 2.0**30 * model.logit_scale()
    graph = lowered(model)
    found = run(graph, x[..., None]).outputs * graph.meta.logit_scale
    np.testing.assert_array_equal(found, logits_in_torch(model, x))


def test_other_dtypes_are_refused() -> None:
    for dtype in (torch.float16, torch.float64):
        with pytest.raises(EdgeTernaryError, match=r"its \w+ is float\d\d"):
            lowered(small().to(dtype))


def test_weights_of_8_bits() -> None:
    torch.manual_seed(0)
    model, x = MatMulFreeLM(len(SYMBOLS), 24, 2, 40, "int8").eval(), texts(4, 60)
    right = logits_in_torch(model, x)
    graph = lowered(model)
    np.testing.assert_array_equal(run(graph, x[..., None]).outputs * graph.meta.logit_scale, right)
    model.train()
    with torch.no_grad():
        assert np.corrcoef(logits_in_torch(model, x).ravel(), right.ravel())[0, 1] > 0.995


def test_parts_of_a_text_are_the_whole_text() -> None:
    model, x = small(), torch.from_numpy(texts(3, 60).T.copy())
    whole, _ = model(x, model.initial(3))
    first, states = model(x[:23], model.initial(3))
    rest, _ = model(x[23:], states)
    assert torch.equal(torch.cat([first, rest]), whole)


def test_one_wrong_entry_of_a_gates_table_is_seen() -> None:
    graph, x = lowered(small()), texts(4, 80)

    right = next(op for op in graph.ops if isinstance(op, Lookup) and op.name.endswith("mixer.f"))
    table = right.table.copy()
    table[128] += 1
    wrong = msgspec.structs.replace(right, table=table)
    ops = [wrong if op is right else op for op in graph.ops]
    assert np.any(run(graph.with_ops(ops), x[..., None]).outputs != run(graph, x[..., None]).outputs)


def test_eval_mode_is_near_to_train_mode() -> None:
    model, x = small(width=64), texts(4, 100)
    right = logits_in_torch(model, x)
    model.train()
    with torch.no_grad():
        found = logits_in_torch(model, x)
    assert np.corrcoef(found.ravel(), right.ravel())[0, 1] > 0.995


@pytest.mark.emulator
@pytest.mark.parametrize("executor", ["host", "cortex-m0plus", "cortex-m4"])
def test_executors(executor: str) -> None:
    need("zig|arm-none-eabi-gcc", "unicorn", "capstone")
    Fleet.of([lowered(small()), lowered(small(33, 1, 7, seed=1))], samples=2, steps=40).check(
        executor, opt_level="0" if executor == "host" else "2"
    )


def test_onnx_runtime_judges_every_value() -> None:
    need("onnxruntime")
    graph, x = lowered(small()), texts(3, 30)
    ours = run(graph, x[..., None], taps=True)
    theirs = run(graph, x[..., None], on="onnxruntime", taps=True)
    for name, value in ours.taps.items():
        np.testing.assert_array_equal(theirs.taps[name], value, err_msg=name)


def test_the_file_holds_the_tokenizer(tmp_path: Path) -> None:
    graph = lowered(small())
    save(graph, tmp_path / "lm.et")
    again: Graph = load(tmp_path / "lm.et")
    assert again.meta.labels == tuple(SYMBOLS) and again.meta.logit_scale == graph.meta.logit_scale


@pytest.mark.parametrize("symbols", [SYMBOLS[:-1], SYMBOLS[:-1] + "a", [*SYMBOLS[:-1], "xy"]])
def test_symbols_that_do_not_fit(symbols: str) -> None:
    with pytest.raises(EdgeTernaryError, match="symbols for a model of 13"):
        lower_lm(small(), symbols)


def test_weights_that_have_no_graph() -> None:
    with pytest.raises(EdgeTernaryError, match="float weights"):
        lowered(MatMulFreeLM(len(SYMBOLS), 8, 1, 8, "float").eval())


def test_hardware() -> None:
    need("amaranth")
    graph, codes = lowered(small(4, 1, 8)), texts(2, 2)[..., None]
    np.testing.assert_array_equal(run(graph, codes, on="hdl").outputs, run(graph, codes).outputs)


def test_the_page_of_language_models_runs() -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "language-model.md"
    (block,) = re.findall(r"^```python\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    exec(compile(block, page.name, "exec"), {})
