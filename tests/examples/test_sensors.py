"""The examples of sensor data, trained for a moment."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.examples.script import ROOT, command
from tests.full import FULL
from tests.need import need

pytestmark = [pytest.mark.torch, pytest.mark.emulator, pytest.mark.slow]
FOLDER = ROOT / "examples" / "sensors"


@pytest.mark.parametrize("name", ["sound", "table", *(["motion"] * FULL)])
def test_from_a_float_model_to_c(name: str, tmp_path: Path) -> None:
    need("zig|gcc", "unicorn")
    done = command(FOLDER / f"{name}.py", "--quick", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "graph " in done.stdout
    (header,) = (tmp_path / name).glob("*.h")  # `table` is n_table in C
    text, net = header.read_text(), header.stem
    for said in (f"int {net}_class(", f"void {net}_quantize(", f"{net.upper()}_LOGIT_SCALE", "sensor value"):
        assert said in text


def test_each_is_short() -> None:
    assert all(len(path.read_text().splitlines()) < 80 for path in FOLDER.glob("*.py"))
