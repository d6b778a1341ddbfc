"""The encoder of a table network: comparisons of numbers with constants, given or from quantiles."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from edgeternary.errors import EdgeTernaryError
from edgeternary.nn.luts import ops

SAMPLES = 4096  # about how many values of an input quantiles are taken from


class Comparisons(nn.Module):
    """x (N, C, ...) codes -> bits (N, K * C, ...) of 0 and 1: bit k * C + c is x[:, c] >= t[k, c].

    thresholds: K integers that ascend, for all inputs; or K itself, and `fit` takes each input's own
    quantiles from data. The tables after it learn which of these bits they read; the others leave the
    graph.
    """

    t: Tensor
    source: Tensor

    def __init__(self, inputs: int, thresholds: int | Sequence[int] = 3) -> None:
        super().__init__()
        self.quantiles = thresholds if isinstance(thresholds, int) else 0
        given = list(range(1, thresholds + 1)) if isinstance(thresholds, int) else list(thresholds)
        if not given or inputs < 1 or any(a >= b for a, b in pairwise(given)):
            raise EdgeTernaryError(
                f"Comparisons of {inputs} inputs cannot use the thresholds {thresholds}",
                "there is at least one input and one threshold, and thresholds ascend",
                "sort them and take each once",
            )
        self.inputs = inputs
        self.register_buffer("t", torch.tensor(given, dtype=torch.int32)[:, None].repeat(1, inputs))
        self.register_buffer("source", torch.arange(inputs).int().repeat(len(given)), persistent=False)

    @property
    def bits(self) -> int:
        """K * C."""
        return self.t.numel()

    @torch.no_grad()
    def fit(self, x: Tensor) -> None:
        """Takes the quantiles of x (N, C, ...), if thresholds was a number."""
        if self.quantiles:
            self.t.copy_(_quantiles(x.transpose(0, 1).reshape(self.inputs, -1), self.quantiles))

    def forward(self, x: Tensor) -> Tensor:
        if self.training and x.dim() == 2:  # bits lie in memory as tables read them
            columns = x.t()
            return torch.cat([(columns >= t[:, None]) for t in self.t]).to(x.dtype).t()
        return ops.compare(x, self.source, self.t.view(-1))

    def extra_repr(self) -> str:
        return f"{self.inputs}, {len(self.t)} thresholds"


def _quantiles(values: Tensor, count: int) -> Tensor:
    """int32 (count, C): levels that part each row of values (C, n) above its minimum evenly; they ascend."""
    rows = []
    for row in values:
        above = row[row > row.min()]
        above = above if len(above) else row
        parts = torch.arange(1, count + 1) / (count + 1)
        levels = torch.quantile(above[:: max(1, len(above) // SAMPLES)], parts)
        ascending = levels.ceil().int()
        for k in range(1, count):
            ascending[k] = max(int(ascending[k]), int(ascending[k - 1]) + 1)
        rows.append(ascending)
    return torch.stack(rows, 1)
