"""Builds for boards, made once a session."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import edgeternary
from edgeternary import zoo
from edgeternary.link.build import Build, read_build
from tests import quick
from tests.cli.conftest import Answer, et  # noqa: F401
from tests.golden.models import mlp as golden

MLP = "mnist-mlp-binary-64"
SMALL = "golden-mlp"  # what an FPGA is placed with in seconds


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Build]:
    """built(board, model): as `compile --board` makes it."""
    made: dict[tuple[str, str], Build] = {}

    def make(board: str, model: str = MLP) -> Build:
        if (board, model) not in made:
            folder = tmp_path_factory.mktemp(board) / "build"
            network = golden() if model == SMALL else zoo.load(model)
            edgeternary.compile(network, board=board, build=True, directory=folder)
            made[board, model] = read_build(folder)
        return made[board, model]

    return make


@pytest.fixture(autouse=True)
def _quick_boards(monkeypatch: pytest.MonkeyPatch) -> None:
    """A simulated FPGA board runs for millions of cycles: that code is optimised, as it ships."""
    for module, flags in quick.SHIPPED.items():
        monkeypatch.setattr(module, "FLAGS", flags)
