"""The models that ship: what the card says, recorded torch logits, and torch itself."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from edgeternary import zoo
from edgeternary.errors import EdgeTernaryError
from edgeternary.run import run
from tests.need import REQUIRED

LEAST = {"fashion-mlp": 0.885, "fashion-cnn": 0.900}
MODELS = sorted(LEAST)


def test_names():
    assert set(MODELS) <= set(zoo.names())
    with pytest.raises(EdgeTernaryError, match=r"the zoo has no model '\.\./secret'.*fashion-mlp"):
        zoo.load("../secret")


def test_nothing_but_the_torch_model_needs_torch():
    code = "import sys; from edgeternary import zoo; zoo.load('fashion-mlp'); zoo.samples()"
    subprocess.run([sys.executable, "-c", f"{code}; assert 'torch' not in sys.modules"], check=True)


@pytest.mark.parametrize("name", MODELS)
def test_numpy_gives_the_recorded_torch_logits(name):
    graph, samples = zoo.load(name), zoo.samples()
    inputs, labels = zoo.images(name)
    assert inputs.shape == (1000, *graph.input.shape) and inputs.dtype == np.uint8
    outputs = run(graph, inputs, on="numpy").outputs
    np.testing.assert_array_equal(outputs, samples.logits[name])
    assert np.float32(samples.logit_scale[name]) == np.float32(graph.meta.logit_scale)
    assert np.mean(outputs.argmax(1) == labels) >= LEAST[name] - 0.02


def test_what_the_demo_relies_on():
    mlp, cnn = zoo.load("fashion-mlp"), zoo.load("fashion-cnn")
    assert cnn.macs() <= 1_200_000 and mlp.macs() <= 268_800
    assert {op.type for op in mlp.ops if op.kind == "threshold"} == {"bipolar"}
    assert {op.type for op in cnn.ops if op.kind == "threshold"} == {"uint2"}
    assert all(
        op.weight_type == "ternary" for graph in (mlp, cnn) for op in graph.ops if hasattr(op, "weight_type")
    )
    assert any(op.kind == "max_pool" for op in cnn.ops)
    assert mlp.meta.labels == cnn.meta.labels and len(mlp.meta.labels) == 10
    sizes = {path.name: path.stat().st_size for path in (*zoo.FOLDER.glob("*.*"), zoo.SAMPLES)}
    assert sizes.pop(zoo.SAMPLES.name) < 700_000
    assert max(sizes.values()) < 2_000_000


@pytest.mark.parametrize("name", MODELS)
def test_cards(name):
    card = zoo.card(name)
    assert card["test_samples"] == 10_000 and card["test_accuracy"] >= LEAST[name]
    assert card["macs"] == zoo.load(name).macs()
    assert {"seed", "recipe", "data", "validation_accuracy"} <= set(card)


@pytest.mark.torch
@pytest.mark.parametrize("name", MODELS)
def test_torch_gives_the_same_in_every_layer(name):
    pytest.importorskip("torch")
    graph = zoo.load(name)
    inputs = zoo.images(name)[0][:200]
    numpy, torch = (run(graph, inputs, on=executor, taps=True) for executor in ("numpy", "torch"))
    assert {op.name for op in graph.ops} - set(torch.taps) <= {"pool1.codes"}
    for layer, value in torch.taps.items():
        np.testing.assert_array_equal(value, numpy.taps[layer], err_msg=layer)


@pytest.mark.torch
@pytest.mark.parametrize("name", MODELS)
def test_the_torch_model_lowers_to_the_shipped_graph(name):
    torch = pytest.importorskip("torch")
    from dataclasses import replace

    from edgeternary.frontends.torch import lower
    from edgeternary.ir.file import to_bytes

    shipped = zoo.load(name)
    shape = tuple(int(n) for n in shipped.meta.info["torch_shape"].split())
    graph = lower(zoo.torch_model(name), torch.zeros(1, *shape), name=name)
    assert to_bytes(replace(graph, meta=shipped.meta)) == to_bytes(shipped)


@pytest.mark.torch
@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_ten_thousand_images(name):
    """torch, computed by torch, equals numpy on the whole test set; the accuracy is that of the card."""
    pytest.importorskip("torch")
    from edgeternary.train.data import fashion_mnist

    try:
        images, labels = fashion_mnist().test
    except EdgeTernaryError as error:
        if REQUIRED:
            raise
        pytest.skip(str(error))
    graph = zoo.load(name)
    inputs = images.reshape(len(images), *graph.input.shape)
    outputs = run(graph, inputs, on="numpy").outputs
    np.testing.assert_array_equal(run(graph, inputs, on="torch").outputs, outputs)
    accuracy = float(np.mean(outputs.argmax(1) == labels))
    assert accuracy >= LEAST[name]
    assert accuracy == pytest.approx(zoo.card(name)["test_accuracy"], abs=1e-9)
