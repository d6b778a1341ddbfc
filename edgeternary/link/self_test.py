"""The line of text that an image with a self test prints at power-up."""

import re
import time
from dataclasses import dataclass

from edgeternary.errors import EdgeTernaryError
from edgeternary.link.ports import Port

SECONDS = 120.0  # for the whole self test
LINE = re.compile(
    rb"edgeternary self test: inputs ([0-9a-f]{8}) outputs ([0-9a-f]{8}) reference ([0-9a-f]{8}) "
)


@dataclass(frozen=True)
class SelfTest:
    """inputs: how many; crc: CRC-32 of all their outputs, as the device found it."""

    inputs: int
    crc: int


def listen(port: Port, seconds: float = SECONDS) -> SelfTest:
    """What the device says of its self test. EdgeTernaryError where no such line comes in time."""
    end, heard = time.monotonic() + seconds, b""
    while (left := end - time.monotonic()) > 0:
        heard += port.read(left)
        if found := LINE.search(heard):
            return SelfTest(int(found[1], 16), int(found[2], 16))
    raise EdgeTernaryError(
        f"no self test is heard at {port.name}",
        f"in {seconds:g} s came {heard[:40]!r}" if heard else f"in {seconds:g} s came nothing",
        "was the image built for a board with a self test, and the board reset after the port was opened?",
    )
