"""Weight and activation quantisers: latent floats to integer codes, and which integers those are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

import torch
from torch import Tensor

from edgeternary.errors import EdgeTernaryError


@dataclass(frozen=True)
class Levels:
    """The codes lo, lo + gap, ..., hi of an integer-graph type called `name`."""

    name: str
    lo: int
    hi: int
    gap: int = 1

    @property
    def codes(self) -> tuple[int, ...]:
        return tuple(range(self.lo, self.hi + 1, self.gap))


BIPOLAR = Levels("bipolar", -1, 1, 2)
TERNARY = Levels("ternary", -1, 1)


def levels(kind: str | int) -> Levels:
    """Codes of "bipolar", "binary", "ternary", "uintN", "intN", or N for uintN (N in 1..16)."""
    if kind in ("bipolar", "ternary"):
        return BIPOLAR if kind == "bipolar" else TERNARY
    text = f"uint{kind}" if isinstance(kind, int) else kind
    signed = text.startswith("int")
    digits = "1" if text == "binary" else text.removeprefix("u").removeprefix("int")
    bits = int(digits) if digits.isdigit() else 0
    if not (1 + signed <= bits <= 16) or not text.startswith(("int", "uint", "binary")):
        _unknown(
            "activation", kind, "bipolar, binary, ternary, uint1..uint16, int2..int16 or a number of bits"
        )
    if signed:
        return Levels(f"int{bits}", -(1 << (bits - 1)), (1 << (bits - 1)) - 1)
    return Levels("binary" if bits == 1 else f"uint{bits}", 0, (1 << bits) - 1)


def _per_channel(w: Tensor, value: Tensor) -> Tensor:
    return value.reshape(-1, *([1] * (w.dim() - 1)))


def binary(w: Tensor) -> Tensor:
    """+1 where w >= 0, else -1."""
    return torch.where(w >= 0, 1.0, -1.0)


def ternary_twn(w: Tensor) -> Tensor:
    """sign(w) where |w| > 0.7 mean|w| of its output channel, else 0 (TWN, Li et al., 2016)."""
    magnitude = w.double().abs()
    limit = _per_channel(w, 0.7 * magnitude.flatten(1).mean(1))
    return torch.where(magnitude > limit, w.sign().double(), 0.0).float()


def ternary_absmean(w: Tensor) -> Tensor:
    """clamp(round(w / mean|w|), -1, 1), one mean for the whole tensor (BitNet b1.58, Ma et al., 2024)."""
    mean = w.double().abs().mean().clamp_min(1e-12)
    return torch.clamp(torch.round(w.double() / mean), -1, 1).float()


def symmetric(bits: int) -> Callable[[Tensor], Tensor]:
    """round(w / max|w| * (2^(bits-1) - 1)) with one maximum per output channel: codes without -2^(bits-1)."""
    top = (1 << (bits - 1)) - 1

    def quantize(w: Tensor) -> Tensor:
        peak = _per_channel(w, w.double().abs().flatten(1).amax(1).clamp_min(1e-12))
        return torch.round(w.double() / peak * top).float()

    return quantize


@dataclass(frozen=True)
class WeightQuantizer:
    """codes(w) maps latent weights (out, ...) to float codes of type `name`, and codes to themselves."""

    name: str
    codes: Callable[[Tensor], Tensor]
    top: int


WEIGHTS: dict[str, WeightQuantizer] = {
    "binary": WeightQuantizer("bipolar", binary, 1),
    "ternary": WeightQuantizer("ternary", ternary_twn, 1),
    "ternary_absmean": WeightQuantizer("ternary", ternary_absmean, 1),
    **{f"int{n}": WeightQuantizer(f"int{n}", symmetric(n), (1 << (n - 1)) - 1) for n in range(2, 9)},
}


def weight_quantizer(kind: str | int) -> WeightQuantizer:
    """Looks up "binary", "ternary", "ternary_absmean", "intN" or N for intN, N in 2..8."""
    found = WEIGHTS.get(f"int{kind}" if isinstance(kind, int) else kind)
    return found or _unknown("weight", kind, ", ".join(WEIGHTS))


def _unknown(what: str, kind: object, known: str) -> NoReturn:
    raise EdgeTernaryError(
        f"no {what} quantiser is called {kind!r}", f"known are: {known}", "choose one of these"
    )
