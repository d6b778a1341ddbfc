"""Dropout in forward(): an identity where it follows eval(), refused by name where it drops all the same."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import torch.nn.functional as F  # noqa: E402
from torch import Tensor, nn  # noqa: E402

from edgeternary import nn as q  # noqa: E402
from edgeternary.errors import EdgeTernaryError  # noqa: E402
from edgeternary.frontends.torch import lower  # noqa: E402
from edgeternary.run import run  # noqa: E402

pytestmark = pytest.mark.torch

FUNCTIONS = {
    "dropout": F.dropout,
    "dropout of torch": torch.dropout,
    "alpha_dropout": F.alpha_dropout,
    "feature_dropout of torch": torch.feature_dropout,
    "feature_alpha_dropout": F.feature_alpha_dropout,
}


class Net(nn.Module):
    def __init__(self, function, *places: str) -> None:
        super().__init__()
        self.fc, self.norm, self.act = q.Linear(8, 6), q.BatchNorm(6), q.Activation(2)
        self.out = q.Output(6, 3)
        self.function, self.places = function, places

    def at(self, place: str, x: Tensor) -> Tensor:
        return self.function(self, x) if place in self.places else x

    def forward(self, x: Tensor) -> Tensor:
        x = self.act(self.at("floats", self.norm(self.at("sums", self.fc(self.at("input", x))))))
        return self.at("logits", self.out(self.at("codes", x)))


def inputs() -> Tensor:
    return torch.randint(0, 256, (32, 8), generator=torch.Generator().manual_seed(1)).float()


PLACES = ("input", "sums", "floats", "codes")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_where_it_follows_the_mode_it_is_an_identity(name: str) -> None:
    function = FUNCTIONS[name]
    for p, mode in ((0.5, None), (0.0, True)):
        model = Net(lambda n, x, p=p, mode=mode: function(x, p, mode or n.training), *PLACES)
        x = inputs()
        model(x)
        model.eval()
        graph = lower(model, x)
        said = run(graph, x.numpy().astype(np.int32), on="torch", options={"torch_model": model})
        np.testing.assert_array_equal(said.outputs, run(graph, x.numpy().astype(np.int32)).outputs)


@pytest.mark.parametrize(
    ("name", "place"),
    [*[("dropout", place) for place in (*PLACES, "logits")], *[(name, "codes") for name in FUNCTIONS]],
)
def test_where_it_drops_in_eval_mode_it_is_refused(name: str, place: str) -> None:
    model = Net(lambda n, x: FUNCTIONS[name](x, 0.5, True), place)
    with pytest.raises(EdgeTernaryError, match=r"dropout.*in eval mode too \(p=0.5\).*self.training"):
        lower(model, inputs())


def test_layers_are_identities() -> None:
    layers = nn.Dropout(), nn.Dropout2d(), nn.AlphaDropout(), nn.FeatureAlphaDropout()
    first = q.Conv2d(1, 4, 3), q.BatchNorm(4), q.Activation(2)
    model = nn.Sequential(*first, *layers, q.Flatten(), nn.Dropout(), q.Output(16, 2))
    kinds = [op.kind for op in lower(model, torch.zeros(1, 1, 4, 4)).ops]
    assert kinds == ["conv2d", "threshold", "reshape", "dense"]


def test_a_layer_that_ignores_eval_is_refused() -> None:
    class Always(nn.Dropout):
        def train(self, mode: bool = True) -> nn.Dropout:
            return super().train(True)

    model = nn.Sequential(q.Linear(8, 4), q.BatchNorm(4), q.Activation(2), Always(0.3), q.Output(4, 2))
    with pytest.raises(EdgeTernaryError, match=r"'3' \(Always\).*p=0.3"):
        lower(model, inputs())


def test_dropped_weights_are_refused() -> None:
    for train, expected in ((True, r"in eval mode too \(p=0.5\)"), (False, "")):
        model = Net(lambda n, x, train=train: x * F.dropout(torch.ones(6), 0.5, train), "sums")
        if expected:
            with pytest.raises(EdgeTernaryError, match=expected):
                lower(model, inputs())
        else:
            assert lower(model, inputs()).output_value.shape == (3,)
