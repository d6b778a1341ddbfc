"""The executor tflite: the original .tflite file in LiteRT's reference kernels, an independent judge.

options["original"]  path of the file that the graph was imported from. The graph gives shapes and names only,
never a number; the tensors of the file that are its inputs and outputs stand in its metadata.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from edgeternary.errors import EdgeTernaryError
from edgeternary.ir import Graph
from edgeternary.ir.ports import join, split
from edgeternary.run.result import Result
from edgeternary.toolchains import extras


def run(
    graph: Graph,
    inputs: np.ndarray,
    *,
    target: str = "",
    taps: bool = False,
    options: Mapping[str, object] = {},
) -> Result:
    """Run the file on codes (samples, *graph.input.shape), one sample at a time.

    A softmax, quantize or dequantize that was left off runs too; its result is not read.
    EdgeTernaryError: no file is given (code 1), or LiteRT is missing (code 3).
    """
    interpreter = _interpreter(graph, options)
    given, wanted = (
        _indices(graph, key, count)
        for key, count in (("tflite_inputs", len(graph.inputs)), ("tflite_outputs", len(graph.outputs)))
    )
    feeds = _feeds(graph, interpreter, given)
    progress = options.get("progress")
    outputs = np.zeros((len(inputs), sum(v.size for v in graph.output_values)), np.int32)
    found: list[dict[str, np.ndarray]] = []
    for done, sample in enumerate(inputs, 1):
        parts = split(graph.inputs, sample[None])
        for value, (index, shape, dtype, scale, zero) in zip(graph.inputs, feeds, strict=True):
            codes = parts[value.name].reshape(shape)
            if dtype == np.float32:
                codes = (codes - zero).astype(np.float32) * np.float32(scale)
            elif dtype == np.uint8:
                codes = codes + 128
            interpreter.set_tensor(index, codes.astype(dtype))
        interpreter.invoke()
        found.append(
            {
                value.name: interpreter.get_tensor(index).reshape(1, *value.shape).astype(np.int32)
                for value, index in zip(graph.output_values, wanted, strict=True)
            }
        )
        if callable(progress):
            progress(done, len(inputs))
    empty = {v.name: np.zeros((0, *v.shape), np.int32) for v in graph.output_values}
    joined = {n: np.concatenate([empty[n], *(part[n] for part in found)]) for n in empty}
    outputs = join(graph.output_values, joined)
    return Result(outputs=outputs, taps=joined if taps else {}, stats={"tflite": _version()})


def _interpreter(graph: Graph, options: Mapping[str, object]) -> Any:
    with extras.named():
        from ai_edge_litert import interpreter as litert
    original = options.get("original")
    if not isinstance(original, str | os.PathLike) or not Path(original).is_file():
        raise EdgeTernaryError(
            f"the .tflite file of {graph.name!r} is not known",
            "the tflite executor runs the original file, not the graph",
            'give it: options={"original": path}',
        )
    content = Path(original).read_bytes()
    try:
        made = litert.Interpreter(
            model_content=content,
            experimental_op_resolver_type=litert.OpResolverType.BUILTIN_REF,
            experimental_preserve_all_tensors=True,
            num_threads=1,
        )
        made.allocate_tensors()
    except (RuntimeError, ValueError) as error:
        raise EdgeTernaryError(f"LiteRT refuses {original}", str(error)[:300], "convert it again") from None
    return made


def _version() -> str:
    from importlib.metadata import version

    return version("ai-edge-litert")


def _indices(graph: Graph, key: str, count: int) -> list[int]:
    """Indices of tensors of the file that the importer noted."""
    noted = [int(n) for n in graph.meta.info.get(key, "").split() if n.isdigit()]
    if len(noted) != count:
        raise EdgeTernaryError(
            f"model {graph.name!r} does not say which tensors of the file are its ends",
            "it was not imported from a .tflite file",
            "import the file again",
        )
    return noted


def _feeds(graph: Graph, interpreter: Any, given: list[int]) -> list[tuple[int, Any, Any, float, int]]:
    """For each input of the graph: the file's input tensor, its shape and dtype, and scale and zero point."""
    details = {d["index"]: d for d in interpreter.get_input_details()}
    order = list(details.values())
    found = []
    for place, (value, index) in enumerate(zip(graph.inputs, given, strict=True)):
        detail = details.get(index)
        if detail is None and len(order) == len(given) and order[place]["dtype"] in (np.float32, np.uint8):
            detail = order[place]  # floats, or codes of uint8, that the file quantizes first
        if detail is None:
            raise EdgeTernaryError(
                f"input {value.name!r} of the graph is no input of the file",
                "LiteRT runs a file from its own inputs on",
                "compare without a cut at the inputs",
            )
        meta = graph.meta.of_input(value.name)
        found.append((detail["index"], detail["shape"], detail["dtype"], float(meta.scale), int(meta.zero)))  # type: ignore[arg-type]
    return found
