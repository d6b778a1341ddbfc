"""BitLinear: RMS norm, 8-bit activations of a static scale, ternary weights.

    n = x / rms(x);  q = clamp(round(n * 127 / clip), -127, 127);  z_k = (q @ codes_k) * beta_k * clip / 127

One norm serves several weight matrices k that read the same x. codes = clamp(round(w / beta), -1, 1) with
beta = mean|w| of the matrix (BitNet b1.58, Ma et al., 2024), straight through; the published layer scales
activations by their largest magnitude in each token, here the scale is fixed, so that it is a constant of
the integer graph. There is no gain and no bias: what is stored is two bits a weight and one scale.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edgeternary.errors import EdgeTernaryError
from edgeternary.nn.quantizers import weight_quantizer
from edgeternary.nn.rescale import Rescale
from edgeternary.nn.weight_rules import TINY, Fixed, WeightQuantizer, tensor_mean
from edgeternary.ops.rms_norm import LIMIT, reciprocal_root
from edgeternary.ops.rms_norm import TOP as NORM_TOP

FLOAT = "float"  # weights of a reference, which nothing quantises
TOP = 127
EPS = 1e-8


def normalise(x: Tensor) -> tuple[Tensor, Tensor]:
    """x / rms(x) over the last axis, and 1 / rms(x) (..., 1)."""
    r = torch.rsqrt(x.square().mean(-1, keepdim=True).add_(EPS))
    return x * r, r


def activation_codes(n: Tensor, scale: float) -> Tensor:
    """clamp(floor(n * scale + 0.5), -127, 127) as floats."""
    return (n * scale).add_(0.5).floor_().clamp_(-TOP, TOP)


Gate = Callable[..., Tensor]


def tensor_peak(w: Tensor) -> Tensor:
    """max |w| of the layer in float64, ()."""
    return w.abs().amax().double().clamp_min(TINY)


def int8(w: Tensor) -> Tensor:
    """round(w / max|w| * 127) with one maximum for the whole tensor."""
    return w.to(torch.float64, copy=True).div_(tensor_peak(w)).mul_(TOP).round_().float()


INT8 = Fixed("int8", TOP, int8, lambda w: (tensor_peak(w) / (2 * TOP)).float())


def itself(x: Tensor) -> Tensor:
    """x itself: there is no gate."""
    return x


class _Fused(torch.autograd.Function):
    """Keeps the gate's inputs alone for backward: gate, norm, codes and weight codes are computed a second
    time there. Products run in `layer.dtype`: bfloat16 holds codes of 8 bits exactly.
    """

    @staticmethod
    def forward(ctx: Any, layer: BitLinear, gate: Gate, count: int, *tensors: Tensor) -> tuple[Tensor, ...]:
        ctx.save_for_backward(*tensors)
        ctx.layer, ctx.gate, ctx.count = layer, gate, count
        n, _ = normalise(gate(*tensors[:count]))
        q = activation_codes(n, layer.scale).to(layer.dtype)
        codes, betas = layer.coded(tensors[count:])
        return tuple(
            F.linear(q, c.to(layer.dtype)).to(n.dtype).mul_(beta / layer.scale)
            for c, beta in zip(codes, betas, strict=True)
        )

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        layer, scale, dtype = ctx.layer, ctx.layer.scale, ctx.layer.dtype
        inputs, weights = ctx.saved_tensors[: ctx.count], ctx.saved_tensors[ctx.count :]
        with torch.enable_grad():
            leaves = [x.detach().requires_grad_() for x in inputs]
            gated = ctx.gate(*leaves)
        n, r = normalise(gated.detach())
        q = activation_codes(n, scale).to(dtype).flatten(0, -2)
        codes, betas = layer.coded(weights)
        gn: Tensor | None = None
        gw = []
        for g, c, beta in zip(grads, codes, betas, strict=True):
            g = g.flatten(0, -2)
            gw.append((g.to(dtype).T @ q).to(n.dtype).div_(scale))
            part = ((g * beta).to(dtype) @ c.to(dtype)).to(n.dtype)
            gn = part if gn is None else gn.add_(part)
        assert gn is not None
        edge = TOP + 0.5
        gn = torch.ops.aten.hardtanh_backward(gn.reshape(n.shape), n * scale, -edge, edge)
        gx = (gn - n * (gn * n).mean(-1, keepdim=True)).mul_(r)
        return None, None, None, *torch.autograd.grad(gated, leaves, gx), *gw


class BitLinear(nn.Module):
    """x (..., inputs) -> one z (..., outputs[k]) for each k; a single size gives a single tensor.

    clip: the normalised magnitude that the largest code stands for. weights: "ternary_absmean", "int8", or
    "float", whose activations are not quantised either (a reference to compare with).
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
        self.quantizer: WeightQuantizer | None = None
        if weights != FLOAT:
            self.quantizer = INT8 if weights == "int8" else weight_quantizer(weights)

    @property
    def scale(self) -> float:
        """Codes per unit of the normalised input."""
        return TOP / self.clip

    def coded(self, weights: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """Codes (out, in) of each matrix and what a code of 1 stands for, ()."""
        if self.quantizer is None:
            return list(weights), [w.new_ones(()) for w in weights]
        with torch.no_grad():
            return [self.quantizer.codes(w) for w in weights], [self.beta(w) for w in weights]

    def beta(self, w: Tensor) -> Tensor:
        """What a code of 1 stands for, ()."""
        return (tensor_peak(w) / TOP if self.kind == "int8" else tensor_mean(w)).float()

    def plain(self, x: Tensor) -> tuple[Tensor, ...]:
        """The same function in operators of torch, each of which keeps what its backward pass needs."""
        n = x * torch.rsqrt(x.square().mean(-1, keepdim=True) + EPS)
        if self.quantizer is not None:
            v = n * self.scale
            q = v + (torch.clamp(torch.floor(v + 0.5), -TOP, TOP) - v).detach()
            q = torch.where(v.abs() < TOP + 0.5, q, q.detach())
            n = q / self.scale
        codes, betas = self.coded(list(self.weights))
        result = []
        for w, c, beta in zip(self.weights, codes, betas, strict=True):
            scaled = c * beta.reshape(-1, 1) if self.quantizer is not None else w
            result.append(F.linear(n, w + (scaled - w).detach()))
        return tuple(result)

    def train_forward(self, *inputs: Tensor, gate: Gate = itself) -> tuple[Tensor, ...]:
        """z of gate(*inputs), whose shape is (..., inputs); fused, backward keeps `inputs` alone."""
        if self.fused and self.quantizer is not None:
            results: tuple[Tensor, ...] = _Fused.apply(self, gate, len(inputs), *inputs, *self.weights)
            return results
        return self.plain(gate(*inputs))

    def norm(self) -> Rescale:
        """Units of rms_norm, 2^-15 |x|, to codes: n = y sqrt(inputs) / 2^15."""
        return Rescale.of(self.inputs**0.5 * self.scale / LIMIT, 0.0, self.inputs, NORM_TOP, -TOP, TOP)

    def integer_codes(self, k: int) -> Tensor:
        """Weight codes of matrix k, (out, in)."""
        if self.quantizer is None:
            raise EdgeTernaryError(
                "a BitLinear with float weights has no integers",
                'it was made with weights="float", to compare with',
                "train the model with ternary weights",
            )
        return self.coded([self.weights[k].detach()])[0][0]

    def unit(self, k: int) -> np.ndarray:
        """What an accumulator of 1 stands for, float64 ()."""
        beta: np.ndarray = self.beta(self.weights[k].detach()).double().numpy()
        return beta / self.scale

    def rescale(self, k: int, per_unit: float, offset: np.ndarray | float, lo: int, hi: int) -> Rescale:
        """Accumulators of matrix k to codes of `per_unit` for 1, plus offset / per_unit."""
        codes = self.integer_codes(k)
        bound = max(1, int(codes.abs().sum(1).max()) * TOP)
        return Rescale.of(self.unit(k) * per_unit, np.asarray(offset) * per_unit, len(codes), bound, lo, hi)

    def quantised(self, x: Tensor) -> Tensor:
        """Eval mode: integers (..., inputs) within int16 to codes of 8 bits, as rms_norm and `norm` say."""
        square = (x * x).sum(-1).clamp_min(1).numpy()
        r, h = (torch.from_numpy(a)[..., None] for a in reciprocal_root(square))
        return self.norm()((x * r >> h + 8).clamp(-NORM_TOP, NORM_TOP))

    def accumulators(self, q: Tensor, k: int) -> Tensor:
        """Eval mode: codes to integer accumulators of matrix k; float64 adds them exactly."""
        return F.linear(q.double(), self.integer_codes(k).double()).long()

    def extra_repr(self) -> str:
        return f"{self.inputs} -> {[len(w) for w in self.weights]}, {self.kind}, clip={self.clip}"
