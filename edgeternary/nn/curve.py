"""An activation of any curve, such as SiLU or tanh: a table from 8-bit codes to codes."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from edgeternary.nn import elementwise
from edgeternary.nn.activations import StepSize
from edgeternary.nn.fake_quantize import fake_quantize
from edgeternary.nn.levels import levels
from edgeternary.nn.norm import Requantize

Function = Callable[[Tensor], Tensor]


class Curve(StepSize, nn.Module):
    """codes of kind `kind` of function(x): x becomes codes of kind `between` first, then a table gives y.

    x is (N, C, ...), accumulators or codes, which `before`, a Requantize with its batch-norm, makes codes of.
    function: any function of single elements, such as torch.nn.SiLU(). The table has one row for each code of
    `between`: clamp(floor(function(code * before.step) / step + 0.5)); both steps are learnt.
    """

    def __init__(self, channels: int, function: Function, kind: str | int = 4, between: str = "int8") -> None:
        super().__init__()
        self.levels = levels(kind)
        self.before = Requantize(channels, between)
        self.function = function
        self.start(2.0 / (self.levels.hi + 1), True, None)

    @torch.no_grad()
    def table(self) -> Tensor:
        """int64, one code for each code of `before`."""
        lo, hi = self.before.levels.lo, self.before.levels.hi
        x = torch.arange(lo, hi + 1, dtype=torch.float64) * self.before.step_size().double()
        y = torch.floor(self.function(x) / self.step_size().double() + 0.5)
        return y.clamp(self.levels.lo, self.levels.hi).long()

    def forward(self, x: Tensor) -> Tensor:
        codes = self.before(x)
        if not self.training:
            return elementwise.lookup(codes, self.table(), self.before.levels.lo)
        y = self.function(codes * self.before.step_size())
        return fake_quantize(y, self.step_size(), self.levels.lo, self.levels.hi, self.staircase_slope())

    def extra_repr(self) -> str:
        return self.levels.name
