"""The executor original: the model in the form that it had before it became a graph, in an engine of others.

A .tflite file runs in LiteRT's reference kernels, an .onnx file in ONNX Runtime or qonnx, and a torch module
in torch.
"""

import importlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from edgeternary.errors import EdgeTernaryError
from edgeternary.ir import Graph
from edgeternary.run.result import Result

ENGINES = {".tflite": "tflite", ".onnx": "qonnx"}


def run(
    graph: Graph,
    inputs: np.ndarray,
    *,
    target: str = "",
    taps: bool = False,
    options: Mapping[str, object] = {},
) -> Result:
    """Run what the graph came from on codes (samples, *shape).

    options: original (path of a model file), or what the torch executor takes
    EdgeTernaryError (code 1) for a graph whose original is not known, (code 3) without its engine's package.
    """
    given = options.get("original")
    engine = ENGINES.get(Path(str(given)).suffix.lower()) if given else "torch"
    if engine is None:
        raise EdgeTernaryError(
            f"no engine runs {Path(str(given)).name}",
            f"there are engines for {', '.join(ENGINES)} and torch modules",
            "leave original out of --on",
        )
    found: Result = importlib.import_module(f"edgeternary.run.{engine}").run(
        graph, inputs, target=target, taps=taps, options=options
    )
    return found
