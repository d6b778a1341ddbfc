"""Blocks, shared scales of residual branches, and the float reference."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from edgeternary import nn as q  # noqa: E402
from edgeternary.nn.linear import Quantized  # noqa: E402
from edgeternary.nn.norm import BatchNorm  # noqa: E402
from tests.frontends.nets import block_net, image_net, series_net  # noqa: E402

pytestmark = pytest.mark.torch


def resnet8(kind=2) -> nn.Module:
    """The shape of MLPerf Tiny's ResNet-8."""
    return nn.Sequential(
        q.Conv2d(3, 16, 3, pad=1), q.BatchNorm(16), q.Activation(kind),
        q.BasicBlock(16, 16, activations=kind), q.BasicBlock(16, 32, 2, activations=kind),
        q.BasicBlock(32, 64, 2, activations=kind), q.AvgPool(None, q.Activation(4)), q.Flatten(),
        q.Output(64, 10),
    )  # fmt: skip


def test_resnet8_has_its_shape():
    costs = {cost.name: cost for cost in q.layer_costs(resnet8(), torch.zeros(1, 3, 32, 32))}
    assert costs["5.sum.body.conv2"].output == (64, 8, 8) == costs["5.sum.shortcut.conv"].output
    assert sum(cost.macs for cost in costs.values()) == pytest.approx(12.5e6, rel=0.02)
    assert [c.name for c in costs.values() if c.activation_bits != 2] == ["0", "8"]


@pytest.mark.parametrize("kind", ["bipolar", 2, 8])
def test_branches_share_one_learnt_scale_which_gets_gradients(kind):
    block = q.BasicBlock(4, 8, 2, activations=kind)
    block(torch.randint(0, 2, (16, 4, 6, 6)).float()).square().sum().backward()
    if kind != "bipolar":
        assert block.sum.body[-1].scale is block.sum.scale is block.sum.shortcut[-1].scale
        assert block.sum.scale.grad.abs() > 0
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in block.parameters())


def test_depthwise_separable_names_and_padding():
    block = q.DepthwiseSeparable(6, 10, 5, 2, pad_value=-1, activations="bipolar", depthwise_weights="binary")
    assert list(dict(block.named_children())) == [
        "depthwise", "norm1", "act1", "pointwise", "norm2", "act2",
    ]  # fmt: skip
    assert block.depthwise.weight.shape == (6, 1, 5, 5) and block.depthwise.pad == (2, 2, 2, 2)
    assert block.depthwise.quantizer.name == "bipolar" and block.pointwise.quantizer.name == "ternary"
    assert block(torch.ones(2, 6, 9, 9)).shape == (2, 10, 5, 5)


NETS = {
    "images": (lambda: image_net("ternary", 2), (4, 2, 11, 9)),
    "wide": (lambda: image_net(4, 8), (4, 2, 11, 9)),
    "series": (series_net, (4, 3, 20)),
    "blocks": (lambda: block_net("binary", "bipolar"), (4, 2, 11, 9)),
    "resnet8": (resnet8, (4, 3, 16, 16)),
    "layer": (lambda: q.Output(6, 3), (4, 6)),
}


@pytest.mark.parametrize("name", NETS)
def test_the_float_reference_has_the_same_architecture(name):
    make, shape = NETS[name]
    model, x = make(), torch.randint(0, 16, shape).float()
    before = {path: tensor.clone() for path, tensor in model.state_dict().items()}
    reference = q.float_reference(model)
    assert not [m for m in reference.modules() if isinstance(m, (Quantized, BatchNorm, q.Activation))]
    assert all(torch.equal(tensor, before[path]) for path, tensor in model.state_dict().items())
    weights = [sum(p.numel() for p in m.parameters() if p.dim() > 1) for m in (model, reference)]
    assert weights[0] == weights[1]
    y = reference(x)
    assert y.shape == model(x).shape and y.dtype == torch.float32
    y.square().sum().backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in reference.parameters())
    with torch.no_grad():
        assert reference.eval()(x).std() > 0


def test_the_reference_of_a_module_used_twice_is_used_twice():
    act = q.Activation(2)
    reference = q.float_reference(
        nn.Sequential(q.Linear(4, 4), q.BatchNorm(4), act, q.Linear(4, 4), q.BatchNorm(4), act)
    )
    assert reference[2] is reference[5] and isinstance(reference[2], nn.ReLU)


def test_residual_branches_of_signed_codes_end_without_relu():
    reference = q.float_reference(q.BasicBlock(4, 4))
    assert isinstance(reference.sum.body.act2, nn.Identity) and isinstance(reference.sum.body.act1, nn.ReLU)
    assert not [name for name, _ in reference.named_parameters() if name.endswith("scale")]
