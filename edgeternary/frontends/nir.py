"""NIR, the Neural Intermediate Representation: spiking nets of other frameworks, where that is exact.

NIR says what neurons do in continuous time; a graph steps once for each time step, in integers. So the nodes
in EXACT keep their meaning if their numbers are integers; a leaky neuron does not, because its decay is
rounded here, and comes in only where that is asked for. Everything else is refused by name. (Pedersen et al.,
2024, Nature Communications 15, 8122; node formulas: docstrings of the Python package nir.)
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from edgeternary.errors import EdgeTernaryError
from edgeternary.frontends.imported import Cut, Imported, Row
from edgeternary.ir import Graph, Op, State, Value, parse
from edgeternary.ops import Dense, Threshold
from edgeternary.ops.neuron import HI, LO, MOST, Built, Cells, integrator, named, neurons
from edgeternary.toolchains import extras, run

EXACT = "Linear, Affine, Threshold, IF, I, Flatten of a vector"
KEY = "edgeternary"  # of a node's metadata: what NIR has no field for, as JSON
MOST_BIAS = 1 << 20
PATIENCE = 20.0  # seconds that a file may take to be read
MEMORY = 8 << 30  # bytes that it may take; large arrays of zeros are small files
TRIAL = f"""
import sys
try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, ({MEMORY}, {MEMORY}))
except (ImportError, ValueError):
    pass
import nir
nir.read(sys.argv[1])
"""


class _Refused(Exception):
    """Why a node cannot be kept."""


def package() -> Any:
    """The Python package nir; EdgeTernaryError (code 3) with the install command where it is missing."""
    with extras.named():
        import nir
    return nir


def from_nir(source: Any, *, name: str = "model", dt: float = 1.0, inexact: bool = False) -> Imported:
    """A .nir file or nir.NIRGraph, a chain of nodes from one Input of binary spikes, as a graph with states.

    dt       seconds of a step, in the unit of the nodes' time constants
    inexact  take leaky neurons too, whose decay then rounds down
    EdgeTernaryError (code 1) names every node whose meaning cannot be kept, each with the reason.
    """
    nir = package()
    if isinstance(source, str | Path):
        source = _read(nir, Path(source))
    order = _chain(source)
    shape = tuple(int(n) for n in np.ravel(source.nodes[order[0]].input_type["input"]))
    if len(shape) != 1:
        raise EdgeTernaryError(
            f"the input of {name!r} has the shape {shape}", "only vectors are read", "flatten it before"
        )
    x = Value(order[0], shape, parse("binary"), 0, 1)
    made, refused, rows = _Chain(x, dt), {}, []
    for node_name in order[1:-1]:
        node = source.nodes[node_name]
        handler = HANDLERS.get(type(node).__name__)
        try:
            if handler is None:
                raise _Refused(f"there is no exact form of {type(node).__name__}; there is of {EXACT}")
            known = len(made.ops)
            note = handler(made, node_name, node) or ""
            if note and not inexact:
                raise _Refused(f"{note} (inexact=True takes it so)")
            became = ", ".join(op.name for op in made.ops[known:])
            top = made.top
            rows.append(Row(node_name, type(node).__name__, top.shape, top.type.name, became, note))
        except _Refused as why:
            refused[node_name] = str(why)
            if handler not in (_neuron, None):
                break  # what follows has no input
    if refused:
        said = "\n".join(f"{key} ({type(source.nodes[key]).__name__}): {why}" for key, why in refused.items())
        raise EdgeTernaryError(
            f"{name!r} cannot be kept exactly", said, "change these nodes, or leave them out"
        )
    if made.top is x:
        raise EdgeTernaryError(f"{name!r} has no layers", "its input is its output", "give it nodes")
    return Imported(Graph(name, x, tuple(made.ops), made.top.name, tuple(made.states)), rows)


def read(path: Path, *, name: str, cut: Cut, dt: float = 1.0, inexact: bool = False) -> Imported:
    """`from_nir` as the reader of a file; EdgeTernaryError (code 1) for a cut, too."""
    if cut:
        raise EdgeTernaryError(
            f"{path.name} cannot be cut", "a NIR file is read whole", "leave --from and --until out"
        )
    return from_nir(path, name=name, dt=dt, inexact=inexact)


def _read(nir: Any, path: Path) -> Any:
    """The file's graph. Another process, which can be ended, reads it first: the HDF5 library loops without
    end on some damaged files, and never returns to Python."""
    remedy = "save it with nir.write"
    try:
        one = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        run((sys.executable, "-c", TRIAL, path), what=f"reading {path}", timeout=PATIENCE, env=one)
        return nir.read(str(path))
    except EdgeTernaryError as error:
        last = error.why.strip().rpartition("\n")[2]
        raise EdgeTernaryError(f"cannot read {path}", last, remedy) from error
    except Exception as error:  # h5py raises OSError, KeyError and more on damaged files
        raise EdgeTernaryError(f"cannot read {path}", str(error), remedy) from error


def _chain(graph: Any) -> list[str]:
    """Node names from the Input to the Output; refuses branches, sums and recurrence."""
    following: dict[str, list[str]] = {}
    for a, b in graph.edges:
        following.setdefault(a, []).append(b)
    before = [b for _, b in graph.edges]
    starts = list(graph.inputs)
    order = starts[:1]
    while order and len(following.get(order[-1], [])) == 1 and len(order) <= len(graph.nodes):
        order.append(following[order[-1]][0])
    whole = len(starts) == 1 and set(order) == set(graph.nodes) and len(order) == len(graph.nodes)
    if not whole or len(set(before)) != len(before) or order[-1] not in graph.outputs:
        raise EdgeTernaryError(
            "the NIR graph is no chain from one Input to one Output",
            "sums of several edges, branches and recurrent edges are not read",
            "write each branch as a graph of its own",
        )
    return order


class _Chain:
    """The graph so far: `top` is what the next node reads."""

    def __init__(self, x: Value, dt: float) -> None:
        self.top, self.dt = x, dt
        self.ops: list[Op] = []
        self.states: list[State] = []

    def add(self, op: Op) -> None:
        self.ops.append(op)
        self.top = op.infer([self.top])

    def build(self, made: Built, type: str | None = None) -> None:
        self.ops += made.ops
        self.states.append(made.state)
        value = self.top
        if type:
            self.top = Value(made.output, value.shape, parse(type), 0, 1)
        else:
            self.top = Value(
                made.output, value.shape, made.state.value.type, made.state.value.lo, made.state.value.hi
            )


def _integers(what: str, values: Any, lo: int, hi: int) -> np.ndarray:
    array = np.asarray(values, np.float64)
    if not np.array_equal(array, np.rint(array)) or array.min() < lo or array.max() > hi:
        raise _Refused(f"its {what} is not made of integers from {lo:,} to {hi:,}")
    return array.astype(np.int64)


def _same(what: str, values: Any, wanted: float) -> None:
    if np.any(np.asarray(values) != wanted):
        raise _Refused(f"its {what} is not {wanted:g} throughout")


def _power(what: str, values: Any) -> int:
    """k with values == 2^k throughout."""
    array = np.ravel(np.asarray(values, np.float64))
    k = int(np.rint(np.log2(array[0]))) if array[0] > 0 else -1
    if not 0 <= k <= 8 or np.any(array != 2.0**k):
        raise _Refused(f"its {what} is no power of two from 1 to 256, the same for all neurons")
    return k


def _linear(c: _Chain, name: str, node: Any) -> None:
    w = _integers("weight", node.weight, -127, 127)
    b = _integers("bias", getattr(node, "bias", np.zeros(len(w))), -MOST_BIAS, MOST_BIAS)
    top = int(np.abs(w).max())
    kind = "ternary" if top <= 1 else f"int{top.bit_length() + 1}"
    c.add(
        Dense(
            name=name,
            inputs=(c.top.name,),
            weights=w.astype(np.int8),
            weight_type=kind,
            bias=b.astype(np.int32),
        )
    )


def _above(what: str, threshold: Any, most: int) -> np.ndarray:
    """The least integers above real thresholds: v > t."""
    found = np.floor(np.ravel(np.asarray(threshold, np.float64))) + 1
    if found.min() < 1 or found.max() > most:
        raise _Refused(f"its {what} is not between 0 and {most:,}")
    return found.astype(np.int64)


def _threshold(c: _Chain, name: str, node: Any) -> None:
    t = np.clip(_above("threshold", node.threshold, 1 << 30), c.top.lo, c.top.hi + 1).astype(np.int32)
    zeros = np.zeros_like(t)
    c.add(Threshold(name=name, inputs=(c.top.name,), t=t[:, None], base=zeros, step=zeros + 1, type="binary"))


def _neuron(c: _Chain, name: str, node: Any) -> str:
    own = json.loads(_text(node.metadata.get(KEY, "{}")))
    theta = _above("v_threshold", node.v_threshold, MOST)
    _same("v_reset", node.v_reset, 0)
    shift = 0
    gain = np.asarray(node.r, np.float64)
    if hasattr(node, "tau"):
        _same("v_leak", node.v_leak, 0)
        shift = _power("tau / dt", np.asarray(node.tau, np.float64) / c.dt)
        gain = gain * 2.0**-shift
    fraction = _power("r dt / tau" if shift else "r", gain)
    zeros = np.zeros_like(theta)
    bias = _integers("bias", own.get("bias", zeros), -MOST_BIAS, MOST_BIAS)
    begin = _integers("first potential", own.get("begin", zeros), LO, HI)
    if bias.shape != theta.shape or begin.shape != theta.shape:
        raise _Refused(f"its metadata {KEY!r} does not fit it")
    cells = Cells(theta, bias, begin, shift, fraction, own.get("reset") == "subtract")
    c.build(neurons(named(name), c.top, cells), "binary")
    return "" if shift == 0 or own.get("rounding") == "floor" else "its decay v / tau rounds down to integers"


def _integrator(c: _Chain, name: str, node: Any) -> None:
    _same("r", node.r, 1)
    own = json.loads(_text(node.metadata.get(KEY, "{}")))
    bias = _integers("bias", own.get("bias", np.zeros(c.top.size)), -MOST_BIAS, MOST_BIAS)
    if bias.shape != c.top.shape:
        raise _Refused(f"its metadata {KEY!r} does not fit it")
    c.build(integrator(named(name), c.top, bias))


def _flatten(c: _Chain, name: str, node: Any) -> None:
    if len(c.top.shape) != 1:
        raise _Refused("its input is no vector")


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


HANDLERS: dict[str, Callable[[_Chain, str, Any], str | None]] = {
    "Linear": _linear, "Affine": _linear, "Threshold": _threshold, "IF": _neuron, "LIF": _neuron,
    "I": _integrator, "Flatten": _flatten,
}  # fmt: skip
