"""Examples that a user hands over: a batch of raw integer codes, as the model gets them."""

import math

import torch
from torch import Tensor

from edgeternary.errors import EdgeTernaryError
from edgeternary.nn.levels import Levels

UINT8 = Levels("uint8", 0, 255)
AXES = "(samples, channels, height, width), (samples, channels, length) or (samples, n)"


def check_example(example: object, kind: Levels | None = None) -> Tensor:
    """`example` as float32, where it is a batch of integer codes, and of codes of `kind` where that is given.

    A batch of zeros stands for its shape. EdgeTernaryError says how to quantise another one.
    """
    if not isinstance(example, Tensor) or example.is_complex():
        raise EdgeTernaryError(
            "the example is no tensor of real numbers",
            f"it is {example.dtype if isinstance(example, Tensor) else type(example).__name__}",
            f"give a torch tensor, {AXES}",
        )
    if not 2 <= example.dim() <= 4 or not example.numel():
        raise EdgeTernaryError(
            f"the example has the shape {tuple(example.shape)}",
            f"{AXES} is needed, none of them 0",
            "reshape it",
        )
    x = example.detach()
    x = x if x.is_floating_point() else x.long()
    if x.is_floating_point() and not torch.isfinite(x).all():
        raise EdgeTernaryError(
            "the example holds NaN or infinity", "inputs are integer codes", "clean the data"
        )
    lo, hi = float(x.min()), float(x.max())
    if x.is_floating_point() and not torch.equal(x, x.round()):
        raise EdgeTernaryError(
            "the example holds fractions",
            f"it reaches from {lo:.4g} to {hi:.4g}, and inputs are raw integer codes"
            + (f", {kind.lo} to {kind.hi} of {kind.name}" if kind else ""),
            f"quantise it, {_quantised(lo, hi, kind or UINT8)}; train on codes too",
        )
    if kind and (lo or hi):
        _check_kind(x, int(lo), int(hi), kind)
    return x.float()


def _check_kind(x: Tensor, lo: int, hi: int, kind: Levels) -> None:
    if lo < kind.lo or hi > kind.hi:
        bits = max(max(-lo - 1, hi).bit_length() + (lo < 0), 2)
        name = f"{'int' if lo < 0 else 'uint'}{bits}"
        scale = max(abs(lo), abs(hi)) / 32767
        raise EdgeTernaryError(
            f"the example reaches from {lo:,} to {hi:,}",
            f"the model's input is {kind.name}, codes {kind.lo} to {kind.hi}",
            f"give input_type={name!r}, or the input_range that it has"
            if bits <= 16
            else f"quantise it, torch.round(x / {scale:.4g}), and give input_type='int16', "
            f"input_scale={scale:.4g}",
        )
    if kind.gap == 2 and bool((x % 2 == 0).any()):
        raise EdgeTernaryError(
            "the example holds codes that are not bipolar",
            "a bipolar code is -1 or +1",
            "give input_type='ternary'",
        )


def _quantised(lo: float, hi: float, kind: Levels) -> str:
    """How values from lo to hi become codes of `kind`, or of int8 where that has no negative ones."""
    if lo < 0 <= kind.lo:
        kind = Levels("int8", -128, 127)
    if lo >= 0 and hi <= 1:
        top = kind.hi
        return f"torch.round(x * {top}), with input_type={kind.name!r}, input_scale=1 / {top}"
    size = max(hi / max(kind.hi, 1), -lo / max(-kind.lo, 1) if lo < 0 else 0.0)
    scale = float(f"{size:.3g}") if math.isfinite(size) else size
    how = f"torch.round(x / {scale:g}).clamp({kind.lo}, {kind.hi})"
    return f"{how}, with input_type={kind.name!r}, input_scale={scale:g}"
