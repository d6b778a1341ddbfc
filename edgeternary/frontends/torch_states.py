"""Layers with states of an exported torch program, one step of them: neurons and readouts."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from edgeternary.frontends.torch_values import Codes, Context, Lowered
from edgeternary.ops.neuron import MOST, Built, Cells, integrator, neurons


def lif(c: Context, x: Lowered, rows: Tensor, steps: int, shift: int, fraction: int) -> Codes:
    """Several ops and a state (see ops/neuron.py); the spikes carry the layer's name."""
    x = c.codes(x, "put an edgeternary.nn.Linear or Conv2d before it")
    found = c.integers(rows, "threshold").astype(np.int32)
    bias, theta, begin = found if x.order is None else found[:, np.argsort(x.order)]
    if theta.max() >= MOST:
        raise c.refuse(
            f"its threshold reaches {int(theta.max()):,}, the end of what a potential can reach",
            "give it fewer fraction bits, or fewer inputs",
        )
    return _emit(c, x, neurons(c.name, c.values[x.name], Cells(theta, bias, begin, shift, fraction)))


def accumulate(c: Context, x: Lowered, bias: Tensor, steps: int) -> Codes:
    """The sums of a readout: a state that is the output as well."""
    x = c.codes(x, "put an edgeternary.nn.Linear before it")
    found = c.integers(bias, "bias")
    found = found if x.order is None else found[np.argsort(x.order)]
    return _emit(c, x, integrator(c.name, c.values[x.name], found))


def _emit(c: Context, x: Codes, built: Built) -> Codes:
    c.values[built.state.value.name] = built.state.value
    c.states.append(built.state)
    for op in built.ops:
        c.emit(op, x.shape, x.order)
    return Codes(built.output, x.shape, x.order)
