"""A torch model of a user's Python file, for the command line."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from edgeternary.errors import EdgeTernaryError
from edgeternary.nn.convert import Kind, inspect
from edgeternary.nn.converting.report import Report

SAMPLES = 16


def inspected(text: str, shapes: Sequence[Sequence[int]], weights: Kind, activations: Kind) -> Report:
    """What convert() says of "file.py:Name", for random pixels of `shapes`, those of single samples.

    EdgeTernaryError for a file or a name that is not there, and for a name that makes no nn.Module.
    """
    model = model_of(text)
    generator = torch.Generator().manual_seed(0)
    drawn = [torch.randint(0, 256, (SAMPLES, *shape), generator=generator).float() for shape in shapes]
    example: Tensor | list[Tensor] = drawn[0] if len(drawn) == 1 else drawn
    found = inspect(model, example, weights=weights, activations=activations)
    return found if isinstance(found, Report) else found.report


def model_of(text: str) -> nn.Module:
    """The nn.Module that Name in file.py is, or that it makes when it is called without arguments."""
    file, _, name = text.rpartition(":")
    path = Path(file)
    if not path.is_file():
        raise EdgeTernaryError(f"{file} is no file", remedy="give file.py:Name, with the class of the model")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    sys.path.insert(0, str(path.parent))
    try:
        spec.loader.exec_module(module)
        made: Any = getattr(module, name, None)
        if isinstance(made, type) or (callable(made) and not isinstance(made, nn.Module)):
            made = made()
    except Exception as error:  # whatever the user's own file raises
        raise EdgeTernaryError(
            f"{text} cannot be made",
            f"{type(error).__name__}: {error}",
            "name a class or a function that takes no arguments, or a model",
        ) from error
    finally:
        sys.path.remove(str(path.parent))
    if not isinstance(made, nn.Module):
        have = [n for n, v in vars(module).items() if isinstance(v, type) and issubclass(v, nn.Module)]
        own = [n for n in have if vars(module)[n].__module__ == path.stem]
        raise EdgeTernaryError(
            f"{name!r} in {file} is no torch model",
            f"models there: {', '.join(own) or 'none'}",
            "name a subclass of torch.nn.Module, or a function that returns one",
        )
    return made
