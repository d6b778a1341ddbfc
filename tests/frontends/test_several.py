"""Arguments of forward(), and tensors that it returns, are the inputs and outputs of the graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import edgeternary
from edgeternary import nn as q
from edgeternary.errors import EdgeTernaryError
from edgeternary.frontends.torch import lower
from edgeternary.ir import Graph
from edgeternary.passes.cut import after
from edgeternary.run.compare import compare, joined

pytestmark = pytest.mark.torch


class Camera(nn.Module):
    """An image and a vector; a class, a size, and the codes that both heads read."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.eye = nn.Sequential(
            q.Conv2d(1, 4, 3, weights="ternary"), q.BatchNorm(4), q.Activation(2), q.MaxPool(2), q.Flatten()
        )
        self.touch = nn.Sequential(q.Linear(5, 6, weights="ternary"), q.BatchNorm(6), q.Activation(2))
        self.both = nn.Sequential(q.Linear(42, 12, weights="ternary"), q.BatchNorm(12), q.Activation(2))
        self.kind = q.Output(12, 3, weights="ternary")
        self.size = q.Output(12, 1, weights="ternary")

    def features(self, image: Tensor, vector: Tensor) -> Tensor:
        return self.both(torch.cat([self.eye(image), self.touch(vector)], dim=1))

    def forward(self, image: Tensor, vector: Tensor) -> Any:
        x = self.features(image, vector)
        return {"kind": self.kind(x), "size": self.size(x), "codes": x}


class Pair(Camera):
    def forward(self, image: Tensor, vector: Tensor) -> Any:
        x = self.features(image, vector)
        return self.size(x), [x, x]


class Alone(Camera):
    def forward(self, image: Tensor, vector: Tensor) -> Any:
        return self.kind(self.features(image, vector))


class Heads(nn.Module):
    """One input; the second head reads what the first one shows."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.first = nn.Sequential(q.Linear(7, 6, weights="ternary"), q.BatchNorm(6), q.Activation(2))
        self.second = q.Output(6, 2, weights="ternary")

    def forward(self, x: Tensor) -> Any:
        first = self.first(x)
        return first, self.second(first)


def example() -> tuple[Tensor, Tensor]:
    rng = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (4, 1, 8, 8), generator=rng), torch.randint(-9, 10, (4, 5), generator=rng)


TYPES: dict[str, Any] = {
    "input_type": {"vector": "int8"},
    "input_scale": {"image": 1 / 255, "vector": [0.5, 1.0, 2.0, 0.25, 0.125]},
    "input_zero": {"vector": -2},
}


def trained(model: nn.Module, *x: Tensor) -> nn.Module:
    """With statistics of a few batches."""
    for _ in range(3):
        model(*(one.float() for one in x))
    return model.eval()


def camera(make: Callable[[], nn.Module] = Camera, **options: Any) -> tuple[Graph, nn.Module]:
    model = trained(make(), *example())
    return lower(model, example(), name="camera", **{**TYPES, **options}), model


def test_names_types_and_meanings() -> None:
    graph, model = camera(labels={"kind": ("a", "b", "c")})
    assert [(v.name, v.shape, v.type.name) for v in graph.inputs] == [
        ("image", (8, 8, 1), "uint8"),
        ("vector", (5,), "int8"),
    ]
    assert graph.outputs == ("kind", "size", "codes")
    assert graph.meta.of_input("vector").zero == -2 and graph.meta.of_input("image").zero == 0
    assert (
        graph.meta.of_output("kind").labels == ("a", "b", "c") and graph.meta.of_output("size").labels == ()
    )
    assert graph.meta.of_output("codes").logit_scale == 1
    x = example()
    result = graph.run((x[0].numpy().transpose(0, 2, 3, 1), x[1].numpy()))
    answer = model(*(one.float() for one in x))
    for name, found in result.outputs.items():
        scale = np.float32(graph.meta.of_output(name).logit_scale)
        np.testing.assert_array_equal(found.astype(np.float32) * scale, answer[name].detach().numpy())


@pytest.mark.parametrize("make", [Camera, Pair, Alone])
def test_torch_agrees_and_a_file_keeps_all(make: Callable[[], nn.Module], tmp_path: Any) -> None:
    graph, model = camera(make)
    edgeternary.save(graph, tmp_path / "m.et")
    again = edgeternary.load(tmp_path / "m.et")
    assert again.meta == graph.meta
    x = example()
    codes = {"image": x[0].numpy().transpose(0, 2, 3, 1), "vector": x[1].numpy()}
    (torch_,) = compare(again, codes, ["torch"], options={"torch": {"torch_model": model}})
    assert torch_.samples == 4 and torch_.mismatches == 0
    assert (
        graph.outputs
        == {
            "Camera": ("kind", "size", "codes"),
            "Pair": ("output0", "output1.0", "output1.1"),
            "Alone": ("kind",),
        }[make.__name__]
    )


def test_one_input_and_two_outputs() -> None:
    x = torch.randint(0, 256, (4, 7))
    model = trained(Heads(), x)
    graph = lower(model, x)
    assert [v.name for v in graph.inputs] == ["input"] and graph.outputs == ("output0", "output1")
    assert graph.meta.input_scale == 1 and not graph.meta.inputs
    (torch_,) = compare(graph, x.numpy(), ["torch"], options={"torch": {"torch_model": model}})
    assert torch_.mismatches == 0


def test_a_head_that_is_planted_wrong_is_found() -> None:
    """Mismatches count all outputs together: one wrong sample of the last output is one."""
    graph, model = camera(Pair)
    x = example()
    codes = {"image": x[0].numpy().transpose(0, 2, 3, 1), "vector": x[1].numpy()}
    outputs = joined(graph, graph.run(codes).outputs)
    assert outputs.shape == (4, 1 + 12 + 12)

    class Swapped(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, image: Tensor, vector: Tensor) -> Any:
            size, (codes, _) = self.model(image, vector)
            return size, [codes.flip(1), codes]

    (torch_,) = compare(graph, codes, ["torch"], options={"torch": {"torch_model": Swapped()}})
    assert torch_.mismatches and torch_.difference and torch_.difference.layer == "output1.0"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"example": example()[0], "input_type": "uint8", "input_scale": 1.0, "input_zero": 0}, "missing"),
        ({"example": (*example(), example()[1])}, "forward.. takes 2 arguments"),
        ({"example": (example()[0], example()[1][:2])}, "different numbers of samples"),
        ({"input_type": {"vektor": "int8"}}, "'vektor'"),
        ({"labels": ("a", "b", "c")}, "mapping from the name of an output"),
        ({"labels": {"none": ("a",)}}, "none"),
    ],
)  # fmt: skip
def test_refusals(change: dict[str, Any], message: str) -> None:
    options = {"example": example(), **TYPES, **change}
    with pytest.raises(EdgeTernaryError, match=message):
        lower(trained(Camera(), *example()), **options)


def test_an_output_that_is_no_integer_is_named() -> None:
    class Float(Camera):
        def forward(self, image: Tensor, vector: Tensor) -> Any:
            x = self.features(image, vector)
            return {"kind": self.kind(x), "float": torch.relu(x - 0.5)}

    with pytest.raises(EdgeTernaryError, match="output 'float'"):
        camera(Float)


def test_what_handles_one_input_or_output_says_so() -> None:
    graph, _ = camera()
    with pytest.raises(EdgeTernaryError, match="has 2 inputs"):
        _ = graph.input
    with pytest.raises(EdgeTernaryError, match="has 3 outputs"):
        _ = graph.output
    with pytest.raises(EdgeTernaryError, match="it is an output"):
        after(graph, "codes")


def test_inputs_that_a_user_gives() -> None:
    graph, _ = camera()
    image, vector = np.zeros((2, 8, 8, 1), int), np.zeros((2, 5), int)
    by_name, in_order = graph.run({"vector": vector, "image": image}), graph.run((image, vector))
    for name, found in by_name.outputs.items():
        np.testing.assert_array_equal(found, in_order.outputs[name])
    for wrong in (image, (image,), {"image": image}, {"image": image, "vector": vector, "more": vector}):
        with pytest.raises(EdgeTernaryError, match="takes the inputs image, vector"):
            graph.run(wrong)
    with pytest.raises(EdgeTernaryError, match="different numbers of samples"):
        graph.run((image, vector[:1]))
    with pytest.raises(EdgeTernaryError, match="'vector'"):
        graph.run((image, vector + 1000))
    np.testing.assert_array_equal(edgeternary.quantize(graph, [[1.0] * 5], "vector"), [[0, -1, -2, 2, 6]])
    with pytest.raises(EdgeTernaryError, match="no input ''"):
        edgeternary.quantize(graph, [[1.0] * 5])


class Window(nn.Module):
    """Two heads over a window of frames."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(2)
        self.eye = nn.Sequential(
            q.Conv1d(4, 6, 3, weights="ternary"), q.BatchNorm(6), q.Activation(2), q.Flatten()
        )
        self.a, self.b = q.Output(36, 3, weights="ternary"), q.Output(36, 2, weights="ternary")

    def forward(self, x: Tensor) -> Any:
        seen = self.eye(x)
        return {"a": self.a(seen), "b": self.b(seen)}


class Spikes(nn.Module):
    """Two readouts of one layer of neurons."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.hidden = nn.Sequential(q.Linear(5, 6, weights="ternary"), q.LIF(6))
        self.a = nn.Sequential(q.Linear(6, 3, weights="ternary"), q.Readout(3))
        self.b = nn.Sequential(q.Linear(6, 2, weights="ternary"), q.Readout(2))

    def forward(self, x: Tensor) -> Any:
        seen = self.hidden(x)
        return self.a(seen), self.b(seen)


def test_heads_frame_by_frame_and_of_spikes() -> None:
    x = torch.randint(0, 256, (3, 4, 8))
    graph = lower(q.Streaming(trained(Window(), x), 8), x)
    assert graph.outputs == ("a", "b") and len(graph.states) == 2
    spiking = q.Spiking(Spikes(), 4, "rate")
    step = lower(trained(spiking, torch.randint(0, 256, (3, 5))), torch.zeros(1, 5))
    assert step.outputs == ("output0", "output1") and len(step.states) == 3
    codes = np.random.default_rng(0).integers(0, 2, (3, 4, 5))
    (torch_,) = compare(step, codes, ["torch"], options={"torch": {"torch_model": spiking}})
    assert torch_.mismatches == 0
