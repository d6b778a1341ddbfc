"""Figures of a network: accuracy, agreement of train and eval mode, sparsity, confusion."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from edgeternary.ir import Graph
from edgeternary.nn import BatchNorm
from edgeternary.nn.float_reference import FloatNorm
from edgeternary.nn.linear import Quantized
from edgeternary.run import run as execute
from edgeternary.run.inputs import arranged
from edgeternary.train.data import Array


@torch.no_grad()
def accuracy(model: nn.Module, x: Tensor, y: Tensor, batch: int = 500) -> float:
    """Share of samples whose largest logit is the label. The model stays in eval mode."""
    model.eval()
    right = sum(
        int((model(a).argmax(1) == b).sum()) for a, b in zip(x.split(batch), y.split(batch), strict=True)
    )
    return right / len(x)


@torch.no_grad()
def agreement(model: nn.Module, x: Tensor, batch: int = 500) -> float:
    """Share of samples for which fake quantisation in float32, as in training, gives eval mode's class."""
    norms = [module for module in model.modules() if isinstance(module, BatchNorm)]
    classes = []
    for training in (False, True):
        model.train(training)
        for norm in norms:
            norm.use_running = training
        classes.append(torch.cat([model(part).argmax(1) for part in x.split(batch)]))
    for norm in norms:
        norm.use_running = False
    model.eval()
    return float((classes[0] == classes[1]).double().mean())


@torch.no_grad()
def sparsity(model: nn.Module) -> float:
    """Share of zero weight codes over all layers, 0..1."""
    codes = [module.integer_codes() for module in model.modules() if isinstance(module, Quantized)]
    zeros, total = sum(int((c == 0).sum()) for c in codes), sum(c.numel() for c in codes)
    return zeros / total if total else 0.0


@torch.no_grad()
def settle_batch_norms(model: nn.Module, batches: Sequence[Tensor]) -> None:
    """Replaces each batch-norm's running statistics by their mean over `batches`.

    A running average covers about ten batches. Its noise moves whole thresholds in a narrow quantised
    network.
    """
    norms = [module for module in model.modules() if isinstance(module, (BatchNorm, FloatNorm))]
    momenta = [norm.momentum for norm in norms]
    model.train()
    for i, batch in enumerate(batches):
        for norm in norms:
            norm.momentum = 1 / (i + 1)
        model(batch)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


def integer_outputs(graph: Graph, images: Array) -> Array:
    """Accumulators (n, classes) of the integer graph on raw codes, by the numpy executor."""
    return execute(graph, arranged(graph, images), on="numpy").outputs


def mismatches_with_torch(graph: Graph, model: nn.Module, images: Array, outputs: Array) -> int:
    """Samples for which model.eval() does not give exactly `outputs` times the logit scale."""
    found = execute(
        graph, arranged(graph, images), on="torch", options={"torch_model": model, "batch": 500}
    ).outputs
    return int((found != outputs).any(axis=1).sum())


def confusion(labels: Array, answers: Array, classes: int) -> Array:
    """Counts (classes, classes): the row is the label, the column is the answer."""
    counts = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (labels.astype(np.int64), answers.astype(np.int64)), 1)
    return counts
