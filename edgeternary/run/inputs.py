"""Checks of the inputs that a user hands to an executor."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from edgeternary.errors import EdgeTernaryError
from edgeternary.ir import Graph, Value
from edgeternary.ir.layout import check_layout
from edgeternary.ir.ports import join, joined_shape, split
from edgeternary.ir.sensor import described


def check_inputs(graph: Graph, inputs: Any) -> np.ndarray:
    """Inputs as int32 (samples, *shape), or (samples, steps, *shape) for a graph with states.

    Integers, or floats that hold integers, inside the interval of the input; anything else is refused.
    An array without the trailing 1 of a one-channel image is accepted. Several inputs are a tuple of arrays
    with the same samples, in order, or a mapping by name; they become their joined form, see `ir.ports`.
    They may come in that form, too.
    """
    named = by_name(graph, inputs)
    checked = {x.name: _checked(graph, x, named[x.name]) for x in graph.inputs}
    lead = 2 if graph.states else 1
    if len({codes.shape[:lead] for codes in checked.values()}) > 1:
        raise EdgeTernaryError(
            f"the inputs of {graph.name!r} have different numbers of samples{' or steps' * (lead - 1)}",
            ", ".join(f"{name}: {' x '.join(map(str, a.shape[:lead]))}" for name, a in checked.items()),
            "give each input the same samples, in the same order",
        )
    return join(graph.inputs, checked)


def by_name(graph: Graph, inputs: Any) -> Mapping[str, Any]:
    """What was given for each input, by name."""
    names = [x.name for x in graph.inputs]
    if isinstance(inputs, Mapping):
        given = dict(inputs)
    elif len(names) == 1:
        given = {names[0]: inputs}
    elif _is_joined(graph, inputs):
        given = dict(split(graph.inputs, inputs))
    elif isinstance(inputs, tuple | list) and len(inputs) == len(names):
        given = dict(zip(names, inputs, strict=True))
    else:
        given = {}
    if set(given) != set(names):
        found = sorted(map(str, given)) if given else type(inputs).__name__
        raise EdgeTernaryError(
            f"model {graph.name!r} takes the inputs {', '.join(names)}"[:300],
            f"given is {found}"[:300],
            "give a tuple of arrays in this order, or a mapping by name",
        )
    return given


def _is_joined(graph: Graph, inputs: Any) -> bool:
    lead = 2 if graph.states else 1
    return isinstance(inputs, np.ndarray) and inputs.shape[lead:] == joined_shape(graph.inputs)


def _checked(graph: Graph, x: Value, given: Any) -> np.ndarray:
    inputs = np.asarray(given)
    what = "inputs" if len(graph.inputs) == 1 else f"samples of {x.name!r}"
    axes = ["samples", "steps"] if graph.states else ["samples"]
    inputs = check_layout(graph.name, x.shape, inputs, axes, what)
    if inputs.dtype.kind not in "iufb":
        raise EdgeTernaryError(f"the {what} are of dtype {inputs.dtype}", "integer codes are needed")
    if inputs.dtype.kind == "f":
        if not np.all(np.isfinite(inputs)):
            raise EdgeTernaryError(
                f"the {what} hold NaN or infinity", "inputs are integer codes", "clean the data"
            )
        if np.any(inputs != np.rint(inputs)):
            meaning = described(graph.meta.of_input(x.name))
            raise EdgeTernaryError(
                f"the {what} hold fractions",
                "inputs are raw integer codes",
                f"quantise them: edgeternary.quantize(graph, x), with {meaning}",
            )
    if inputs.size and not (x.lo <= inputs.min() and inputs.max() <= x.hi):
        raise EdgeTernaryError(
            f"the {what} reach from {inputs.min()} to {inputs.max()}",
            f"{x.name!r} takes codes {x.lo} to {x.hi}",
        )
    codes = inputs.astype(np.int32)
    if not x.type.contains(codes):
        raise EdgeTernaryError(f"the {what} are not {x.type}", "an element is no member of this type")
    return codes


def arranged(graph: Graph, samples: np.ndarray) -> np.ndarray:
    """Samples (n, H, W, C) of a data set as the graph's input takes them, (n, *shape).

    A flat input was flattened by torch, channels first.
    """
    if len(graph.input.shape) == 1 and samples.ndim == 4:
        samples = samples.transpose(0, 3, 1, 2)
    return samples.reshape(len(samples), *graph.input.shape)
