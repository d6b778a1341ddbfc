"""A run from recipe to files, and the parts of its loop."""

from __future__ import annotations

import csv
import json
import warnings
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from edgeternary import load  # noqa: E402
from edgeternary import nn as q  # noqa: E402
from edgeternary.run import run as execute  # noqa: E402
from edgeternary.train import Options, Recipe, Stage, find_recipe, fit, run  # noqa: E402
from edgeternary.train.augment import Augment  # noqa: E402
from edgeternary.train.evaluate import accuracy, confusion  # noqa: E402
from edgeternary.train.logs import COLUMNS, CsvLog  # noqa: E402
from edgeternary.train.plots import accuracy_curve, confusion_matrix, ticks  # noqa: E402
from edgeternary.train.schedule import clip_latents, learning_rate  # noqa: E402
from edgeternary.train.shapes import sample_shape, to_tensor  # noqa: E402
from edgeternary.train.sources import Teachers  # noqa: E402
from edgeternary.train.teaching import LostTeacher  # noqa: E402
from edgeternary.train.trainer import Trainer  # noqa: E402
from tests.train.stripes import RECIPE, model, stripes  # noqa: E402

pytestmark = pytest.mark.torch
SHORT = replace(RECIPE, epochs=2)


def test_a_run_writes_model_weights_card_log_and_plots(tmp_path):
    seen = []
    options = Options(float_reference=True, checkpoint=tmp_path / "run.ckpt", tensorboard=True)
    outcome = run(RECIPE, tmp_path / "out", options=options, progress=lambda *said: seen.append(said))
    suffixes = "accuracy.svg confusion.svg csv et float.csv json md safetensors".split()
    written = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert written == [*(f"stripes.{suffix}" for suffix in suffixes), "tensorboard"]
    assert list((tmp_path / "out/tensorboard/stripes").glob("events.out.tfevents.*"))
    assert not list(tmp_path.glob("run.ckpt*"))
    assert [said[:2] for said in seen] == [(i, 48) for i in range(1, 49)] * 2
    assert [said[2]["task"] for said in seen] == ["training"] * 48 + ["float reference"] * 48
    card = json.loads((tmp_path / "out/stripes.json").read_text())
    assert card == outcome.card and card["test_samples"] == 100
    assert card["test_accuracy"] >= 0.9 and card["float_accuracy"] >= 0.9 and card["mismatches_torch"] == 0
    sizes = {"weights": 216, "packed_bytes": 18 + 36, "weights_bits": 2, "activations_bits": 2}
    assert sizes.items() <= card.items()
    assert 0.95 <= card["train_eval_agreement"] <= 1
    assert np.trace(card["confusion"]) == round(100 * card["test_accuracy"])
    graph = load(tmp_path / "out" / "stripes.et")
    assert graph.meta.labels == ("vertical", "horizontal") and graph.meta.input_scale == 1 / 255
    images = stripes().test[0]
    again = q.load_codes(model(), tmp_path / "out" / "stripes.safetensors")
    answer = execute(graph, images, on="torch", options={"torch_model": again}).outputs
    np.testing.assert_array_equal(answer, execute(graph, images, on="numpy").outputs)
    assert find_recipe(str(tmp_path / "out/stripes.json")).model()[0].weight.shape == (8, 1, 3, 3)


def test_the_same_seed_gives_the_same_bits_and_another_does_not():
    first, again, other = (fit(replace(SHORT, seed=seed)).model.state_dict() for seed in (0, 0, 1))
    for name, tensor in first.items():
        np.testing.assert_array_equal(tensor, again[name], err_msg=name)
    assert any((first[name] != other[name]).any() for name in first)


def test_the_test_set_is_not_looked_at_while_training():
    """Training on made-up test images changes nothing."""
    data = stripes()
    changed = replace(data, test=(255 - data.test[0], 1 - data.test[1]))
    first, second = (fit(SHORT, data=d).model.state_dict() for d in (data, changed))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_patience_stops_and_restores_the_best_epoch():
    rows = []
    fitted = fit(replace(RECIPE, epochs=30, patience=2), log=lambda history: rows.append(history[-1]))
    found = [row["validation"] for row in rows]
    assert len(rows) < 30 and fitted.best_epoch == found.index(max(found)) + 1 == len(rows) - 2
    data = stripes()
    measured = accuracy(
        fitted.model, to_tensor(data.validation[0], (1, 6, 6)), torch.tensor(data.validation[1])
    )
    assert measured == max(found)


def test_stages_train_float_weights_first_and_have_their_own_numbers():
    stages = (Stage({"epochs": 1, "batch": 100}, "float"), Stage({"epochs": 2, "lr": 1e-3}))
    modes = []

    class Watched(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = model()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if self.training and torch.is_grad_enabled():
                modes.append((len(x), self.body[0].float_weights))
            return self.body(x)

    fitted = fit(replace(RECIPE, model=Watched, stages=stages))
    assert modes == [(100, True)] * 4 + [(50, False)] * 16
    assert not fitted.model.body[0].float_weights
    assert [row["stage"] for row in fitted.history] == [1, 2, 2]
    assert max(row["lr"] for row in fitted.history[1:]) <= 1e-3
    assert [part.epochs for part, _ in replace(RECIPE, stages=stages).with_epochs(9).parts()] == [3, 6]


def test_sparsity_cost_and_annealing_reach_the_model():
    sparse = fit(replace(RECIPE, sparsity={"target": 0.8}))
    assert sparse.history[-1]["sparsity"] >= 0.8 > fit(RECIPE).history[-1]["sparsity"]
    paid = fit(replace(RECIPE, cost={"weight": 3.0})).history[-1]["sparsity"]
    assert paid > fit(RECIPE).history[-1]["sparsity"]
    net = nn.Sequential(*model("bipolar")[:3], q.Activation("bipolar", surrogate="ede"), *model()[4:])
    fit(replace(SHORT, model=lambda: net, anneal={"progress": (0.0, 0.5)}))
    assert net[3].progress == pytest.approx(0.5, abs=0.05)


def test_a_teacher_shapes_the_answers():
    """With all weight on a teacher that answers the opposite, the student learns the opposite."""

    class Opposite(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            vertical = x.amax(2).mean((1, 2)) < x.amax(3).mean((1, 2))
            return 5.0 * torch.stack([~vertical, vertical], 1).float()

    data = stripes()
    labels = torch.from_numpy(data.test[1]).long()
    images = to_tensor(data.test[0], (1, 6, 6))
    assert accuracy(Opposite(), images, labels) <= 0.1
    assert accuracy(fit(replace(RECIPE, teacher=Opposite, distill=1.0)).model, images, labels) <= 0.2


class Corner(nn.Module):
    """Logits that tell a picture from its mirror image."""

    def __init__(self, weight: float) -> None:
        super().__init__()
        self.weight = weight

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.weight * torch.stack([x[:, 0, :, 0].sum(1), x[:, 0, :, -1].sum(1)], 1)


@pytest.mark.parametrize("augment", [Augment(), Augment(flip=True), Augment(shift=1)])
def test_several_teachers_answer_with_their_mean_kept_or_not(augment):
    recipe = replace(RECIPE, augment=augment, teacher=lambda: Teachers([Corner(1.0), Corner(4.0)]))
    trainer = Trainer(recipe, stripes())
    assert (trainer.teaching.kept is None) == bool(augment.shift)
    chunk = torch.arange(20)
    images = trainer.prepare(chunk)
    torch.testing.assert_close(trainer.teaching(images, chunk), Corner(2.5)(images))


class Place(nn.Module):
    """The class of a bar: whether the brightest column or the brightest row is brighter."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.stack([x[:, 0].sum(1).amax(1), x[:, 0].sum(2).amax(1)], 1)


@pytest.mark.parametrize(
    ("augment", "original", "warned"),
    [(Augment(shift=5), False, True), (Augment(shift=5), True, False), (Augment(scale=0.05), False, False)],
)
def test_a_teacher_that_the_augmentation_misleads_is_named(augment, original, warned):
    recipe = replace(RECIPE, augment=augment, teacher=Place, teach_original=original)
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        Trainer(recipe, stripes())
    said = [str(one.message) for one in found if issubclass(one.category, LostTeacher)]
    assert bool(said) == warned
    if warned:
        assert "is right about 100.0% of 400 training samples, but about" in said[0]
        assert "original = true" in said[0]


def test_the_learning_rate_warms_up_and_falls_to_zero():
    rates = [learning_rate(step, 1000, replace(RECIPE, warmup=0.1)) for step in range(1000)]
    assert rates[0] == pytest.approx(RECIPE.lr / 100) and max(rates) == rates[100] == RECIPE.lr
    assert rates[-1] < 1e-5 * RECIPE.lr * 10 and rates[550] == pytest.approx(RECIPE.lr / 2)


def test_latent_weights_are_clipped():
    layer = q.Linear(4, 4)
    nn.init.constant_(layer.weight, 7.0)
    clip_latents(nn.Sequential(layer))
    assert layer.weight.max() == 1


def test_images_become_channels_first():
    images = np.arange(2 * 3 * 4 * 2, dtype=np.uint8).reshape(2, 3, 4, 2)
    np.testing.assert_array_equal(to_tensor(images, (2, 3, 4)), images.transpose(0, 3, 1, 2))
    assert to_tensor(images, (24,)).shape == (2, 24)


def test_the_shape_of_a_sample_is_found_out():
    assert sample_shape(model(), stripes()) == (1, 6, 6)
    assert sample_shape(q.Output(36, 2), stripes()) == (36,)


def test_training_sets_smaller_than_a_batch_train_in_one_batch():
    data = stripes()
    few = replace(data, train=tuple(part[:30] for part in data.train))
    assert len(fit(replace(SHORT, batch=128), data=few).history) == 2


def test_log_and_plots(tmp_path):
    history = [dict.fromkeys(COLUMNS, 0.25 + i / 8) | {"epoch": i + 1.0, "stage": 1.0} for i in range(3)]
    CsvLog(tmp_path / "log.csv")(history)
    rows = list(csv.DictReader((tmp_path / "log.csv").open()))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"] and float(rows[1]["validation"]) == 0.375
    curve = ET.fromstring(accuracy_curve("a < b", history, best_epoch=2))
    lines = curve.findall("{*}polyline")
    heights = [float(point.split(",")[1]) for point in lines[0].get("points").split()]
    assert (
        len(lines) == 2 and heights == sorted(heights, reverse=True) and "kept" in "".join(curve.itertext())
    )
    counts = confusion(np.array([0, 0, 1]), np.array([0, 1, 1]), 2)
    np.testing.assert_array_equal(counts, [[1, 1], [0, 1]])
    matrix = ET.fromstring(confusion_matrix("title", counts, ("<first>", "second")))
    text = "|".join(matrix.itertext())
    assert "<first> answered as second: 1" in text and "2 of 3 right" in text
    assert ticks(97.3, 99.8) == [97.5, 98, 98.5, 99, 99.5]


def test_recipes_of_modules_can_be_functions():
    assert isinstance(find_recipe("tests.train.stripes"), Recipe)
    assert isinstance(find_recipe("tests.train.stripes:recipe"), Recipe)
