"""Pictures by class from MLPerf Tiny: `python -m benchmarks.tiny_pictures KIND SOURCE LABELS OUT`.

images      SOURCE has image_*.bin, 32 x 32 x 3 bytes of test pictures of CIFAR-10, LABELS the test pictures
            as CLASS/*.jpg, among which the nearest gives the class
wake-words  SOURCE has *.jpg of 96 x 96, LABELS is y_labels.csv of mlcommons/tiny (vww01)

SOURCE is a folder calib_data of mlcommons/tiny_results_v1.3. OUT gets CLASS/* and must not exist.
"""

from __future__ import annotations

import csv
import shutil
import sys
from pathlib import Path

import numpy as np

from edgeternary.errors import USAGE, EdgeTernaryError, script
from edgeternary.train.data.folders import by_class
from edgeternary.train.data.picture_files import SUFFIXES, read_pictures

SIDE = 32
PEOPLE = ("non_person", "person")


def images(source: Path, labels: Path, out: Path) -> str:
    from PIL import Image

    paths = sorted(source.glob("image_*.bin"))
    x = np.array([np.fromfile(path, np.uint8) for path in paths]).reshape(-1, SIDE * SIDE * 3)
    found = by_class(labels, SUFFIXES, None)
    known = read_pictures(found, (SIDE, SIDE), 3, False, False, False)["x"].reshape(-1, SIDE * SIDE * 3)
    wide = known.astype(np.float32)
    squares = (wide**2).sum(1)
    distances = squares - 2 * x.astype(np.float32) @ wide.T
    nearest = distances.argmin(1)
    errors = np.abs(x.astype(np.int16) - known[nearest]).mean(1)
    for path, pixels, place in zip(paths, x, nearest, strict=True):
        folder = out / found.labels[found.classes[place]]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels.reshape(SIDE, SIDE, 3)).save(folder / f"{path.stem}.png")
    distinct = len(set(nearest.tolist()))
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


KINDS = {"images": images, "wake-words": wake_words}


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
