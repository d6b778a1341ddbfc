"""A .tflite file that grows layer by layer, and the operators that only move codes."""

from __future__ import annotations

from dataclasses import replace

from edgeternary.errors import EdgeTernaryError
from edgeternary.export._tflite_codes import LOW, MOST_LEVELS, Codes, of_type, refused
from edgeternary.export._tflite_file import File, Tensor
from edgeternary.ir import Graph, Op, Value

SAME, VALID = 0, 1


class Net:
    """The file of `graph`.

    made  name of a value -> its tensor, for values with few codes
    """

    def __init__(self, graph: Graph) -> None:
        self.graph, self.file = graph, File()
        self.made: dict[str, Codes] = {}

    def input(self, x: Value) -> int:
        """The tensor of an input of the graph."""
        lo, gap, levels = of_type(x.type)
        if levels > MOST_LEVELS:
            levels = x.hi - x.lo
            lo = x.lo
        if levels > MOST_LEVELS:
            raise EdgeTernaryError(
                f"input {x.name!r} cannot be written as TensorFlow Lite",
                f"its codes are {x.lo} to {x.hi}, and int8 has {MOST_LEVELS + 1}",
                "export it as onnx, which has integer operators",
            )
        meta = self.graph.meta.of_input(x.name)
        scale, zero = 1.0, LOW
        if not isinstance(meta.scale, tuple) and not isinstance(meta.zero, tuple):
            element = meta.zero - lo + LOW
            if gap == 1 and LOW <= element <= 127:
                scale, zero = float(meta.scale), element
        codes = Codes(-1, x.shape, lo, gap, levels, scale, zero)
        self.made[x.name] = self.tensor(x.name, codes)
        return self.made[x.name].tensor

    def tensor(self, name: str, codes: Codes) -> Codes:
        """A new tensor for values like `codes`."""
        shape = (1, *codes.shape)
        number = self.file.tensor(Tensor(name, shape, "int8", (codes.scale,), codes.zero))
        return replace(codes, tensor=number)

    def codes(self, op: Op, name: str) -> Codes:
        """The tensor of the value `name`, which `op` reads."""
        if name not in self.made:
            raise refused(op, f"it reads the sums of {name!r}, which have more than {MOST_LEVELS + 1} values")
        return self.made[name]

    def padded(self, op: Op, x: Codes, pad: tuple[int, int, int, int], element: int) -> Codes:
        """x with a border of `element`."""
        top, left, bottom, right = pad
        shape = (x.shape[0] + top + bottom, x.shape[1] + left + right, x.shape[2])
        out = self.tensor(f"{op.name}/pad", replace(x, shape=shape))
        widths = self.file.constant(f"{op.name}/widths", [[0, 0], [top, bottom], [left, right], [0, 0]])
        border = self.file.constant(f"{op.name}/border", [element], "int8", scale=(x.scale,), zero=x.zero)
        self.file.operator("PADV2", [x.tensor, widths, border], out.tensor)
        return out


def same(
    size: tuple[int, ...], kernel: tuple[int, int], stride: tuple[int, int]
) -> tuple[int, int, int, int]:
    """(top, left, bottom, right) of TensorFlow's padding SAME: the odd one goes to the end."""
    ends = []
    for n, k, s in zip(size[:2], kernel, stride, strict=True):
        total = max((-(-n // s) - 1) * s + k - n, 0)
        ends.append((total // 2, total - total // 2))
    return ends[0][0], ends[1][0], ends[0][1], ends[1][1]


def reshaped(net: Net, name: str, x: Codes, shape: tuple[int, ...]) -> Codes:
    """x in another shape, through an operator RESHAPE."""
    out = net.tensor(name, replace(x, shape=shape))
    sizes = net.file.constant(f"{name}/shape", [1, *shape])
    net.file.operator("RESHAPE", [x.tensor, sizes], out.tensor)
    return out


def concatenated(net: Net, op: Op, name: str, parts: list[Codes]) -> Codes:
    """Parts that lie alike, joined along the channels."""
    first = parts[0]
    if len({(p.lo, p.gap, p.scale, p.zero) for p in parts}) > 1:
        levels = ", ".join(str(p.levels + 1) for p in parts)
        raise refused(op, f"its inputs have {levels} codes from {', '.join(str(p.lo) for p in parts)} on",
                      "give both branches the same activation")  # fmt: skip
    shape = (*first.shape[:-1], sum(p.shape[-1] for p in parts))
    out = net.tensor(name, replace(first, shape=shape, levels=max(p.levels for p in parts)))
    net.file.operator("CONCATENATION", [p.tensor for p in parts], out.tensor, Axis=len(shape))
    return out
