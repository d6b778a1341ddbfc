"""The accuracy of a model on a folder with a subfolder for each class, beside the number of samples.

Pictures   PNG or JPEG of the size that the model reads; int8 models take pixel - 128, float models 0 to 255
Sounds     the twelve classes of Speech Commands as WAV; codes of the front end that the model's file names,
           or of MLPerf's for the official model
A float .tflite runs in LiteRT's reference kernels, everything else as the integer graph.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import edgeternary
from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.features import mlperf
from edgeternary.features.before import sound_of
from edgeternary.frontends.tflite.file import read_model
from edgeternary.ir import Graph
from edgeternary.run import run
from edgeternary.train.data.folders import ByClass, by_class
from edgeternary.train.data.picture_files import SUFFIXES, read_pictures
from edgeternary.train.data.sound_files import read_clips
from edgeternary.train.data.speech import SILENCE, UNKNOWN, WORDS
from edgeternary.train.interval import interval

CHUNK = 250  # samples at a time

Codes = NDArray[Any]


def measure(model: Path | str, folder: Path, on: str = "numpy") -> dict[str, Any]:
    """A row: right answers, samples, accuracy and its 95 % interval (Wilson, 1927)."""
    path = Path(model)
    if path.suffix == ".tflite" and _is_float(path):
        x, found = pictures(folder, _shape(path))
        answers = _in_litert(path, x)
    else:
        graph = edgeternary.load(str(model))
        x, found = samples(graph, folder)
        parts = range(0, len(x), CHUNK)
        outputs = [run(graph, x[i : i + CHUNK], on=on).outputs for i in parts]
        answers = np.concatenate([each.reshape(len(each), -1).argmax(1) for each in outputs])
    right = int((answers == found.classes).sum())
    low, high = interval(right / len(x), len(x))
    return {
        "model": path.name, "folder": folder.name, "samples": len(x), "right": right,
        "accuracy": round(right / len(x), 6), "low": round(low, 6), "high": round(high, 6),
    }  # fmt: skip


def samples(graph: Graph, folder: Path) -> tuple[Codes, ByClass]:
    """Codes of the model's input, and the files that they come from."""
    shape, type = graph.inputs[0].shape, graph.inputs[0].type.name
    if len(shape) == 3 and shape[2] == 3:
        x, found = pictures(folder, shape)
        return (x.astype(np.int16) - 128).astype(np.int8) if type == "int8" else x, found
    sound = sound_of(graph) or mlperf(graph)
    found = by_class(folder, (".wav",), (*WORDS, SILENCE, UNKNOWN))
    return read_clips(found, sound, True, False, False)["x"], found


def pictures(folder: Path, shape: tuple[int, ...]) -> tuple[Codes, ByClass]:
    """uint8 (n, height, width, channels)."""
    found = by_class(folder, SUFFIXES, None)
    return read_pictures(found, shape[:2], shape[2], False, False, False)["x"], found


def _shape(path: Path) -> tuple[int, ...]:
    model = read_model(path)
    shape = model.tensors[model.inputs[0]].shape[1:]
    if len(shape) != 3 or shape[2] not in (1, 3):
        raise EdgeTernaryError(
            f"{path.name} reads {list(shape)}", "a float model is run on pictures alone", "", USAGE
        )
    return shape


def _is_float(path: Path) -> bool:
    model = read_model(path)
    return model.tensors[model.inputs[0]].type == "FLOAT32"


def _in_litert(path: Path, x: Codes) -> NDArray[np.int64]:
    """The class of each sample; a batch of one, as MLPerf runs it."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    interpreter = Interpreter(str(path), experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    interpreter.allocate_tensors()
    into, out = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    answers = np.zeros(len(x), np.int64)
    for i, sample in enumerate(x):
        interpreter.set_tensor(into, sample[None].astype(np.float32))
        interpreter.invoke()
        answers[i] = interpreter.get_tensor(out).argmax()
    return answers
