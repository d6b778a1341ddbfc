"""Gradients of tables of bits: extended finite differences, and the multilinear relaxation.

TABLE_GRADIENTS = {name: TableGradient}. docs/surrogates.md lists them after the surrogates.

A table of F pins has 2^F entries v[c]; entry a is the output where bit k of a is the bit at pin k. Every
entry has a latent value, and is 1 where that is positive. Backward, an entry gets the gradient of the outputs
that it gave. What a pin gets depends on the name.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor

from edgeternary.errors import EdgeTernaryError

BETA = 0.5  # how much less a differing pin counts, in extended finite differences


@dataclass(frozen=True)
class TableGradient:
    """What a pin k of a table at address a gets, per unit of the output's gradient.

    decay: the weight of an entry falls by this factor with every other pin in which its address differs.
    latent: the entries are their latent values, moved from [-1, 1] to [0, 1]; else the bits 0 and 1.
    """

    name: str
    formula: str
    source: str
    use: str
    decay: float
    latent: bool


TABLE_GRADIENTS = {
    gradient.name: gradient
    for gradient in (
        TableGradient(
            "efd",
            "sum over all entries c of (2 c_k - 1) v[c] 0.5^d, d = pins other than k in which c and a differ",
            "DWN, Bacellar et al., 2024, arXiv:2410.11112, with powers of 1/2",
            "default: also tells a pin of changes that other pins must join",
            BETA,
            False,
        ),
        TableGradient(
            "multilinear",
            "u[a with bit k set] - u[a with bit k clear], u = (1 + latent value) / 2",
            "Petersen et al., 2022, arXiv:2210.08277: the slope of the interpolation between all entries",
            "small tables, and the end of a training",
            0.0,
            True,
        ),
    )
}


def find_gradient(name: str) -> TableGradient:
    """TABLE_GRADIENTS[name], or an EdgeTernaryError that lists the names."""
    if name in TABLE_GRADIENTS:
        return TABLE_GRADIENTS[name]
    raise EdgeTernaryError(
        f"no gradient of tables is called {name!r}",
        f"known are: {', '.join(TABLE_GRADIENTS)}",
        "choose one of these",
    )


@cache
def pulls(pins: int, decay: float) -> Tensor:
    """(2^F, F * 2^F): entries @ pulls, as (F, 2^F), is what each pin gets at each address."""
    address = torch.arange(1 << pins)
    bits = address[:, None] >> torch.arange(pins) & 1  # (2^F, F)
    differ = bits[:, None] != bits[None]  # (a, c, k)
    others = differ.sum(2, keepdim=True) - differ.long()
    weight = torch.full((), decay).pow(others) if decay else (others == 0).float()
    return (weight * (2 * bits[None] - 1)).permute(1, 2, 0).reshape(1 << pins, -1)


def addresses(bits: Tensor, wiring: Tensor) -> Tensor:
    """The entry int64 (L, N) that each table reads; bits uint8 (J, N) of 0 and 1, wiring (L, F)."""
    tables, pins = wiring.shape
    read = bits.index_select(0, wiring.reshape(-1)).view(tables, pins, -1)
    address = read[:, 0].clone()
    for k in range(1, pins):
        address.add_(read[:, k], alpha=1 << k)
    return address.long()


def best(scores: Tensor, candidates: Tensor) -> Tensor:
    """int64 (L * F, 1): the candidate that has the highest score."""
    return candidates.gather(1, scores.argmax(1, keepdim=True)) if scores.shape[1] > 1 else candidates


class _Tables(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, bits: Tensor, latent: Tensor, scores: Tensor, candidates: Tensor, rest: tuple[Any, ...]
    ) -> Tensor:
        wiring = best(scores, candidates)
        address = addresses(bits.to(torch.uint8), wiring.view(len(latent), -1))
        ctx.save_for_backward(bits, latent, scores, candidates, wiring, address)
        ctx.rest = rest
        return (latent > 0).float().gather(1, address)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        bits, latent, scores, candidates, wiring, address = ctx.saved_tensors
        grad, (gradient, rate) = grads[0].contiguous(), ctx.rest
        of_bits = of_scores = None
        of_latent = torch.zeros_like(latent).scatter_add_(1, address, grad)
        if ctx.needs_input_grad[0] or ctx.needs_input_grad[2]:
            values = (1 + latent) / 2 if gradient.latent else (latent > 0).float()
            pins = len(wiring) // len(latent)
            pull = (values @ pulls(pins, gradient.decay)).view(len(latent), pins, -1)
            at_pins = pull.gather(2, address[:, None].expand(-1, pins, -1)).mul_(grad[:, None])
            at_pins = at_pins.view(len(wiring), -1)
            if ctx.needs_input_grad[0]:
                of_bits = torch.zeros_like(bits).index_add_(0, wiring[:, 0], at_pins)
            if ctx.needs_input_grad[2]:
                of_scores = _of_scores(at_pins, bits, scores * rate, candidates).mul_(rate)
        return of_bits, of_latent, of_scores, None, None


def _of_scores(at_pins: Tensor, bits: Tensor, scores: Tensor, candidates: Tensor) -> Tensor:
    """The gradient of softmax(scores) as the weights of the candidates in what a pin reads."""
    fast = torch.ops.mkldnn._is_mkldnn_bf16_supported()  # sums in float32
    kind = torch.bfloat16 if fast else torch.float32
    gain = (at_pins.to(kind) @ bits.to(kind).t()).gather(1, candidates).float()
    return torch._softmax_backward_data(gain, scores.softmax(1), 1, torch.float32)


def table_outputs(
    bits: Tensor, latent: Tensor, scores: Tensor, candidates: Tensor, gradient: TableGradient, rate: float
) -> Tensor:
    """The bits 0 and 1 (L, N) of tables, in training.

    bits (J, N) of 0 and 1; latent (L, 2^F); scores and candidates (L * F, K): pin k of table l reads the bit
    candidates[l * F + k, c] with the highest score c. Gradients go to bits, latent and scores; those of the
    scores are those of softmax(rate * scores).
    """
    result: Tensor = _Tables.apply(bits, latent, scores, candidates, (gradient, rate))
    return result
