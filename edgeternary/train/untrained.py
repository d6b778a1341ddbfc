"""A network before its training, lowered with random weights. This needs torch."""

import math
from collections.abc import Sequence

import torch
from torch import nn

from edgeternary.errors import EdgeTernaryError
from edgeternary.frontends.torch import lower
from edgeternary.frontends.torch_bounds import fit_bounds
from edgeternary.ir import Graph
from edgeternary.train.recipe import Recipe
from edgeternary.train.shapes import sample_shape


def untrained(recipe: Recipe) -> Graph:
    """The integer graph of recipe.model() as it is initialised.

    The input type, shape and labels are those of the data set. If the data set is not installed, the graph
    has the recipe's shape and uint8 codes. EdgeTernaryError if the recipe has no shape either.
    """
    torch.manual_seed(recipe.seed)
    model = recipe.model()
    try:
        data = recipe.data()
    except EdgeTernaryError:
        if not recipe.shape:
            raise
        return lower_shape(model, recipe.shape, name=recipe.name)
    shape = sample_shape(model, data, recipe.shape)
    return lower_shape(model, shape, data.input_type, recipe.name, data.labels)


def lower_shape(
    model: nn.Module,
    shape: Sequence[int],
    input_type: str = "uint8",
    name: str = "model",
    labels: Sequence[str] = (),
) -> Graph:
    """`model` lowered for one sample of `shape` ((C, H, W), (C, L) or (n,))."""
    if not shape or math.prod(shape) < 1:
        raise EdgeTernaryError("the shape of a sample is not known", "", "give it, as in --shape 1x28x28")
    example = torch.zeros(1, *shape)
    fit_bounds(model, example, input_type=input_type)
    return lower(model, example, name=name, input_type=input_type, labels=labels, check=False)
