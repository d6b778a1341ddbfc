"""Fully connected layers: Linear gives integer accumulators, Output gives scaled logits."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edgeternary.nn import ops
from edgeternary.nn.activations import positive
from edgeternary.nn.quantizers import weight_quantizer
from edgeternary.nn.surrogates import straight_through


class Quantized(nn.Module):
    """A layer with latent weights in [-1, 1] and their codes; base of Linear, Conv1d, Conv2d and Output."""

    def __init__(self, shape: tuple[int, ...], weights: str | int) -> None:
        super().__init__()
        self.weight_kind = weights
        self.quantizer = weight_quantizer(weights)
        self.weight = nn.Parameter(torch.empty(shape))
        nn.init.kaiming_uniform_(self.weight, a=5**0.5)

    def codes(self) -> Tensor:
        """Integer weight codes in a float tensor; the gradient goes straight to the latent weights."""
        codes = self.quantizer.codes(self.weight)
        return straight_through(codes, self.weight) if self.training else codes

    def extra_repr(self) -> str:
        return f"{tuple(self.weight.shape)}, weights={self.weight_kind}"


class Linear(Quantized):
    """x (N, in) codes -> (N, out) integer accumulators sum(x * codes).

    There is no bias and no scale: the batch-norm that follows has both. Ends in an accumulator, so put a
    BatchNorm and an Activation (or a Requantize) after it.
    """

    def __init__(self, inputs: int, outputs: int, weights: str | int = "ternary") -> None:
        super().__init__((outputs, inputs), weights)

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            return F.linear(x, self.codes())
        return ops.dense(x, self.codes(), self.weight.new_zeros(self.weight.shape[0]))


class Output(Quantized):
    """The last layer: x (N, in) codes -> logits (N, classes) = (sum(x * codes) + bias_codes) * logit_scale.

    One scale serves all classes and the bias is an integer, round(bias / logit_scale), so argmax needs no
    multiplication and the logits are exactly the integer accumulators times the scale.
    """

    def __init__(self, inputs: int, classes: int, weights: str | int = "ternary") -> None:
        super().__init__((classes, inputs), weights)
        self.bias = nn.Parameter(torch.zeros(classes))
        self.scale = nn.Parameter(torch.tensor(float(inputs) ** -0.5))

    def logit_scale(self) -> Tensor:
        """The one positive scale: logits = accumulators * logit_scale."""
        return positive(self.scale)

    def quantized_bias(self) -> Tensor:
        """round(bias / logit_scale): the integer bias (classes,) in units of the accumulator."""
        return torch.floor(self.bias.double() / self.logit_scale().double() + 0.5).float()

    def forward(self, x: Tensor) -> Tensor:
        scale = self.logit_scale()
        if self.training:
            bias = straight_through(self.quantized_bias(), self.bias / scale.detach())
            return F.linear(x, self.codes(), bias) * scale
        return ops.dense(x, self.codes(), self.quantized_bias()) * scale
