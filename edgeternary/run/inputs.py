"""Checks of the inputs that a user hands to an executor."""

from __future__ import annotations

import numpy as np

from edgeternary.errors import EdgeTernaryError
from edgeternary.ir import Graph
from edgeternary.ir.layout import check_layout
from edgeternary.ir.sensor import described


def check_inputs(graph: Graph, inputs: np.ndarray) -> np.ndarray:
    """Inputs as int32 (samples, *shape), or (samples, steps, *shape) for a graph with states.

    Integers, or floats that hold integers, inside the interval of the input; anything else is refused.
    An array without the trailing 1 of a one-channel image is accepted.
    """
    x = graph.input
    inputs = np.asarray(inputs)
    axes = ["samples", "steps"] if graph.states else ["samples"]
    inputs = check_layout(graph.name, x.shape, inputs, axes)
    if inputs.dtype.kind not in "iufb":
        raise EdgeTernaryError(f"the inputs are of dtype {inputs.dtype}", "integer codes are needed")
    if inputs.dtype.kind == "f":
        if not np.all(np.isfinite(inputs)):
            raise EdgeTernaryError(
                "the inputs hold NaN or infinity", "inputs are integer codes", "clean the data"
            )
        if np.any(inputs != np.rint(inputs)):
            raise EdgeTernaryError(
                "the inputs hold fractions",
                "inputs are raw integer codes",
                f"quantise them: edgeternary.quantize(graph, x), with {described(graph.meta)}",
            )
    if inputs.size and not (x.lo <= inputs.min() and inputs.max() <= x.hi):
        raise EdgeTernaryError(
            f"the inputs reach from {inputs.min()} to {inputs.max()}",
            f"{x.name!r} takes codes {x.lo} to {x.hi}",
        )
    codes = inputs.astype(np.int32)
    if not x.type.contains(codes):
        raise EdgeTernaryError(f"the inputs are not {x.type}", "an element is no member of this type")
    return codes


def arranged(graph: Graph, samples: np.ndarray) -> np.ndarray:
    """Samples (n, H, W, C) of a data set as the graph's input takes them, (n, *shape).

    A flat input was flattened by torch, channels first.
    """
    if len(graph.input.shape) == 1 and samples.ndim == 4:
        samples = samples.transpose(0, 3, 1, 2)
    return samples.reshape(len(samples), *graph.input.shape)
