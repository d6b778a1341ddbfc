"""Activation: the quantiser between layers, and learned shifts that fold into its thresholds (ReActNet)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edgeternary.errors import EdgeTernaryError
from edgeternary.nn import elementwise
from edgeternary.nn.elementwise import per_channel
from edgeternary.nn.fake_quantize import fake_quantize, fake_sign
from edgeternary.nn.levels import levels
from edgeternary.nn.surrogates import Slope, Surrogated, find_surrogate


def positive(scale: Tensor) -> Tensor:
    """A learnt scale as a positive number, wherever gradient steps took it."""
    return scale.abs().clamp_min(1e-6)


class StepSize(Surrogated):
    """Mixin: codes clamp(floor(x / step + 0.5)) of one step size, learnt (LSQ) or fixed.

    step = |scale| * unit. With a unit near the step itself the parameter `scale` is near 1, so that an
    optimizer like Adam, whose steps do not depend on a parameter's size, changes small steps gently too.
    """

    scale: nn.Parameter
    unit: float = 1.0
    learns_scale: bool = True

    def start(self, scale: float, learn_scale: bool, surrogate: str | None) -> None:
        self.surrogate = find_surrogate(surrogate or "clipped").name
        self.learns_scale = learn_scale
        self.scale = nn.Parameter(torch.tensor(float(scale) / self.unit), requires_grad=learn_scale)

    def step_size(self) -> Tensor:
        """The positive step."""
        return positive(self.scale) * self.unit

    def staircase_slope(self) -> Slope | None:
        """None for clipped, which fake_quantize computes itself."""
        return None if self.surrogate == "clipped" else self.slope


class Activation(StepSize, nn.Module):
    """Quantises to integer codes: "bipolar", "binary", "ternary", "intN", "uintN" or N for uintN, N <= 4.

    bipolar: sign(x) with sign(0) = +1; in backward the slope of `surrogate` (a name in SURROGATES,
    approx_sign by default) at x / scale, so `scale` (1 by default) is the half-width of its window. The
    others: clamp(floor(x / scale + 0.5)) with one step size that starts at `scale` and is learnt (LSQ, Esser
    et al., 2020) or, with learn_scale=False, fixed; in backward the slope of `surrogate` (clipped by default)
    around each step. The output is the codes; the next layer's batch-norm absorbs the scale.
    """

    def __init__(
        self,
        kind: str | int = 2,
        scale: float | None = None,
        surrogate: str | None = None,
        learn_scale: bool = True,
    ) -> None:
        super().__init__()
        self.levels = levels(kind)
        if self.levels.hi - self.levels.lo > 15:
            raise EdgeTernaryError(
                f"Activation({kind!r}) has more than 4 bits",
                "thresholds would need more than 15 comparisons per element",
                f"use Requantize(channels, {kind!r}) in place of the batch-norm and this activation",
            )
        self.width = scale or 1.0
        if self.levels.gap == 1:
            self.start(scale or 2.0 / (self.levels.hi + 1), learn_scale, surrogate)
        else:
            self.surrogate = find_surrogate(surrogate or "approx_sign").name

    def forward(self, x: Tensor) -> Tensor:
        lo, hi = self.levels.lo, self.levels.hi
        if self.levels.gap == 2:
            return fake_sign(x, self.width, self.slope) if self.training else elementwise.sign(x)
        if self.training:
            return fake_quantize(x, self.step_size(), lo, hi, self.staircase_slope())
        return elementwise.quantize(x, self.step_size(), lo, hi)

    def extra_repr(self) -> str:
        return self.levels.name


class RSign(Activation):
    """Activation(x - shift) with one learnt shift a channel (ReActNet, Liu et al., 2020), codes of any
    `kind`.

    x is (N, C, ...); the shift, which starts at 0, becomes part of the thresholds.
    """

    def __init__(
        self,
        channels: int,
        kind: str | int = "bipolar",
        scale: float | None = None,
        surrogate: str | None = None,
        learn_scale: bool = True,
    ) -> None:
        super().__init__(kind, scale, surrogate, learn_scale)
        self.shift = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            return super().forward(x - self.shift.to(x.dtype).reshape(-1, *([1] * (x.dim() - 2))))
        return super().forward(x.double() - per_channel(self.shift, x))

    def extra_repr(self) -> str:
        return f"{self.shift.shape[0]}, {self.levels.name}"


class RPReLU(nn.Module):
    """y = t + after, t = x - before, and t * slope in place of a negative t: one of each a channel
    (ReActNet).

    Put it between a batch-norm and an Activation or RSign. slope = |weight| >= 0, so y never falls and folds
    into thresholds. x is (N, C, ...); eval mode computes in float64, in this order, and returns float64.
    """

    def __init__(self, channels: int, slope: float = 0.25) -> None:
        super().__init__()
        self.before = nn.Parameter(torch.zeros(channels))
        self.weight = nn.Parameter(torch.full((channels,), float(slope)))
        self.after = nn.Parameter(torch.zeros(channels))

    def slope(self) -> Tensor:
        """(C,), never negative."""
        return self.weight.abs()

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return elementwise.rprelu(x, self.before, self.slope(), self.after)
        before, slope, after = (p.to(x.dtype) for p in (self.before, self.slope(), self.after))
        shape = (-1, *([1] * (x.dim() - 2)))
        return F.prelu(x - before.reshape(shape), slope) + after.reshape(shape)

    def extra_repr(self) -> str:
        return str(self.weight.shape[0])
