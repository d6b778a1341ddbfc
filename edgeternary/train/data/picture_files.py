"""PNG and JPEG files in a folder for each class, as uint8 pixels."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.toolchains import extras
from edgeternary.train.data.core import Array, Data, Place
from edgeternary.train.data.divided import Grouping, divide
from edgeternary.train.data.folders import ByClass, by_class
from edgeternary.train.data.folds import Folds
from edgeternary.train.data.kept import kept
from edgeternary.train.data.problems import Problems
from edgeternary.train.data.watch import tell

VARIABLE = "EDGETERNARY_PICTURES"
REMEDY = (
    'name a folder of PNG or JPEG files CLASS/*: [data] name = "pictures", folder = "..." in a recipe; '
    "or set EDGETERNARY_PICTURES"
)
SUFFIXES = (".png", ".jpg", ".jpeg")
FORMATS = ("PNG", "JPEG")
MODES = {1: "L", 3: "RGB"}
DAMAGE = (OSError, ValueError, SyntaxError, RuntimeError, Warning)  # what pillow says of damaged files
MOST_PIXELS = 1 << 26  # of a file
EVERY = 500  # files from one report to the next


@dataclass(frozen=True)
class Frame:
    """What every picture becomes.

    height, width, channels  of a sample; channels are 1 (grey) or 3 (red, green, blue)
    fit      a picture of another size is scaled until it covers the sample, and cut around its middle
    convert  grey becomes colour, colour grey, transparency goes, and 16 bits become 8
    """

    height: int
    width: int
    channels: int
    fit: bool
    convert: bool

    def read(self, path: Path, problems: Problems) -> Array | None:
        """uint8 (height, width, channels); None, and an entry of `problems`, for a file that is no such
        picture."""
        with extras.named():
            from PIL import Image
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", Image.DecompressionBombWarning)
                with Image.open(path, formats=FORMATS) as image:
                    if (why := self._refusal(image)) is not None:
                        problems.add(path, *why)
                        return None
                    return self._pixels(image, Image.Resampling.BILINEAR)
        except (*DAMAGE, Image.DecompressionBombError) as error:
            problems.add(path, "broken", f"it cannot be read as PNG or JPEG: {error}")
            return None

    def _refusal(self, image: Any) -> tuple[str, str, str] | None:
        if image.width * image.height > MOST_PIXELS:
            return "too large", f"it has {image.width:,} x {image.height:,} pixels", "scale it down first"
        if image.mode != MODES[self.channels] and not self.convert:
            why = f"its pixels are {image.mode}, not {MODES[self.channels]}"
            return f"in {image.mode}", why, f"convert = true makes them {MODES[self.channels]}"
        if (image.height, image.width) != (self.height, self.width) and not self.fit:
            why = f"it has {image.height} x {image.width} pixels, a sample has {self.height} x {self.width}"
            return "of another size", why, "fit = true scales and cuts such pictures"
        return None

    def _pixels(self, image: Any, bilinear: Any) -> Array:
        if image.mode.startswith("I"):  # 16 bits
            image = image.point(lambda value: value / 256).convert("L")
        image = image.convert(MODES[self.channels])
        if (image.height, image.width) != (self.height, self.width):
            scale = max(self.height / image.height, self.width / image.width)
            size = max(self.width, round(image.width * scale)), max(self.height, round(image.height * scale))
            image = image.resize(size, bilinear)
            x, y = (image.width - self.width) // 2, (image.height - self.height) // 2
            image = image.crop((x, y, x + self.width, y + self.height))
        return np.asarray(image, np.uint8).reshape(self.height, self.width, self.channels)


def pictures(
    folder: Place = None,
    *,
    classes: Sequence[str] | None = None,
    size: Sequence[int] = (),
    channels: int = 3,
    group: str = "",
    folds: int = 5,
    fold: int = 0,
    validation: float = 0.1,
    seed: int = 0,
    fit: bool = False,
    convert: bool = False,
    skip: bool = False,
) -> Data:
    """uint8 codes (n, height, width, channels) of the files CLASS/*, or train/CLASS/* and test/CLASS/*.

    classes     the folders that are classes, in the order of the labels; all by default
    size        (height, width) of a sample; by default that of the first picture
    channels    3, or 1 for grey
    group       as `speaker` of `sounds`: finds in a file's name what may not be in two parts, a person say
    folds, fold without folders train and test: a fold of `folds` tests, the others train
    validation  the share of the training groups (or files) that validates
    seed        of the folds
    fit, convert, skip  see `Frame` and `problems.Problems`
    """
    found = by_class(folder, SUFFIXES, classes, VARIABLE)
    read = read_pictures(found, size, channels, fit, convert, skip)
    x, used = read["x"], read["used"]
    y = found.classes[used]
    parts, how = divide(found, used, y, Grouping("group", group), Folds(folds, fold, validation, seed))
    skipped = f", {read['skipped']}" * bool(str(read["skipped"]))
    title = f"{found.root.name}: {len(y):,} pictures ({how}{skipped})"
    train, held, test = ((x[places], y[places]) for places in parts)
    return Data(title, train, held, test, found.labels)


def read_pictures(
    found: ByClass, size: Sequence[int], channels: int, fit: bool, convert: bool, skip: bool
) -> dict[str, Array]:
    """x (n, height, width, channels), `used`: the indices of their files, and the text `skipped`."""
    paths = [path for path, _, _ in found.files]
    if channels not in MODES:
        raise EdgeTernaryError(f"channels = {channels}", "a picture has 1 (grey) or 3", "correct it", USAGE)
    height, width = _size(size, paths)
    frame = Frame(height, width, channels, fit, convert)

    def make() -> dict[str, Array]:
        problems, used = Problems(skip), list[int]()
        x = np.zeros((len(paths), height, width, channels), np.uint8)
        for i, path in enumerate(paths):
            pixels = frame.read(path, problems)
            if pixels is not None:
                x[len(used)] = pixels
                used.append(i)
            if (i + 1) % EVERY == 0 or i + 1 == len(paths):
                tell(f"reading {found.root.name}", i + 1, len(paths))
        text = problems.settle(len(paths))
        return {"x": x[: len(used)], "used": np.array(used, np.int64), "skipped": np.array(text)}

    return kept({"pictures": [height, width, channels, fit, convert, skip]}, paths, make)


def _size(size: Sequence[int], paths: Sequence[Path]) -> tuple[int, int]:
    """The size that is asked for, or that of the first picture that can be opened."""
    if not size:
        with extras.named():
            from PIL import Image
        for path in paths:
            try:
                with Image.open(path, formats=FORMATS) as image:
                    size = image.height, image.width
                break
            except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
                continue
        else:
            raise EdgeTernaryError(
                f"no picture can be opened, such as {paths[0]}", "none of the files is PNG or JPEG", REMEDY
            )
    if len(size) != 2 or not all(isinstance(n, int) and 1 <= n <= 4096 for n in size):
        raise EdgeTernaryError(
            f"size = {list(size)}", "it is (height, width), each 1 to 4,096", "size = [32, 32], say", USAGE
        )
    return size[0], size[1]
