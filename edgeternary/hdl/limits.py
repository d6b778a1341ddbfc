"""What the FPGA back end cannot build, found before anything is built."""

from collections.abc import Mapping
from typing import Any

from edgeternary.errors import EdgeTernaryError
from edgeternary.hdl.part import Layer
from edgeternary.hdl.parts import layers
from edgeternary.hdl.states import used
from edgeternary.ir import Graph, Op


def check(graph: Graph, known: Mapping[str, Layer[Any]] | None = None) -> None:
    """EdgeTernaryError with the layer's name for a graph that has no hardware.

    known  how ops are built, by kind; None: as hdl.parts says
    """
    names = used(graph)
    for x in graph.inputs:
        if x.name not in names:
            raise EdgeTernaryError(
                f"model {graph.name!r} cannot be built as hardware",
                f"its answers do not depend on its input {x.name!r}, which paces the hardware",
                "run it on numpy, host or cortex-m*",
            )
    known = layers() if known is None else known
    for op in graph.ops:
        if op.kind not in known:
            raise _refusal(
                op,
                f"there is no hardware part for {op.kind!r}",
                f"it runs on numpy, host and cortex-m*; layers with parts are {', '.join(known)}",
            )
        if refusal := known[op.kind].refusal(op, graph):
            raise _refusal(op, *refusal)


def _refusal(op: Op, why: str, remedy: str) -> EdgeTernaryError:
    return op.fail(why, remedy, f"layer {op.name!r} cannot be built as hardware")
