"""sink_pool: 'max_pool, then threshold' becomes 'threshold, then max_pool', so that no int32 map is stored.

A threshold is monotone per channel, so it commutes with the maximum: for step > 0

    f(max x) = max f(x),    and for step < 0    f(max x) = min f(x).

A constant channel (step 0) is either. A minimum channel of the pool turns round in the same way.
Padding stays neutral: it was the pool's lo (hi for a minimum) and is so again for the codes.

An upsample that repeats pixels is exchanged likewise: it is the same function of the pixel, which is then
computed once.
"""

from itertools import count

import msgspec
import numpy as np

from edgeternary.ir import Graph, Op
from edgeternary.ir.names import MAX_LENGTH
from edgeternary.ops import MaxPool, Threshold, Upsample


def sink_pool(graph: Graph) -> Graph:
    """Exchange each max_pool, and each upsample that repeats, with the one threshold that alone reads it.

    The pool keeps its place in the names of values: the pooled codes carry the threshold's name (what came
    after both before still reads it), the codes before pooling are called `<pool>.codes`, or `.codes2` ...
    """
    ops = {op.name: op for op in graph.ops}
    exchanged: dict[str, list[Op]] = {}
    for threshold in graph.ops:
        pool = ops.get(threshold.inputs[0])
        if not isinstance(threshold, Threshold) or pool is None or not _commutes(pool):
            continue
        readers = len(graph.consumers(pool.name)) + (pool.name in graph.outputs)
        readers += sum(state.next == pool.name for state in graph.states)
        if readers != 1:
            continue
        codes = _fresh(pool.name, graph, exchanged)
        first = msgspec.structs.replace(threshold, name=codes, inputs=pool.inputs)
        second = msgspec.structs.replace(pool, name=threshold.name, inputs=(codes,))
        if isinstance(second, MaxPool):
            flipped = np.where(threshold.step < 0, 1 - second.minimum, second.minimum).astype(np.uint8)
            second = msgspec.structs.replace(second, minimum=flipped)
        exchanged[pool.name] = []
        exchanged[threshold.name] = [first, second]
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
