"""Model files of every format: which reader takes a file, and what a file is that none takes."""

from __future__ import annotations

import importlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.frontends.imported import Cut, Imported, model_name
from edgeternary.ir import Graph
from edgeternary.ir import file as own_file
from edgeternary.toolchains import extras

OWN = ".et"


class Format(NamedTuple):
    """A foreign format: the Python package that parses it, the module with `read(path, *, name, cut,
    **options)`, and the names of its options."""

    title: str
    package: str
    module: str
    options: tuple[str, ...] = ()


FORMATS = {
    ".tflite": Format("TensorFlow Lite", "tflite", "edgeternary.frontends.tflite"),
    ".onnx": Format("ONNX or QONNX", "onnx", "edgeternary.frontends.onnx", ("input_type", "input_scale")),
    ".nir": Format("NIR", "nir", "edgeternary.frontends.nir", ("dt", "inexact")),
}

ONNX_FIRST = "export it as ONNX or QONNX: docs/importing.md"
TORCH = "edgeternary.lower(model, example) takes the torch module itself: docs/pytorch.md"
TFLITE_FIRST = "convert it with tf.lite.TFLiteConverter to a full-integer .tflite file: docs/importing.md"

# Files that people have, and what to do with them: suffix -> (what it is, remedy).
OTHERS = {
    ".pt": ("a PyTorch checkpoint", TORCH),
    ".pth": ("a PyTorch checkpoint", TORCH),
    ".ckpt": ("a training checkpoint", TORCH),
    ".pt2": ("a program of torch.export", TORCH),
    ".pkl": ("a Python pickle, which is never read", ONNX_FIRST),
    ".h5": ("an HDF5 file, as Keras writes", TFLITE_FIRST),
    ".hdf5": ("an HDF5 file, as Keras writes", TFLITE_FIRST),
    ".keras": ("a Keras model", TFLITE_FIRST),
    ".pb": ("a TensorFlow graph", TFLITE_FIRST),
    ".mlmodel": ("a Core ML model", ONNX_FIRST),
    ".gguf": ("a GGUF file of a language model", "edgeternary trains its own: docs/language-model.md"),
    ".npz": ("a file of numpy arrays", "give it with --inputs, and a model as MODEL"),
    ".npy": ("a file of a numpy array", "give it with --inputs, and a model as MODEL"),
    ".safetensors": ("a file of tensors without a network", TORCH),
}


def is_foreign(path: str | os.PathLike[str]) -> bool:
    """Whether the suffix of `path` is that of a foreign format that is read."""
    return Path(path).suffix.lower() in FORMATS


def load(path: str | os.PathLike[str]) -> Graph:
    """The graph of a model file: .et, .tflite, .onnx or .nir.

    EdgeTernaryError (code 1) when it is missing, damaged, hostile, of another version, or holds what has no
    exact form; (code 3) where the package that reads the format is not installed.
    """
    path = Path(path)
    if path.suffix.lower() in FORMATS:
        return read(path).graph
    if path.suffix.lower() in OTHERS and path.exists():
        raise unknown(path)
    return own_file.load(path)


def read(
    path: str | os.PathLike[str],
    *,
    name: str = "",
    inputs: Sequence[str] = (),
    outputs: Sequence[str] = (),
    **options: Any,
) -> Imported:
    """A foreign model file as a graph, with what became of each operator.

    name     of the model; default: the file's name without its suffix
    inputs, outputs  names of operators or tensors of the file at which the graph starts and ends
    options  of the format: dt and inexact of NIR, input_type and input_scale of ONNX
    EdgeTernaryError (code 1) names every operator that has no exact form; (code 3) where the package that
    reads the format is not installed.
    """
    path = Path(path)
    form = FORMATS.get(path.suffix.lower())
    if form is None:
        raise unknown(path)
    if wrong := sorted(set(options) - set(form.options)):
        raise EdgeTernaryError(
            f"{path.name} is read without --{wrong[0].replace('_', '-')}",
            f"{form.title} has {', '.join(form.options) or 'no options'}",
            "leave the option out",
            USAGE,
        )
    with extras.named():
        importlib.import_module(form.package)
    _check_readable(path)
    with extras.named():
        reader = importlib.import_module(form.module)
    found: Imported = reader.read(
        path, name=name or model_name(path), cut=Cut(tuple(inputs), tuple(outputs)), **options
    )
    return found


def unknown(path: Path) -> EdgeTernaryError:
    """The error for a file that is no model we read: it says what the file is."""
    ready = ("a graph already", "every verb takes it as it is")
    what, remedy = ready if path.suffix == OWN else OTHERS.get(path.suffix.lower(), ("", ""))
    return EdgeTernaryError(
        f"{path.name} is {what}" if what else f"{path.name} is no model file that is read",
        f"models come in as {', '.join([OWN, *FORMATS])}",
        remedy or "docs/importing.md says how to export a model",
    )


def _check_readable(path: Path) -> None:
    try:
        if not path.is_file():
            raise OSError("it is a folder" if path.is_dir() else "there is no such file")
        size = path.stat().st_size
        with path.open("rb"):
            pass
    except OSError as error:
        raise EdgeTernaryError(
            f"cannot read {path}", error.strerror or str(error), "check the path"
        ) from error
    if size > own_file.MAX_FILE_BYTES:
        raise EdgeTernaryError(
            f"{path.name} has {size:,} bytes", f"a model has at most {own_file.MAX_FILE_BYTES:,}"
        )
