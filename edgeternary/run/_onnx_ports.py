"""The ends of an imported ONNX file: codes as the file's floats, and its floats as integers."""

import json

import numpy as np

from edgeternary.errors import EdgeTernaryError
from edgeternary.frontends.layout import channels_last_order
from edgeternary.ir import Graph, Value
from edgeternary.passes.dead_channels import lost_channels

F = np.float32


def names(graph: Graph, key: str) -> list[str]:
    """Tensors of the file that the import noted: onnx_inputs or onnx_outputs."""
    try:
        found = json.loads(graph.meta.info[key])
        return [str(name) for name in found]
    except (KeyError, ValueError, TypeError) as error:
        raise EdgeTernaryError(
            f"model {graph.name!r} was not imported from an ONNX file",
            "the names of its inputs and outputs in the file are not noted",
            "import the file: edgeternary import model.onnx",
        ) from error


def floats(graph: Graph, value: Value, codes: np.ndarray) -> np.ndarray:
    """The file's input (1, *shape) for codes of the graph's input: float32((code - zero) * scale)."""
    meta, info = graph.meta.of_input(value.name), graph.meta.info
    key = "torch_shape" if len(graph.inputs) == 1 else f"torch_shape:{value.name}"
    shape = tuple(int(n) for n in info.get(key, "").split())
    middles = [float(n) for n in info.get("onnx_middle", "").split()]
    own = value.name in info.get("onnx_codes", "").split()  # the file takes the codes themselves
    x = codes.astype(np.float64) - (0 if own else np.asarray(meta.zero))
    x = x + (middles[0] * np.where(abs(middles[0]) == 0.25, np.sign(x), 1) if middles else 0)
    numbers = (x.astype(F) * np.asarray(1 if own else meta.scale, F)).reshape(-1)
    if value.name not in info.get("torch_channels_last", "").split():
        numbers = numbers[channels_last_order(shape)]
    return numbers.reshape(1, *shape)


def steps(graph: Graph, name: str, y: np.ndarray) -> np.ndarray:
    """The file's output y as the output `name` of the graph, (*shape): integers, but for rounding."""
    meta, shape = graph.meta.of_output(name), graph.values[name].shape
    y = np.asarray(y, np.float64)[0] if np.ndim(y) > 1 else np.asarray(y, np.float64)
    y = np.moveaxis(y, 0, -1) if y.ndim > 1 else y
    lost = lost_channels(graph).get(name)
    y = y[..., ~lost] if lost is not None else y
    found: np.ndarray = (y.reshape(shape) - np.asarray(meta.logit_offset)) / np.asarray(meta.logit_scale)
    return found + meta.logit_zero
