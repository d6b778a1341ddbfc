"""verify of a board that can only speak: the self test that its image does at power-up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgeternary.errors import NOT_BIT_EXACT, EdgeTernaryError

if TYPE_CHECKING:
    from edgeternary.link.build import Build


def only_speaks(build: Build, emulate: bool) -> bool:
    """Whether the board's emulated serial port takes no bytes, while its image tests itself."""
    emulator = build.board.emulator
    return emulate and build.board.self_test and emulator is not None and not emulator.receives


def verify_self_test(build: Build) -> dict[str, Any]:
    """Listen to the emulated board; the row of `verify`.

    EdgeTernaryError (code 4) where the outputs' CRC-32 is not that of the reference, which is computed here.
    """
    from edgeternary.build.board_image import self_test
    from edgeternary.emulate import emulated
    from edgeternary.link.ports import open_port
    from edgeternary.link.self_test import listen

    with emulated(build, listening=True) as board:
        port = open_port(board.port)
        try:
            heard = listen(port)
        finally:
            port.close()
    reference = self_test(build.graph)
    if (heard.inputs, heard.crc) != (len(reference.inputs), reference.crc):
        raise EdgeTernaryError(
            f"{build.board.title} is not bit-exact with numpy: its self test differs",
            f"the outputs of {heard.inputs} inputs have the CRC-32 {heard.crc:08x}, expected is "
            f"{reference.crc:08x} of {len(reference.inputs)}",
            "check that the image is that of this folder's model; if so, report this as a bug",
            NOT_BIT_EXACT,
        )
    return {
        "board": build.board.name,
        "model": build.model,
        "by": f"{board.by}, self test",
        "samples": heard.inputs,
        "mismatches": 0,
        "cycles": None,
        "cycles_why": "the self test tells none",
        **{word: build.figure(word) for word in ("flash_bytes", "ram_bytes", "stack_bytes", "stack_bound")},
        "digest": build.digest,
    }
