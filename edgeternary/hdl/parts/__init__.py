"""All descriptions of parts and layers: each module of this folder defines one."""

import sys
from functools import cache
from typing import Any

from edgeternary.described import found
from edgeternary.hdl.part import Layer, Part, WiredLayer


@cache
def described() -> tuple[Part[Any] | Layer[Any] | WiredLayer[Any], ...]:
    """Every description, in alphabetical order of its module."""
    return found(sys.modules[__name__], Part, Layer, WiredLayer)


@cache
def layers() -> dict[str, Layer[Any]]:
    """By the kind of an op, how it is built."""
    return {d.kind: d for d in described() if isinstance(d, Layer)}


@cache
def wired_layers() -> dict[str, WiredLayer[Any]]:
    """By the kind of an op, how it is wires."""
    return {d.kind: d for d in described() if isinstance(d, WiredLayer)}


@cache
def _parts() -> dict[type, Part[Any]]:
    return {d.hardware: d for d in described() if isinstance(d, Part)}


def part_of(component: object) -> Part[Any]:
    """The description of a component; TypeError, which names its class, for one without."""
    kind = type(component)
    if kind not in _parts():
        raise TypeError(f"no module of edgeternary.hdl.parts describes {kind.__module__}.{kind.__qualname__}")
    return _parts()[kind]
