"""Weight quantisers: codes by hand, the same in train and eval mode, gradients against finite differences."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from edgeternary import nn as q  # noqa: E402
from edgeternary.errors import EdgeTernaryError  # noqa: E402
from edgeternary.nn.latent import like  # noqa: E402
from edgeternary.nn.quantizers import WEIGHTS, weight_quantizer  # noqa: E402
from edgeternary.nn.weight_rules import float32_below, keep_mask  # noqa: E402

pytestmark = pytest.mark.torch

LEARNED = [kind for kind in WEIGHTS if kind.startswith(("lsq", "ternary_learned"))]


def randn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_ternary_by_hand():
    w = torch.tensor([[1.0, -0.2, 0.1, -0.9], [0.3, 0.3, 0.3, -0.3]])
    # row 0: mean|w| = 0.55, limit 0.385; row 1: mean|w| = 0.3, limit 0.21
    np.testing.assert_array_equal(weight_quantizer("ternary").codes(w), [[1, 0, 0, -1], [1, 1, 1, -1]])
    # absmean of the tensor = 0.425: codes are round(w / 0.425)
    np.testing.assert_array_equal(
        weight_quantizer("ternary_absmean").codes(w), [[1, 0, 0, -1], [1, 1, 1, -1]]
    )


def test_binary_zero_is_plus_one():
    np.testing.assert_array_equal(
        weight_quantizer("binary").codes(torch.tensor([[0.0, -0.0, -1e-9, 2.0]])), [[1, 1, -1, 1]]
    )


def test_symmetric_uses_one_peak_a_channel():
    w = torch.tensor([[0.5, -1.0, 0.1], [0.02, 0.01, 0.0]])
    np.testing.assert_array_equal(weight_quantizer(4).codes(w), [[4, -7, 1], [7, 4, 0]])


def test_powers_of_two_by_hand():
    """A channel's maximum is 4 (64); borders lie at 0.5, 1.5 and 3, a tie goes to the smaller code."""
    w = torch.tensor([[4.0, 3.01, 3.0, -2.9, 1.51, 1.5, -0.51, 0.5]])
    np.testing.assert_array_equal(weight_quantizer("pow2_3").codes(w), [[4, 4, 2, -2, 2, 1, -1, 0]])
    w = torch.tensor([[-64.0, 49, 48, 31, 1.6, -0.4]])
    np.testing.assert_array_equal(weight_quantizer("pow2_4").codes(w), [[-64, 64, 32, 32, 2, 0]])


def test_learned_steps_by_hand():
    w = torch.tensor([[0.1, -0.3, 0.7, -0.9], [0.01, 0.02, 0.03, -0.06]])  # means 0.5 and 0.03
    lsq = weight_quantizer("lsq3_channel", 2)
    with torch.no_grad():
        lsq.ratio.copy_(torch.tensor([0.5, -1.0]))  # steps 0.25 and 0.03
    np.testing.assert_array_equal(lsq.codes(w).detach(), [[0, -1, 3, -3], [0, 1, 1, -2]])
    layer = weight_quantizer("ternary_learned")  # mean 0.265: a threshold of 0.7 * 0.265
    np.testing.assert_array_equal(layer.codes(w).detach(), [[0, -1, 1, -1], [0, 0, 0, 0]])


@pytest.mark.parametrize("kind", WEIGHTS)
def test_codes_are_in_range_and_survive_freezing(kind):
    """A saved model holds codes: they must quantise to themselves, for zero channels as well."""
    quantizer = weight_quantizer(kind, 16)
    w = randn(16, 3, 3, 3)
    w[3] = 0
    with torch.no_grad():
        codes = quantizer.codes(w)
        assert codes.dtype == torch.float32
        assert codes.abs().max() <= quantizer.top
        assert kind in LEARNED or codes.abs().max() == quantizer.top
        np.testing.assert_array_equal(codes, codes.round())
        frozen = codes / quantizer.top
        quantizer.settle(frozen)
        np.testing.assert_array_equal(quantizer.codes(frozen), codes)
        if kind not in LEARNED:
            np.testing.assert_array_equal(quantizer.codes(codes), codes)


@pytest.mark.parametrize("kind", WEIGHTS)
@pytest.mark.parametrize("share", [0.0, 0.8])
def test_train_and_eval_mode_give_the_same_codes(kind, share):
    """In either memory format, which the codes keep."""
    cases = [(q.Conv2d(6, 16, 3, weights=kind), torch.contiguous_format)]
    cases += [(q.Conv2d(n, 16, 3, weights=kind), torch.channels_last) for n in (6, 1)]
    for layer, memory_format in cases:
        layer.to(memory_format=memory_format)
        layer.zero_share = share if kind != "binary" else 0.0
        train, exact = layer.train().codes().detach(), layer.eval().codes().detach()
        np.testing.assert_array_equal(train, exact)
        np.testing.assert_array_equal(train, layer.integer_codes())
        assert train.stride() == layer.weight.stride()


def test_codes_take_the_strides_of_the_weights():
    w = randn(4, 3, 5, 2).to(memory_format=torch.channels_last)
    codes = like(w.contiguous(), w)
    assert codes.stride() == w.stride()
    np.testing.assert_array_equal(codes, w)


def test_a_float32_above_a_float64_limit_is_above_its_floor():
    limits = torch.rand(1000, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    below = float32_below(limits)
    above = torch.nextafter(below, torch.ones(()))
    assert (below.double() <= limits).all() and (above.double() > limits).all()
    assert (float32_below(above.double()) == above).all()


@pytest.mark.parametrize("kind", ["binary", "ternary", 4, "ternary_learned"])
def test_gradients_go_straight_through_or_by_a_named_slope(kind):
    for surrogate, slope in (("identity", lambda w: 1 + 0 * w), ("approx_sign", lambda w: 2 - 2 * w.abs())):
        layer = q.Linear(8, 4, kind, surrogate)
        grad = randn(4, 8)
        layer.codes().backward(grad)
        torch.testing.assert_close(layer.weight.grad, grad * slope(layer.weight.detach()))
    with pytest.raises(EdgeTernaryError, match=r"no surrogate is called 'cubic'.*approx_sign"):
        q.Linear(8, 4, kind, "cubic")


def test_an_annealed_surrogate_of_weights_follows_the_training():
    layer = q.Linear(8, 4, "binary", "ede")
    gradients = []
    for progress in (0.0, 1.0):
        q.set_progress(layer, progress)
        layer.weight.grad = None
        layer.codes().sum().backward()
        gradients.append(layer.weight.grad.clone())
    assert (gradients[0] - gradients[1]).abs().min() > 0.1


@pytest.mark.parametrize("kind", ["lsq3", "lsq3_channel", "ternary_learned", "ternary_learned_channel"])
def test_the_gradient_of_a_step_is_that_of_its_primitive(kind):
    """d/dstep of sum(g * clamp(w / step, -top, top)), by finite differences, over sqrt(weights * top)."""
    layer = q.Linear(50, 4, kind).double()
    layer.weight.data = randn(4, 50).double()
    quantizer, grad = layer.quantizer, randn(4, 50, seed=1).double()
    w = layer.weight.detach()
    layer.codes().backward(grad)

    def primitive(ratio):
        step = ratio.reshape(quantizer.unit(w).shape) * quantizer.unit(w)
        return (grad * torch.clamp(w / step, -quantizer.top, quantizer.top)).sum()

    factor = (w.numel() / quantizer.ratio.numel() * quantizer.top) ** -0.5
    for i in range(quantizer.ratio.numel()):
        moved = torch.zeros_like(quantizer.ratio.data).flatten()
        moved[i] = 1e-6
        moved = moved.reshape(quantizer.ratio.shape)
        wanted = (primitive(quantizer.ratio.data + moved) - primitive(quantizer.ratio.data - moved)) / 2e-6
        found = quantizer.ratio.grad.flatten()[i]
        torch.testing.assert_close(found, wanted * factor, rtol=1e-4, atol=1e-6)
    if kind.startswith("lsq"):  # d/dw is 1 / step inside, 0 outside
        step = quantizer.step(w).detach()
        inside = (w / step).abs() <= quantizer.top
        torch.testing.assert_close(layer.weight.grad, grad * inside / step, rtol=1e-5, atol=1e-6)
        assert not inside.all()
    else:
        torch.testing.assert_close(layer.weight.grad, grad)


def test_a_mask_keeps_the_largest_of_each_scale():
    w = torch.tensor([[1.0, -2.0, 3.0, 4.0], [0.01, -0.02, 0.03, 0.04]])
    np.testing.assert_array_equal(keep_mask(w, 0.5), [[0, 0, 1, 1]] * 2)
    assert keep_mask(w, 0.0) is None
    assert not keep_mask(w, 0.99).any()
    w = randn(30, 40)
    for share in (1e-4, 0.3, 0.77, 0.999):
        np.testing.assert_array_equal(keep_mask(w, share), keep_mask(w, share, training=True))
        assert (keep_mask(w, share) == 0).sum() == np.ceil(share * 1200)


def test_masked_weights_still_get_their_gradient():
    layer = q.Linear(64, 8)
    layer.zero_share = 0.9
    codes = layer.codes()
    assert (codes == 0).float().mean() >= 0.9
    codes.sum().backward()
    np.testing.assert_array_equal(layer.weight.grad, torch.ones(8, 64))


@pytest.mark.parametrize("kind", ["binary", "ternary", 4, "lsq3", "pow2_3"])
def test_float_weights_are_latents_of_the_size_of_codes(kind):
    layer = q.Linear(200, 30, kind)
    codes = layer.integer_codes()
    layer.float_weights = True
    relaxed = layer.codes().detach()
    ratio = (layer.weight / relaxed).detach()
    torch.testing.assert_close(ratio, torch.full_like(ratio, ratio.mean().item()))
    assert float((relaxed * codes).sum()) == pytest.approx(float((codes**2).sum()), rel=1e-4)
    x = torch.randint(-8, 8, (5, 200)).float()
    torch.testing.assert_close(layer.train()(x), layer.eval()(x))
    np.testing.assert_array_equal(layer.integer_codes(), codes)


def test_a_frozen_model_can_be_trained_on():
    """Latents stay within [-1, 1], so the trainer's clipping does not destroy 4-bit codes."""
    layer = q.Linear(50, 10, 4)
    q.freeze(layer)
    codes = layer.codes().detach()
    with torch.no_grad():
        layer.weight.clamp_(-1, 1)
    np.testing.assert_array_equal(layer.codes().detach(), codes)
    assert len(codes.unique()) > 8


@pytest.mark.parametrize("kind", WEIGHTS)
def test_quantisers_leave_their_weights_alone(kind):
    for dtype in (torch.float32, torch.float64):
        w = randn(5, 12).to(dtype)
        before = w.clone()
        quantizer = weight_quantizer(kind, 5)
        quantizer.codes(w), quantizer.limit(w), quantizer.train_codes(w, keep_mask(w, 0.5, training=True))
        np.testing.assert_array_equal(w, before)
