"""Input files of codes: .npy, .npz with optional labels, or text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeternary.cli._csv import SUFFIXES, read_csv
from edgeternary.cli._output import note
from edgeternary.errors import EdgeTernaryError

if TYPE_CHECKING:
    import numpy as np

    from edgeternary.ir import Graph

INPUT_KEYS = ("inputs", "images", "x")
LABEL_KEYS = ("labels", "label", "y")
NPY, ZIP = b"\x93NUMPY", b"PK"  # what the formats begin with
RANDOM_SAMPLES = 8
RANDOM_STEPS = 4


def load_inputs(path: Path, graph: Graph | None = None) -> tuple[Any, np.ndarray | None]:
    """Inputs and labels (None without) of a .npy, .npz or .csv file. Pickled objects are refused.

    Of a graph with several inputs the file is an .npz with an array for each, by name; there are no labels.
    """
    try:
        if path.suffix.lower() in SUFFIXES:
            return read_csv(path, graph, LABEL_KEYS)
        with path.open("rb") as file:
            if not file.read(len(NPY)).startswith((NPY, ZIP)):
                raise EdgeTernaryError(
                    f"cannot read {path}",
                    "it is neither .npy nor .npz",
                    f"save it with numpy.save; text, one sample a row, is named {', '.join(SUFFIXES)}",
                )
        return _arrays(path, graph)
    except FileNotFoundError as error:
        raise EdgeTernaryError(
            f"cannot read {path}", "there is no such file", "check the path after --inputs"
        ) from error
    except OSError as error:
        why = error.strerror or str(error)
        raise EdgeTernaryError(f"cannot read {path}", why, "check the path after --inputs") from error


def _arrays(path: Path, graph: Graph | None) -> tuple[Any, np.ndarray | None]:
    """Those of numpy's formats."""
    import numpy as np

    from edgeternary.run._claims import check_claims

    try:
        check_claims(path)
        content = np.load(path, allow_pickle=False)
        if isinstance(content, np.ndarray):
            return content, None
        with content:
            if graph and len(graph.inputs) > 1:
                return {name: content[name] for name in _each(path, graph, content.files)}, None
            key = _key(content.files, INPUT_KEYS)
            if key is None and len(content.files) == 1:
                key = content.files[0]
            if key is None:
                raise EdgeTernaryError(
                    f"{path.name} holds {', '.join(content.files[:8]) or 'no array'}",
                    f"the inputs are looked for under {', '.join(INPUT_KEYS)}",
                    "rename the array, or save it alone as .npy",
                )
            labels = _key(content.files, LABEL_KEYS)
            return content[key], content[labels] if labels else None
    except (EdgeTernaryError, OSError):
        raise
    except Exception as error:  # numpy, zipfile, zlib and tokenize each have their own for damaged files
        why = str(error) or "it ends too early"
        if "allow_pickle" in why:
            why = "it holds Python objects, which are never loaded"
        raise EdgeTernaryError(
            f"cannot read {path}", why, "save numbers with numpy.save or numpy.savez"
        ) from error


def _each(path: Path, graph: Graph, present: list[str]) -> list[str]:
    """The names of the inputs, each of which the file must hold."""
    names = [x.name for x in graph.inputs]
    missing = [name for name in names if name not in present]
    if missing:
        raise EdgeTernaryError(
            f"{path.name} holds {', '.join(present[:8]) or 'no array'}",
            f"model {graph.name!r} also takes {', '.join(missing)}",
            f"save an array for each input: numpy.savez(path, {', '.join(f'{n}=...' for n in names)})"[:200],
        )
    return names


def choose_inputs(
    graph: Graph, model: str, path: Path | None, samples: int | None
) -> tuple[np.ndarray, np.ndarray | None]:
    """The inputs of --inputs, else the images that ship with a zoo model, else random codes; checked.

    Several inputs come in their joined form, see `ir.ports`.
    """
    from edgeternary import zoo
    from edgeternary.cli._model import ZOO
    from edgeternary.run.inputs import check_inputs

    if path is not None:
        inputs, labels = load_inputs(path, graph)
        inputs = check_inputs(graph, inputs)
    elif model.startswith(ZOO):
        inputs, labels = zoo.images(model.removeprefix(ZOO))
    else:
        inputs, labels = _random(graph, samples or RANDOM_SAMPLES), None
        note(f"no --inputs: random codes, {len(inputs)} sample{'s' * (len(inputs) != 1)}")
    if samples is not None and inputs.ndim:
        if samples > len(inputs):
            note(f"--samples {samples:,} asks for more than there are: {len(inputs):,} are used")
        inputs = inputs[:samples]
    inputs = check_inputs(graph, inputs)
    if len(inputs) == 0:
        raise EdgeTernaryError("there are no samples", "the inputs are empty", "give at least one sample")
    if labels is not None and len(labels) < len(inputs):
        raise EdgeTernaryError(
            f"{len(labels)} labels for {len(inputs)} samples", remedy="save one label a sample"
        )
    return inputs, None if labels is None else labels[: len(inputs)]


def _key(present: list[str], wanted: tuple[str, ...]) -> str | None:
    return next((key for key in wanted if key in present), None)


def _random(graph: Graph, count: int) -> np.ndarray:
    import numpy as np

    from edgeternary.ir.ports import join

    lead = (count, RANDOM_STEPS) if graph.states else (count,)
    rng, found = np.random.default_rng(0), {}
    for x in graph.inputs:
        codes = rng.integers(x.lo, x.hi + 1, (*lead, *x.shape), dtype=np.int32)
        if x.type.name == "bipolar":
            codes = np.where(codes > 0, 1, -1).astype(np.int32).clip(x.lo, x.hi)
        found[x.name] = codes
    return join(graph.inputs, found)
