"""Reads the line that an image with a self test prints at power-up."""

import re
import time
from dataclasses import dataclass

from edgeternary.errors import EdgeTernaryError
from edgeternary.link.ports import Port

SECONDS = 120.0  # limit for the whole self test
LINE = re.compile(
    rb"edgeternary self test: inputs ([0-9a-f]{8}) outputs ([0-9a-f]{8}) reference ([0-9a-f]{8}) "
)


@dataclass(frozen=True)
class SelfTest:
    """inputs: their number; crc: the CRC-32 of all their outputs, computed by the device."""

    inputs: int
    crc: int


def listen(port: Port, seconds: float = SECONDS) -> SelfTest:
    """The result of the device's self test. EdgeTernaryError if its line does not come in time."""
    end, heard = time.monotonic() + seconds, b""
    while (left := end - time.monotonic()) > 0:
        heard += port.read(left)
        if found := LINE.search(heard):
            return SelfTest(int(found[1], 16), int(found[2], 16))
    raise EdgeTernaryError(
        f"no result of a self test came from {port.name}",
        f"{heard[:40]!r} came in {seconds:g} s" if heard else f"no byte came in {seconds:g} s",
        "was the image built for a board with a self test, and the board reset after the port was opened?",
    )
