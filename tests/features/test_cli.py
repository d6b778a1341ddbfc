"""compile and bench with --sound."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import edgeternary
from edgeternary.cli import call
from edgeternary.features import with_sound
from tests.features.test_sound import SMALL, spotter
from tests.need import need

pytestmark = pytest.mark.emulator


def test_a_compiled_model_takes_samples(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    need("zig")
    edgeternary.save(with_sound(spotter(SMALL.frames), SMALL), tmp_path / "m.et")
    edgeternary.save(spotter(SMALL.frames), tmp_path / "plain.et")
    words = ["compile", str(tmp_path / "m.et"), "--core", "m4", "--sound", "own", "--json", "--no-report"]
    assert call([*words, "-o", str(tmp_path / "out")]) == 0
    layers = json.loads(capsys.readouterr().out)["layers"]
    assert [row["name"] for row in layers] == ["bands", "codes", "fc"]
    assert edgeternary.load(tmp_path / "out" / "spotter.et").input.type.name == "int16"
    assert "#define SPOTTER_INPUT_SIZE 700" in (tmp_path / "out" / "spotter.h").read_text()
    assert call(["bench", str(tmp_path / "m.et"), "--core", "m4", "--sound", "own", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["layers"]
    assert found[0]["layer"] == "bands" and found[0]["cycles"] > 1000
    assert call(["compile", str(tmp_path / "plain.et"), "--core", "m4", "--sound", "own"]) == 1
    assert "does not say which front end" in capsys.readouterr().err
    assert call(["compile", str(tmp_path / "plain.et"), "--core", "m4", "--sound", "mlperf"]) == 1
    assert "does not read MLPerf's features" in capsys.readouterr().err
