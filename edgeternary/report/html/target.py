"""What a model was compiled for, as plain data."""

from typing import Any

from edgeternary.build.project import Project
from edgeternary.report.boards import board_row

BOARD_WORDS = ("core", "flash_bytes", "ram_bytes", "fpga", "luts", "ram_blocks")


def target_of(project: Project) -> dict[str, Any]:
    """name, title, kind: c or fpga, board: whether it is one, core, clock_hz (None without a board), and of
    a board what it has."""
    made, board = project.plan, project.on
    found: dict[str, Any] = {
        "name": project.target,
        "title": board.title if board else project.target,
        "kind": "c" if made else "fpga",
        "board": board is not None,
        "clock_hz": board.clock_hz if board else None,
        **dict.fromkeys(BOARD_WORDS),
    }
    if board:
        row = board_row(board)
        found |= {word: row[word] for word in BOARD_WORDS}
    elif made:
        found["core"] = made.core.name
    else:
        found |= _part(project.target)
    return found


def _part(name: str) -> dict[str, Any]:
    """Title, LUTs and block RAMs of a part; nothing of a family."""
    from edgeternary.hdl.devices import PARTS

    part = PARTS.get(name)
    return {"title": part.title, "luts": part.luts, "ram_blocks": part.ram_blocks} if part else {}
