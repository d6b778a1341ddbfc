"""What the FPGA back end cannot build, found before anything is built."""

from __future__ import annotations

from collections.abc import Collection

from edgeternary.errors import EdgeTernaryError
from edgeternary.hdl.states import used
from edgeternary.ir import Graph, Op, Value
from edgeternary.ops import Lookup, Requantize

MAX_TABLE_BITS = 16  # a lookup's ROM has 2^bits entries


def check(graph: Graph, kinds: Collection[str]) -> None:
    """EdgeTernaryError with the layer's name for a graph that has no hardware; `kinds` have parts."""
    if not _reads_input(graph):
        raise EdgeTernaryError(
            f"model {graph.name!r} cannot be built as hardware",
            f"its answers do not depend on its input {graph.input.name!r}, which paces the hardware",
            "run it on numpy, host or cortex-m*",
        )
    for op in graph.ops:
        if op.kind not in kinds:
            raise _refusal(
                op,
                f"there is no hardware part for {op.kind!r}",
                f"it runs on numpy, host and cortex-m*; layers with parts are {', '.join(kinds)}",
            )
        if isinstance(op, Requantize):
            _check_requantize(op, graph.ins(op)[0])
        if isinstance(op, Lookup) and graph.ins(op)[0].type.bits > MAX_TABLE_BITS:
            why = f"its input is {graph.ins(op)[0].type}, a table in ROM takes at most {MAX_TABLE_BITS} bits"
            raise _refusal(op, why, "requantize its input first")


def _reads_input(graph: Graph) -> bool:
    return graph.input.name in used(graph)


def _check_requantize(op: Requantize, x: Value) -> None:
    if op.form(x) == "C":
        raise _refusal(
            op,
            "a form C requantize is a 64-bit product, and the FPGA back end builds no multiplier",
            "use thresholds (up to 4 bits) or multipliers below 2^15",
        )


def _refusal(op: Op, why: str, remedy: str) -> EdgeTernaryError:
    return op.fail(why, remedy, f"layer {op.name!r} cannot be built as hardware")
