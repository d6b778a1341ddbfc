"""Train and eval mode agree, accumulators are integers, gradients arrive, checkpoints keep every bit."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from edgeternary import nn as q  # noqa: E402
from edgeternary.errors import EdgeTernaryError  # noqa: E402
from edgeternary.nn import ops  # noqa: E402
from tests.frontends.nets import adversarial, image_net  # noqa: E402

pytestmark = pytest.mark.torch


@pytest.mark.parametrize("onednn", [True, False])
@pytest.mark.parametrize("batch", [1, 64])
def test_convolutions_accumulate_integers(onednn, batch):
    """3x3, stride 1, 16 channels: a shape for which Winograd would be chosen, and is off by up to 0.067."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randint(0, 256, (batch, 16, 20, 20), generator=generator).float()
    codes = torch.randint(-1, 2, (16, 16, 3, 3), generator=generator).float()
    with torch.backends.mkldnn.flags(enabled=onednn):
        y = ops.conv2d(x, codes, (1, 1), (1, 1, 1, 1), 0, 1)
    windows = nn.functional.unfold(x.double(), 3, padding=1).long()
    wanted = (codes.long().reshape(16, -1) @ windows).reshape(y.shape)
    np.testing.assert_array_equal(y, wanted)


@pytest.mark.parametrize(
    "layer",
    [
        q.Linear(12, 5), q.Conv2d(4, 6, 3, stride=2, pad=(1, 0, 2, 1), pad_value=3, groups=2, weights=4),
        q.Conv1d(4, 6, 3, pad=(2, 0), pad_value=-1, weights="binary"), q.SumPool(2), q.SumPool(),
        q.MaxPool(3, 2, 1), q.Output(12, 5), nn.Sequential(q.BatchNorm(12), q.Activation("bipolar")),
    ],
    ids=lambda layer: type(layer).__name__,
)  # fmt: skip
def test_eval_equals_train_on_integers(layer):
    kind = type(layer).__name__
    shape = {
        "Conv1d": (3, 4, 9),
        "Conv2d": (3, 4, 7, 8),
        "SumPool": (3, 4, 7, 8),
        "MaxPool": (3, 4, 7, 8),
    }.get(kind, (3, 12))
    x = torch.randint(-8, 8, shape).float()
    if kind == "Sequential":
        layer[0].momentum = 1.0
        layer(x)
        layer[0].running_var.mul_(2 / 3)  # the unbiased variance of three samples, as a biased one
    train = layer.train()(x)
    np.testing.assert_array_equal(train.detach(), layer.eval()(x).detach())


def test_one_dimensional_sums():
    x = torch.arange(12.0).reshape(1, 2, 6)
    np.testing.assert_array_equal(q.SumPool(3)(x), [[[3, 12], [21, 30]]])
    np.testing.assert_array_equal(q.SumPool()(x), [[[15], [51]]])


def test_batch_norm_of_one_equals_that_of_many():
    """Eval-mode batch-norm is a function: batch size and memory layout change no bit."""
    norm = q.BatchNorm(7)
    x = torch.randn(33, 7, 5, 5) * 100
    norm(x)
    norm.eval()
    whole = norm(x)
    assert whole.dtype == torch.float64
    np.testing.assert_array_equal(whole[4:5].detach(), norm(x[4:5]).detach())
    np.testing.assert_array_equal(whole.detach(), norm(x.to(memory_format=torch.channels_last)).detach())


def test_requantize_is_close_to_batch_norm():
    layer = q.Requantize(6, 8, scale=0.02)
    x = torch.randint(-2000, 2000, (500, 6)).float()
    layer(x)
    layer.eval()
    exact = q.BatchNorm.forward(layer, x)
    wanted = torch.clamp(torch.floor(exact / layer.step_size().double() + 0.5), 0, 255)
    difference = (layer(x) - wanted).abs()
    assert difference.max() <= 1 and (difference > 0).float().mean() < 0.02


@pytest.mark.parametrize("kind", [2, 8, "bipolar"])
def test_gradients_reach_every_parameter(kind):
    x = torch.randint(0, 16, (64, 2, 11, 9)).float()
    model = image_net("ternary", kind)
    model(x).square().sum().backward()
    dead = [n for n, p in model.named_parameters() if p.grad is None or not torch.isfinite(p.grad).all()]
    assert not dead
    assert all(p.grad.abs().max() > 0 for n, p in model.named_parameters() if n.endswith("weight"))


@pytest.mark.parametrize("kind", [2, "bipolar"])
def test_gradients_pass_through_eval_mode_too(kind):
    x = torch.randint(0, 16, (64, 2, 11, 9)).float()
    model = adversarial(image_net("ternary", kind), x)
    x.requires_grad_()
    model(x).square().sum().backward()
    assert torch.isfinite(x.grad).all() and x.grad.abs().max() > 0


@pytest.mark.parametrize(("weights", "kind"), [("ternary", "bipolar"), ("binary", 8), (4, 2)])
def test_checkpoints_keep_every_bit(tmp_path, weights, kind):
    x = torch.randint(0, 16, (32, 2, 11, 9), generator=torch.Generator().manual_seed(5)).float()
    model = adversarial(image_net(weights, kind), x)
    model[-1].bias.data.uniform_(-3, 3)
    before = model(x).detach()
    q.save_codes(model, tmp_path / "net.safetensors")
    again = q.load_codes(image_net(weights, kind), tmp_path / "net.safetensors")
    np.testing.assert_array_equal(again(x).detach(), before)
    assert [path.name for path in tmp_path.iterdir()] == ["net.safetensors"]


def test_foreign_checkpoints_are_refused(tmp_path):
    q.save_codes(q.Linear(3, 4), tmp_path / "linear.safetensors")
    with pytest.raises(EdgeTernaryError, match="does not hold this model"):
        q.load_codes(q.Linear(4, 4), tmp_path / "linear.safetensors")
    (tmp_path / "text").write_text("no checkpoint")
    with pytest.raises(EdgeTernaryError, match="does not hold this model"):
        q.load_codes(q.Linear(4, 4), tmp_path / "text")


def test_a_residual_owns_one_scale():
    body = nn.Sequential(q.Linear(4, 4), q.BatchNorm(4), q.Activation(2, scale=0.5))
    shortcut = nn.Sequential(q.Linear(4, 4), q.BatchNorm(4), q.Activation(2, scale=1.5))
    residual = q.Residual(body, shortcut)
    assert body[-1].scale is residual.scale is shortcut[-1].scale
    assert residual.scale.item() == 1.0
    assert len([n for n, _ in residual.named_parameters() if n.endswith("scale")]) == 1
