"""Linear layers, convolutions and batch-norms."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edgeternary.nn.conv import Conv1d, Conv2d, OutputConv2d
from edgeternary.nn.converting.builder import Builder
from edgeternary.nn.converting.calls import Call
from edgeternary.nn.converting.curves import after_norm
from edgeternary.nn.converting.fixed import fixed
from edgeternary.nn.converting.heads import Heads
from edgeternary.nn.converting.values import Codes, Float, Logits, Sums, Value
from edgeternary.nn.learned_step import LearnedStep
from edgeternary.nn.linear import Linear, Output, Quantized
from edgeternary.nn.norm import BatchNorm
from edgeternary.nn.replace import our_batch_norm
from edgeternary.nn.structure import Upsample

Conv = nn.Conv1d | nn.Conv2d


def linear(b: Builder, heads: Heads, call: Call, x: Value, layer: nn.Linear) -> Value:
    shape = b.shape(call.inputs[0])
    if len(shape) != 1:
        b.refuse(
            f"{b.name} (Linear) cannot be converted",
            f"it works on the last axis of {shape}, and a graph has the channels of a map in axis 1",
            f"use a convolution of size 1 on (N, channels, ...): Conv2d({layer.in_features}, "
            f"{layer.out_features}, 1)",
        )
    weight, bias = _folded(heads, call, layer.weight, layer.bias)
    codes = b.codes(x)
    weight = _input_scaled(b, codes, weight, None)
    if call.node in heads.layers:
        head = Output(
            layer.in_features, layer.out_features, head_kind(b.weight_kind(call.path)), codes=_kind(codes)
        )
        return _head(b, call, head, weight, bias, codes)
    ours = Linear(layer.in_features, layer.out_features, b.weight_kind(call.path))
    _start(ours, weight)
    node = b.layer(call.path, ours, codes.node)
    return Float(Sums(node, layer.out_features, ours), call.node, call.node)


def conv(b: Builder, heads: Heads, call: Call, x: Value, layer: Conv) -> Value:
    rank = 1 if isinstance(layer, nn.Conv1d) else 2
    if layer.padding_mode != "zeros":
        b.refuse(
            f"{b.name} ({type(layer).__name__}) cannot be converted",
            f"padding_mode={layer.padding_mode!r} repeats pixels, and a graph pads with one code",
            "use padding_mode='zeros'",
        )
    weight, bias = _folded(heads, call, layer.weight, layer.bias)
    codes = b.codes(x, padded=True)
    pad = tuple(a + p for a, p in zip(paddings(layer), codes.pad, strict=True))
    pad_value = 0
    if any(pad):
        pad_value = _pad_value(b, codes)
    weight = _input_scaled(b, codes, weight, layer.groups)
    kernel, stride, dilation = (_pair(v, rank) for v in (layer.kernel_size, layer.stride, layer.dilation))
    kind, sizes = b.weight_kind(call.path), (layer.in_channels, layer.out_channels)
    if call.node in heads.layers:
        options: dict[str, Any] = {
            "stride": stride, "pad": pad, "pad_value": pad_value, "groups": layer.groups,
            "dilation": dilation,
            "weights": head_kind(kind), "average": call.node in heads.averaged, "rank": rank,
        }  # fmt: skip
        return _head(
            b, call, OutputConv2d(*sizes, kernel, codes=_kind(codes), **options), weight, bias, codes
        )
    ours: Conv2d
    if rank == 1:
        ours = Conv1d(
            *sizes,
            kernel[1],
            stride[1],
            (pad[1], pad[3]),
            pad_value,
            layer.groups,
            kind,
            dilation=dilation[1],
        )
    else:
        ours = Conv2d(*sizes, kernel, stride, pad, pad_value, layer.groups, kind, dilation=dilation)
    _start(ours, weight)
    node = b.layer(call.path, ours, codes.node)
    return Float(Sums(node, layer.out_channels, ours), call.node, call.node)


def conv_transpose(
    b: Builder, heads: Heads, call: Call, x: Value, layer: nn.ConvTranspose1d | nn.ConvTranspose2d
) -> Value:
    """Zeros between the pixels, then a convolution with the kernel turned round."""
    rank = 1 if isinstance(layer, nn.ConvTranspose1d) else 2
    codes = b.codes(x)
    if codes.levels.gap == 2 or codes.affine is not None or any(codes.pad):
        b.refuse(
            f"{b.name} ({type(layer).__name__}) cannot be converted",
            "it puts zeros between its inputs, which have no code for 0",
            "give it activations of an unsigned or signed kind, or upsample and convolve",
        )
    kernel, stride, dilation = (_pair(v, rank) for v in (layer.kernel_size, layer.stride, layer.dilation))
    pad, more = (_pair(v, rank, 0) for v in (layer.padding, layer.output_padding))
    node = codes.node
    if max(stride) > 1:
        factor = stride if rank == 2 else (1, stride[1])
        node = b.layer(b.free(f"{call.path}_zeros"), Upsample(factor, "zero"), node)
    around = []
    for axis in (0, 1):
        reach = (kernel[axis] - 1) * dilation[axis] if rank == 2 or axis == 1 else 0
        before = reach - pad[axis]
        # after the last input come stride - 1 zeros that a transposed convolution does not have
        after = reach - pad[axis] + more[axis] - (stride[axis] - 1 if rank == 2 or axis == 1 else 0)
        around += [before, after]
    four = (around[0], around[2], around[1], around[3])
    if min(four) < 0:
        b.refuse(
            f"{b.name} ({type(layer).__name__}) cannot be converted",
            f"kernel {kernel}, stride {stride} and padding {pad} cut its result: its padding is below 0",
            "use Upsample and a convolution, or a kernel that is at least as large as stride and padding ask",
        )
    groups = layer.groups
    w = layer.weight.detach().flip(*range(2, layer.weight.dim()))
    w = w.reshape(groups, w.shape[0] // groups, *w.shape[1:]).transpose(1, 2).flatten(0, 1)
    make: Any = nn.Conv1d if rank == 1 else nn.Conv2d
    dense: Conv = make(
        layer.in_channels, layer.out_channels, layer.kernel_size, 1, 0, layer.dilation, groups,
        bias=layer.bias is not None,
    )  # fmt: skip
    with torch.no_grad():
        dense.weight.copy_(w)
        if layer.bias is not None and dense.bias is not None:
            dense.bias.copy_(layer.bias)
    return conv(b, heads, call, Codes(node, codes.levels, pad=four), dense)


def pixel_shuffle(b: Builder, heads: Heads, call: Call, x: Value, layer: nn.PixelShuffle) -> Value:
    """Zeros between the pixels, then a convolution whose weights 0 and 1 put r * r channels side by side."""
    codes, r = b.codes(x), layer.upscale_factor
    if codes.levels.gap == 2 or codes.affine is not None:
        b.refuse(
            f"{b.name} (PixelShuffle) cannot be converted",
            "it puts zeros between its inputs, which have no code for 0",
            "give it activations of an unsigned or signed kind",
        )
    channels = b.shape(call.node)[0]
    wide = b.layer(b.free(f"{call.path}_zeros"), Upsample((r, r), "zero"), codes.node)
    ours = Conv2d(channels * r * r, channels, r, 1, (r - 1, r - 1, 0, 0))
    weights = torch.zeros_like(ours.weight)
    for i in range(channels * r * r):
        c, dy, dx = i // (r * r), i // r % r, i % r
        weights[c, i, r - 1 - dy, r - 1 - dx] = 1
    fixed(ours, weights)
    node = b.layer(call.path, ours, wide)
    return Float(Sums(node, channels, ours, codes.levels.lo >= 0), call.node, call.node)


def batch_norm(b: Builder, heads: Heads, call: Call, x: Value, layer: nn.Module) -> Value:
    if call.node in heads.skipped:
        return x
    norm = layer if isinstance(layer, BatchNorm) else our_batch_norm(layer, call.path)  # type: ignore[arg-type]
    if isinstance(x, Float) and x.norm is None and not x.curves:
        return Float(x.base, call.node, call.node, norm, call.path)
    if isinstance(x, Float) and x.curves:  # conv, ReLU, batch-norm: both become one quantiser
        return after_norm(b, call, x, norm)
    return Float(b.codes(x), call.node, call.node, norm, call.path)


def _head(
    b: Builder, call: Call, head: Output | OutputConv2d, weight: Tensor, bias: Tensor | None, x: Codes
) -> Logits:
    _start(head, weight)
    if bias is not None:
        with torch.no_grad():
            head.bias.copy_(bias)
    node = b.layer(call.path, head, x.node)
    b.fits[b.path(head)] = call.node
    return Logits(node)


def _folded(heads: Heads, call: Call, weight: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """Weight and bias with the batch-norm that follows a last layer."""
    norm = heads.norms.get(call.node)
    weight = weight.detach()
    if norm is None:
        return weight, None if bias is None else bias.detach()
    gain = norm.weight.detach() if norm.affine else torch.ones(norm.num_features)
    gain = gain / torch.sqrt(norm.running_var + norm.eps)
    shift = norm.bias.detach() if norm.affine else torch.zeros(norm.num_features)
    offset = (0 if bias is None else bias.detach()) - norm.running_mean
    return weight * gain.reshape(-1, *([1] * (weight.dim() - 1))), offset * gain + shift


def _start(layer: Quantized, weight: Tensor) -> None:
    """Latent weights in [-1, 1] from float ones; a learnt step starts where the error is least."""
    with torch.no_grad():
        w = weight.reshape(layer.weight.shape)
        layer.weight.copy_(w / w.abs().amax().clamp_min(1e-12))
        if (
            isinstance(layer.quantizer, LearnedStep)
            and layer.quantizer.clip
            and not layer.quantizer.ratio.dim()
        ):
            layer.quantizer.ratio.copy_(_best_ratio(layer.quantizer, layer.weight))


def _best_ratio(quantizer: LearnedStep, w: Tensor) -> Tensor:
    mean = w.abs().mean().clamp_min(1e-12)
    most = float(w.abs().amax() / mean) / quantizer.top
    errors = {}
    for part in torch.linspace(0.2, 1.0, 41).tolist():
        step = mean * most * part
        errors[part] = float(
            ((torch.round(w / step).clamp(-quantizer.top, quantizer.top) * step - w) ** 2).sum()
        )
    return torch.tensor(max(most * min(errors, key=lambda p: errors[p]), 1e-6))


def head_kind(kind: str | int) -> str | int:
    """Weights of a last layer have one scale for all classes: intN becomes a learnt step a layer."""
    text = f"int{kind}" if isinstance(kind, int) else kind
    return f"lsq{text[3:]}" if text.startswith("int") else kind


def _kind(codes: Codes) -> str:
    return codes.levels.name


def _pair(v: Any, rank: int, flat: int = 1) -> tuple[int, int]:
    """A size of a layer as (y, x); y is `flat` for series."""
    each = [int(n) for n in (v if isinstance(v, (tuple, list)) else (v,))]
    if rank == 1:
        return (flat, each[0])
    return (each[0], each[-1])


def paddings(layer: Conv) -> tuple[int, int, int, int]:
    """(top, left, bottom, right), also of padding='same'."""
    rank = 1 if isinstance(layer, nn.Conv1d) else 2
    if layer.padding == "valid":
        return (0, 0, 0, 0)
    if layer.padding == "same":
        whole = [d * (k - 1) for k, d in zip(layer.kernel_size, layer.dilation, strict=True)]
        each = [(w // 2, w - w // 2) for w in whole]
    else:
        each = [(int(p), int(p)) for p in layer.padding]
    (left, right), (top, bottom) = each[-1], each[0] if rank == 2 else (0, 0)
    return (top, left, bottom, right)


def _pad_value(b: Builder, x: Codes) -> int:
    """The code of 0."""
    if x.affine is None:
        return -1 if x.levels.gap == 2 else 0
    scale, offset = x.affine
    zero = (-offset / scale).flatten()
    value = int(torch.round(zero.mean()).clamp(x.levels.lo, x.levels.hi))
    if float((zero - value).abs().max()) > 1e-3:
        b.note(f"its border is padded with the code {value}, and 0 is {_listed(zero)}")
    return value


def _listed(zero: Tensor) -> str:
    return ", ".join(f"{z:.4g}" for z in zero.unique().tolist()[:4])


def _input_scaled(b: Builder, x: Codes, weight: Tensor, groups: int | None) -> Tensor:
    """Weights times the scale of each channel of the model's input, where these differ."""
    if x.affine is None:
        return weight
    scale = x.affine[0]
    if scale.numel() == 1:
        return weight
    if groups is None:
        return weight * scale.expand(1, *_flat(scale, weight)).reshape(1, -1)
    each = scale.reshape(1, scale.shape[1], -1) if scale.dim() > 1 else scale.reshape(1, 1, 1)
    if bool((each != each[..., :1]).any()):
        b.refuse(
            f"{b.name} cannot be converted",
            "its input has a scale of its own for each pixel",
            "normalise with one mean and one standard deviation for each channel. Where the channels are the "
            "last axis, say so, InputSpec.from_data(x, layout='NTC'), and permute: x.permute(0, 2, 1)",
        )
    per = each[0, :, 0]  # (C,)
    per = per.expand(weight.shape[1] * groups) if len(per) == 1 else per
    ins = per.reshape(groups, -1)  # of each group
    out = weight.reshape(groups, weight.shape[0] // groups, *weight.shape[1:])
    return (out * ins.reshape(groups, 1, -1, *([1] * (weight.dim() - 2)))).reshape(weight.shape)


def _flat(scale: Tensor, weight: Tensor) -> tuple[int, ...]:
    return (
        (weight.shape[1],)
        if scale.dim() == 2 and scale.shape[1] in (1, weight.shape[1])
        else tuple(scale.shape[1:])
    )


def functional(b: Builder, heads: Heads, call: Call, x: Value, weight: Tensor, bias: Tensor | None) -> Value:
    """F.linear and F.conv with the model's own parameters."""
    if call.node.target is F.linear:
        layer: Any = nn.Linear(weight.shape[1], weight.shape[0], bias is not None)
    else:
        names = ("weight", "bias", "stride", "padding", "dilation", "groups")
        bound = call.bound(*names, stride=1, padding=0, dilation=1,
                           groups=1)  # fmt: skip
        make = nn.Conv1d if weight.dim() == 3 else nn.Conv2d
        layer = make(
            weight.shape[1] * bound["groups"], weight.shape[0], tuple(weight.shape[2:]),  # type: ignore[arg-type]
            bound["stride"], bound["padding"], bound["dilation"], bound["groups"], bias is not None,
        )  # fmt: skip
    with torch.no_grad():
        layer.weight.copy_(weight)
        if bias is not None:
            layer.bias.copy_(bias)
    return (linear if isinstance(layer, nn.Linear) else conv)(b, heads, call, x, layer)
