"""Outputs of detection heads, and values whose axes change places: where their elements lie in a graph."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import Tensor, nn  # noqa: E402

from edgeternary import nn as q  # noqa: E402
from edgeternary.errors import EdgeTernaryError  # noqa: E402
from edgeternary.frontends.torch import lower  # noqa: E402
from edgeternary.nn.converting.order import _transposed  # noqa: E402
from edgeternary.run import run  # noqa: E402

pytestmark = pytest.mark.torch
X = torch.randint(0, 256, (8, 1, 6, 8), generator=torch.Generator().manual_seed(0)).float()


class Head(nn.Module):
    """A convolution whose result `end` moves."""

    def __init__(self, end: str) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 4, 3, 2, 1), nn.ReLU())
        self.head, self.end = nn.Conv2d(4, 6, 1), end

    def forward(self, x: Tensor) -> Tensor:
        y = self.head(self.body(x))
        if self.end == "boxes":
            return y.permute(0, 2, 3, 1).reshape(x.shape[0], -1, 2)
        if self.end == "channels last":
            return y.permute(0, 2, 3, 1)
        return y.view(x.shape[0], 3, 2, *y.shape[2:]).permute(0, 1, 3, 4, 2)


@pytest.mark.parametrize("end", ["boxes", "channels last"])
def test_an_output_in_the_order_of_torch(end: str) -> None:
    model = q.convert(Head(end), X, quiet=True).eval()
    graph = lower(model, X)
    assert graph.meta.info["torch_order"] == graph.outputs[0]
    with torch.no_grad():
        wanted = model(X).numpy()
    found = run(graph, X.movedim(1, -1).int().numpy()).outputs
    assert found.reshape(len(X), -1).shape == wanted.reshape(len(X), -1).shape
    scaled = found.astype(np.float32) * np.float32(graph.meta.logit_scale)
    np.testing.assert_array_equal(scaled.reshape(wanted.shape), wanted)
    judge = run(graph, X.movedim(1, -1).int().numpy(), on="torch", options={"torch_model": model})
    np.testing.assert_array_equal(judge.outputs, found)


def test_moves_that_no_graph_has_are_left_off() -> None:
    model = q.convert(Head("anchors"), X, quiet=True)
    assert model.report.left_off == ["moves"]
    (note,) = [note for note in model.report.notes if "left off" in note]
    assert "('N', 6, 3, 4)" in note and "view(8, 3, 2, 3, 4), then permute(0, 1, 3, 4, 2)" in note
    assert model.eval()(X).shape == (8, 6, 3, 4)


@pytest.mark.parametrize("shape", [(1, 3, 4, 1), (2, 3, 4, 1), (1, 3, 4, 5), (2, 3, 4, 5), (1, 6, 1, 1)])
def test_rows_and_columns_of_a_transpose_are_found(shape: tuple[int, ...]) -> None:
    places = torch.arange(int(np.prod(shape))).reshape(shape).transpose(1, 2).flatten()
    outer, rows, columns, channels = _transposed(places)
    again = torch.arange(len(places)).reshape(outer, rows, columns, channels).transpose(1, 2).flatten()
    assert torch.equal(again, places)


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.q, self.k, self.v = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 8)
        self.out = nn.Linear(8, 2)

    def forward(self, x: Tensor) -> Tensor:
        weights = torch.softmax(self.q(x) @ self.k(x).transpose(1, 2) / 8**0.5, dim=-1)
        return self.out((weights @ self.v(x)).mean(1))


def test_an_attention_is_refused_once() -> None:
    with pytest.raises(EdgeTernaryError) as caught:
        q.convert(Attention(), torch.randint(0, 9, (4, 5, 8)).float(), quiet=True)
    assert len(caught.value.report.refusals) == 1  # type: ignore[attr-defined]
    assert "attention multiplies activations" in str(caught.value)


class Named(nn.Module):
    """Layers called as attributes of a torch.fx.GraphModule, and an argument with a default."""

    def __init__(self) -> None:
        super().__init__()
        self.meta, self.report = nn.Sequential(nn.Linear(6, 8), nn.ReLU()), nn.Linear(8, 2)

    def forward(self, x: Tensor, features: bool = False, mask: Tensor | None = None) -> Tensor:
        x = self.meta(x)
        if mask is not None:
            x = x * mask
        return x if features else self.report(x)


def test_names_and_defaults_of_the_model_are_its_own() -> None:
    x = torch.randint(-128, 128, (16, 6)).float()
    model = q.convert(Named(), x, quiet=True, inputs=q.InputSpec("int8", 1 / 32, 0))
    assert lower(model.eval(), x).meta.logit_scale > 0
