"""Small trained models that ship with the package, and 1,000 real test images to run them on.

    graph = zoo.load("fashion-mlp") inputs, labels = zoo.images("fashion-mlp")      # (1000,
    *graph.input.shape) uint8, (1000,) model = zoo.torch_model("fashion-mlp")          # the PyTorch model the
    graph was lowered from; needs torch

Everything but `torch_model` works without torch.
"""

from __future__ import annotations

import importlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeternary.errors import EdgeTernaryError

if TYPE_CHECKING:
    import numpy as np
    from torch import nn

    from edgeternary.ir import Graph

FOLDER = Path(__file__).parent
SAMPLES = FOLDER / "data" / "fashion_mnist_1000.npz"


@dataclass(frozen=True)
class Samples:
    """The first 1,000 test images of Fashion-MNIST with what torch answered.

    images       uint8 (1000, 28, 28, 1), labels uint8 (1000,)
    logits       model name -> int32 (1000, 10): recorded torch logits divided by logit_scale, which is exact
    logit_scale  model name -> float
    """

    images: np.ndarray
    labels: np.ndarray
    logits: dict[str, np.ndarray]
    logit_scale: dict[str, float]


def names() -> tuple[str, ...]:
    """Names of the models, sorted."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.et")))


def load(name: str) -> Graph:
    """The integer graph of a zoo model; EdgeTernaryError for an unknown name."""
    from edgeternary.ir.file import load as read

    return read(_file(name, "et"))


def card(name: str) -> dict[str, Any]:
    """How a model was made: data, recipe, seed, accuracy, sizes."""
    found: dict[str, Any] = json.loads(_file(name, "json").read_text())
    return found


def torch_model(name: str, checkpoint: str | os.PathLike[str] | None = None) -> nn.Module:
    """The trained PyTorch model in eval mode, built by its recipe; needs torch.

    checkpoint: weights of the same architecture in place of the shipped ones (nn.save_codes wrote them).
    """
    checkpoint = checkpoint or _file(name, "safetensors")
    try:
        from edgeternary.nn.checkpoint import load_codes
    except ImportError as error:
        raise EdgeTernaryError(
            "torch is not installed",
            "a zoo model's PyTorch form needs it",
            "pip install 'edgeternary[train]'",
            code=3,
        ) from error
    recipe = importlib.import_module(f"edgeternary.zoo.recipes.{name.replace('-', '_')}").RECIPE
    return load_codes(recipe.model(), checkpoint)


def images(name: str) -> tuple[np.ndarray, np.ndarray]:
    """The shipped images in the shape that model `name` takes, uint8 (1000, *shape), and labels (1000,)."""
    found = samples()
    return found.images.reshape(len(found.images), *load(name).input.shape), found.labels


def samples() -> Samples:
    """The shipped images, labels and recorded logits."""
    import numpy as np

    with np.load(SAMPLES, allow_pickle=False) as file:
        logits = {key.removeprefix("logits_"): file[key] for key in file.files if key.startswith("logits_")}
        scales = {name: float(file[f"scale_{name}"]) for name in logits}
        return Samples(file["images"], file["labels"], logits, scales)


def _file(name: str, suffix: str) -> Path:
    if name not in names():
        raise EdgeTernaryError(
            f"the zoo has no model {name[:40]!r}", f"it has {', '.join(names())}", "choose one of these"
        )
    return FOLDER / f"{name}.{suffix}"
