"""errors.script: how the examples end."""

from __future__ import annotations

import pytest

from edgeternary.errors import DOES_NOT_FIT, EdgeTernaryError, script


@pytest.mark.parametrize("code", [0, 4])
def test_the_code_is_that_of_main(code: int) -> None:
    with pytest.raises(SystemExit) as ended:
        script(lambda: code)
    assert ended.value.code == code


def test_errors_are_words_and_a_code(capsys: pytest.CaptureFixture[str]) -> None:
    def main() -> int:
        raise EdgeTernaryError("no room", "it is full", "take less", DOES_NOT_FIT)

    with pytest.raises(SystemExit) as ended:
        script(main)
    assert ended.value.code == DOES_NOT_FIT
    assert capsys.readouterr() == ("", "no room. it is full. take less\n")
