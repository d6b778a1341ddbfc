"""Fields of the template that turns sensor values into input codes, as edgeternary.ir.sensor defines it."""

import numpy as np

from edgeternary.c.tables import literal
from edgeternary.ir import Graph, Value
from edgeternary.ir.sensor import scales, zeros

Number = float | tuple[float, ...]


def quantize_fields(graph: Graph, x: Value) -> dict[str, object]:
    """scale and zero: C text of what is the same for all channels, else "" and a table of all of them."""
    meta = graph.meta.of_input(x.name)
    scale, zero = scales(graph, x), zeros(graph, x)
    one_scale, one_zero = bool(np.all(scale == scale[0])), bool(np.all(zero == zero[0]))
    return {
        "bipolar": x.type.name == "bipolar",
        "per_channel": not (one_scale and one_zero),
        "channels": x.channels,
        "scale": _float(scale[0]) if one_scale else "",
        "scales": [] if one_scale else [_float(s) for s in scale],
        "scale_text": _shown(meta.scale),
        "zero": int(zero[0]) if one_zero else "",
        "zeros": [] if one_zero else [literal(int(z)) for z in zero],
        "zero_text": _shown(meta.zero),
        "lo": literal(x.lo),
        "hi": literal(x.hi),
        "below": literal(x.lo - int(zero[0])),
        "above": literal(x.hi - int(zero[0])),
    }


def _float(value: np.float32) -> str:
    """A hexadecimal float constant: exactly this float32."""
    digits, power = float(value).hex().split("p")
    return f"{digits.rstrip('0').rstrip('.')}p{power}f"


def _shown(number: Number) -> str:
    return "the channel's own" if isinstance(number, tuple) else f"{number:g}"
