"""CIFAR-10 as PFLlib divides it among clients, back into its parts by the nearest JPEG."""

import sys

import numpy as np
import pytest

from benchmarks import tiny_pictures
from edgeternary.errors import EdgeTernaryError
from edgeternary.train.data.cifar import CIFAR10_LABELS

COUNT = 3  # pictures of a class


def client(path, x, y, name="data"):
    """As PFLlib writes them: pixels from -1 to 1, in an array of one object."""
    path.parent.mkdir(parents=True, exist_ok=True)
    x = ((x.transpose(0, 3, 1, 2) / np.float32(255)).astype(np.float32) - np.float32(0.5)) / np.float32(0.5)
    np.savez_compressed(path, **{name: np.array({"x": x, "y": y})})


@pytest.fixture
def folders(tmp_path):
    """(arrays, JPEG, pixels, labels): pictures 0 and 1 of a class train, picture 2 tests."""
    from PIL import Image

    rng = np.random.default_rng(5)
    coarse = rng.integers(0, 256, (10 * COUNT, 4, 4, 3), np.uint8)
    x = coarse.repeat(8, 1).repeat(8, 2) // 2 + rng.integers(0, 20, (10 * COUNT, 32, 32, 3), np.uint8)
    y = np.arange(10 * COUNT) % 10
    for i, pixels in enumerate(x):
        folder = tmp_path / "jpeg" / ("test" if i // 10 == 2 else "train") / CIFAR10_LABELS[y[i]]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(folder / f"{i:04}.jpg", quality=75)
    order = rng.permutation(len(x))
    client(tmp_path / "arrays/train/0.npz", x[order[:13]], y[order[:13]])
    client(tmp_path / "arrays/train/1.npz", x[order[13:20]], y[order[13:20]])
    client(tmp_path / "arrays/test/0.npz", x[order[20:]], y[order[20:]])
    return tmp_path / "arrays", tmp_path / "jpeg", x, y


def test_each_picture_goes_to_the_part_and_the_name_of_its_jpeg(folders, tmp_path, monkeypatch, capsys):
    from PIL import Image

    arrays, jpeg, x, y = folders
    out = tmp_path / "out"
    monkeypatch.setattr(sys, "argv", ["tiny_pictures", "arrays", str(arrays), str(jpeg), str(out)])
    assert tiny_pictures.main() == 0
    assert "20 training and 10 test pictures of 30; left out: 0 " in capsys.readouterr().out
    for i, pixels in enumerate(x):
        path = out / ("test" if i // 10 == 2 else "train") / CIFAR10_LABELS[y[i]] / f"{i:04}.png"
        np.testing.assert_array_equal(np.asarray(Image.open(path)), pixels)
    with pytest.raises(EdgeTernaryError, match="exists"):
        tiny_pictures.main()


def test_a_picture_twice_and_one_without_a_jpeg_are_counted(folders, tmp_path):
    arrays, jpeg, x, y = folders
    client(arrays / "test/1.npz", np.stack([x[0], 255 - x[1]]), y[:2])
    said = tiny_pictures.arrays(arrays, jpeg, tmp_path / "out")
    assert "of 32; left out: 1 whose JPEG a nearer one has, 1 without a JPEG" in said


def test_files_that_are_no_clients_part_are_refused(folders, tmp_path):
    arrays, jpeg, x, y = folders
    path = arrays / "train/1.npz"
    with pytest.raises(EdgeTernaryError, match="no arrays"):
        tiny_pictures.arrays(tmp_path, jpeg, tmp_path / "out")

    class Evil:
        def __reduce__(self):
            return (print, ("it ran",))

    for value in ({"x": Evil(), "y": Evil()}, Evil(), {"x": x.astype(np.float32), "y": y}, {}, 7, None):
        np.savez(path, data=np.array(value, dtype=object))
        with pytest.raises(EdgeTernaryError, match=r"1\.npz is no client's part"):
            tiny_pictures.client(path)
    for faulty in (x[:, :31], x.astype(np.float32) + 0.3, x.astype(np.float32) + 200):
        client(path, faulty, y)
        with pytest.raises(EdgeTernaryError, match="is no client's part"):
            tiny_pictures.client(path)
    client(path, x, y + 1)
    with pytest.raises(EdgeTernaryError, match="out of range"):
        tiny_pictures.client(path)
    client(path, x, y, name="other")
    with pytest.raises(EdgeTernaryError, match="is no client's part"):
        tiny_pictures.client(path)
    hole = x.astype(np.float32)
    hole[0, 0, 0, 0] = np.nan
    client(path, hole, y)
    with pytest.raises(EdgeTernaryError, match="is no client's part"):
        tiny_pictures.client(path)
    client(path, x, y)
    whole = path.read_bytes()
    for at in range(0, len(whole), len(whole) // 40):  # damaged, or cut short
        for content in (whole[:at], whole[:at] + bytes(64) + whole[at + 64 :]):
            path.write_bytes(content)
            with pytest.raises(EdgeTernaryError, match="is no client's part"):
                tiny_pictures.client(path)
    path.write_bytes(b"PK")
    with pytest.raises(EdgeTernaryError, match="is no client's part"):
        tiny_pictures.client(path)
