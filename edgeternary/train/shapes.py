"""Samples as tensors with channels first, in the shape that a network takes."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from edgeternary.errors import EdgeTernaryError
from edgeternary.train.data import Array, Data

Shape = tuple[int, ...]


def to_tensor(images: Array, shape: Shape) -> Tensor:
    """Raw codes (n, H, W, C) as float32 (n, *shape), channels first."""
    return torch.tensor(images.transpose(0, 3, 1, 2)).float().reshape(-1, *shape)


def labels_of(split: tuple[Array, Array]) -> Tensor:
    """Labels of (images, labels) as int64."""
    return torch.from_numpy(split[1].astype(np.int64))


def candidates(shape: Sequence[int]) -> list[Shape]:
    """The shapes that a sample (H, W, C) can take: (C, H, W), (C, W) if H is 1, and flat."""
    h, w, c = shape
    return [(c, h, w), *([(c, w)] if h == 1 else []), (h * w * c,)]


def sample_shape(model: nn.Module, data: Data, wanted: Shape = ()) -> Shape:
    """`wanted`, or the first of `candidates` for which the network gives one logit for each class.

    EdgeTernaryError if the network takes none of them, or gives another number of logits.
    """
    shape = data.train[0].shape[1:]
    if wanted and math.prod(wanted) != math.prod(shape):
        raise EdgeTernaryError(
            f"shape {list(wanted)} is not that of {data.name}",
            f"a sample has the shape {list(shape)}",
            "correct or remove `shape`",
        )
    training, tried, answers = model.training, [], []
    model.eval()
    for form in [wanted] if wanted else candidates(shape):
        try:
            with torch.no_grad():
                outputs = model(torch.zeros(2, *form))
            answers.append(f"{list(form)} -> {list(outputs.shape[1:])}")
            if outputs.shape == (2, len(data.labels)):
                model.train(training)
                return form
        except (RuntimeError, ValueError, IndexError, TypeError, EdgeTernaryError) as error:
            tried.append(f"{list(form)}: {str(error).splitlines()[0][:100]}")
    if answers:
        raise EdgeTernaryError(
            f"the model does not give {len(data.labels)} logits",
            f"{data.name} has {len(data.labels)} classes; the model gives {answers[0]}",
            "correct the widths or the classes of the model",
        )
    raise EdgeTernaryError(
        f"the model does not take the samples of {data.name}",
        "; ".join(tried),
        "correct the input size of the model",
    )
