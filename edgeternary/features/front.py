"""The ops of a front end: log_mel, for MFCC a convolution with cosines, then a requantize to codes."""

import math
from collections.abc import Sequence

import msgspec
import numpy as np

from edgeternary.features import tables
from edgeternary.features.sound import DOUBLING, Sound
from edgeternary.ir import Graph, Meta, Op, Value, parse
from edgeternary.ops import Conv2d, Requantize, Reshape
from edgeternary.ops.log_mel import LogMel
from edgeternary.ops.spectrum import GAIN, LOG_ONE
from edgeternary.passes.fixed_point import fixed_point

SAMPLES = "samples"


def front(sound: Sound) -> Graph:
    """Samples int16 (1, samples, 1) -> codes (frames, width, 1)."""
    x = Value(SAMPLES, (1, sound.samples, 1), parse("int16"), -(1 << 15), (1 << 15) - 1)
    ops = ops_of(sound, x, "features", (sound.frames, sound.width, 1))
    info = {"sound": msgspec.json.encode(sound).decode()}
    return Graph("features", x, ops, "features", meta=Meta(info=info))


def ops_of(sound: Sound, x: Value, name: str, shape: Sequence[int], prefix: str = "") -> list[Op]:
    """The ops from the samples `x` to the codes called `name`, of this shape; `prefix` begins other names."""
    bands = _log_mel(sound, x, f"{prefix}bands")
    ops: list[Op] = [bands]
    value = bands.infer([x])
    if sound.coefficients:
        ops.append(_transform(sound, bands.name, f"{prefix}cosines"))
        value = ops[-1].infer([value])
        (m, s), b = _steep(tables.unit(sound) / sound.scale), 0
    else:
        step = LOG_ONE * sound.input_scale / DOUBLING
        found = fixed_point(np.array([1 / step]), np.zeros(1), value.hi)
        m, b, s = (int(part[0]) for part in found)
    codes, channels = sound.codes, value.channels
    zero = sound.zero if sound.coefficients else codes.lo
    each = {key: np.full(channels, n, np.int32) for key, n in (("m", m), ("b", b), ("s", s))}
    ops.append(Requantize(
        name=f"{prefix}codes", inputs=(ops[-1].name,), zero=zero, lo=codes.lo, hi=codes.hi,
        rounding="half_up", type=sound.type, **each,
    ))  # fmt: skip
    ops.append(Reshape(name=name, inputs=(f"{prefix}codes",), shape=tuple(shape)))
    return ops


def _log_mel(sound: Sound, x: Value, name: str) -> LogMel:
    """With the least shift that cannot overflow."""
    edges, rise = tables.triangles(sound)
    op = LogMel(
        name=name, inputs=(x.name,), window=tables.hann(sound.window), hop=sound.hop, size=sound.size,
        shift=15, edges=edges, rise=rise, peak=int(sound.peak),
    )  # fmt: skip
    shift = op.least_shift()
    one = 2 * GAIN * 2.0 ** (15 - shift)  # a band of level 0 dB
    floor = round(LOG_ONE * (sound.floor / DOUBLING + math.log2(one)))
    return msgspec.structs.replace(op, shift=shift, floor=floor)


def _transform(sound: Sound, bands: str, name: str) -> Conv2d:
    """The cosine transform; the bias is what the floor, below which a band counts as 0, adds to each sum."""
    weights = tables.cosines(sound)
    floor = LOG_ONE * sound.floor / DOUBLING
    bias = np.rint(floor * weights.astype(np.float64).sum(1)).astype(np.int32)
    return Conv2d(
        name=name, inputs=(bands,), weights=weights[:, None, None, :], weight_type="int8", bias=bias,
    )  # fmt: skip


def _steep(gain: float) -> tuple[int, int]:
    """(m, s) with m 2^-s = gain, m of 31 bits."""
    fraction, exponent = math.frexp(gain)
    return min(round(math.ldexp(fraction, 31)), (1 << 31) - 1), 31 - exponent
