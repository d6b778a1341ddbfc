"""dense: a vector times a matrix of constants. Layers of one size may share a matrix, see hdl.turns."""

from typing import Any, cast

import numpy as np

from edgeternary.hdl.builder import Builder, Wire
from edgeternary.hdl.elements import interval_element, stream_element
from edgeternary.hdl.engine import Ends, Engine, Turn
from edgeternary.hdl.fold import Matrix, product_bits
from edgeternary.hdl.matrix import product
from edgeternary.hdl.part import Answers, Arrival, Layer
from edgeternary.ir import Graph, Value
from edgeternary.ops import Dense
from edgeternary_hw.fifo import Replay
from edgeternary_hw.mvu import MatrixVector


class Matrices(Engine):
    """One matrix-vector unit, a vector after the other, each by the rows of its own layer."""

    @classmethod
    def turn(cls, graph: Graph, op: Any) -> Turn:
        return (op,) if [reader.kind for reader in graph.consumers(op.name)] != ["threshold"] else ()

    @classmethod
    def alike(cls, graph: Graph, turn: Turn) -> object:
        op = cast(Dense, turn[0])
        return op.weights.shape, op.weight_type, stream_element(graph.ins(op)[0])

    @classmethod
    def ends(cls, b: Builder, turns: list[Turn]) -> Ends:
        values = [b.graph.values[turn[0].name] for turn in turns]
        target = interval_element(min(-1, *(v.lo for v in values)), max(v.hi for v in values))
        fold = b.folding.folds[turns[0][0].name]
        return Ends(stream_element(b.graph.ins(turns[0][0])[0]), fold.simd, target, fold.outputs)

    def parts(self) -> list[tuple[str, Any, int]]:
        layers = [cast(Dense, turn[0]) for turn in self.turns]
        fold, ends = self.b.folding.folds[layers[0].name], self.at
        vector = self.size // ends.lanes
        unit = MatrixVector(
            np.concatenate([op.weights for op in layers]).tolist(),
            np.concatenate([op.bias for op in layers]).tolist(),
            ends.source,
            pe=fold.pe,
            simd=fold.simd,
            outputs=fold.outputs,
            out_width=ends.target.width,
        )
        passes = self.given // fold.pe
        chain: list[tuple[str, Any, int]] = [("", unit, passes * unit.interval)]
        if passes > 1:
            buffer = Replay(fold.simd * ends.source.width, vector, passes)
            chain.insert(0, ("buffer", buffer, vector * passes))
        return chain


class DenseLayer(Layer[Dense]):
    kind = "dense"
    answers = Answers.LATE
    shared = Matrices

    def build(self, b: Builder, op: Dense, ins: list[Wire]) -> Wire:
        return product(b, op, ins[0], op.weights)

    def matrix(self, op: Dense, x: Value, y: Value) -> Matrix:
        rows, columns = op.weights.shape
        return Matrix(1, rows, columns, columns, rows, False, product_bits(op.weight_type, x))

    def lanes(self, op: Dense, at: Arrival) -> int:
        return at.fold.outputs if at.fold else at.kept
