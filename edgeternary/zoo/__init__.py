"""Small trained models that ship with the package, and test samples for them.

    graph = zoo.load("fashion-mlp")
    inputs, labels = zoo.images("fashion-mlp")    # (1000, *graph.input.shape) uint8, (1000,)
    model = zoo.torch_model("fashion-mlp")        # the PyTorch model of which the graph was made; needs torch

A model consists of recipes/NAME.toml and the files NAME.* in nets/: .et, .json (the card), .safetensors (the
weights for torch) and .logits.npz (the answers of torch). There is no other list of models. Only
`torch_model` needs torch.
"""

from __future__ import annotations

import json
import os
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeternary.data import zoo_dir
from edgeternary.errors import EdgeTernaryError, nearest

if TYPE_CHECKING:
    import numpy as np
    from torch import nn

    from edgeternary.ir import Graph

FOLDER = zoo_dir()
NETS = FOLDER / "nets"
SAMPLES = 1000  # test samples of a data set that ship; a smaller test set ships completely


def names() -> tuple[str, ...]:
    """Names of the models, sorted."""
    return tuple(sorted(path.stem for path in NETS.glob("*.et")))


def load(name: str) -> Graph:
    """The integer graph of a zoo model; EdgeTernaryError for an unknown name."""
    from edgeternary.ir.file import load as read

    return read(file(name, "et"))


def card(name: str) -> dict[str, Any]:
    """The card of a model: its data, recipe, seed, accuracy and sizes."""
    found: dict[str, Any] = json.loads(file(name, "json").read_text())
    return found


def torch_model(name: str, checkpoint: str | os.PathLike[str] | None = None) -> nn.Module:
    """The trained PyTorch model in eval mode. Its recipe builds it. This needs torch.

    checkpoint: a file of nn.save_codes with other weights of the same architecture.
    """
    checkpoint = checkpoint or file(name, "safetensors")
    from edgeternary.toolchains import extras

    with extras.named():
        from edgeternary.nn.checkpoint import load_codes
        from edgeternary.train.find import find_recipe
    return load_codes(find_recipe(f"zoo:{name}").model(), checkpoint)


def recipe_path(name: str) -> Path:
    """The file of a model's recipe."""
    file(name, "et")
    return FOLDER / "recipes" / f"{name}.toml"


def data_set(name: str) -> str:
    """The name of a model's data set, as its recipe gives it."""
    return str(tomllib.loads(recipe_path(name).read_text())["data"])


def samples_path(data: str) -> Path:
    """The file of the test samples of a data set that ship."""
    return FOLDER / "data" / f"{data.replace('-', '_')}_{SAMPLES}.npz"


def images(name: str) -> tuple[np.ndarray, np.ndarray]:
    """The test samples that ship, at most 1,000: codes (n, *shape) for the model, and labels (n,)."""
    import numpy as np

    from edgeternary.run.inputs import arranged

    path = samples_path(data_set(name))
    if not path.is_file():
        raise EdgeTernaryError(
            f"no test samples ship for {name}", f"{path} does not exist", "give --inputs FILE.npz"
        )
    with np.load(path, allow_pickle=False) as content:
        return arranged(load(name), content["images"]), content["labels"]


def logits(name: str) -> tuple[np.ndarray, float]:
    """Torch's answers to `images(name)`: int32 (n, classes). Logits are these integers times the scale."""
    import numpy as np

    with np.load(file(name, "logits.npz"), allow_pickle=False) as content:
        return content["codes"].astype(np.int32), float(content["scale"])


def file(name: str, suffix: str) -> Path:
    """The file NAME.suffix of a model; EdgeTernaryError for an unknown name."""
    if name not in names():
        raise EdgeTernaryError(
            f"the zoo has no model {name[:40]!r}", f"it has {', '.join(names())}", nearest(name, names())
        )
    return NETS / f"{name}.{suffix}"
