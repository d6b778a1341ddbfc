"""Input encodings by hand, the same in train and eval mode."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from edgeternary import nn as q  # noqa: E402
from edgeternary.errors import EdgeTernaryError  # noqa: E402
from edgeternary.frontends.torch import lower  # noqa: E402

pytestmark = pytest.mark.torch

BYTES = torch.arange(256.0).reshape(256, 1)


def both_modes(layer: nn.Module, x: torch.Tensor) -> np.ndarray:
    train, exact = layer.train()(x), layer.eval()(x)
    np.testing.assert_array_equal(train, exact)
    assert train.dtype == exact.dtype == torch.float32
    return exact.numpy()


@pytest.mark.parametrize(("kind", "low"), [("bipolar", -1), ("binary", 0)])
@pytest.mark.parametrize("threshold", [0, 1, 128, 255, 256])
def test_binarize(kind, low, threshold):
    codes = both_modes(q.Binarize(threshold, kind), BYTES)
    np.testing.assert_array_equal(codes, np.where(np.arange(256)[:, None] >= threshold, 1, low))


def test_thermometer():
    x = torch.tensor([[[0.0, 100.0]], [[101.0, 255.0]]])  # (2, 1, 2)
    codes = both_modes(q.Thermometer([50, 101, 255], "binary"), x)
    np.testing.assert_array_equal(codes, [[[0, 1], [0, 0], [0, 0]], [[1, 1], [1, 1], [0, 1]]])
    even = q.Thermometer(3)
    assert [plane.threshold for plane in even.planes] == [64, 128, 192]
    counts = both_modes(q.Thermometer(8, "binary"), BYTES).sum(1)
    assert (np.diff(counts) >= 0).all() and set(counts) == set(range(9))


def test_channels_of_planes_come_in_the_order_of_planes():
    x = torch.tensor([[[10.0], [200.0]]])  # two channels
    np.testing.assert_array_equal(both_modes(q.Thermometer([5, 100], "binary"), x)[0, :, 0], [1, 1, 0, 1])


def test_bit_planes_hold_the_byte():
    planes = both_modes(q.BitPlanes(kind="binary"), BYTES)
    np.testing.assert_array_equal(planes @ 2 ** np.arange(7, -1, -1), np.arange(256))
    np.testing.assert_array_equal(both_modes(q.BitPlanes(), BYTES), 2 * planes - 1)
    np.testing.assert_array_equal(both_modes(q.BitPlanes(planes=2, kind="binary"), BYTES), planes[:, :2])


def test_encodings_have_no_state():
    assert not nn.Sequential(q.Binarize(), q.Thermometer(3), q.BitPlanes()).state_dict()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: q.Binarize(128, "ternary"), "Binarize cannot give 'ternary' codes"),
        (lambda: q.Thermometer([3, 3]), r"cannot compare with \[3, 3\]"),
        (lambda: q.Thermometer([]), "at least one"),
        (lambda: q.BitPlanes(4, 5), "cannot keep 5 of 4 bits"),
        (lambda: q.BitPlanes(4, 0), "cannot keep 0 of 4 bits"),
        (lambda: q.BitPlanes(20), "no bit 19"),
        (lambda: q.Thermometer(0), "at least one integer"),
        (lambda: q.BitPlane(8), "no bit 8"),
    ],
)
def test_impossible_encodings_are_refused(make, message):
    with pytest.raises(EdgeTernaryError, match=message):
        make()


def test_codes_beyond_the_table_are_refused():
    model = nn.Sequential(q.BitPlanes(4), q.Linear(32, 4), q.RSign(4), q.Output(4, 2))
    with pytest.raises(EdgeTernaryError, match=r"'0.planes.0'.*holds 0 to 15, its input 0 to 255"):
        lower(model, torch.zeros(1, 8))
