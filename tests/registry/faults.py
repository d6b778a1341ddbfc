"""Plants a fault in generated text, for the tests of the tests."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from edgeternary.ir import Graph
from edgeternary.run._bench import BenchModel


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
