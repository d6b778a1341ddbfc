"""sink_pool: 'max_pool, then threshold' becomes 'threshold, then max_pool', so that no int32 map is stored.

A threshold is monotone per channel, and so is a requantize, so they commute with the maximum: where f rises

    f(max x) = max f(x),    and where it falls    f(max x) = min f(x).

A threshold falls for step < 0, a requantize for m < 0. A constant channel (step or m of 0) is either. A
minimum channel of the pool turns round in the same way.
Padding stays neutral: it was the pool's lo (hi for a minimum) and is so again for the codes.

An upsample that repeats pixels is exchanged likewise: it is the same function of the pixel, which is then
computed once.
"""

from itertools import count

import msgspec
import numpy as np

from edgeternary.ir import Graph, Op
from edgeternary.ir.names import MAX_LENGTH
from edgeternary.ops import MaxPool, Requantize, Threshold, Upsample


def sink_pool(graph: Graph) -> Graph:
    """Exchange each max_pool, and each upsample that repeats, with the one threshold or requantize that alone
    reads it.

    The pool keeps its place in the names of values: the pooled codes carry the threshold's name (what came
    after both before still reads it), the codes before pooling are called `<pool>.codes`, or `.codes2` ...
    """
    ops = {op.name: op for op in graph.ops}
    exchanged: dict[str, list[Op]] = {}
    for after in graph.ops:
        pool = ops.get(after.inputs[0])
        if not isinstance(after, Threshold | Requantize) or pool is None or not _commutes(pool):
            continue
        readers = len(graph.consumers(pool.name)) + (pool.name in graph.outputs)
        readers += sum(state.next == pool.name for state in graph.states)
        if readers != 1:
            continue
        codes = _fresh(pool.name, graph, exchanged)
        first = msgspec.structs.replace(after, name=codes, inputs=pool.inputs)
        second = msgspec.structs.replace(pool, name=after.name, inputs=(codes,))
        if isinstance(second, MaxPool):
            falls = after.step < 0 if isinstance(after, Threshold) else after.m < 0
            flipped = np.where(falls, 1 - second.minimum, second.minimum).astype(np.uint8)
            second = msgspec.structs.replace(second, minimum=flipped)
        exchanged[pool.name] = []
        exchanged[after.name] = [first, second]
    if not exchanged:
        return graph
    return graph.with_ops([new for op in graph.ops for new in exchanged.get(op.name, [op])])


def _commutes(op: Op) -> bool:
    return isinstance(op, MaxPool) or (isinstance(op, Upsample) and op.fill == "repeat")


def _fresh(pool: str, graph: Graph, exchanged: dict[str, list[Op]]) -> str:
    """`<pool>.codes`, numbered where that name is taken and cut where it is too long."""
    taken = {*graph.values, *(op.name for ops in exchanged.values() for op in ops)}
    suffixes = (".codes" + (str(number) if number > 1 else "") for number in count(1))
    names = (pool[: MAX_LENGTH - len(suffix)] + suffix for suffix in suffixes)
    return next(name for name in names if name not in taken)
