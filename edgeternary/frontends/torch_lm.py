"""A MatMulFreeLM as an integer graph with one state a layer: a token in, one logit a symbol out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from edgeternary.errors import EdgeTernaryError
from edgeternary.frontends.torch_support import check_dtypes
from edgeternary.ir import Graph, Meta, Op, State, Value, parse
from edgeternary.ir.types import INT32_HI
from edgeternary.nn import lm
from edgeternary.nn.bit_linear import BitLinear
from edgeternary.nn.gate_tables import LO, rest_table, sigmoid_table, silu_table
from edgeternary.nn.rescale import Rescale
from edgeternary.ops import Add, Dense, Gather, Lookup, Mul, Requantize, RmsNorm
from edgeternary.passes import optimize


class _Maker:
    """The graph so far; every method adds an op and returns its name."""

    def __init__(self) -> None:
        self.ops: list[Op] = []
        self.states: list[State] = []

    def add(self, kind: type[Op], name: str, *inputs: str, **fields: Any) -> str:
        self.ops.append(kind(name=name, inputs=inputs, **fields))
        return name

    def rescale(self, name: str, x: str, by: Rescale, type: str) -> str:
        m, b, s = (a.astype(np.int32) for a in (by.m, by.b, by.s))
        return self.add(
            Requantize, name, x, m=m, b=b, s=s, zero=0, lo=by.lo, hi=by.hi, rounding="half_up", type=type
        )

    def table(self, name: str, x: str, values: np.ndarray, type: str) -> str:
        return self.add(Lookup, name, x, table=values.astype(np.int32), offset=LO, type=type)

    def codes(self, name: str, x: str, layer: BitLinear) -> str:
        """The norm and the 8-bit activations of a BitLinear."""
        return self.rescale(f"{name}.codes", self.add(RmsNorm, f"{name}.norm", x), layer.norm(), "int8")

    def product(self, name: str, x: str, layer: BitLinear, k: int, bias: np.ndarray | None = None) -> str:
        codes = layer.integer_codes(k).numpy().astype(np.int8)
        offset = np.zeros(len(codes), np.int32) if bias is None else bias.astype(np.int32)
        kind = layer.quantizer.name if layer.quantizer else ""
        return self.add(Dense, name, x, weights=codes, weight_type=kind, bias=offset)

    def mixer(self, name: str, x: str, layer: lm.MLGRU, top: int) -> str:
        """x + MLGRU(x)."""
        q, arguments = self.codes(name, x, layer.gates), layer.arguments()
        f, c, g = (
            self.rescale(
                f"{name}.{gate}.code", self.product(f"{name}.{gate}", q, layer.gates, k), arguments[k], "int8"
            )
            for k, gate in enumerate(("forget", "candidate", "gate"))
        )
        width, (lo, hi) = len(arguments[0].m), layer.state_range()
        state = f"{name}.h"
        kept = self.add(Mul, f"{name}.kept", self.table(f"{name}.f", f, sigmoid_table(), "uint8"), state)
        rest = self.table(f"{name}.rest", f, rest_table(), "uint9")
        new = self.add(Mul, f"{name}.new", rest, self.table(f"{name}.c", c, silu_table(), "int16"))
        total = self.add(Add, f"{name}.mean", kept, new)
        h = self.rescale(f"{name}.h_next", total, Rescale.shift(lm.STATE_SHIFT, width, lo, hi), "int16")
        value = Value(state, (width,), parse("int16"), lo, hi)
        self.states.append(State(value, np.zeros(width, np.int32), h))
        opened = self.add(Mul, f"{name}.open", self.table(f"{name}.g", g, sigmoid_table(), "uint8"), h)
        shift = Rescale.shift(lm.GATED_SHIFT, width, -lm.INT16, lm.INT16)
        return self.branch(name, x, self.rescale(f"{name}.gated", opened, shift, "int16"), layer.out, top)

    def glu(self, name: str, x: str, layer: lm.GLU, top: int) -> str:
        """x + GLU(x)."""
        q, arguments = self.codes(name, x, layer.up), layer.arguments()
        a, b = (
            self.rescale(
                f"{name}.{part}.code", self.product(f"{name}.{part}", q, layer.up, k), arguments[k], "int8"
            )
            for k, part in enumerate(("gate", "up"))
        )
        product = self.add(Mul, f"{name}.product", self.table(f"{name}.silu", a, silu_table(), "int16"), b)
        shift = Rescale.shift(lm.GLU_SHIFT, layer.down.inputs, -lm.INT16, lm.INT16)
        return self.branch(name, x, self.rescale(f"{name}.gated", product, shift, "int16"), layer.down, top)

    def branch(self, name: str, x: str, gated: str, layer: BitLinear, top: int) -> str:
        """x plus the BitLinear at the end of a branch."""
        acc = self.product(f"{name}.out", self.codes(f"{name}.out", gated, layer), layer, 0)
        scaling = layer.rescale(0, lm.RESIDUAL, 0.0, -top, top)
        kind = f"int{top.bit_length() + 1}"
        return self.add(Add, f"{name}.sum", x, self.rescale(f"{name}.branch", acc, scaling, kind))


def _bias(model: lm.MatMulFreeLM) -> np.ndarray:
    """The head's integer bias, or a refusal where int32 does not hold it."""
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        units = model.bias.detach().double().numpy() / np.float64(model.logit_scale())
    if not np.all(np.abs(units) < INT32_HI):
        raise EdgeTernaryError(
            "layer 'head' (BitLinear) cannot be lowered",
            f"its bias reaches {float(np.abs(units).max()):,.0f} in units of the logits, beyond int32",
            "train it with a larger gain, or without so large a bias",
        )
    return model.quantised_bias().numpy()


def lower_lm(
    model: lm.MatMulFreeLM, symbols: Sequence[str], *, name: str = "lm", info: dict[str, str] | None = None
) -> Graph:
    """Lowers a MatMulFreeLM: the graph's input is a symbol's index (1,), its output int32 (symbols,).

    model.eval()'s logits are output * meta.logit_scale for every text, step by step. symbols: one character
    for each index; they become meta.labels, the tokenizer. EdgeTernaryError for float weights,
    parameters that are not float32, biases beyond int32, and symbols that do not fit.
    """
    check_dtypes(model)
    if (
        len(symbols) != model.symbols
        or len(set(symbols)) != len(symbols)
        or any(len(c) != 1 for c in symbols)
    ):
        raise EdgeTernaryError(
            f"{len(symbols)} symbols for a model of {model.symbols}",
            "every index needs one character of its own",
            "give the characters in the order of the indices",
        )
    maker, top = _Maker(), lm.branch_top(len(model.blocks))
    table = model.embedding.codes().numpy().astype(np.int8)
    row = maker.add(Gather, "embedding", "token", table=table, table_type="int8")
    ones = np.ones(model.width, np.int64)
    limit = lm.EMBEDDING_TOP * lm.RESIDUAL // lm.EMBEDDING
    scaling = Rescale(ones * (lm.RESIDUAL // lm.EMBEDDING), 0 * ones, 0 * ones, -limit, limit)
    x = maker.rescale("residual", row, scaling, "int16")
    for i, block in enumerate(model.blocks):
        assert isinstance(block, lm.Block)
        x = maker.mixer(f"blocks.{i}.mixer", x, block.mixer, top)
        x = maker.glu(f"blocks.{i}.glu", x, block.glu, top)
    bias = _bias(model)
    head = maker.product("head", maker.codes("head", x, model.head), model.head, 0, bias)
    token = Value("token", (1,), parse("uint8" if model.symbols <= 256 else "uint16"), 0, model.symbols - 1)
    meta = Meta(logit_scale=model.logit_scale(), labels=tuple(symbols), info=info or {})
    return optimize(Graph(name, token, tuple(maker.ops), head, tuple(maker.states), meta))
