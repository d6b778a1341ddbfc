"""What a search chooses from: a kind of weights for each layer, and a kind for each activation."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.nn.levels import levels
from edgeternary.nn.linear import Logits, Quantized
from edgeternary.nn.quantizers import WEIGHTS
from edgeternary.train.kinds import Kind, by_layer
from edgeternary.train.recipe import Recipe
from edgeternary.train.sources import Build

WEIGHT_CHOICES = ("ternary", "pow2_3", "3", "4", "8")
ACTIVATION_CHOICES = ("2", "4", "8")
LEARNT = ("2", "3")  # bits for which a learnt step is better than the largest weight


@dataclass(frozen=True)
class Mixture:
    """The kinds of a network: of the weights of each layer, and of each activation, in order."""

    weights: tuple[Kind, ...]
    activations: tuple[Kind, ...]

    def short(self) -> str:
        """weights/activations in words such as 8-t-3-8/4-2-8."""
        return "/".join("-".join(map(_short, kinds)) for kinds in (self.weights, self.activations))

    def replaced(self, key: str, at: int, kind: Kind) -> Mixture:
        """The same mixture with another kind at one place. key: weights or activations."""
        kinds = list(getattr(self, key))
        kinds[at] = kind
        return dataclasses.replace(self, **{key: tuple(kinds)})


@dataclass(frozen=True)
class Space:
    """The layers of a recipe's network, and the kinds that each may have.

    layers, acts  names, in order; the last layer has no activation
    base          the kinds that the recipe itself has
    weights       the kinds to choose from, for each layer
    activations   the same for each activation
    """

    recipe: Recipe
    layers: tuple[str, ...]
    acts: tuple[str, ...]
    base: Mixture
    weights: tuple[tuple[Kind, ...], ...]
    activations: tuple[tuple[Kind, ...], ...]

    def recipe_of(self, mixture: Mixture) -> Recipe:
        """The recipe with the kinds of `mixture`."""
        model = self.recipe.model
        assert isinstance(model, Build)
        kinds = {"weights": list(mixture.weights), "activations": list(mixture.activations)}
        return dataclasses.replace(self.recipe, model=Build(model.build, {**model.arguments, **kinds}))

    def single_changes(self) -> Iterator[tuple[str, int, Kind]]:
        """(weights or activations, place, kind) of each change of one kind of the base."""
        for key in ("weights", "activations"):
            for at, (kinds, now) in enumerate(zip(getattr(self, key), getattr(self.base, key), strict=True)):
                yield from ((key, at, kind) for kind in kinds if kind != now)


def space_of(
    recipe: Recipe,
    weights: Sequence[str] = WEIGHT_CHOICES,
    activations: Sequence[str] = ACTIVATION_CHOICES,
) -> Space:
    """The space of a recipe.

    weights      names of weight quantisers; 2 and 3 are LSQ with a learnt step for each channel
    activations  numbers of bits or names
    EdgeTernaryError for unknown words, and for a model that does not take kinds by layer.
    """
    model = recipe.model
    if not isinstance(model, Build):
        raise _refused(recipe, "its model is a function of Python")
    layers, acts = _names(recipe, model)
    parameters = inspect.signature(model.maker()).parameters
    given = [model.arguments.get(key, parameters[key].default) for key in ("weights", "activations")]
    base = Mixture(
        tuple(by_layer(given[0], layers, "weights")), tuple(by_layer(given[1], acts, "activations"))
    )
    outputs = [isinstance(m, Logits) for m in model().modules() if isinstance(m, Quantized)]
    chosen = [[_weight(word, last) for word in weights] for last in outputs]
    act_kinds = [_activation(word) for word in activations]
    return Space(
        recipe,
        tuple(layers),
        tuple(acts),
        base,
        tuple(_with(kinds, now) for kinds, now in zip(chosen, base.weights, strict=True)),
        tuple(_with(act_kinds, now) for now in base.activations),
    )


class _Asked(Mapping[str, Kind]):
    """A table that has every name, and notes which are asked for."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.names: dict[str, None] = {}

    def __getitem__(self, name: str) -> Kind:
        self.names[name] = None
        return self.kind

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def _names(recipe: Recipe, model: Build) -> tuple[list[str], list[str]]:
    """The names of layers and activations that the builder asks for."""
    weights, activations = _Asked(8), _Asked(8)
    try:
        built = Build(model.build, {**model.arguments, "weights": weights, "activations": activations})()
    except EdgeTernaryError as error:
        raise _refused(recipe, error.why or error.what) from error
    layers = sum(isinstance(m, Quantized) for m in built.modules())
    if layers != len(weights.names) or layers != len(activations.names) + 1:
        raise _refused(recipe, f"{layers} layers have weights, and {len(weights.names)} take a kind")
    return list(weights.names), list(activations.names)


def _refused(recipe: Recipe, why: str) -> EdgeTernaryError:
    return EdgeTernaryError(
        f"{recipe.name} cannot be searched",
        why,
        "use a chain of layers that takes weights and activations by layer: "
        "mlp, cnn, ds_cnn, conv1d, or a function that uses train.kinds.by_layer",
        USAGE,
    )


def _weight(word: str, output: bool) -> Kind:
    """The quantiser that a word stands for; the last layer has one step for all classes."""
    if word in LEARNT:
        return f"lsq{word}" if output else f"lsq{word}_channel"
    kind: Kind = int(word) if word.isdigit() else word
    if (f"int{kind}" if isinstance(kind, int) else kind) not in WEIGHTS:
        raise EdgeTernaryError(
            f"--weight-kinds has {word!r}", f"known are 2..8 and {', '.join(WEIGHTS)}", "correct it", USAGE
        )
    return kind


def _activation(word: str) -> Kind:
    kind: Kind = int(word) if word.isdigit() else word
    try:
        levels(kind)
    except EdgeTernaryError as error:
        raise EdgeTernaryError(f"--activation-kinds has {word!r}", error.why, "correct it", USAGE) from error
    return kind


def _with(kinds: Sequence[Kind], now: Kind) -> tuple[Kind, ...]:
    """`kinds` and what the recipe has, each once."""
    return tuple(dict.fromkeys([*kinds, now]))


def _short(kind: Kind) -> str:
    text = str(kind).removesuffix("_channel").removeprefix("lsq").removeprefix("int")
    return {"ternary": "t", "pow2_3": "p3", "pow2_4": "p4", "bipolar": "b"}.get(text, text)
