"""edgeternary: one PyTorch model, the same bits in numpy, C, an emulated Cortex-M and simulated hardware.

    graph = edgeternary.lower(model, example)       # needs torch
    graph = edgeternary.load("model.et")             # or .tflite, .onnx, .nir
    edgeternary.compile(graph, board="pico", directory="build")
    edgeternary.run.run(graph, inputs, on="cortex-m4")

Nothing is imported before it is used: `import edgeternary` loads neither numpy nor torch nor Amaranth.
"""

import importlib
from typing import TYPE_CHECKING, Any

from edgeternary import late
from edgeternary.version import __version__ as __version__

_FUNCTIONS = {
    "load": "edgeternary.frontends.files",
    "save": "edgeternary.ir.file",
    "quantize": "edgeternary.ir.sensor",
    "fit_bounds": "edgeternary.frontends.torch_bounds",
    "lower": "edgeternary.frontends.torch",
    "compile": "edgeternary.build.project",
}
_MODULES = ("nn", "run", "testing", "zoo")

__all__ = [
    "EdgeTernaryError",
    "compile",
    "fit_bounds",
    "load",
    "lower",
    "nn",
    "quantize",
    "run",
    "save",
    "testing",
    "zoo",
]

if TYPE_CHECKING:
    from edgeternary import nn, run, testing, zoo
    from edgeternary.build.project import compile
    from edgeternary.errors import EdgeTernaryError
    from edgeternary.frontends.files import load
    from edgeternary.frontends.torch import lower
    from edgeternary.frontends.torch_bounds import fit_bounds
    from edgeternary.ir.file import save
    from edgeternary.ir.sensor import quantize


def __getattr__(name: str) -> Any:
    if name == "EdgeTernaryError":
        return importlib.import_module("edgeternary.errors").EdgeTernaryError
    if name not in _FUNCTIONS and name not in _MODULES:
        raise AttributeError(f"module 'edgeternary' has no attribute {name!r}")
    from edgeternary.toolchains import extras

    with extras.named():
        _register_ops()
        module = importlib.import_module(_FUNCTIONS.get(name, f"edgeternary.{name}"))
    return getattr(module, name) if name in _FUNCTIONS else module


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


def _run(*arguments: Any, **more: Any) -> Any:
    return importlib.import_module("edgeternary.run").run(*arguments, **more)


def _register_ops() -> None:
    importlib.import_module("edgeternary.ops")


def _zoo_model(name: str, checkpoint: Any = None) -> Any:
    zoo = importlib.import_module("edgeternary.zoo")
    return zoo.torch_model(name, checkpoint) if name in zoo.names() else None


def _lower(*arguments: Any, **more: Any) -> Any:
    return importlib.import_module("edgeternary.frontends.torch").lower(*arguments, **more)


def _pages(project: Any) -> Any:
    return importlib.import_module("edgeternary.report.html.pages").pages(project)


late.run, late.register_ops, late.zoo_model, late.lower = _run, _register_ops, _zoo_model, _lower
late.pages = _pages
