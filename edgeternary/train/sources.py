"""The networks and data sets that recipe files name. Calling one of them makes it."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from torch import nn

from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.nn.float_reference import float_reference
from edgeternary.train import data as data_sets
from edgeternary.train.data import Data
from edgeternary.train.lookup import function, unknown
from edgeternary.train.models import FAMILIES


def check_arguments(maker: Callable[..., Any], name: str, arguments: Mapping[str, Any], section: str) -> None:
    """EdgeTernaryError for a key that `maker`, called `name`, does not take, and for one that is missing."""
    try:
        parameters = inspect.signature(maker).parameters.values()
    except ValueError:  # some functions in C do not tell their arguments
        return
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return
    known = [p.name for p in parameters]
    for key in arguments:
        if key not in known:
            raise unknown(f"key of [{section}] {name}:", key, known)
    for p in parameters:
        if p.default is p.empty and p.kind is not p.VAR_POSITIONAL and p.name not in arguments:
            raise EdgeTernaryError(
                f"[{section}] has no key {p.name!r}", f"{name} needs it", "add it", code=USAGE
            )


@dataclass(frozen=True)
class Build:
    """A network: a family or "module:function", and its keyword arguments, which are checked at once."""

    build: str
    arguments: Mapping[str, Any]

    def __post_init__(self) -> None:
        check_arguments(self.maker(), self.build, self.arguments, "model")

    def maker(self) -> Callable[..., nn.Module]:
        if ":" in self.build:
            maker: Callable[..., nn.Module] = function(self.build, "model")
            return maker
        if self.build not in FAMILIES:
            raise unknown("model family", self.build, FAMILIES)
        return FAMILIES[self.build]

    def __call__(self) -> nn.Module:
        try:
            return self.maker()(**self.arguments)
        except (TypeError, ValueError, RuntimeError, AttributeError) as error:
            raise EdgeTernaryError(
                f"the model {self.build!r} cannot be built",
                f"{type(error).__name__}: {error}",
                "check the values under [model]",
                code=USAGE,
            ) from error


@dataclass(frozen=True)
class FloatReference:
    """Makes the float reference of the network that `model` makes."""

    model: Callable[[], nn.Module]

    def __call__(self) -> nn.Module:
        return float_reference(self.model())


@dataclass(frozen=True)
class Source:
    """A data set: a name of train.data.DATASETS, "module:function", or the path of an .npz file.

    arguments  of the function that loads it, which are checked at once
    """

    text: str
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_arguments(self.loader(), self.text, self.arguments, "data")

    def loader(self) -> Callable[..., Data]:
        if self.text.endswith(".npz"):
            return partial(data_sets.npz, self.text)
        if ":" in self.text:
            loader: Callable[..., Data] = function(self.text, "data set")
            return loader
        if self.text not in data_sets.DATASETS:
            raise unknown("data set", self.text, data_sets.DATASETS)
        return data_sets.DATASETS[self.text]

    def __call__(self) -> Data:
        try:
            return self.loader()(**self.arguments)
        except (TypeError, ValueError, AttributeError) as error:
            raise EdgeTernaryError(
                f"the data set {self.text!r} cannot be loaded",
                f"{type(error).__name__}: {error}",
                "check the values under [data]",
                code=USAGE,
            ) from error

    def table(self) -> str | dict[str, Any]:
        """The value of `data` in a recipe."""
        return {"name": self.text, **self.arguments} if self.arguments else self.text


class Teachers(nn.Module):
    """Trained networks whose mean logits teach. Each takes samples in its own shape."""

    def __init__(self, members: Sequence[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
