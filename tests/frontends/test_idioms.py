"""Each idiom is lowered exactly or refused by name: random codes, ties, and the ends of the input's type."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from edgeternary import nn as q  # noqa: E402
from edgeternary.errors import NOT_BIT_EXACT, EdgeTernaryError  # noqa: E402
from edgeternary.frontends.torch import lower  # noqa: E402
from edgeternary.ir import Graph, parse  # noqa: E402
from edgeternary.run import run  # noqa: E402
from tests.frontends.idiom_table import IDIOMS, ONE_SAMPLE  # noqa: E402
from tests.frontends.nets import adversarial  # noqa: E402

pytestmark = pytest.mark.torch


def drawn(shape: tuple[int, ...], input_type: str, count: int = 48) -> torch.Tensor:
    """Codes (count, *shape): all at one end, then only ends, then evenly drawn."""
    kind, rng = parse(input_type), np.random.default_rng(3)
    x = rng.integers(kind.lo, kind.hi + 1, (count, *shape))
    x[:8] = rng.choice([kind.lo, kind.hi], (8, *shape))
    x[0], x[1] = kind.lo, kind.hi
    if input_type == "bipolar":
        x[x == 0] = 1
    return torch.from_numpy(x.astype(np.float32))


def mismatches(graph: Graph, model: torch.nn.Module, x: torch.Tensor, batch: int) -> int:
    """Samples of which any logit differs."""
    codes = x.numpy().astype(np.int32)
    codes = np.moveaxis(codes, 1, -1)
    outputs = run(graph, codes.reshape(len(codes), *graph.input.shape)).outputs
    outputs = np.moveaxis(outputs, -1, 1).reshape(len(codes), -1)
    with torch.no_grad():
        parts = [model(part) for part in x.split(batch)]
    parts = [
        next(iter(p.values())) if isinstance(p, dict) else p[0] if isinstance(p, list) else p for p in parts
    ]
    logits = torch.cat([p.reshape(-1, outputs.shape[1]) for p in parts]).double().numpy()
    wanted = (outputs.astype(np.float32) * np.float32(graph.meta.logit_scale)).astype(np.float64)
    return int((wanted != logits).any(1).sum())


def prepared(model: torch.nn.Module, x: torch.Tensor) -> torch.nn.Module:
    """With batch-norms whose statistics make ties, where it has any and can be trained on x at all."""
    if not any(isinstance(m, q.BatchNorm) for m in model.modules()):
        return model.eval()
    try:
        return adversarial(model, x.clone())
    except (RuntimeError, IndexError, TypeError):
        return model.eval()


@pytest.mark.parametrize("name", IDIOMS)
def test_exact_or_refused(name: str) -> None:
    idiom = IDIOMS[name]
    x = drawn(idiom.shape, idiom.input_type)
    model = prepared(idiom.make(), x)
    if idiom.expected:
        with pytest.raises(EdgeTernaryError, match=f"(?s){idiom.expected}"):
            lower(model, x[:2].clone(), input_type=idiom.input_type)
        return
    graph = lower(model, x[:2].clone(), input_type=idiom.input_type)
    for batch in (1, 48):
        if batch == 1 or name not in ONE_SAMPLE:
            assert mismatches(graph, model, x.clone(), batch) == 0


RULES = {  # without the rule the graph is wrong, which the comparison at the end finds
    "torch.check_writes": "in place on a view of codes",
    "torch.check_call": "residual, alpha",
    "torch.check_constant": "random",
    "torch_values.partial_sums": "sums of 2^25, bias -2^24",
    "torch_quantize._check_monotone": "leaky slope -1",
}


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_is_needed_and_has_a_second_defence(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"edgeternary.frontends.{rule}", lambda *args: 0)
    idiom = IDIOMS[RULES[rule]]
    x = drawn(idiom.shape, idiom.input_type)
    model = prepared(idiom.make(), x)
    graph = lower(model, x[:2].clone(), input_type=idiom.input_type, check=False)
    assert mismatches(graph, model, x.clone(), 48) > 0
    with pytest.raises(EdgeTernaryError, match="is not lowered exactly") as caught:
        lower(model, x[:2].clone(), input_type=idiom.input_type)
    assert caught.value.code == NOT_BIT_EXACT
