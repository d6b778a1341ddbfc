"""The picture example: MLPerf Tiny's float model in torch, and a network that starts from its weights."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from tests.frontends.test_mlperf_tiny import file

pytestmark = pytest.mark.torch
FOLDER = Path(__file__).resolve().parents[2] / "examples" / "cifar10"


@pytest.fixture
def official(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """examples/cifar10/official.py, by a name that no other example has."""
    pytest.importorskip("torch")
    pytest.importorskip("tflite")
    monkeypatch.setenv("EDGETERNARY_MLPERF_TINY", str(file("ic", "float").parent))
    spec = importlib.util.spec_from_file_location("official_pictures", FOLDER / "official.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "official_pictures", module)
    spec.loader.exec_module(module)
    return module


def test_the_float_model_gives_the_shares_of_the_file(official: ModuleType) -> None:
    interpreter = pytest.importorskip("ai_edge_litert.interpreter")
    import torch

    x = np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3)).astype(np.float32)
    model = interpreter.Interpreter(str(file("ic", "float")))
    model.allocate_tensors()
    (read,), (given,) = model.get_input_details(), model.get_output_details()
    wanted = []
    for picture in x:
        model.set_tensor(read["index"], picture[None])
        model.invoke()
        wanted.append(model.get_tensor(given["index"])[0])
    found = official.Official()(torch.from_numpy(x).permute(0, 3, 1, 2)).softmax(1).detach().numpy()
    # floats, whose sums have another order
    np.testing.assert_allclose(found, np.array(wanted), atol=1e-4)


def test_the_network_starts_from_its_weights_and_is_exact(official: ModuleType) -> None:
    import torch

    import edgeternary

    model = official.pictures()
    (first, _), *_, (last, _) = official.weights()
    assert torch.equal(model.stem[0].weight.detach().sign(), first.sign())
    assert torch.equal(model.fc.weight.detach().argmax(1), last.argmax(1))
    x = torch.from_numpy(np.random.default_rng(1).integers(0, 256, (2, 3, 32, 32))).float()
    model.train()(x)
    graph = edgeternary.lower(model.eval(), x[:1], name="pictures")
    codes = x.permute(0, 2, 3, 1).numpy().astype(np.uint8)
    found = edgeternary.run.run(graph, codes).outputs
    with torch.no_grad():
        np.testing.assert_array_equal(found * np.float32(graph.meta.logit_scale), model(x).numpy())


def test_a_wider_network_begins_with_copies_and_holds_zeros(official: ModuleType) -> None:
    """Readers of a channel share their weight among its copies."""
    import torch

    from edgeternary.errors import EdgeTernaryError
    from edgeternary.nn.linear import Quantized

    model = official.pictures(channels=(17, 45, 130), zeros={"block3.*": 0.8, "stem.*": 0.5})
    layers = {name: layer for name, layer in model.named_modules() if isinstance(layer, Quantized)}
    assert layers["block3.body.3"].weight.shape == (130, 130, 3, 3)
    for name, layer in layers.items():
        least = 0.8 if name.startswith("block3") else 0.5 if name == "stem.0" else 0.0
        assert layer.zero_share == least and float((layer.integer_codes() == 0).double().mean()) >= least
    official.NOISE = 0.0
    exact = official.pictures(channels=(17, 45, 130))
    real = official.weights()[-1][0]
    wide = exact.fc.weight.detach()
    added = torch.stack([wide[:, i::64].sum(1) for i in range(64)], 1)  # what the copies of channel i give
    torch.testing.assert_close(added / added.abs().amax(1, True), real / real.abs().amax(1, True))
    with pytest.raises(EdgeTernaryError, match="at least"):
        official.pictures(channels=(16, 31, 64))
    with pytest.raises(EdgeTernaryError, match="blok3"):
        official.pictures(zeros={"blok3.*": 0.8})
