"""BitLinear: RMS norm, 8-bit activations of a static scale, ternary weights.

    n = x / rms(x);  q = clamp(round(n * 127 / clip), -127, 127);  z_k = (q @ codes_k) * beta_k * clip / 127

One norm serves several weight matrices k that read the same x. codes = clamp(round(w / beta), -1, 1) with
beta = mean|w| of the matrix (BitNet b1.58, Ma et al., 2024), straight through; the published layer scales
activations by their largest magnitude in each token, here the scale is fixed, so that it is a constant of
the integer graph. There is no gain and no bias: what is stored is two bits a weight and one scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edgeternary.nn.quantizers import weight_quantizer
from edgeternary.nn.weight_rules import channel_peak, tensor_mean

TOP = 127
EPS = 1e-8


def normalise(x: Tensor) -> tuple[Tensor, Tensor]:
    """x / rms(x) over the last axis, and 1 / rms(x) (..., 1)."""
    r = torch.rsqrt(x.square().mean(-1, keepdim=True).add_(EPS))
    return x * r, r


def activation_codes(n: Tensor, scale: float) -> Tensor:
    """clamp(floor(n * scale + 0.5), -127, 127) as floats."""
    return (n * scale).add_(0.5).floor_().clamp_(-TOP, TOP)


class _Fused(torch.autograd.Function):
    """Keeps x alone for backward: norm, codes and weight codes are computed a second time there.

    Products run in `dtype`: bfloat16 holds codes of 8 bits exactly.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: float, layer: BitLinear, *weights: Tensor) -> tuple[Tensor, ...]:
        ctx.save_for_backward(x, *weights)
        ctx.scale, ctx.layer, ctx.dtype = scale, layer, layer.dtype
        n, _ = normalise(x)
        q = activation_codes(n, scale).to(ctx.dtype)
        codes, betas = layer.coded(weights)
        return tuple(
            F.linear(q, c.to(ctx.dtype)).to(x.dtype).mul_(beta / scale)
            for c, beta in zip(codes, betas, strict=True)
        )

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        x, *weights = ctx.saved_tensors
        n, r = normalise(x)
        v = n * ctx.scale
        q = activation_codes(n, ctx.scale).to(ctx.dtype).flatten(0, -2)
        codes, betas = ctx.layer.coded(weights)
        gn: Tensor | None = None
        gw = []
        for g, c, beta in zip(grads, codes, betas, strict=True):
            g = g.flatten(0, -2)
            gw.append((g.to(ctx.dtype).T @ q).to(x.dtype).div_(ctx.scale))
            part = ((g * beta).to(ctx.dtype) @ c.to(ctx.dtype)).to(x.dtype)
            gn = part if gn is None else gn.add_(part)
        assert gn is not None
        gn = torch.ops.aten.hardtanh_backward(gn.reshape(x.shape), v, -TOP - 0.5, TOP + 0.5)
        gx = (gn - n * (gn * n).mean(-1, keepdim=True)).mul_(r)
        return gx, None, None, *gw


class BitLinear(nn.Module):
    """x (..., inputs) -> one z (..., outputs[k]) for each k; a single size gives a single tensor.

    clip: the normalised magnitude that the largest code stands for. weights: "ternary_absmean", "int8", or
    "float", whose activations are not quantised either (a twin to compare with).
    """

    def __init__(
        self, inputs: int, outputs: Sequence[int], clip: float = 4.0, weights: str = "ternary_absmean"
    ) -> None:
        super().__init__()
        self.inputs, self.clip, self.kind = inputs, clip, weights
        self.dtype = torch.float32
        self.fused = True
        self.weights = nn.ParameterList([nn.Parameter(torch.empty(n, inputs)) for n in outputs])
        for w in self.weights:
            nn.init.uniform_(w, -((3 / inputs) ** 0.5), (3 / inputs) ** 0.5)
        self.quantizer = None if weights == "float" else weight_quantizer(weights)

    @property
    def scale(self) -> float:
        """Codes per unit of the normalised input."""
        return TOP / self.clip

    def coded(self, weights: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """Codes (out, in) of each matrix and what a code of 1 stands for: () or (out,)."""
        if self.quantizer is None:
            return list(weights), [w.new_ones(()) for w in weights]
        with torch.no_grad():
            return [self.quantizer.codes(w) for w in weights], [self.beta(w) for w in weights]

    def beta(self, w: Tensor) -> Tensor:
        if self.kind == "int8":
            return (channel_peak(w) / TOP).float().flatten()
        return tensor_mean(w).float()

    def plain(self, x: Tensor) -> tuple[Tensor, ...]:
        """The same function written with torch's own operators, which keep what each of them needs."""
        n = x * torch.rsqrt(x.square().mean(-1, keepdim=True) + EPS)
        if self.quantizer is not None:
            v = n * self.scale
            q = v + (torch.clamp(torch.floor(v + 0.5), -TOP, TOP) - v).detach()
            q = torch.where(v.abs() <= TOP + 0.5, q, q.detach())
            n = q / self.scale
        codes, betas = self.coded(list(self.weights))
        result = []
        for w, c, beta in zip(self.weights, codes, betas, strict=True):
            scaled = c * beta.reshape(-1, 1) if self.quantizer is not None else w
            result.append(F.linear(n, w + (scaled - w).detach()))
        return tuple(result)

    def train_forward(self, x: Tensor) -> tuple[Tensor, ...]:
        if self.fused and self.quantizer is not None:
            results: tuple[Tensor, ...] = _Fused.apply(x, self.scale, self, *self.weights)
            return results
        return self.plain(x)

    def extra_repr(self) -> str:
        return f"{self.inputs} -> {[len(w) for w in self.weights]}, {self.kind}, clip={self.clip}"
