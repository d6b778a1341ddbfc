"""edgeternary import, and other verbs that take a file of another tool as MODEL."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import edgeternary
from edgeternary.errors import BAD_INPUT, NOT_BIT_EXACT, USAGE
from edgeternary.ir.text import dump as inspect_text
from tests.cli.conftest import Answer
from tests.export.drawn import drawn

Call = Callable[..., Answer]
BREVITAS = Path(__file__).parents[1] / "data" / "qonnx" / "mlp_015.onnx"


@pytest.fixture
def lite(tmp_path: Path) -> Path:
    """A small .tflite file."""
    pytest.importorskip("tflite", exc_type=ImportError)
    from edgeternary.export.tflite import to_tflite

    path = tmp_path / "my net.tflite"
    path.write_bytes(to_tflite(drawn(2)))
    return path


@pytest.fixture
def foreign(request: pytest.FixtureRequest) -> Path:
    if request.param == "lite":
        pytest.importorskip("ai_edge_litert", exc_type=ImportError)
        path: Path = request.getfixturevalue("lite")
        return path
    pytest.importorskip("qonnx", exc_type=ImportError)
    return BREVITAS


@pytest.mark.parametrize("foreign", ["lite", "onnx"], indirect=True)
def test_a_table_a_graph_and_the_judge(et: Call, foreign: Path, tmp_path: Path) -> None:
    found = et("import", foreign, "-o", tmp_path / "net.et", "--samples", "3")
    assert found.code == 0, found.err
    assert "multiply-accumulates" in found.out
    assert "Every bit is equal: 3 samples, compared with " in found.out
    assert inspect_text(edgeternary.load(tmp_path / "net.et")) == inspect_text(edgeternary.load(foreign))
    data = et("import", foreign, "--samples", "2", "--json").json()
    assert data["mismatches"] == 0 and data["layers"] and data["macs"] > 0


@pytest.mark.parametrize("foreign", ["lite", "onnx"], indirect=True)
def test_floats_to_check_are_quantised(et: Call, foreign: Path, tmp_path: Path) -> None:
    graph = edgeternary.load(foreign)
    np.savez(
        tmp_path / "x.npz", x=np.random.default_rng(0).normal(size=(4, *graph.input.shape)).astype(np.float32)
    )
    found = et("import", foreign, "--inputs", tmp_path / "x.npz")
    assert found.code == 0, found.err
    assert "4 samples" in found.out


@pytest.mark.emulator
@pytest.mark.parametrize("foreign", ["lite", "onnx"], indirect=True)
def test_every_verb_takes_such_a_file(et: Call, foreign: Path, tmp_path: Path) -> None:
    done = et(
        "simulate", foreign, "--on", "original,numpy,cortex-m0plus", "--samples", "2", "--compare", "--json"
    )
    assert done.code == 0, done.err
    assert [row["mismatches"] for row in done.json()] == [0, 0, 0]
    assert et("compile", foreign, "--core", "cortex-m4", "-o", tmp_path / "out").code == 0
    assert list((tmp_path / "out").glob("*.h"))
    for verb in (
        ["inspect", foreign],
        ["summary", foreign],
        ["export", foreign, "--to", "c", "-o", tmp_path / "c"],
    ):
        assert et(*verb).code == 0


def test_a_graph_that_differs_ends_with_code_4(et: Call, lite: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The judge answers for another file."""
    pytest.importorskip("ai_edge_litert", exc_type=ImportError)
    from edgeternary.run import original

    def other(graph: object, inputs: np.ndarray, **more: object) -> object:
        found = real(graph, inputs, **more)
        found.outputs[0] += 1
        return found

    real = original.run
    monkeypatch.setattr(original, "run", other)
    found = et("import", lite, "--samples", "3")
    assert found.code == NOT_BIT_EXACT
    assert "original" in found.err


def test_bad_input(et: Call, lite: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.tflite"
    damaged.write_bytes(lite.read_bytes()[:100])
    for arguments, code, words in (
        (("import", tmp_path / "none.tflite"), BAD_INPUT, "there is no such file"),
        (("import", damaged), BAD_INPUT, "damaged.tflite"),
        (("import", lite, "--dt", "1"), USAGE, "read without --dt"),
        (("import", lite, "--until", "nothing"), BAD_INPUT, "nothing"),
        (("compile", damaged, "--core", "host", "-o", tmp_path / "out"), BAD_INPUT, "damaged.tflite"),
    ):
        found = et(*arguments)
        assert (found.code, words in found.err) == (code, True), found.err
    assert not (tmp_path / "out").exists()
