"""Five functions of higher layers that lower layers call; `edgeternary/__init__.py` sets them."""

import os
from collections.abc import Callable
from typing import Any

run: Callable[..., Any]
"""edgeternary.run.run, which `Graph.run` calls."""

register_ops: Callable[[], None]
"""Fills ir.REGISTRY; a reader of files calls it, since a file can hold any op."""

zoo_model: Callable[[str, str | os.PathLike[str] | None], Any]
"""The zoo's torch model of that name, with the weights of a checkpoint or its own; None for another name."""

lower: Callable[..., Any]
"""edgeternary.lower, which nn.convert tries on what it made."""

pages: Callable[[Any], dict[str, str]]
"""The report and the README of a build.project.Project as files, which `Project.write` adds."""
