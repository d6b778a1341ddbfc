"""Calls that move elements: shapes, permutations, slices, padding."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from edgeternary.nn.conv import Conv1d, Conv2d
from edgeternary.nn.converting.builder import Builder
from edgeternary.nn.converting.calls import Call
from edgeternary.nn.converting.heads import Heads
from edgeternary.nn.converting.pools import fixed, spread
from edgeternary.nn.converting.values import Codes, Float, Logits, Lost, Made, Several, Shuffled, Sums, Value
from edgeternary.nn.pool import MaxPool, SumPool

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
SPLITS = {
    torch.chunk,
    torch.split,
    "chunk",
    "split",
    torch.tensor_split,
    "tensor_split",
    torch.unbind,
    "unbind",
}
EXPANDS = {"expand", "expand_as", torch.broadcast_to, "broadcast_to"}
PADS = {F.pad, torch.nn.functional.pad}
RESHAPING_LAYERS = (nn.Flatten, nn.Unflatten)


def reshape(b: Builder, heads: Heads, call: Call, x: Value) -> Value:
    before, after = b.seen[call.inputs[0]].shape, b.seen[call.node].shape
    if before == after:
        return x
    if not after or before[0] != after[0]:
        b.refuse(
            f"{b.name} cannot be converted",
            f"it makes {after} of {before}, and the first axis is that of the samples",
            "keep the samples apart: x.flatten(1), x.view(x.size(0), -1)",
        )
    return _moved(b, call, x, lambda t: torch.reshape(t, (-1, *after[1:])), (-1, *after[1:]))


def permute(b: Builder, heads: Heads, call: Call, x: Value) -> Value:
    before = b.seen[call.inputs[0]].shape
    small = torch.zeros([i + 2 for i in range(len(before))])  # axes of different sizes
    target: Any = call.node.target
    args: Any = call.node.args[1:]
    kwargs = {k: v for k, v in call.node.kwargs.items() if k != "input"}
    moved = (
        getattr(small, target)(*args, **kwargs) if isinstance(target, str) else target(small, *args, **kwargs)
    )
    dims = [n - 2 for n in moved.shape]
    if dims == list(range(len(before))):
        return x
    if dims[0] != 0:
        b.refuse(
            f"{b.name} cannot be converted",
            "it moves the axis of the samples, which is the first",
            "leave axis 0 where it is",
        )
    return _moved(b, call, x, lambda t: torch.permute(t, dims), dims, torch.permute)


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


def _moved(
    b: Builder, call: Call, x: Value, move: Any, argument: Any, function: Any = torch.reshape
) -> Value:
    if isinstance(x, Shuffled) or len(b.shape(call.node)) > 3:
        return _shuffled(b, call, x, move)
    if isinstance(x, Logits):
        return Logits(b.call(function, x.node, argument))
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
    codes = b.codes(x)
    affine = codes.affine
    if affine is not None:
        shape = (1, *b.shape(call.inputs[0]))
        affine = tuple(t if t.numel() == 1 else move(t.expand(shape)) for t in affine)  # type: ignore[assignment]
        affine = tuple(t.reshape(()) if t.numel() == 1 else t for t in affine)  # type: ignore[assignment]
    return Codes(b.call(function, codes.node, argument), codes.levels, codes.owner, affine)


def _shuffled(b: Builder, call: Call, x: Value, move: Any) -> Value:
    """A map whose channels stand in another order, once it has three axes again."""
    if not isinstance(x, Shuffled):
        codes, shape = b.codes(x), b.shape(call.inputs[0])
        x = Shuffled(codes, shape, torch.arange(_product(shape)).reshape(1, *shape))
    places, after = move(x.places), b.shape(call.node)
    if len(after) != len(x.shape):
        return Shuffled(x.codes, x.shape, places)
    pixels = _product(x.shape[1:])
    order = places.reshape(after[0], -1)[:, 0] // pixels
    whole = torch.arange(_product(x.shape)).reshape(1, *x.shape)[:, order]
    if x.shape != after or not torch.equal(whole, places):
        b.refuse(
            f"{b.name} cannot be converted",
            f"it moves the pixels of {x.shape}; a graph has other orders of the channels alone",
            "use a convolution",
        )
    return chosen(b, call, x.codes, order.tolist())


def chosen(b: Builder, call: Call, codes: Codes, order: Sequence[int | None]) -> Value:
    """Channels in another order, None a channel of zeros: a convolution of size 1 with weights 0 and 1."""
    before, rank = b.shape(call.inputs[0]), len(b.shape(call.node)) - 1
    channels = max(before[0], *(o + 1 for o in order if o is not None))
    layer = (Conv1d if rank == 1 else Conv2d)(channels, len(order), 1)
    weights = torch.zeros_like(layer.weight)
    for i, o in enumerate(order):
        if o is not None:
            weights[i, o] = 1
    fixed(layer, weights)
    node = b.layer(call.path, layer, codes.node)
    return Float(Sums(node, len(order), layer, codes.levels.lo >= 0), call.node, call.node)


def _one_pixel(b: Builder, call: Call) -> bool:
    """Whether the channels stay what axis 1 holds: no map, before and after."""
    before, after = b.shape(call.inputs[0]), b.shape(call.node)
    return bool(before) and _product(before) == before[0] == (after[0] if after else 1)


def _product(shape: tuple[int, ...]) -> int:
    product = 1
    for n in shape:
        product *= n
    return product


def split(b: Builder, heads: Heads, call: Call, x: Value) -> Value:
    """Parts of the channels, as a tuple."""
    dims = call.bound("split_size_or_sections" if "split" in call.was else "chunks", "dim", dim=0)
    rank = len(b.seen[call.inputs[0]].shape)
    dim = dims["dim"] % rank if isinstance(dims["dim"], int) else -1
    if dim != 1 or "unbind" in call.was:
        b.refuse(
            f"{b.name} cannot be converted",
            f"it takes axis {dim} apart, and a graph has parts of the channels alone",
            "split axis 1, (N, channels, ...)",
        )
    codes = b.codes(x)
    places = torch.arange(b.seen[call.inputs[0]].shape[1]).reshape(1, -1)
    target: Any = call.node.target
    args, kwargs = (
        call.node.args[1:],
        {k: v for k, v in call.node.kwargs.items() if k not in ("input", "tensor")},
    )
    found = (
        getattr(places, target)(*args, **kwargs)
        if isinstance(target, str)
        else target(places, *args, **kwargs)
    )
    made = [_channels(b, codes, int(p[0, 0]), int(p[0, -1]) + 1) for p in found]
    return Several(tuple(made))


def _channels(b: Builder, codes: Codes, start: int, stop: int) -> Codes:
    every = slice(None)
    return Codes(b.call(operator.getitem, codes.node, (every, slice(start, stop))), codes.levels, codes.owner)


def getitem(b: Builder, heads: Heads, call: Call, x: Value) -> Value:
    index: Any = call.node.args[1]
    if isinstance(x, Several):
        return x.parts[index]
    before, after = b.seen[call.inputs[0]].shape, b.seen[call.node].shape
    places = torch.arange(_product(before[1:])).reshape(1, *before[1:])
    each = index if isinstance(index, tuple) else (index,)
    if not each or each[0] not in (slice(None), ...):
        b.refuse(
            f"{b.name} cannot be converted", "it chooses samples", "keep the first axis whole: x[:, ...]"
        )
    kept = places[index]
    if kept.numel() == places.numel() and len(after) != len(
        before
    ):  # x[:, None], x[..., 0] of an axis of size 1
        return _moved(b, call, x, lambda t: t.reshape(-1, *after[1:]), (-1, *after[1:]))
    if len(after) == len(before) and before[2:] == after[2:]:
        first = int(kept.flatten()[0]) // max(_product(before[2:]), 1)
        wanted = places[:, first : first + after[1]]
        if torch.equal(wanted, kept):
            return _channels(b, b.codes(x), first, first + after[1]) if after[1] != before[1] else x
    if len(after) == len(before) and before[1] == after[1]:
        return _map_slice(b, call, x, places, kept, index)
    if len(before) > 2 and len(each) > 2 and _outer(places, kept):
        codes = b.codes(x)
        if codes.affine is None or codes.affine[0].numel() == 1:
            return Codes(b.call(operator.getitem, codes.node, index), codes.levels, codes.owner, codes.affine)
    b.refuse(
        f"{b.name} cannot be converted",
        f"it takes {after[1:]} out of {before[1:]}; a graph has parts of the channels, and every s-th pixel",
        "slice channels, x[:, a:b], or pool with a stride",
    )


def attribute(b: Builder, call: Call, x: Value) -> Value:
    """x.max(2).values, x.T."""
    name = call.node.args[1]
    if isinstance(x, Several) and name in ("values", "indices"):
        return x.parts[("values", "indices").index(str(name))]
    if name == "data":
        return x
    b.refuse(f"{b.name} cannot be converted", f"it reads the attribute {name!r}", "use a function of tensors")


def _phase(b: Builder, call: Call, x: Value, places: Tensor, kept: Tensor) -> Value | None:
    """x[..., 1::2, ::2]: a convolution for each channel with a single weight, or None for other slices."""
    size, out = places.shape[2:], kept.shape[2:]
    first = places[0, 0].reshape(-1).tolist().index(int(kept[0, 0].reshape(-1)[0]))
    start = [first // size[-1], first % size[-1]] if len(size) == 2 else [first]
    steps = [-(-(n - s) // m) for n, s, m in zip(size, start, out, strict=True)]
    slices = tuple(slice(s, None, t) for s, t in zip(start, steps, strict=True))
    if max(steps) == 1 or not torch.equal(places[(slice(None), slice(None), *slices)], kept):
        return None
    kernel = [max(s + 1, t) for s, t in zip(start, steps, strict=True)]
    pads = [max(0, (m - 1) * t + k - n) for m, t, k, n in zip(out, steps, kernel, size, strict=True)]
    channels, codes = places.shape[1], b.codes(x)
    if len(size) == 2:
        layer = Conv2d(
            channels, channels, (kernel[0], kernel[1]), (steps[0], steps[1]), (0, 0, *pads), 0, channels
        )
    else:
        layer = Conv1d(channels, channels, kernel[0], steps[0], (0, pads[0]), 0, channels)
    weights = torch.zeros_like(layer.weight)
    weights[:, 0, start[0] if len(size) == 2 else 0, start[-1]] = 1
    fixed(layer, weights)
    node = b.layer(call.path, layer, codes.node)
    return Float(Sums(node, channels, layer, codes.levels.lo >= 0), call.node, call.node)


def _outer(places: Tensor, kept: Tensor) -> bool:
    """Whether kept holds whole channels-last blocks: steps of a series, or rows of a map."""
    rows = places.shape[2]
    inside = _product(tuple(places.shape[3:]))
    steps = sorted({int(p) // inside % rows for p in kept.flatten()})
    whole = kept.numel() == len(steps) * places.shape[1] * inside
    return whole and steps[-1] - steps[0] + 1 == len(steps)


def _map_slice(b: Builder, call: Call, x: Value, places: Tensor, kept: Tensor, index: Any) -> Value:
    """Every s-th pixel is a pool of size 1; pixels that a padded convolution made last are not made."""
    size, out = places.shape[2:], kept.shape[2:]
    steps = [-(-n // m) for n, m in zip(size, out, strict=True)]
    strided = places[(slice(None), slice(None), *(slice(None, None, s) for s in steps))]
    if torch.equal(strided, kept):
        codes = b.codes(x)
        stride = tuple(steps) if len(steps) > 1 else steps[0]
        ones = (1, 1) if len(steps) > 1 else 1
        node = b.layer(call.path, MaxPool(ones, stride), codes.node)  # type: ignore[arg-type]
        return Codes(node, codes.levels, codes.owner, codes.affine)
    shifted = _phase(b, call, x, places, kept)
    if shifted is not None:
        return shifted
    cut = places[(slice(None), slice(None), *(slice(0, m) for m in out))]
    layer: Any = (
        x.base.layer if isinstance(x, Float) and isinstance(x.base, Sums) and not x.quantized else None
    )
    if torch.equal(cut, kept) and layer is not None and hasattr(layer, "pad") and max(layer.stride) == 1:
        top, left, bottom, right = layer.pad
        less = [n - m for n, m in zip(size, out, strict=True)]
        bottom, right = bottom - (less[0] if len(less) == 2 else 0), right - less[-1]
        if min(bottom, right) >= 0:
            layer.pad = (top, left, bottom, right)
            assert isinstance(x, Float)
            return Float(
                x.base, call.node, call.node if x.norm is None else x.before, x.norm, x.norm_path, x.curves
            )
    if _outer(places, kept):
        codes = b.codes(x)
        return Codes(b.call(operator.getitem, codes.node, index), codes.levels, codes.owner, codes.affine)
    b.refuse(
        f"{b.name} cannot be converted",
        f"it cuts a map of {tuple(size)} to {tuple(out)}",
        "give the layer before it the padding that it needs, on each side",
    )


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
