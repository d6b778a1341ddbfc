"""Image files for boards: their formats, and the header that names the model and the build."""

from collections.abc import Callable
from pathlib import Path

from edgeternary.errors import EdgeTernaryError
from edgeternary.image import formats
from edgeternary.image.header import Header, check, find

__all__ = ["Header", "check", "find", "read", "verify"]


def read(path: str | Path) -> Header:
    """The header of the image in an .elf, .hex, .uf2 or .bin file. The digest is not checked."""
    return _named(Path(path), find)


def verify(path: str | Path) -> Header:
    """The header of the image, after a check of its digest."""
    return _named(Path(path), check)


def _named(path: Path, take: Callable[[bytes], Header]) -> Header:
    _, image = formats.load(path)
    try:
        return take(image)
    except EdgeTernaryError as error:
        raise EdgeTernaryError(f"{path} is not an image for a board", error.why, error.remedy) from error
