"""Any .npz file: both layouts, what is optional, and what is wrong with a file."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from edgeternary.errors import EdgeTernaryError
from edgeternary.train.data import npz

pytestmark = pytest.mark.torch

X = np.arange(20 * 12, dtype=np.uint8).reshape(20, 3, 4, 1)
Y = np.arange(20) % 3
FOUR = {"x_train": X, "y_train": Y, "x_test": X[:5], "y_test": Y[:5]}


@pytest.fixture
def load(tmp_path):
    def load(validation=None, **arrays):
        np.savez(tmp_path / "tiny.npz", **arrays)
        return npz(tmp_path / "tiny.npz", validation)

    return load


def test_four_arrays(load):
    found = load(**FOUR)
    assert (found.name, found.labels, found.input_type) == ("tiny", ("0", "1", "2"), "uint8")
    np.testing.assert_array_equal(found.train[0], X[:18])
    np.testing.assert_array_equal(found.validation[1], Y[18:])
    assert len(load(7, **FOUR).validation[1]) == 7
    held = load(**FOUR, x_validation=X[:4], y_validation=Y[:4, None])
    assert (len(held.train[1]), len(held.validation[1])) == (20, 4)


def test_images_labels_and_split(load):
    for split in (np.arange(20) // 8, np.array(["train"] * 8 + ["validation"] * 8 + ["test"] * 4)):
        found = load(images=X, labels=Y, split=split)
        assert [len(part[1]) for part in (found.train, found.validation, found.test)] == [8, 8, 4]
        np.testing.assert_array_equal(found.test[0], X[16:])
    found = load(images=X, labels=Y, split=np.arange(20) // 10 * 2, label_names=np.array(["a", "b", "c"]))
    assert [len(part[1]) for part in (found.train, found.validation, found.test)] == [9, 1, 10]
    assert found.labels == ("a", "b", "c")


def test_shapes_and_types(load):
    row, flat = X.reshape(20, 12), X[..., 0]
    assert load(**FOUR | {"x_train": row, "x_test": row[:5]}).train[0].shape == (18, 1, 12, 1)
    assert load(**FOUR | {"x_train": flat, "x_test": flat[:5]}).test[0].shape == (5, 3, 4, 1)
    bits = load(**FOUR | {"x_train": X > 9, "x_test": X[:5] > 9})
    assert bits.input_type == "binary" and bits.train[0].max() == 1
    signed = load(**FOUR | {"x_train": X.astype(np.int8), "x_test": X[:5].astype(np.int8)}, input_scale=0.5)
    assert (signed.input_type, signed.input_scale, signed.input_zero) == ("int8", 0.5, 0)
    each = load(**FOUR, input_scale=np.array([0.5, 0.25, 1.0]), input_zero=np.array([0, -3, 9]))
    assert (each.input_scale, each.input_zero) == ((0.5, 0.25, 1.0), (0, -3, 9))
    for wrong in ({"input_scale": "half"}, {"input_zero": 0.5}, {"input_scale": np.ones((1, 3))}):
        with pytest.raises(EdgeTernaryError, match=r"one float|one int"):
            load(**FOUR, **wrong)
    narrow = load(**FOUR | {"x_train": X % 16, "x_test": X[:5] % 16}, input_type="uint4", name="four bits")
    assert (narrow.input_type, narrow.name) == ("uint4", "four bits")


SERIES = np.arange(20 * 12, dtype=np.int8).reshape(20, 6, 2)


def test_series_are_not_taken_for_pictures(load):
    both = {**FOUR, "x_train": SERIES, "x_test": SERIES[:5]}
    with pytest.raises(EdgeTernaryError, match=r"(?s)shape \(20, 6, 2\).*series \(n, T, C\).*layout='NTC'"):
        load(**both)
    np.testing.assert_array_equal(load(**both, layout="NTC").train[0], SERIES[:18, None])
    found = load(**both, layout="NCL", input_scale=np.ones(6))
    np.testing.assert_array_equal(found.test[0], SERIES[:5].swapaxes(1, 2)[:, None])
    assert load(**both, layout="NHW").train[0].shape == (18, 6, 2, 1)
    assert load(**{k: v.astype(np.uint8) for k, v in both.items()}, layout="NTC").train[0].shape == (
        18,
        1,
        6,
        2,
    )


def test_channels_first_are_not_taken_for_rows(load):
    first = np.zeros((20, 3, 8, 8), np.uint8)
    first[:, 1] = 7
    both = {**FOUR, "x_train": first, "x_test": first[:5]}
    with pytest.raises(EdgeTernaryError, match=r"(?s)\(20, 3, 8, 8\).*\(n, C, H, W\).*layout='NCHW'"):
        load(**both)
    found = load(**both, layout="NCHW").train[0]
    assert found.shape == (18, 8, 8, 3) and found[..., 1].min() == 7 and not found[..., ::2].any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"layout": "NTC"}, r"layout 'NTC', and x_train the shape .*4 axes|letter for each axis"),
        ({"layout": "HWCN"}, "one of NHWC, NCHW"),
        ({"lable_names": np.array(["a"])}, "unknown array 'lable_names'. did you mean 'label_names'"),
        ({"Layout": "NHWC"}, "did you mean 'layout'"),
        ({"x_train": X / 255}, r"samples of .*tiny.npz are float64. they must be one of uint8, int8"),
        ({"x_test": X[:5] / 255}, "networks read integer codes"),
        ({"x_train": X[:0], "y_train": Y[:0]}, "cannot be taken from 0"),
        ({"x_test": X[:0], "y_test": Y[:0]}, "4 dimensions, none of which is 0"),
        ({"x_train": X[None]}, r"x_train of .* has shape \(1, 20, 3, 4, 1\). samples must be"),
        ({"x_train": np.uint8(3)}, r"has shape \(\). samples must be"),
        ({"y_train": Y[:4]}, "integers of shape"),
        ({"y_train": np.eye(20, 3, dtype=np.uint8)}, "integers of shape"),
        ({"y_test": Y[:5] - 1}, r"labels 0..2"),
        ({"y_test": np.array(["a"] * 5)}, "integers of shape"),
        ({"input_type": "uint4"}, "uint4 holds 0..15"),
        ({"input_type": "float9"}, "unknown type"),
        ({"label_names": np.array(["a", "b"])}, "2 classes have labels 0..1"),
    ],
)
def test_wrong_arrays(load, change, message):
    with pytest.raises(EdgeTernaryError, match=message):
        load(**FOUR | change)


def test_missing_arrays_and_damaged_files(load, tmp_path):
    with pytest.raises(
        EdgeTernaryError, match=r"has no y_test. it has x_train, y_train, x_test. give x_train"
    ):
        load(**{key: FOUR[key] for key in ("x_train", "y_train", "x_test")})
    with pytest.raises(EdgeTernaryError, match="has images but no split"):
        load(images=X, labels=Y)
    with pytest.raises(EdgeTernaryError, match="20 images, 20 labels, 19 entries"):
        load(images=X, labels=Y, split=np.zeros(19))
    with pytest.raises(EdgeTernaryError, match="split holds 0, 7"):
        load(images=X, labels=Y, split=np.array([7] + [0] * 19))
    with pytest.raises(EdgeTernaryError, match=r"cannot be read as .npz"):
        load(**FOUR | {"x_train": np.array([{}, []], object)})
    load(**FOUR)
    whole = (tmp_path / "tiny.npz").read_bytes()
    for content in (whole[:-30], whole[:100], b"", b"PK", b"no zip at all", X.tobytes()):
        (tmp_path / "tiny.npz").write_bytes(content)
        with pytest.raises(EdgeTernaryError, match=r"cannot be read as .npz"):
            npz(tmp_path / "tiny.npz")
    with pytest.raises(EdgeTernaryError, match=r"none.npz cannot be read. there is no such file in /"):
        npz(tmp_path / "none.npz")
