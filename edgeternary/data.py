"""Where files lie that are no modules: templates, firmware and the zoo.

Templates and firmware are below `_data/` in a wheel, and at the repository root in a checkout.
"""

from functools import cache
from pathlib import Path

from edgeternary.errors import EdgeTernaryError

_PACKAGE = Path(__file__).resolve().parent


@cache
def _find(name: str) -> Path:
    for folder in (_PACKAGE / "_data" / name, _PACKAGE.parent / name):
        if folder.is_dir():
            return folder
    raise EdgeTernaryError(
        f"the folder {name!r} of the installation is missing",
        f"it is neither in {_PACKAGE / '_data'} nor in {_PACKAGE.parent}",
        "install the package again",
    )


def templates_dir() -> Path:
    """The folder of Jinja2 templates (c/, export/, report/)."""
    return _find("templates")


def firmware_dir() -> Path:
    """The folder of hand-written firmware (core/, ports/<chip>/)."""
    return _find("firmware")


def zoo_dir() -> Path:
    """The folder of the zoo (nets/, recipes/, data/)."""
    return _PACKAGE / "zoo"
