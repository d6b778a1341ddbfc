"""Fully connected layers: Linear gives integer accumulators, Output gives scaled logits."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edgeternary.nn import ops
from edgeternary.nn.activations import positive
from edgeternary.nn.latent import masked
from edgeternary.nn.levels import levels
from edgeternary.nn.quantizers import weight_quantizer
from edgeternary.nn.surrogates import Surrogated, find_surrogate, straight_through
from edgeternary.nn.weight_rules import TINY, keep_mask

ZERO_SHARE = "zero_share"


class Quantized(Surrogated, nn.Module):
    """A layer with latent weights in [-1, 1] and their codes; base of Linear, Conv1d, Conv2d and Output.

    surrogate: the name in SURROGATES of the slope, at the latent weight, by which its gradient is multiplied.
    zero_share: the least share of weights whose code is 0 (nn.set_sparsity). float_weights: the layer
    computes with its latent weights, scaled to the size of codes, in train and eval mode, and cannot be
    lowered (the first of two training stages).
    """

    def __init__(self, shape: tuple[int, ...], weights: str | int, surrogate: str = "identity") -> None:
        super().__init__()
        self.weight_kind, self.surrogate = weights, find_surrogate(surrogate).name
        self.quantizer = weight_quantizer(weights, shape[0])
        self.zero_share = 0.0
        self.float_weights = False
        self.weight = nn.Parameter(torch.empty(shape))
        nn.init.kaiming_uniform_(self.weight, a=5**0.5)

    def codes(self) -> Tensor:
        """Integer weight codes in a float tensor; the gradient goes straight to the latent weights."""
        if self.float_weights:
            return self.relaxed()
        keep = keep_mask(self.weight, self.zero_share, self.training)
        if self.training:
            slope = None if self.surrogate == "identity" else self.slope
            return self.quantizer.train_codes(self.weight, keep, slope)
        return masked(self.quantizer.codes(self.weight), keep)

    def integer_codes(self) -> Tensor:
        """The weight codes that lowering takes, without gradient, whatever stage of training it is."""
        w = self.weight.detach()
        return masked(self.quantizer.codes(w).detach(), keep_mask(w, self.zero_share))

    def relaxed(self) -> Tensor:
        """w / a, a * codes being nearest to w: latent weights of the size of the codes that replace them."""
        w, codes = self.weight.detach(), self.integer_codes()
        factor = (w * codes).sum() / (codes * codes).sum().clamp_min(1.0)
        return self.weight / factor.clamp_min(TINY)

    @torch.no_grad()
    def freeze(self) -> None:
        """Latent weights become codes / top, which quantise to these codes without zero_share."""
        self.weight.copy_(self.integer_codes() / self.quantizer.top)
        self.quantizer.settle(self.weight)
        self.zero_share = 0.0

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        super()._save_to_state_dict(destination, prefix, keep_vars)
        if self.zero_share:
            destination[prefix + ZERO_SHARE] = torch.tensor(self.zero_share, dtype=torch.float64)

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *args: Any) -> None:
        self.zero_share = float(state_dict.pop(prefix + ZERO_SHARE, 0.0))
        super()._load_from_state_dict(state_dict, prefix, *args)

    def extra_repr(self) -> str:
        return f"{tuple(self.weight.shape)}, weights={self.weight_kind}"


class Linear(Quantized):
    """x (N, in) codes -> (N, out) integer accumulators sum(x * codes).

    There is no bias and no scale: the batch-norm that follows has both. Ends in an accumulator, so put a
    BatchNorm and an Activation (or a Requantize) after it.
    """

    def __init__(
        self, inputs: int, outputs: int, weights: str | int = "ternary", surrogate: str = "identity"
    ) -> None:
        super().__init__((outputs, inputs), weights, surrogate)

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            return F.linear(x, self.codes())
        return ops.dense(x, self.codes(), self.weight.new_zeros(self.weight.shape[0]))


class Logits(Quantized):
    """Mixin of a last layer: logits = (sums + bias_codes) * logit_scale, one scale for all classes.

    logit_scale = |scale| * unit, see StepSize; the bias is an integer, round(bias / logit_scale), so argmax
    needs no multiplication and the logits are exactly the integer accumulators times the scale.
    """

    bias: nn.Parameter
    scale: nn.Parameter
    unit: float

    def start_logits(self, classes: int, inputs: int, codes: str | int) -> None:
        """Makes bias and scale. inputs: products in a sum; codes: the kind of x, as in Activation."""
        self.unit = min(1.0, 15 / levels(codes).hi) / self.quantizer.top
        self.bias = nn.Parameter(torch.zeros(classes))
        self.scale = nn.Parameter(torch.tensor(float(inputs) ** -0.5))

    def logit_scale(self) -> Tensor:
        """The one positive scale: logits = accumulators * logit_scale."""
        return positive(self.scale) * self.unit

    def quantized_bias(self) -> Tensor:
        """round(bias / logit_scale): the integer bias (classes,) in units of the accumulator."""
        return torch.floor(self.bias.double() / self.logit_scale().double() + 0.5).float()

    def train_bias(self, scale: Tensor) -> Tensor:
        """quantized_bias(), whose gradient goes to the bias."""
        return straight_through(self.quantized_bias(), self.bias / scale.detach())


class Output(Logits):
    """The last layer: x (N, in) codes -> logits (N, classes), see Logits.

    codes: the kind of x, as in Activation; with codes beyond 4 bits the scale starts smaller by as much.
    """

    def __init__(
        self,
        inputs: int,
        classes: int,
        weights: str | int = "ternary",
        surrogate: str = "identity",
        codes: str | int = 4,
    ) -> None:
        super().__init__((classes, inputs), weights, surrogate)
        self.start_logits(classes, inputs, codes)

    def forward(self, x: Tensor) -> Tensor:
        scale = self.logit_scale()
        if self.training:
            return F.linear(x, self.codes(), self.train_bias(scale)) * scale
        return ops.dense(x, self.codes(), self.quantized_bias()) * scale
