"""For your own tests: does a model answer with the same bits everywhere?

from edgeternary.testing import assert_bit_exact

def test_model():
    assert_bit_exact("model.et", on=["host", "cortex-m4", "hdl"], inputs=np.load("images.npy")[:20])
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from edgeternary.ir import Graph
from edgeternary.ir.file import load

if TYPE_CHECKING:
    from edgeternary.run.compare import Options


def assert_bit_exact(
    model: Graph | str | os.PathLike[str],
    on: Sequence[str],
    inputs: Any,
    *,
    reference: str = "numpy",
    options: Options | None = None,
) -> None:
    """Run `model` on every executor of `on`; AssertionError names the first layer that differs.

    model      a graph, or the path of a `.et` file
    inputs     integer codes (samples, *shape), or (samples, steps, *shape) for a model with states; several
               inputs as a tuple of arrays, in order, or a mapping by name
    reference  the executor that is right
    options    executor name -> options of that executor
    EdgeTernaryError for a missing tool (its `code` is 3), for inputs the model does not take, or where `on`
    names nothing but the reference.
    """
    from edgeternary.run.compare import compare, compares_something, not_bit_exact

    compares_something(on, reference)
    graph = model if isinstance(model, Graph) else load(model)
    for comparison in compare(graph, inputs, on, reference=reference, options=options):
        if comparison.mismatches:
            raise AssertionError(str(not_bit_exact(graph, comparison, reference)))
