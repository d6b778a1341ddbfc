"""Calls that move elements: shapes, permutations, slices, padding."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import fx, nn

from edgeternary.nn.conv import Conv1d, Conv2d
from edgeternary.nn.converting import order
from edgeternary.nn.converting.builder import Builder
from edgeternary.nn.converting.calls import Call
from edgeternary.nn.converting.fixed import fixed
from edgeternary.nn.converting.heads import Heads
from edgeternary.nn.converting.pools import spread
from edgeternary.nn.converting.refusals import into_attention
from edgeternary.nn.converting.values import Codes, Float, Logits, Lost, Made, Several, Shuffled, Sums, Value
from edgeternary.nn.linear import Linear, Quantized
from edgeternary.nn.pool import SumPool

RESHAPES = {
    torch.flatten,
    torch.reshape,
    torch.squeeze,
    torch.unsqueeze,
    torch.ravel,
    torch.unflatten,
    "flatten",
    "view",
    "reshape",
    "squeeze",
    "unsqueeze",
    "unflatten",
    "view_as",
    "reshape_as",
    "ravel",
    "squeeze_",
    "unsqueeze_",
}
PERMUTES = {
    torch.permute,
    torch.transpose,
    torch.swapaxes,
    torch.movedim,
    torch.moveaxis,
    "permute",
    "transpose",
    "swapaxes",
    "movedim",
    "moveaxis",
    torch.swapdims,
    "swapdims",
    "transpose_",
    "t",
    "mT",
}
EXPANDS = {"expand", "expand_as", torch.broadcast_to, "broadcast_to"}
PADS = {F.pad}
RESHAPING_LAYERS = (nn.Flatten, nn.Unflatten)


def reshape(b: Builder, heads: Heads, call: Call, x: Value) -> Value:
    before, after = b.seen[call.inputs[0]].shape, b.seen[call.node].shape
    if before == after or call.node in heads.skipped:
        return x
    if not after or before[0] != after[0]:
        b.refuse(
            f"{b.name} cannot be converted",
            f"it makes {after} of {before}, and the first axis is that of the samples",
            "keep the samples apart: x.flatten(1), x.view(x.size(0), -1)",
        )
    return moved(b, call, x, lambda t: torch.reshape(t, (-1, *after[1:])), (-1, *after[1:]))


def permute(b: Builder, heads: Heads, call: Call, x: Value) -> Value:
    if call.node in heads.skipped:
        return x
    before = b.seen[call.inputs[0]].shape
    small = torch.zeros([i + 2 for i in range(len(before))])  # axes of different sizes
    target: Any = call.node.target
    args: Any = call.node.args[1:]
    kwargs = {k: v for k, v in call.node.kwargs.items() if k != "input"}
    after = (
        getattr(small, target)(*args, **kwargs) if isinstance(target, str) else target(small, *args, **kwargs)
    )
    dims = [n - 2 for n in after.shape]
    if dims == list(range(len(before))):
        return x
    if dims[0] != 0 and into_attention(call.node):
        return Lost()  # the attention is refused
    if dims[0] != 0:
        b.refuse(
            f"{b.name} cannot be converted",
            "it moves the axis of the samples, which is the first",
            "leave axis 0 where it is",
        )
    return moved(b, call, x, lambda t: torch.permute(t, dims), dims, torch.permute)


def expand(b: Builder, heads: Heads, call: Call, x: Value) -> Value:
    """x.expand(shape): a gate of one pixel at every pixel."""
    before, after = b.shape(call.inputs[0]), b.shape(call.node)
    if before == after:
        return x
    if len(before) != len(after) or before != (after[0], *([1] * (len(after) - 1))):
        b.refuse(
            f"{b.name} cannot be converted",
            f"it makes {after} of {before}",
            "spread one number for each channel, (N, C, 1, 1), over the map",
        )
    return spread(b, call, x, after[1:])


def moved(b: Builder, call: Call, x: Value, move: Any, argument: Any, function: Any = torch.reshape) -> Value:
    if isinstance(x, Logits):
        return Logits(b.call(function, x.node, argument))
    if isinstance(x, Shuffled) or len(b.shape(call.node)) > 3:
        return _shuffled(b, call, x, move)
    if (
        isinstance(x, Float)
        and isinstance(x.base, Sums)
        and x.norm is None
        and not x.curves
        and _one_pixel(b, call)
    ):
        node = b.call(function, x.base.node, argument)
        return Float(Sums(node, x.base.channels, None, x.base.unsigned), call.node, call.node)
    if isinstance(x, (Lost, Several)):
        return x
    codes = b.codes(x, placed=False)
    affine = codes.affine
    before, after = b.shape(call.inputs[0]), b.shape(call.node)
    if affine is not None:
        shape = (1, *before)
        affine = tuple(t if t.numel() == 1 else move(t.expand(shape)) for t in affine)  # type: ignore[assignment]
        affine = tuple(t.reshape(()) if t.numel() == 1 else t for t in affine)  # type: ignore[assignment]
    place = order.moved(codes, call.node, before, after, move, (function, argument))
    node = b.call(function, codes.node, argument)
    return Codes(node, codes.levels, codes.owner, affine, moved=place)


def _shuffled(b: Builder, call: Call, x: Value, move: Any) -> Value:
    """A map whose channels stand in another order, once it has three axes again."""
    if not isinstance(x, Shuffled):
        codes, shape = b.codes(x), b.shape(call.inputs[0])
        x = Shuffled(codes, shape, torch.arange(math.prod(shape)).reshape(1, *shape))
    places, after = move(x.places), b.shape(call.node)
    if len(after) != len(x.shape):
        return Shuffled(x.codes, x.shape, places)
    pixels = math.prod(x.shape[1:])
    channels = places.reshape(after[0], -1)[:, 0] // pixels
    whole = torch.arange(math.prod(x.shape)).reshape(1, *x.shape)[:, channels]
    if x.shape != after or not torch.equal(whole, places):
        b.refuse(
            f"{b.name} cannot be converted",
            f"it moves the pixels of {x.shape}; a graph has other orders of the channels alone",
            "use a convolution",
        )
    return chosen(b, call, x.codes, channels.tolist())


def chosen(b: Builder, call: Call, codes: Codes, wanted: Sequence[int | None]) -> Value:
    """Channels in another order, None a channel of zeros: a convolution of size 1 with weights 0 and 1."""
    before, rank = b.shape(call.inputs[0]), len(b.shape(call.node)) - 1
    channels = max(before[0], *(o + 1 for o in wanted if o is not None))
    layer: Quantized = Linear(channels, len(wanted))
    if rank > 0:
        layer = (Conv1d if rank == 1 else Conv2d)(channels, len(wanted), 1)
    weights = torch.zeros_like(layer.weight)
    for i, o in enumerate(wanted):
        if o is not None:
            weights[i, o] = 1
    fixed(layer, weights)
    node = b.layer(call.path, layer, codes.node)
    return Float(Sums(node, len(wanted), layer, codes.levels.lo >= 0), call.node, call.node)


def _one_pixel(b: Builder, call: Call) -> bool:
    """Whether the channels stay what axis 1 holds: no map, before and after."""
    before, after = b.shape(call.inputs[0]), b.shape(call.node)
    return bool(before) and math.prod(before) == before[0] == (after[0] if after else 1)


def pad(b: Builder, heads: Heads, call: Call, x: Value, layer: nn.Module | None = None) -> Value:
    """Zeros around a map: the next convolution puts them there."""
    if layer is not None:
        given, mode, value = tuple(layer.padding), "constant", float(getattr(layer, "value", 0.0))  # type: ignore[arg-type]
    else:
        bound = call.bound("pad", "mode", "value", mode="constant", value=0.0)
        given, mode, value = bound["pad"], bound["mode"], bound["value"] or 0.0
    sizes = [int(n) for n in given]
    if mode != "constant" or value != 0 or min(sizes) < 0:
        b.refuse(
            f"{b.name} cannot be converted",
            f"mode={mode!r}, value={value}, pad={tuple(sizes)}: a graph pads with the code of 0",
            "pad with zeros: F.pad(x, pad)",
        )
    channels = sizes[4:6] if len(sizes) > 4 else sizes[2:4] if len(b.shape(call.inputs[0])) == 2 else []
    if any(channels):
        return _more_channels(b, call, x, channels[0])
    left, right, top, bottom = [*sizes, 0, 0, 0, 0][:4]
    if not any(sizes):
        return x
    codes = b.codes(x, padded=True)
    around = tuple(p + q for p, q in zip(codes.pad, (top, left, bottom, right), strict=True))
    if all(_convolves(b, user) for user in call.node.users):
        return Codes(codes.node, codes.levels, codes.owner, codes.affine, around)  # type: ignore[arg-type]
    if codes.levels.gap == 2 or codes.affine is not None:
        b.refuse(
            f"{b.name} cannot be converted",
            "it pads with 0, which is no code of its input",
            "pad directly before a convolution",
        )
    rank = len(b.shape(call.node))
    size: Any = 1 if rank == 2 else (1, 1)
    node = b.layer(call.path, SumPool(size, size, around), codes.node)  # type: ignore[arg-type]
    return Float(Sums(node, b.shape(call.node)[0], None, codes.levels.lo >= 0), call.node, call.node)


def _convolves(b: Builder, user: fx.Node) -> bool:
    layer = b.traced.get_submodule(str(user.target)) if user.op == "call_module" else None
    return isinstance(layer, (nn.Conv1d, nn.Conv2d)) or user.target in (F.conv1d, F.conv2d)


def _more_channels(b: Builder, call: Call, x: Value, before: int) -> Value:
    ins, outs = b.shape(call.inputs[0])[0], b.shape(call.node)[0]
    return chosen(b, call, b.codes(x), [c - before if 0 <= c - before < ins else None for c in range(outs)])


def unchanged(b: Builder, heads: Heads, call: Call, x: Value) -> Value:
    return x


def silent(b: Builder, heads: Heads, call: Call, x: Value, layer: nn.Module) -> Value:
    """Dropout and Identity: a dropout stays, for training."""
    if isinstance(layer, nn.Identity):
        return x
    if isinstance(x, Codes) and x.moved is not None:
        return Codes(b.layer(call.path, layer, x.node), x.levels, x.owner, moved=x.moved)
    node = x.base.node if isinstance(x, Float) else x.node if isinstance(x, (Codes, Logits, Made)) else None
    if node is None:
        return x
    if isinstance(x, Float) and (x.norm is not None or x.curves):
        codes = b.codes(x)
        return Codes(b.layer(call.path, layer, codes.node), codes.levels, codes.owner)
    made = b.layer(call.path, layer, node)
    if isinstance(x, Codes):
        return Codes(made, x.levels, x.owner, x.affine, x.pad)
    if isinstance(x, Float):
        base = x.base
        new: Codes | Sums = (
            Codes(made, base.levels, base.owner, base.affine)
            if isinstance(base, Codes)
            else Sums(made, base.channels, base.layer, base.unsigned)
        )
        return Float(new, x.source, x.before)
    return Logits(made) if isinstance(x, Logits) else Made(made, x.source)  # type: ignore[union-attr]
