"""Every model of the zoo: files, card, recipe; torch and the integer graph give the same."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from edgeternary import zoo
from edgeternary.errors import EdgeTernaryError
from edgeternary.ops.sizes import sizes
from edgeternary.run import run
from tests.full import FULL

MOST_BYTES = 500_000
CARD = (
    "name", "summary", "data", "test_accuracy", "test_samples", "validation_accuracy", "train_eval_agreement",
    "mismatches_torch", "seed", "recipe", "macs", "weights", "torch",
)  # fmt: skip
DEMO = {"fashion-mlp", "fashion-cnn"}
FEW = 200 if FULL else 60  # samples that torch computes again in each model
EVERY = 1 if FULL else 4  # of n samples numpy computes one: test_compiled and test_full have others

every = pytest.mark.parametrize("name", zoo.names())


def test_names() -> None:
    assert set(zoo.names()) >= DEMO
    with pytest.raises(EdgeTernaryError, match=r"the zoo has no model '\.\./secret'.*fashion-mlp"):
        zoo.load("../secret")


def test_nothing_but_the_torch_model_needs_torch() -> None:
    code = "import sys; from edgeternary import zoo; zoo.load('fashion-mlp'); zoo.images('fashion-mlp')"
    subprocess.run(
        [sys.executable, "-c", f"{code}; zoo.logits('fashion-mlp'); assert 'torch' not in sys.modules"],
        check=True,
    )


def test_no_file_is_left_over() -> None:
    suffixes = ("et", "json", "safetensors", "logits.npz")
    expected = {f"{name}.{suffix}" for name in zoo.names() for suffix in suffixes}
    assert expected == {path.name for path in zoo.NETS.iterdir()}
    samples = {zoo.samples_path(zoo.data_set(name)).name for name in zoo.names()}
    assert samples == {path.name for path in zoo.samples_path("x").parent.glob("*.npz")}


@every
def test_files(name: str) -> None:
    assert zoo.file(name, "et").stat().st_size < MOST_BYTES
    assert zoo.file(name, "logits.npz").stat().st_size < 50_000
    graph = zoo.load(name)
    assert graph.name == name, "executors find the torch model by the graph's name"
    assert len(graph.meta.labels) == graph.output_value.size
    assert zoo.recipe_path(name).is_file()


@every
def test_card(name: str) -> None:
    card: dict[str, Any] = zoo.card(name)
    missing = [key for key in CARD if card.get(key) in (None, "")]
    assert not missing
    found = sizes(zoo.load(name))
    assert card["name"] == name
    for key in ("macs", "weights", "packed_bytes", "weights_bits", "activations_bits"):
        assert card.get(key, found[key]) == found[key], key
    assert card["mismatches_torch"] == 0
    wanted = 0.999 if card["activations_bits"] <= 4 else 0.998  # wider ones have rounded multipliers
    assert card["train_eval_agreement"] >= min(wanted, 1 - 1 / card["test_samples"])
    assert 0.5 < card["test_accuracy"] <= 1


@every
def test_numpy_gives_the_recorded_torch_logits(name: str) -> None:
    graph, inputs, (codes, scale) = zoo.load(name), zoo.images(name)[0], zoo.logits(name)
    assert inputs.shape == (len(codes), *graph.input.shape)
    assert len(inputs) == min(zoo.SAMPLES, zoo.card(name)["test_samples"])
    outputs = run(graph, inputs[::EVERY], on="numpy").outputs
    np.testing.assert_array_equal(outputs, codes[::EVERY])
    assert np.float32(scale) == np.float32(graph.meta.logit_scale)


@every
def test_the_accuracy_on_the_samples_is_what_the_card_leads_to_expect(name: str) -> None:
    """Within four standard errors of a share of n samples; exactly where they are the whole test set."""
    card, labels = zoo.card(name), zoo.images(name)[1]
    found = float(np.mean(zoo.logits(name)[0].argmax(1) == labels))
    claimed, n = card["test_accuracy"], len(labels)
    if n == card["test_samples"]:
        assert round(found, 4) == claimed
    else:
        assert abs(found - claimed) <= 4 * (claimed * (1 - claimed) / n) ** 0.5 + 1 / n


@pytest.mark.torch
@every
def test_torch_gives_the_same_in_every_layer(name: str) -> None:
    pytest.importorskip("torch")
    graph, inputs = zoo.load(name), zoo.images(name)[0][:FEW]
    numpy, torch = (run(graph, inputs, on=executor, taps=True) for executor in ("numpy", "torch"))
    assert graph.output in torch.taps and len(torch.taps) > 1
    for layer, value in torch.taps.items():
        np.testing.assert_array_equal(value, numpy.taps[layer], err_msg=layer)


@pytest.mark.torch
@pytest.mark.parametrize("name", zoo.names()[:: 1 if FULL else 2])
def test_recipe_and_weights_lower_to_the_shipped_graph(name: str) -> None:
    """The recipe builds the architecture, the weights load, and lowering gives the file's layers again.

    Files are older than the pass that folds dead channels, of which two of them have some.
    """
    torch = pytest.importorskip("torch")
    from dataclasses import replace

    from edgeternary.frontends.torch import lower
    from edgeternary.ir.file import to_bytes
    from edgeternary.passes.dead_channels import fold_dead_channels
    from edgeternary.train.find import find_recipe

    shipped, recipe = zoo.load(name), find_recipe(f"zoo:{name}")
    assert recipe.name == name
    shape = tuple(int(n) for n in shipped.meta.info["torch_shape"].split())
    x = shipped.input
    graph = lower(
        zoo.torch_model(name),
        torch.zeros(1, *shape),
        name=name,
        input_type=x.type.name,
        input_range=(x.lo, x.hi),
        check=False,  # test_torch_gives_the_same_in_every_layer
    )
    folded = fold_dead_channels(shipped)
    assert to_bytes(replace(graph, meta=folded.meta)) == to_bytes(folded)


def test_what_the_demo_relies_on() -> None:
    mlp, cnn = zoo.load("fashion-mlp"), zoo.load("fashion-cnn")
    assert cnn.macs() <= 1_200_000 and mlp.macs() <= 268_800
    assert {op.type for op in mlp.ops if op.kind == "threshold"} == {"bipolar"}
    assert {op.type for op in cnn.ops if op.kind == "threshold"} == {"uint2"}
    assert all(
        op.weight_type == "ternary" for graph in (mlp, cnn) for op in graph.ops if hasattr(op, "weight_type")
    )
    assert any(op.kind == "max_pool" for op in cnn.ops)
    assert len(zoo.images("fashion-mlp")[0]) == len(zoo.images("fashion-cnn")[0]) == 1000
    assert (
        zoo.card("fashion-mlp")["test_accuracy"] >= 0.885 and zoo.card("fashion-cnn")["test_accuracy"] >= 0.9
    )
