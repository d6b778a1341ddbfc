"""Plants a fault in a function or in generated text, for the tests of the tests."""

from __future__ import annotations
import __future__

import inspect
import re
import textwrap
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from edgeternary.ir import Graph
from edgeternary.run._bench import BenchModel


def rewritten(function: Callable[..., Any], old: str, new: str) -> Any:
    """`function` compiled again from its source with `old` replaced by `new`; `old` must be there."""
    source = textwrap.dedent(inspect.getsource(function))
    assert old in source, f"the fault cannot be planted: {old!r} is not in {function.__qualname__}"
    code = compile(source.replace(old, new), "<fault>", "exec", __future__.annotations.compiler_flag)
    scope: dict[str, Any] = {}
    exec(code, function.__globals__, scope)
    return scope[function.__name__]


def faulty_c(
    render: Callable[..., BenchModel], pattern: str, new: str, planted: list[str]
) -> Callable[..., BenchModel]:
    """`render` whose C has `new` for each match of a regular expression; `planted` collects the matches."""

    def broken(graph: Graph, core: str, taps: bool = False, optimize: str = "cycles") -> BenchModel:
        model = render(graph, core, taps, optimize)
        sources = {}
        for name, text in model.sources.items():
            planted.extend(match[0] for match in re.finditer(pattern, text))
            sources[name] = re.sub(pattern, new, text)
        return replace(model, sources=sources)

    return broken
