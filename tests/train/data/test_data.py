"""A data set checks itself; validation parts come from the training set."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")

from edgeternary.errors import EdgeTernaryError
from edgeternary.train.data import Data
from edgeternary.train.data.splits import cut_last, cut_stratified

pytestmark = pytest.mark.torch

X, Y = np.arange(60, dtype=np.uint8).reshape(5, 3, 4, 1), np.array([0, 1, 2, 0, 1])
GOOD = Data("tiny", (X, Y), (X, Y), (X, Y), ("a", "b", "c"))


@pytest.mark.parametrize("part", ["train", "validation", "test"])
@pytest.mark.parametrize(
    ("samples", "message"),
    [
        ((X[:0], Y[:0]), "4 dimensions, none of which is 0"),
        ((X[..., 0], Y), "4 dimensions"),
        ((X / 255, Y), "are float64. networks read integer codes"),
        ((X.astype(np.int16) + 250, Y), r"250..309. uint8 holds 0..255"),
        ((X.astype(np.int8) - 1, Y), r"-1..58. uint8 holds 0..255"),
        ((X, Y[:4]), r"shape \(4,\). integers of shape \(5,\)"),
        ((X, Y[:, None]), r"integers of shape \(5,\)"),
        ((X, Y.astype(float)), "labels of tiny are float64"),
        ((X, Y + 1), r"1..3. 3 classes have labels 0..2"),
        ((X, Y - 1), r"-1..1"),
    ],
)
def test_what_does_not_fit_is_explained(part, samples, message):
    with pytest.raises(EdgeTernaryError, match=message) as caught:
        replace(GOOD, **{part: samples})
    assert f"{part} " in str(caught.value)


def test_parts_have_one_shape_and_types_fit_their_codes():
    with pytest.raises(EdgeTernaryError, match=r"test samples of tiny have shape \(4, 3, 1\).*\(3, 4, 1\)"):
        replace(GOOD, test=(X.reshape(5, 4, 3, 1), Y))
    assert replace(GOOD, train=(X.astype(np.int16), Y)).train[0].dtype == np.int16
    part = X.astype(np.int8), Y
    assert replace(GOOD, train=part, validation=part, test=part, input_type="int8").input_type == "int8"
    with pytest.raises(EdgeTernaryError, match=r"0..59. uint4 holds 0..15"):
        replace(GOOD, input_type="uint4")


def test_the_last_samples_validate():
    (x, y), (vx, vy) = cut_last(X, Y, 2)
    np.testing.assert_array_equal(np.concatenate((x, vx)), X)
    np.testing.assert_array_equal(vy, Y[3:])
    assert len(y) == 3
    for count in (0, 5, -1):
        with pytest.raises(EdgeTernaryError, match=r"give 1..4"):
            cut_last(X, Y, count)


def test_a_stratified_part_has_its_share_of_each_class():
    labels = np.repeat([0, 1, 2], [20, 10, 5])[np.random.default_rng(0).permutation(35)]
    ids = np.arange(35)
    (train, _), (held, held_labels) = cut_stratified(ids, labels, 0.2, seed=1)
    assert np.bincount(held_labels).tolist() == [4, 2, 1]
    np.testing.assert_array_equal(np.sort(np.concatenate((train, held))), ids)
    np.testing.assert_array_equal(held, cut_stratified(ids, labels, 0.2, seed=1)[1][0])
    assert held.tolist() != cut_stratified(ids, labels, 0.2, seed=2)[1][0].tolist()
    for share, given in ((0.2, np.array([0, 0, 1])), (1.0, labels), (-0.5, labels)):
        with pytest.raises(EdgeTernaryError, match="cannot validate"):
            cut_stratified(np.arange(len(given)), given, share)
