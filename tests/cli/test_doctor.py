"""doctor prints one command that installs what is missing, and --fix runs it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from edgeternary.toolchains import install
from tests.cli.conftest import Answer


def test_doctor_fixes_after_a_question(
    et: Callable[..., Answer],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ran: list[Any] = []
    monkeypatch.setattr(install, "commands", lambda specs: ([["apt-get", "install", "x y"]], ["probe-rs"]))
    monkeypatch.setattr(install, "install", ran.extend)
    monkeypatch.setattr(install, "still_missing", list)
    assert "apt-get install 'x y'" in et("doctor").out
    assert et("doctor", "--fix").code == 2 and not ran  # there is no terminal that could be asked
    assert et("doctor", "--yes").code == 2 and not ran
    assert et("doctor", "--fix", "--yes").code == 0 and ran == [["apt-get", "install", "x y"]]
