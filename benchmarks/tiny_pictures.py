"""Folders of pictures by class: `python -m benchmarks.tiny_pictures KIND SOURCE LABELS OUT`.

images      SOURCE has image_*.bin, 32 x 32 x 3 bytes of test pictures of CIFAR-10, LABELS the test pictures
            as CLASS/*.jpg, among which the nearest gives the class
wake-words  SOURCE has *.jpg of 96 x 96, LABELS is y_labels.csv of mlcommons/tiny (vww01)
arrays      SOURCE has train/*.npz and test/*.npz, CIFAR-10 as PFLlib divides it among clients, LABELS the
            pictures as train/CLASS/*.jpg and test/CLASS/*.jpg, among which the nearest gives the part

SOURCE of the first two is a folder calib_data of mlcommons/tiny_results_v1.3. OUT must not exist; it gets
CLASS/*, of `arrays` train/CLASS/* and test/CLASS/*.
"""

from __future__ import annotations

import csv
import shutil
import sys
import zipfile
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np

from edgeternary.errors import USAGE, EdgeTernaryError, script
from edgeternary.train.data.cifar import CIFAR10_LABELS
from edgeternary.train.data.core import Array
from edgeternary.train.data.folders import by_class
from edgeternary.train.data.pickled import plain_array, plain_value
from edgeternary.train.data.picture_files import SUFFIXES, read_pictures

SIDE = 32
ROW = SIDE * SIDE * 3
FARTHEST = 25.0  # mean difference of 255 from the JPEG copy, from which on it is another picture
DAMAGE = (  # what reading a client's file raises
    OSError, LookupError, ValueError, TypeError, AttributeError, RuntimeError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
PEOPLE = ("non_person", "person")


def nearest(x: Array, known: Array) -> tuple[Array, Array]:
    """Of each row of bytes the index of the nearest known row (n, ROW), and their mean difference."""
    wide = known.astype(np.float32)
    near = ((wide**2).sum(1) - 2 * x.astype(np.float32) @ wide.T).argmin(1)
    return near, np.abs(x.astype(np.int16) - known[near]).mean(1)


def images(source: Path, labels: Path, out: Path) -> str:
    from PIL import Image

    paths = sorted(source.glob("image_*.bin"))
    x = np.array([np.fromfile(path, np.uint8) for path in paths]).reshape(-1, ROW)
    found = by_class(labels, SUFFIXES, None)
    known = read_pictures(found, (SIDE, SIDE), 3, False, False, False)["x"].reshape(-1, ROW)
    places, errors = nearest(x, known)
    for path, pixels, place in zip(paths, x, places, strict=True):
        folder = out / found.labels[found.classes[place]]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels.reshape(SIDE, SIDE, 3)).save(folder / f"{path.stem}.png")
    distinct = len(set(places.tolist()))
    return (
        f"{len(x):,} pictures; mean difference from the nearest JPEG {errors.mean():.1f}, largest "
        f"{errors.max():.1f} of 255; {distinct:,} different ones"
    )


def wake_words(source: Path, labels: Path, out: Path) -> str:
    count = 0
    for name, _, label in csv.reader(labels.read_text(encoding="utf-8").splitlines()):
        picture = source / f"{Path(name).stem}.jpg"
        if picture.is_file():
            folder = out / PEOPLE[int(label)]
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(picture, folder)
            count += 1
    return f"{count:,} pictures"


def arrays(source: Path, labels: Path, out: Path) -> str:
    from PIL import Image

    parts = [client(path) for path in sorted(source.glob("t*/*.npz"))]
    if not parts:
        raise EdgeTernaryError(
            f"{source} has no arrays", "there is no train/*.npz, no test/*.npz", "name the folder Cifar10"
        )
    x, y = (np.concatenate(both) for both in zip(*parts, strict=True))
    found = by_class(labels, SUFFIXES, CIFAR10_LABELS)
    known = read_pictures(found, (SIDE, SIDE), 3, False, False, False)["x"].reshape(-1, ROW)
    counts, far, twice, total, largest = {"train": 0, "test": 0}, 0, 0, 0.0, 0.0
    for label, name in enumerate(CIFAR10_LABELS):
        own, files = np.flatnonzero(y == label), np.flatnonzero(found.classes == label)
        places, errors = nearest(x[own], known[files])
        total, largest = total + errors.sum(), max(largest, errors.max())
        taken = set[int]()
        for i in np.argsort(errors, kind="stable"):
            if errors[i] > FARTHEST:
                far += 1
            elif places[i] in taken:
                twice += 1
            else:
                taken.add(places[i])
                path, _, part = found.files[files[places[i]]]
                folder = out / part / name
                folder.mkdir(parents=True, exist_ok=True)
                Image.fromarray(x[own[i]].reshape(SIDE, SIDE, 3)).save(folder / f"{path.stem}.png")
                counts[part] += 1
    return (
        f"{counts['train']:,} training and {counts['test']:,} test pictures of {len(x):,}; left out: "
        f"{twice:,} whose JPEG a nearer one has, {far:,} without a JPEG within {FARTHEST:.0f} of 255; mean "
        f"difference {total / len(x):.1f}, largest {largest:.1f}"
    )


def client(path: Path) -> tuple[Array, Array]:
    """Bytes (n, ROW) of the pixels and labels (n,) of a client's file.

    The file is a zip with data.npy: an object array () whose only item is a dict of x, float32 (n, 3, 32, 32)
    = pixel / 127.5 - 1, and y, int64. Its pickle does not run. EdgeTernaryError for another file.
    """
    try:
        with zipfile.ZipFile(path) as packed:
            stream = BytesIO(packed.read("data.npy"))
        np.lib.format.read_magic(stream)
        shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
        if shape != () or dtype.kind != "O":
            raise ValueError(f"its array is {dtype} {shape}")
        (item,) = plain_value(stream.read()).state[4]
        pixels = (plain_array(item["x"], "f4").astype(np.float64) + 1) * 127.5
        labels = plain_array(item["y"], "i8")
        x = np.rint(pixels)
        if x.shape != (len(labels), 3, SIDE, SIDE) or not np.abs(x - pixels).max() <= 1e-3:
            raise ValueError(f"pixels of shape {x.shape} are not {len(labels):,} pictures of bytes")
        if x.min() < 0 or x.max() > 255 or labels.min() < 0 or labels.max() >= len(CIFAR10_LABELS):
            raise ValueError("a pixel or a label is out of range")
    except (EdgeTernaryError, *DAMAGE) as error:
        what, why = f"{path} is no client's part of CIFAR-10", getattr(error, "why", str(error))
        raise EdgeTernaryError(what, why, "copy it again") from error
    return x.astype(np.uint8).transpose(0, 2, 3, 1).reshape(-1, ROW), labels


KINDS = {"images": images, "wake-words": wake_words, "arrays": arrays}


def main() -> int:
    if len(sys.argv) != 5 or sys.argv[1] not in KINDS:
        raise EdgeTernaryError("name a kind, three places", "", (__doc__ or "").splitlines()[0], USAGE)
    source, labels, out = map(Path, sys.argv[2:])
    if out.exists():
        raise EdgeTernaryError(
            f"{out} exists", "it would be mixed with other pictures", "name a new folder", USAGE
        )
    print(KINDS[sys.argv[1]](source, labels, out))
    return 0


if __name__ == "__main__":
    script(main)
