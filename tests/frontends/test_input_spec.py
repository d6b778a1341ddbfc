"""What codes mean: torch, edgeternary.quantize and C make the same ones, and normalisation becomes codes."""

from __future__ import annotations

import ctypes
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

torch = pytest.importorskip("torch")

import edgeternary  # noqa: E402
from edgeternary import nn as q  # noqa: E402
from edgeternary.c.render import render  # noqa: E402
from edgeternary.errors import EdgeTernaryError  # noqa: E402
from edgeternary.frontends.torch import lower  # noqa: E402
from edgeternary.ir import Graph  # noqa: E402
from edgeternary.ops import Reshape, build  # noqa: E402
from tests.need import need  # noqa: E402

pytestmark = pytest.mark.torch
Spec = q.InputSpec
SHAPES = {"NCHW": (32, 3, 4, 5), "NHWC": (32, 4, 5, 3), "NCL": (32, 3, 7), "NTC": (32, 7, 3), "NC": (32, 3)}


class Net(torch.nn.Module):
    """Two layers after a permutation to channels first, and whatever comes before it."""

    def __init__(self, layout: str, before: torch.nn.Module | None = None) -> None:
        super().__init__()
        self.before, self.layout = before or torch.nn.Identity(), layout
        rank = len(layout) - 2
        conv: Any = {0: torch.nn.Linear, 1: torch.nn.Conv1d, 2: torch.nn.Conv2d}[rank]
        self.first = conv(3, 8, *([3] * bool(rank)))
        self.fc = torch.nn.Linear(8, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.before(x)
        if self.layout == "NTC":
            x = x.permute(0, 2, 1)
        if self.layout == "NHWC":
            x = x.permute(0, 3, 1, 2)
        x = torch.relu(self.first(x))
        return self.fc(x.flatten(2).mean(2) if x.dim() > 2 else x)


def measured(layout: str) -> torch.Tensor:
    """Sensor values whose channels have units of their own."""
    x = torch.randn(SHAPES[layout], generator=torch.Generator().manual_seed(3))
    shape = [3 if letter == "C" else 1 for letter in layout]
    units, offsets = torch.tensor([1.0, 9.0, 130.0]), torch.tensor([0.0, 4.0, 1013.25])
    return x * units.reshape(shape) + offsets.reshape(shape)


def figures(x: torch.Tensor, layout: str) -> tuple[Any, Any]:
    """Mean and deviation of each channel, numpy arrays, as a StandardScaler has them."""
    axes = tuple(i for i, letter in enumerate(layout) if letter != "C")
    return x.mean(axes).numpy(), x.std(axes).numpy()


def exact(net: torch.nn.Module, codes: torch.Tensor, spec: q.InputSpec | None, layout: str) -> Graph:
    """The converted model as a graph, which answers as the model does."""
    torch.manual_seed(0)
    model = q.convert(net, codes, inputs=spec, activations=4, quiet=True).eval()
    graph = lower(model, codes, name="net")
    outputs = graph.run(as_graph(codes, layout)).outputs
    logits = model(codes).detach().numpy()
    assert_array_equal(outputs.astype(np.float32) * np.float32(graph.meta.logit_scale), logits)
    assert len(np.unique(outputs)) > 8
    return graph


def as_graph(x: torch.Tensor, layout: str) -> np.ndarray:
    """Channels last, and the height of series."""
    array = x.numpy()
    array = np.moveaxis(array, layout.index("C"), -1)
    return array[:, None] if len(layout) == 3 else array


def quantized_in_c(graph: Graph, values: np.ndarray, folder: Path) -> np.ndarray:
    """The codes of net_quantize, compiled for this machine; a network of the same input does nothing else."""
    need("gcc")
    flat = build.graph(
        graph.input, Reshape(name="y", inputs=("input",), shape=(graph.input.size,)), name="net"
    )
    for name, text in render(replace(flat, meta=graph.meta), "cortex-m4").items():
        (folder / name).write_text(text)
    line = ["gcc", "-O1", "-Wall", "-Werror", "-shared", "-fPIC", "-DNET_QUANTIZE", "net.c", "-o", "net.so"]
    subprocess.run(line, cwd=folder, check=True)
    quantize = ctypes.CDLL(str(folder / "net.so")).net_quantize
    codes = np.zeros(
        values.shape, {"uint8": np.uint8, "int8": np.int8, "int16": np.int16}[str(graph.input.type)]
    )
    for row, out in zip(np.ascontiguousarray(values, np.float32), codes, strict=True):
        quantize(row.ctypes.data_as(ctypes.c_void_p), out.ctypes.data_as(ctypes.c_void_p))
    return codes


@pytest.mark.parametrize(
    ("layout", "kind", "scaled"),
    [
        ("NCHW", "uint8", False), ("NHWC", "int16", True), ("NCL", "int8", True), ("NTC", "int8", True),
        ("NTC", "uint8", False), ("NC", "int16", True), ("NC", "int8", False),
    ],
)  # fmt: skip
def test_torch_python_and_c_make_the_same_codes(kind, layout, scaled, tmp_path):
    x = measured(layout)
    spec = Spec.from_data(x, kind, layout, *(figures(x, layout) if scaled else ()))
    codes = spec.quantize(x)
    graph = exact(Net(layout), codes, spec, layout)
    assert (graph.meta.input_scale, graph.meta.input_zero) == (spec.scale, spec.whole_zero)
    assert graph.meta.input_zero == 0 or kind == "uint8" or scaled
    sensor = as_graph(x * 1.1, layout)  # some lie outside of what the codes hold
    mine = edgeternary.quantize(graph, sensor)
    assert_array_equal(mine, as_graph(spec.quantize(x * 1.1), layout))
    assert_array_equal(mine, quantized_in_c(graph, sensor, tmp_path))
    if scaled:
        shape = [3 if letter == "C" else 1 for letter in layout]
        mean, std = (torch.from_numpy(n).reshape(shape) for n in figures(x, layout))
        assert abs(spec.codes((x - mean) / std) - codes).max() <= 1  # float32 has rounded twice
        assert abs(spec.values(codes) - (x - mean) / std).max() < 0.51 * max(
            spec.scale / figures(x, layout)[1]
        )


def test_all_of_the_data_is_held_and_the_mean_is_code_0():
    x = measured("NTC")
    mean, std = figures(x, "NTC")
    signed = Spec.from_data(x, "int8", "NTC", mean, std)
    assert signed.axis == -1 and abs(signed.affine(x)[1] / signed.affine(x)[0]).max() <= 0.5
    for spec in (signed, Spec.from_data(x, "uint8", "NTC"), Spec.from_data(x, "uint8", "NTC", mean)):
        step = torch.tensor(spec.scale)
        codes = spec.quantize(x)
        assert abs((codes - torch.tensor(spec.zero)) * step - x).max() < 0.51 * step.max()
    one = Spec.from_data(x, "int16", "NTC", per_channel=False)
    assert isinstance(one.scale, float) and not one.per_channel
    flat = Spec.from_data(torch.full((4, 2), 1e9), "int8", "NC", mean=1e9)
    assert_array_equal(flat.quantize(torch.full((4, 2), 1e9)), np.zeros((4, 2)))


def test_zero_points_that_are_no_integers():
    """A graph has integers alone; what lies between is left to the codes, which the device then makes."""
    spec = Spec("uint8", 0.5, 20.25)
    x = torch.tensor([[0.0, 0.5, 1.124, -99.0, float("nan")]])
    assert spec.quantize(x).tolist() == [[20, 21, 22, 0, 0]] and spec.whole_zero is None
    torch.testing.assert_close(spec.values(torch.tensor([[20.0]])), torch.tensor([[-0.125]]))
    model = q.convert(Net("NC"), spec.quantize(measured("NC")), inputs=spec, quiet=True).eval()
    meta = lower(model, torch.zeros(1, 3)).meta
    assert (meta.input_scale, meta.input_zero) == (1.0, 0)


class Normalize(torch.nn.Module):
    """As torchvision.transforms.Normalize inside of a model."""

    def __init__(self, mean: Any, std: Any) -> None:
        super().__init__()
        self.register_buffer("mean", torch.as_tensor(mean).reshape(-1, 1, 1))
        self.register_buffer("std", torch.as_tensor(std).reshape(-1, 1, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x / 255 - self.mean) / self.std


MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def pixels() -> torch.Tensor:
    return torch.randint(0, 256, SHAPES["NCHW"], generator=torch.Generator().manual_seed(1)).float()


def test_normalize_in_the_data_and_in_the_model_give_the_same_graph():
    torch.manual_seed(2)
    net, inside = Net("NCHW"), Net("NCHW", Normalize(MEAN, STD))
    inside.load_state_dict({**inside.state_dict(), **net.state_dict()})
    outer = exact(net, pixels(), Spec.normalized(MEAN, STD), "NCHW")
    inner = exact(inside, pixels(), None, "NCHW")
    assert_array_equal(
        outer.run(as_graph(pixels(), "NCHW")).outputs, inner.run(as_graph(pixels(), "NCHW")).outputs
    )
    spec = Spec.normalized(MEAN, STD)
    assert_array_equal(spec.codes(Normalize(MEAN, STD)(pixels())), pixels())
    assert_array_equal(
        edgeternary.quantize(outer, as_graph(pixels() / 255, "NCHW")), as_graph(pixels(), "NCHW")
    )


class Over255(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x / 255.0


@pytest.mark.parametrize("layout", ["NCL", "NC"])
def test_a_batch_norm_on_the_input(layout):
    norm: Any = torch.nn.BatchNorm2d if layout == "NCHW" else torch.nn.BatchNorm1d
    x = measured(layout)
    before = norm(3)
    before.train()(x)
    spec = Spec.from_data(x, "int16", layout)
    exact(Net(layout, before).eval(), spec.quantize(x), spec, layout)


def test_a_division_by_255():
    graph = exact(Net("NCHW", Over255()), pixels(), None, "NCHW")
    assert graph.input.type.name == "uint8" and graph.meta.input_scale == 1.0


def test_normalised_data_is_refused_with_the_two_lines_that_make_codes():
    x = Normalize(MEAN, STD)(pixels())
    with pytest.raises(
        EdgeTernaryError, match=r"(?s)holds fractions.*spec = nn\.InputSpec.*model = nn\.convert"
    ):
        q.convert(Net("NCHW"), x, quiet=True)


def test_scales_of_another_axis_are_refused():
    x = measured("NTC")
    net = Net("NCL")
    net.first = torch.nn.Conv1d(7, 8, 3)
    spec = Spec.from_data(x, "int8", "NTC")
    with pytest.raises(EdgeTernaryError, match=r"(?s)scale of its own for each pixel.*layout='NTC'.*permute"):
        q.convert(net, spec.quantize(x), inputs=spec, quiet=True)
    flat = Net("NC", torch.nn.Flatten())
    flat.first = torch.nn.Linear(21, 8)
    exact(flat, spec.quantize(x), spec, "NTC")  # the graph reads steps x channels, as the data lies
    last = Spec.from_data(x, "int8", "NCL")  # each step has its own scale
    with pytest.raises(EdgeTernaryError, match=r"scale of its own for each pixel"):
        q.convert(Net("NTC"), last.quantize(x), inputs=last, quiet=True)


@pytest.mark.parametrize(
    ("layout", "message"),
    [
        ("NTC", "no layout of this input.*4 axes"),
        ("CNHW", "N for samples first"),
        ("NHWW", "one C"),
        ("NC", "axes"),
    ],
)
def test_layouts_that_do_not_fit(layout, message):
    with pytest.raises(EdgeTernaryError, match=f"(?s){message}"):
        Spec.from_data(pixels(), "uint8", layout)


def test_numbers_that_do_not_fit():
    with pytest.raises(EdgeTernaryError, match="std of 0"):
        Spec.normalized(0.5, 0.0)
    with pytest.raises(EdgeTernaryError, match=r"3 means.*2 channels"):
        Spec.from_data(torch.ones(4, 2), "int8", "NC", mean=(1, 2, 3))
    with pytest.raises(EdgeTernaryError, match=r"2 values of scale.*3 channels"):
        Spec("int8", (1.0, 2.0)).quantize(measured("NC"))
    with pytest.raises(EdgeTernaryError, match="empty"):
        Spec.from_data(torch.tensor([[float("inf")]]))
