"""The line that a board with a self test prints."""

from __future__ import annotations

import pytest

from edgeternary.errors import EdgeTernaryError
from edgeternary.link.self_test import SelfTest, listen

LINE = b"edgeternary self test: inputs 00000004 outputs 0badcafe reference 0badcaff WRONG\n"


class Said:
    """A port at which these pieces come in."""

    name = "said"

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = list(pieces)

    def read(self, timeout: float) -> bytes:
        return self.pieces.pop(0) if self.pieces else b""

    def write(self, data: bytes) -> None:
        raise AssertionError("a listener says nothing")

    def close(self) -> None:
        pass


@pytest.mark.parametrize(
    "pieces", [(LINE,), (b"\xff\x00boot\n", LINE[:30], LINE[30:]), tuple(map(bytes, zip(LINE)))]
)
def test_the_line_in_any_pieces(pieces: tuple[bytes, ...]) -> None:
    assert listen(Said(*pieces), 1.0) == SelfTest(4, 0x0BADCAFE)


@pytest.mark.parametrize("heard", [(), (b"login: ",), (LINE[:50],)])
def test_no_such_line(heard: tuple[bytes, ...]) -> None:
    with pytest.raises(EdgeTernaryError, match="no result of a self test came from said"):
        listen(Said(*heard), 0.1)
