"""What goes wrong in training is explained: numbers, data, models, packages."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from edgeternary import nn as q  # noqa: E402
from edgeternary.errors import TOOL_MISSING, EdgeTernaryError  # noqa: E402
from edgeternary.train import Data, Options, fit, from_table, run, to_table  # noqa: E402
from tests.train.stripes import RECIPE, model, stripes  # noqa: E402

pytestmark = pytest.mark.torch


class Poisoned(nn.Module):
    """A network whose second layer gives NaN after `healthy` training steps."""

    def __init__(self, healthy: int) -> None:
        super().__init__()
        self.body, self.left = model(), healthy
        self.body[2].register_forward_hook(self.poison)

    def poison(self, module: nn.Module, args: object, output: torch.Tensor) -> torch.Tensor | None:
        self.left -= module.training
        return output * float("nan") if self.left < 0 else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.body(x)


def test_a_loss_that_is_not_a_number_names_epoch_and_layer(tmp_path):
    recipe = replace(RECIPE, model=lambda: Poisoned(12))
    said = r"stripes diverged in epoch 2.*output of 'body\.2' is the first.*halve lr \(it is 0\.01\)"
    with pytest.raises(EdgeTernaryError, match=said):
        run(recipe, tmp_path, checkpoint=tmp_path / "run.ckpt")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run.ckpt", "stripes.csv"]


def test_weights_that_are_not_numbers_are_named():
    class Broken(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = q.Output(36, 2)
            self.fc.register_forward_pre_hook(self.spoil)

        def spoil(self, module: nn.Module, args: object) -> None:
            if module.training:
                module.scale.data.fill_(float("inf"))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.fc(x)

    with pytest.raises(EdgeTernaryError, match=r"diverged in epoch 1.*fc\.scale holds values"):
        fit(replace(RECIPE, model=Broken, shape=()))


def test_data_that_does_not_fit_the_model():
    three = replace(stripes(), labels=("a", "b", "c"))
    with pytest.raises(
        EdgeTernaryError, match=r"does not give 3 logits.*the model gives \[1, 6, 6\] -> \[2\]"
    ):
        fit(RECIPE, data=three)
    with pytest.raises(EdgeTernaryError, match=r"shape \[784\] is not that of stripes.*\[6, 6, 1\]"):
        fit(replace(RECIPE, shape=(784,)))
    with pytest.raises(EdgeTernaryError, match=r"does not take the samples of stripes.*\[1, 6, 6\]"):
        fit(replace(RECIPE, model=lambda: q.Output(784, 2), shape=()))


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        (np.zeros((0, 6, 6, 1), np.uint8), np.zeros(0, np.uint8)),
        (np.zeros((4, 6, 6, 1), np.uint8), np.array([0, 1, 2, 1], np.uint8)),
        (np.zeros((4, 6, 6, 1), np.float32), np.zeros(4, np.uint8)),
    ],
)
def test_empty_data_and_labels_out_of_range_are_refused_before_training(images, labels):
    good = stripes().test
    with pytest.raises(EdgeTernaryError):
        fit(replace(RECIPE, data=lambda: Data("bad", (images, labels), good, good, ("a", "b"))))


def test_values_that_the_model_refuses():
    table = to_table(RECIPE) | {"model": {"build": "tests.train.stripes:model", "activations": "uint99"}}
    with pytest.raises(EdgeTernaryError, match="uint99"):
        fit(from_table(table))
    table["model"] = {"build": "mlp", "widths": 7}
    with pytest.raises(EdgeTernaryError, match=r"'mlp' cannot be built.*\[model\]"):
        fit(from_table(table))
    table = to_table(RECIPE) | {"anneal": {"sharpnes": [1, 2]}}
    with pytest.raises(EdgeTernaryError, match="sharpnes"):
        fit(from_table(table))
    table = to_table(RECIPE) | {"optimizer": {"momentun": 1}}
    with pytest.raises(EdgeTernaryError, match="optimizer 'adamw' cannot be made"):
        fit(from_table(table))


def test_a_teacher_without_a_card_is_explained(tmp_path):
    teacher = {"teacher": str(tmp_path / "big.safetensors")}
    with pytest.raises(EdgeTernaryError, match="has no card"):
        fit(from_table(to_table(RECIPE) | {"distill": teacher}))
    run(replace(RECIPE, name="big", epochs=1), tmp_path)
    fit(from_table(to_table(replace(RECIPE, epochs=1)) | {"distill": teacher}))


def test_tensorboard_is_named_when_it_is_missing(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(EdgeTernaryError, match=r"edgeternary\[tensorboard\]") as caught:
        run(RECIPE, tmp_path, options=Options(tensorboard=True))
    assert caught.value.code == TOOL_MISSING and not list(tmp_path.iterdir())
