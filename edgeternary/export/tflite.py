"""TensorFlow Lite: int8 operators whose reference and optimised kernels give the graph's integers.

A value of the graph with codes lo, lo + gap, ..., lo + gap * L is an int8 tensor that holds the index of the
code minus 128. The input's tensor holds code - 128 for unsigned types, for example. Thresholds and requantize
become the rescaling of the layer before them, one real factor a channel (`_staircase`). Accumulators that
are an output become an int16 tensor of the same integers.
"""

from __future__ import annotations

from edgeternary.errors import EdgeTernaryError
from edgeternary.ir import Graph
from edgeternary.toolchains import extras


def to_tflite(graph: Graph) -> bytes:
    """The .tflite file of `graph`; the same graph always gives the same bytes.

    EdgeTernaryError (code 1) names a layer that has no exact form; code 3 without the package tflite.
    """
    with extras.named():
        from edgeternary.export._tflite_ops import content
    if graph.states:
        raise EdgeTernaryError(
            f"model {graph.name!r} cannot be written as TensorFlow Lite",
            "it keeps states between steps",
            "export it as onnx, where states are inputs and outputs",
        )
    return content(graph)
