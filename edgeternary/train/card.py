"""The card of a run, as JSON and as a short text: all that a reader needs to judge and repeat the run."""

import platform
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from edgeternary.ir import Graph
from edgeternary.ops.sizes import sizes
from edgeternary.templating import render
from edgeternary.train.data import Data
from edgeternary.train.evaluate import agreement, confusion, integer_outputs, mismatches_with_torch
from edgeternary.train.loop import Fitted
from edgeternary.train.recipe import Recipe
from edgeternary.train.shapes import to_tensor
from edgeternary.train.toml import to_table

Card = dict[str, Any]
AGREEMENT = 0.999  # share of samples for which eval mode and train-mode fake quantisation should agree


def make_card(
    recipe: Recipe, graph: Graph, data: Data, fitted: Fitted, reference: nn.Module | None = None
) -> Card:
    """The card, with the confusion matrix under "confusion". Only this function uses the test images."""
    images, labels = data.test
    outputs = integer_outputs(graph, images)
    answers = outputs.argmax(1)
    validation = integer_outputs(graph, data.validation[0]).argmax(1)
    model, x = fitted.model, to_tensor(images, fitted.shape)
    return {
        "name": recipe.name,
        "summary": recipe.summary,
        "data": data.name,
        "test_accuracy": round(float(np.mean(answers == labels)), 4),
        "test_samples": len(images),
        "validation_accuracy": round(float(np.mean(validation == data.validation[1])), 4),
        "float_accuracy": None if reference is None else round(_float_accuracy(reference, x, labels), 4),
        "train_eval_agreement": round(agreement(model, x), 5),
        "mismatches_torch": mismatches_with_torch(graph, model, images, outputs),
        **sizes(graph),
        "parameters": sum(p.numel() for p in model.parameters()),
        "seed": recipe.seed,
        "epochs_trained": len(fitted.history),
        "best_epoch": fitted.best_epoch,
        "seconds": round(fitted.seconds, 1),
        "threads": torch.get_num_threads(),
        "machine": platform.machine(),
        "torch": torch.__version__,
        "recipe": to_table(recipe),
        "confusion": confusion(labels, answers, len(data.labels)).tolist(),
    }


@torch.no_grad()
def _float_accuracy(reference: nn.Module, x: torch.Tensor, labels: np.ndarray) -> float:
    answers = torch.cat([reference(part).argmax(1) for part in x.split(500)]).numpy()
    return float(np.mean(answers == labels))


def card_text(card: Card, labels: Sequence[str]) -> str:
    """The card as Markdown."""
    counts = np.array(card["confusion"])
    rows = [
        {"label": label, "right": int(counts[i, i]), "samples": int(counts[i].sum())}
        for i, label in enumerate(labels)
    ]
    return render("report/card.md.j2", {**card, "rows": rows, "wanted_agreement": AGREEMENT})
