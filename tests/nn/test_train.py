"""Training on made-up images: files, card, resuming, and what goes wrong."""

from __future__ import annotations

import gzip
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from edgeternary import load  # noqa: E402
from edgeternary import nn as q  # noqa: E402
from edgeternary.errors import EdgeTernaryError  # noqa: E402
from edgeternary.run import run as execute  # noqa: E402
from edgeternary.train import Data, Recipe, find_recipe, fit, run  # noqa: E402
from edgeternary.train.augment import augment  # noqa: E402
from edgeternary.train.data import fashion_mnist, read_idx  # noqa: E402
from edgeternary.train.trainer import accuracy, clip_latents, learning_rate, to_tensor  # noqa: E402

pytestmark = pytest.mark.torch


def stripes() -> Data:
    """Horizontal and vertical bars with noise, 6x6."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 60, (600, 6, 6, 1)).astype(np.uint8)
    labels = rng.integers(0, 2, 600).astype(np.uint8)
    for image, label, at in zip(images, labels, rng.integers(0, 6, 600), strict=True):
        image[(at, slice(None)) if label else (slice(None), at)] += 150
    cut = [(images[a:b], labels[a:b]) for a, b in ((0, 400), (400, 500), (500, 600))]
    return Data("stripes", *cut, labels=("vertical", "horizontal"))


def model() -> nn.Module:
    layers = [
        q.Conv2d(1, 8, 3, pad=1),
        q.MaxPool(2),
        q.BatchNorm(8),
        q.Activation(2),
        q.Flatten(),
        q.Output(72, 2),
    ]
    return nn.Sequential(*layers)


RECIPE = Recipe(name="stripes", model=model, data=stripes, shape=(1, 6, 6), epochs=6, batch=50, lr=1e-2)


def test_a_run_writes_model_weights_and_card(tmp_path):
    seen = []
    outcome = run(RECIPE, tmp_path / "out", progress=lambda step, steps, figures: seen.append((step, steps)))
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "stripes.et",
        "stripes.json",
        "stripes.safetensors",
    ]
    assert seen[-1] == (48, 48) and len(seen) == 48
    assert outcome.card["test_accuracy"] >= 0.9 and outcome.card["test_samples"] == 100
    assert outcome.card["weights"] == 8 * 9 + 144
    assert 0.95 <= outcome.card["train_eval_agreement"] <= 1
    graph = load(tmp_path / "out" / "stripes.et")
    assert graph.meta.labels == ("vertical", "horizontal") and graph.meta.input_scale == 1 / 255
    images = stripes().test[0]
    again = q.load_codes(model(), tmp_path / "out" / "stripes.safetensors")
    answer = execute(graph, images, on="torch", options={"torch_model": again}).outputs
    np.testing.assert_array_equal(answer, execute(graph, images, on="numpy").outputs)


def test_a_resumed_run_ends_in_the_same_bits(tmp_path):
    whole = fit(RECIPE).model.state_dict()

    def stop(step: int, steps: int, figures: dict[str, float]) -> None:
        if step == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(RECIPE, stop, tmp_path / "run.ckpt")
    resumed = fit(RECIPE, None, tmp_path / "run.ckpt")
    assert len(resumed.history) == RECIPE.epochs
    for name, tensor in resumed.model.state_dict().items():
        np.testing.assert_array_equal(tensor, whole[name], err_msg=name)
    with pytest.raises(EdgeTernaryError, match="belongs to another run"):
        fit(replace(RECIPE, seed=1), None, tmp_path / "run.ckpt")


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
    recipe = replace(RECIPE, teacher=Opposite, teacher_shape=(1, 6, 6), distill=1.0)
    assert accuracy(fit(recipe).model, images, labels) <= 0.2


def test_diverged_training_stops():
    class Broken(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.out = q.Output(36, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.out(x.flatten(1)) * float("nan")

    with pytest.raises(EdgeTernaryError, match="training of stripes diverged in epoch 1"):
        fit(replace(RECIPE, model=Broken))


def test_the_learning_rate_warms_up_and_falls_to_zero():
    rates = [learning_rate(step, 1000, replace(RECIPE, warmup=0.1)) for step in range(1000)]
    assert rates[0] == pytest.approx(RECIPE.lr / 100) and max(rates) == rates[100] == RECIPE.lr
    assert rates[-1] < 1e-5 * RECIPE.lr * 10 and rates[550] == pytest.approx(RECIPE.lr / 2)


def test_latent_weights_are_clipped():
    layer = q.Linear(4, 4)
    nn.init.constant_(layer.weight, 7.0)
    clip_latents(nn.Sequential(layer))
    assert layer.weight.max() == 1


def test_augmentation_moves_whole_images():
    x = torch.arange(1.0, 26.0).reshape(1, 1, 5, 5).expand(200, 1, 5, 5)
    generator = torch.Generator().manual_seed(0)
    flipped = augment(x, True, 0, generator)
    mirrored = (flipped[:, 0, 0, 0] == 5).float().mean()
    assert 0.35 < mirrored < 0.65 and set(flipped[:, 0, 0, 0].tolist()) == {1.0, 5.0}
    moved = augment(x, False, 1, generator)
    assert set(moved[:, 0, 2, 2].tolist()) == {float(5 * r + c + 1) for r in (1, 2, 3) for c in (1, 2, 3)}
    assert (augment(x, False, 0, generator) == x).all()


def test_images_become_channels_first():
    images = np.arange(2 * 3 * 4 * 2, dtype=np.uint8).reshape(2, 3, 4, 2)
    np.testing.assert_array_equal(to_tensor(images, (2, 3, 4)), images.transpose(0, 3, 1, 2))
    assert to_tensor(images, (24,)).shape == (2, 24)


def test_missing_and_damaged_data_are_explained(tmp_path):
    with pytest.raises(EdgeTernaryError, match="apt install dataset-fashion-mnist"):
        fashion_mnist(tmp_path)
    header = b"\0\0\x08\x02" + np.array([2, 3], ">u4").tobytes()
    (tmp_path / "x").write_bytes(header + bytes(range(6)))
    np.testing.assert_array_equal(read_idx(tmp_path / "x"), [[0, 1, 2], [3, 4, 5]])
    (tmp_path / "y.gz").write_bytes(gzip.compress(header + bytes(6)))
    assert read_idx(tmp_path / "y").shape == (2, 3)
    (tmp_path / "z").write_bytes(header + bytes(5))
    with pytest.raises(EdgeTernaryError, match="not an IDX file"):
        read_idx(tmp_path / "z")


def test_recipes_are_found_by_name():
    assert find_recipe("zoo:fashion-mlp").name == "fashion-mlp"
    assert find_recipe("edgeternary.zoo.recipes.fashion_cnn").name == "fashion-cnn"
    for text in ("zoo:nothing", "edgeternary.zoo:card2", "no.such.module", ""):
        with pytest.raises(EdgeTernaryError, match="there is no recipe") as caught:
            find_recipe(text)
        assert caught.value.code == 2
