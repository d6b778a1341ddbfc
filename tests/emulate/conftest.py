"""Builds for boards, made once a session."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest

import edgeternary
from edgeternary import zoo
from edgeternary.build import fpga_flow
from edgeternary.hdl.tools import place, synthesis
from edgeternary.link.build import Build, read_build
from tests import quick
from tests.cli.conftest import Answer, et  # noqa: F401
from tests.hdl.test_board_top import small

MLP = "mnist-mlp-binary-64"
SMALL = "small"  # of tests/hdl/test_board_top.py, whose bitstream the cache has then
PLACED = ("icebreaker",)


@contextmanager
def unplaced() -> Iterator[None]:
    """Builds for FPGA boards are neither synthesised nor placed: a board's top is simulated as Verilog, and
    tests/hdl/test_board_top.py makes bitstreams."""
    with pytest.MonkeyPatch.context() as patch:
        figures = {"luts": 500, "ffs": 400, "ram_blocks": 2, "multipliers": 0}
        patch.setattr(synthesis, "synthesise", lambda *_: (figures, Path()))
        patch.setattr(fpga_flow, "_placed", lambda *_: [place.Placed(1, 99.0, 500, 2)])
        patch.setattr(place, "pack", lambda *_: bytes(16))
        yield


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Build]:
    """built(board, model): as `compile --board` makes it."""
    made: dict[tuple[str, str], Build] = {}

    def make(board: str, model: str = MLP) -> Build:
        if (board, model) not in made:
            folder = tmp_path_factory.mktemp(board) / "build"
            network = small() if model == SMALL else zoo.load(model)
            with nullcontext() if board in PLACED else unplaced():
                edgeternary.compile(network, board=board, build=True, directory=folder)
            made[board, model] = read_build(folder)
        return made[board, model]

    return make


@pytest.fixture(autouse=True)
def _quick_boards(monkeypatch: pytest.MonkeyPatch) -> None:
    """A simulated FPGA board runs for millions of cycles: that code is optimised, as it ships."""
    for module, flags in quick.SHIPPED.items():
        monkeypatch.setattr(module, "FLAGS", flags)
