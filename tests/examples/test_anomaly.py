"""The autoencoder: the score in the graph, the area under the curve, a recipe from CSV files to a graph."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.torch
FOLDER = Path(__file__).resolve().parents[2] / "examples" / "anomaly"


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("torch")
    monkeypatch.setattr(sys, "path", [str(FOLDER), *sys.path])
    for name in ("train", "score"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    import train

    yield train
    for name in ("train", "score"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize("seed", range(3))
def test_auc_is_the_share_of_pairs(example, seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores, odd = rng.integers(0, 6, 40).astype(float), rng.random(40) < 0.3
    above = scores[odd][:, None] - scores[~odd]
    assert example.auc(scores, odd) == pytest.approx(((above > 0) + (above == 0) / 2).mean())
    assert example.auc(odd.astype(float), odd) == 1


@pytest.mark.parametrize("n", [1, 24])
def test_the_score_is_that_of_the_copy(example, n: int) -> None:
    import torch

    import edgeternary
    from edgeternary.testing import assert_bit_exact

    torch.manual_seed(n)
    model = example.ternary(n, example.Settings(normal="", hidden=(9, 5)))
    x = torch.randint(-128, 128, (40, n)).float()
    model.train()(x)
    plain = edgeternary.lower(model.eval(), x[:1], name="m", input_type="int8")
    graph = example.with_score(plain, 32.0)
    codes = x.int().numpy()
    copy = np.clip(np.floor(plain.run(codes).outputs * plain.meta.logit_scale * 32 + 0.5), -128, 127)
    np.testing.assert_array_equal(graph.run(codes).outputs[:, 0], ((copy - codes) ** 2).sum(1))
    assert_bit_exact(graph, ["host"], codes[:9])


def test_a_recipe(example, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three channels that follow one another are normal; where one stands still, something is broken."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    rng = np.random.default_rng(0)
    for number in range(8):
        t = np.cumsum(rng.normal(1, 0.1, 160))
        series = np.stack([np.sin(t / 3), np.cos(t / 3), np.sin(t / 3 + 1)], 1) + rng.normal(
            0, 0.02, (160, 3)
        )
        broken = number % 2 == 1
        series[:, 1] *= not broken
        folder = tmp_path / "d" / ("bad" if broken else "good")
        folder.mkdir(parents=True, exist_ok=True)
        np.savetxt(folder / f"{number}.csv", series, delimiter=",", header="a,b,c", comments="")
    recipe = tmp_path / "own.toml"
    recipe.write_text(
        f'[data]\nname = "csv"\nfolder = "{tmp_path / "d"}"\nwindow = 8\nfolds = 4\nvalidation = 0.1\n'
        '[anomaly]\nnormal = "good"\nhidden = [16, 4, 16]\nsteps = 300\nbatch = 16\n'
    )
    found = example.run(recipe, tmp_path / "out")
    assert found["AUC of the integer graph"] > 0.9 and found["normal"] == found["anomalous"] == 20
    assert (tmp_path / "out" / "own.et").is_file()
