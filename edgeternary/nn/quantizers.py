"""The table of weight quantisers: {name: how to make one for a layer}."""

from collections.abc import Callable

from torch import Tensor

from edgeternary.nn.learned_step import LearnedStep
from edgeternary.nn.levels import BIPOLAR, TERNARY, Levels, levels, unknown
from edgeternary.nn.weight_rules import (
    Fixed,
    Rule,
    WeightQuantizer,
    binary,
    half_step,
    power_of_two,
    symmetric,
    tensor_mean,
    ternary_absmean,
    ternary_twn,
    twn_limit,
)

__all__ = ["BIPOLAR", "TERNARY", "WEIGHTS", "Levels", "WeightQuantizer", "levels", "weight_quantizer"]

Make = Callable[[int], WeightQuantizer]


def _fixed(name: str, top: int, rule: Rule, limit: Callable[[Tensor], Tensor | None]) -> Make:
    made = Fixed(name, top, rule, limit)
    return lambda outputs: made


def _learned(name: str, top: int, clip: bool, channelwise: bool) -> Make:
    return lambda outputs: LearnedStep(name, top, clip, outputs if channelwise else None)


WEIGHTS: dict[str, Make] = {
    "binary": _fixed("bipolar", 1, binary, lambda w: None),
    "ternary": _fixed("ternary", 1, ternary_twn, twn_limit),
    "ternary_absmean": _fixed("ternary", 1, ternary_absmean, lambda w: (tensor_mean(w) / 2).float()),
    "ternary_learned": _learned("ternary", 1, False, False),
    "ternary_learned_channel": _learned("ternary", 1, False, True),
    **{
        f"int{n}": _fixed(f"int{n}", t, symmetric(t), half_step(t))
        for n in range(2, 9)
        if (t := 2 ** (n - 1) - 1)
    },
    **{f"lsq{n}": _learned(f"int{n}", 2 ** (n - 1) - 1, True, False) for n in range(2, 9)},
    **{f"lsq{n}_channel": _learned(f"int{n}", 2 ** (n - 1) - 1, True, True) for n in range(2, 9)},
    "pow2_3": _fixed("int4", 4, power_of_two(3), half_step(4)),
    "pow2_4": _fixed("int8", 64, power_of_two(4), half_step(64)),
}


def weight_quantizer(kind: str | int, outputs: int = 1) -> WeightQuantizer:
    """The quantiser of a name in WEIGHTS, or of N for intN, for weights (outputs, ...).

    "binary" sign; "ternary" TWN; "ternary_absmean" BitNet b1.58; "ternary_learned" one learnt threshold a
    layer, "ternary_learned_channel" one an output channel; "intN" symmetric, N in 2..8, one maximum a
    channel; "lsqN" a learnt step a layer, "lsqN_channel" one a channel; "pow2_3" {0, +-1, +-2, +-4},
    "pow2_4" {0, +-1, .., +-64}.
    """
    make = WEIGHTS.get(f"int{kind}" if isinstance(kind, int) else kind)
    return make(outputs) if make else unknown("weight", kind, ", ".join(WEIGHTS))
