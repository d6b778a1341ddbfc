"""An autoencoder with ternary weights learns what is normal, and the error of its copy tells what is not.

    python train.py RECIPE.toml -o OUT

[data] names a loader of `edgeternary data` (csv, sounds, ...); [anomaly] says which class is normal. The
normal samples of the training part train, all classes of the test part test. The figure is the area under the
ROC curve; beside it are those of a float network of the same shape, trained for as long, and of the distance
from the mean sample.
"""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from collections import OrderedDict
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from score import with_score
from torch import Tensor, nn

import edgeternary
from edgeternary import nn as q
from edgeternary.errors import USAGE, EdgeTernaryError, script
from edgeternary.train.evaluate import settle_batch_norms
from edgeternary.train.sources import Source

STEPS = 32.0  # codes for a unit of the logits


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The keys of [anomaly]. hidden: widths between input and output;  activations: bits of theirs."""

    normal: str
    hidden: tuple[int, ...] = (128, 128, 8, 128, 128)
    weights: str | int = "ternary"
    activations: int = 4
    steps: int = 3000
    batch: int = 64
    lr: float = 3e-3
    seed: int = 0


def auc(scores: NDArray[np.float64], anomalous: NDArray[np.bool_]) -> float:
    """The share of pairs of an anomalous and a normal sample whose anomalous one has the higher score."""
    _, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]  # equal scores share the mean of their ranks
    n = int(anomalous.sum())
    return float((ranks[anomalous].sum() - n * (n + 1) / 2) / (n * (len(scores) - n)))


def deviation(share: float, anomalous: int, normal: int) -> float:
    """The standard error of an AUC (Hanley and McNeil, 1982)."""
    a, b = share / (2 - share), 2 * share**2 / (1 + share)
    square = share * (1 - share) + (anomalous - 1) * (a - share**2) + (normal - 1) * (b - share**2)
    return float(np.sqrt(square / (anomalous * normal)))


def ternary(n: int, settings: Settings) -> nn.Module:
    """Linear, BatchNorm, Activation for each hidden width, then an Output as wide as the input."""
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for i, (inputs, outputs) in enumerate(pairwise((n, *settings.hidden)), 1):
        layers[f"fc{i}"] = q.Linear(inputs, outputs, settings.weights)
        layers[f"bn{i}"], layers[f"act{i}"] = q.BatchNorm(outputs), q.Activation(settings.activations)
    layers["copy"] = q.Output(settings.hidden[-1], n, settings.weights, codes=settings.activations)
    return nn.Sequential(layers)


def floating(n: int, settings: Settings) -> nn.Module:
    """The same shape in float32."""
    layers: list[nn.Module] = [nn.BatchNorm1d(n)]
    for inputs, outputs in pairwise((n, *settings.hidden)):
        layers += [nn.Linear(inputs, outputs), nn.BatchNorm1d(outputs), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(settings.hidden[-1], n))


def fit(model: nn.Module, x: Tensor, settings: Settings) -> nn.Module:
    """Least squares between the logits and x / STEPS, from the mean of x on."""
    last = [module for module in model.modules() if hasattr(module, "bias")][-1]
    with torch.no_grad():
        last.bias.copy_(x.mean(0) / STEPS)
    optimizer = torch.optim.AdamW(model.parameters(), settings.lr, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, settings.lr, total_steps=settings.steps, pct_start=0.05
    )
    latent = [m.weight for m in model.modules() if hasattr(m, "integer_codes")]
    model.train()
    for _ in range(settings.steps):
        chosen = torch.randperm(len(x))[: settings.batch]
        loss = nn.functional.mse_loss(model(x[chosen]), x[chosen] / STEPS)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        with torch.no_grad():
            for weight in latent:
                weight.clamp_(-1, 1)
    settle_batch_norms(model, [x])
    return model.eval()


def errors(model: nn.Module, x: Tensor) -> NDArray[np.float64]:
    """The mean squared error of each sample, in floats."""
    with torch.no_grad():
        return ((model(x) - x / STEPS) ** 2).mean(1).double().numpy()


def run(recipe: Path, out: Path) -> dict[str, object]:
    """Trains, lowers, scores the test samples by the integer graph, and writes NAME.et and NAME.json."""
    content = tomllib.loads(recipe.read_text(encoding="utf-8"))
    settings = msgspec.convert(content["anomaly"], Settings)
    data = Source(content["data"]["name"], {k: v for k, v in content["data"].items() if k != "name"})()
    if settings.normal not in data.labels:
        raise EdgeTernaryError(
            f"no class is called {settings.normal!r}",
            f"there are {', '.join(data.labels)}",
            "correct `normal`",
            USAGE,
        )
    label = data.labels.index(settings.normal)
    torch.manual_seed(settings.seed)
    x = torch.from_numpy(data.train[0][data.train[1] == label].reshape(-1, data.train[0][0].size)).float()
    codes, odd = data.test[0].reshape(len(data.test[0]), -1), data.test[1] != label
    if odd.all() or not odd.any():
        raise EdgeTernaryError("the test part has one class alone", "an AUC needs normal and other samples")
    test = torch.from_numpy(codes).float()
    model = fit(ternary(x.shape[1], settings), x, settings)
    plain = edgeternary.lower(model, x[:1], name=recipe.stem, input_type="int8", input_scale=1 / STEPS)
    graph = with_score(plain, STEPS)
    scores = graph.run(codes).outputs.reshape(-1).astype(np.float64)
    found = {
        "AUC of the integer graph": scores,
        "AUC of the ternary network in torch": errors(model, test),
        "AUC of a float network of the same shape": errors(
            fit(floating(x.shape[1], settings), x, settings), test
        ),
        "AUC of the distance from the mean": ((test - x.mean(0)) ** 2).mean(1).double().numpy(),
    }
    row: dict[str, object] = {
        "data": data.name,
        "trained_on": len(x),
        "normal": int((~odd).sum()),
        "anomalous": int(odd.sum()),
    }
    row |= {name: round(auc(each, odd), 4) for name, each in found.items()}
    error = deviation(auc(scores, odd), int(odd.sum()), int((~odd).sum()))
    row["standard error"] = round(error, 4)
    out.mkdir(parents=True, exist_ok=True)
    edgeternary.save(graph, out / f"{recipe.stem}.et")
    (out / f"{recipe.stem}.json").write_text(json.dumps(row, indent=1) + "\n", encoding="utf-8")
    return row


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("recipe", type=Path)
    parser.add_argument("-o", "--out", type=Path, default=Path("out"))
    arguments = parser.parse_args()
    for name, figure in run(arguments.recipe, arguments.out).items():
        print(f"{name}: {figure:,}" if isinstance(figure, int) else f"{name}: {figure}")
    return 0


if __name__ == "__main__":
    sys.exit(script(main))
