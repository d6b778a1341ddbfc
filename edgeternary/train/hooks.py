"""What a recipe chooses: the optimizer, float weights, sparsity, a cost, the float reference."""

import dataclasses

import torch
from torch import nn

from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.ir.types import parse
from edgeternary.nn.cost import CostPenalty
from edgeternary.nn.linear import Quantized
from edgeternary.nn.luts.penalty import TablePenalty
from edgeternary.nn.sparsity import SparsitySchedule
from edgeternary.train import optimizers
from edgeternary.train.data import Data
from edgeternary.train.recipe import Recipe
from edgeternary.train.shapes import Shape, to_tensor
from edgeternary.train.sources import FloatReference

BINARY_ONLY = "bop"
TABLES = "tables"  # the price of table networks
EXAMPLES = 8  # samples from which a cost penalty measures the sizes of the feature maps


def use_float_weights(model: nn.Module, on: bool) -> None:
    """Uses latent weights in place of their codes, for the stages that train activations first."""
    for module in model.modules():
        if isinstance(module, Quantized):
            module.float_weights = on


def make_optimizer(recipe: Recipe, model: nn.Module) -> torch.optim.Optimizer:
    """The optimizer that the recipe names, at the peak of its learning rate."""
    try:
        return optimizers.make_optimizer(
            recipe.optimizer, model, recipe.lr, recipe.weight_decay, **recipe.optimizer_options
        )
    except (TypeError, ValueError) as error:
        raise EdgeTernaryError(
            f"the optimizer {recipe.optimizer!r} cannot be made", str(error), "check [optimizer]", code=USAGE
        ) from error


def make_sparsity(recipe: Recipe, model: nn.Module) -> SparsitySchedule | None:
    """The schedule of [sparsity]; None without this table."""
    return SparsitySchedule(model, **recipe.sparsity) if recipe.sparsity else None


def make_penalty(
    recipe: Recipe, model: nn.Module, data: Data, shape: Shape
) -> CostPenalty | TablePenalty | None:
    """The term of the loss that [cost] describes; None without this table."""
    if not recipe.cost:
        return None
    if recipe.cost.get("price") == TABLES:
        return TablePenalty(model, float(recipe.cost.get("weight", 1.0)))
    example = to_tensor(data.train[0][:EXAMPLES], shape)
    return CostPenalty(model, example, input_bits=parse(data.input_type).planes, **recipe.cost)


def float_reference_of(recipe: Recipe) -> Recipe:
    """The recipe of the float reference: the same data, numbers and teacher, without any quantisation.

    Its single stage has the epochs of all stages.
    """
    epochs = sum(part.epochs for part, _ in recipe.parts())
    if recipe.optimizer == BINARY_ONLY:
        recipe = dataclasses.replace(recipe, optimizer="adam", optimizer_options={})
    return dataclasses.replace(
        recipe,
        model=FloatReference(recipe.model),
        start=None,
        epochs=epochs,
        stages=(),
        sparsity={},
        cost={},
        anneal={},
    )
