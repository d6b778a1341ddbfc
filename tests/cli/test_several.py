"""Commands on a model with two inputs and two outputs."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import edgeternary
from tests.cli.conftest import Answer
from tests.need import need
from tests.registry.graphs import named_inputs
from tests.registry.several import two_heads

GRAPH = two_heads()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    edgeternary.save(GRAPH, "two.et")
    np.savez("x.npz", **named_inputs(GRAPH, 6))


def test_inspect(et: Callable[..., Answer]) -> None:
    assert "input  vector: int8[5]" in et("inspect", "two.et").out
    inside = et("inspect", "two.et", "--json").json()
    assert [one["name"] for one in inside["inputs"]] == ["image", "vector"] and "input" not in inside
    assert [one["name"] for one in inside["outputs"]] == list(GRAPH.outputs)
    assert inside["outputs"][0]["labels"] == ["small", "large"] and inside["inputs"][1]["zero"] == -3


def test_files_hold_arrays_by_name(et: Callable[..., Answer]) -> None:
    need("zig|gcc|clang")
    words = ("--inputs", "x.npz", "--on", "host", "--compare", "--output", "o.npz", "--junit", "j.xml")
    assert "Every bit is equal" in et("simulate", "two.et", *words).out
    right = edgeternary.load("two.et").run(named_inputs(GRAPH, 6)).outputs
    shown = et("run", "two.et", "--inputs", "x.npz", "--output", "r.npz")
    assert "kind_act1" in shown.out and "large" in shown.out
    with np.load("o.npz") as simulated, np.load("r.npz") as ran:
        for name, outputs in right.items():
            np.testing.assert_array_equal(simulated[f"host.{name}"], outputs)
            np.testing.assert_array_equal(ran[name], outputs)
    assert et("simulate", "two.et", "--samples", "2").code == 0  # random codes
    np.savez("one.npz", image=np.zeros((1, 3, 2, 2)))
    assert "also takes vector" in et("simulate", "two.et", "--inputs", "one.npz").err


def test_the_header_names_every_input_and_output(et: Callable[..., Answer]) -> None:
    assert et("compile", "two.et", "--core", "cortex-m0plus", "-o", "c").code == 0
    header = " ".join(Path("c/two_heads.h").read_text().split())
    assert "const uint8_t *image, const int8_t *vector, int32_t *size_fc0, uint8_t *kind_act1)" in header
    assert "void two_heads_quantize_vector(const float *values, int8_t *codes)" in header
    assert "#define TWO_HEADS_KIND_ACT1_SIZE 4" in header


@pytest.mark.parametrize(
    "words",
    [
        ("export", "two.et", "--to", "cmake", "-o", "e"),
        ("export", "two.et", "--to", "cocotb", "-o", "e"),
        ("compile", "two.et", "--board", "icebreaker", "-o", "e", "--no-build"),
    ],
)
def test_what_takes_one_input_alone_says_so(et: Callable[..., Answer], words: tuple[str, ...]) -> None:
    found = et(*words)
    assert found.code == 1 and "2 inputs and 2 outputs" in found.err and not Path("e").exists()


def test_verilog_has_a_stream_for_each(et: Callable[..., Answer]) -> None:
    need("amaranth")
    assert et("export", "two.et", "--to", "verilog", "-o", "v").code == 0
    assert [path.name for path in Path("v").glob("*.v")] == ["two_heads.v"]
    text = Path("v/two_heads.v").read_text()
    for port in ("i_image__payload", "i_vector__ready", "o_size_fc0__valid", "o_kind_act1__payload"):
        assert port in text
