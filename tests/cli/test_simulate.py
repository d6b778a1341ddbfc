"""simulate: what it prints, and that a wrong executor is found out by layer, index and both values."""

from __future__ import annotations

import dataclasses
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.run import numpy as numpy_executor
from edgeternary.run.result import Result
from tests.cli.conftest import Answer
from tests.need import need

Call = Callable[..., Answer]


@pytest.fixture
def wrong_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """The executor host answers like numpy, but the value of layer act is off by one in sample 3."""
    from edgeternary.run import host

    def run(graph: Any, inputs: np.ndarray, *, taps: bool = False, **_: Any) -> Result:
        right = numpy_executor.run(graph, inputs, taps=True)
        broken = np.load(NUDGED)
        at = [i for i, image in enumerate(inputs) if np.array_equal(image, broken)]
        outputs, act = right.outputs.copy(), right.taps["act"].copy()
        outputs[at] += 7
        act[at, 1, 2, 3] ^= 1
        return Result(outputs, {**right.taps, "act": act, "fc": outputs} if taps else {})

    monkeypatch.setattr(host, "run", run)


NUDGED = Path("nudged.npy")


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inputs: Path) -> None:
    monkeypatch.chdir(tmp_path)
    np.save(NUDGED, np.load(inputs)[3])


def test_rows(et: Call, model: Path, inputs: Path) -> None:
    answer = et("simulate", model, "--inputs", inputs, "--json")
    assert answer.code == 0
    assert answer.json() == [{"executor": "numpy", "samples": 5}]


@pytest.mark.parametrize("more", [("--compare",), ("--junit", "j.xml")])
@pytest.mark.parametrize("on", ["numpy", "numpy,numpy"])
def test_numpy_is_not_compared_with_itself(et: Call, model: Path, on: str, more: tuple[str, ...]) -> None:
    answer = et("simulate", model, "--on", on, *more)
    assert answer.code == USAGE
    assert "nothing is compared" in answer.err and "equal" not in answer.out + answer.err
    assert not Path("j.xml").exists()


@pytest.mark.parametrize("on", ["numpy,onnxruntime", "onnxruntime"])
def test_the_verdict_names_what_was_compared(et: Call, model: Path, inputs: Path, on: str) -> None:
    need("onnxruntime")
    answer = et("simulate", model, "--on", on, "--inputs", inputs, "--compare")
    assert answer.code == 0
    assert "Every bit is equal: onnxruntime (5 samples, compared with numpy)." in answer.out


def test_a_users_test_that_compares_nothing_fails(model: Path, inputs: Path) -> None:
    from edgeternary.testing import assert_bit_exact

    with pytest.raises(EdgeTernaryError, match="nothing is compared"):
        assert_bit_exact(model, on=["numpy"], inputs=np.load(inputs))


def test_samples_and_labels_and_outputs(et: Call, model: Path, inputs: Path, tmp_path: Path) -> None:
    many = np.tile(np.load(inputs), (300, 1, 1, 1))
    np.savez(tmp_path / "all.npz", images=many, labels=np.zeros(1500, np.int64))
    answer = et("simulate", model, "--inputs", "all.npz", "--samples", 1000, "--output", "out.npz", "--json")
    assert answer.code == 0
    (row,) = answer.json()
    outputs = np.load("out.npz")["numpy"]
    assert outputs.shape == (1000, 3)
    assert row["accuracy"] == np.mean(outputs.argmax(axis=1) == 0)
    below = et("simulate", model, "--inputs", "all.npz", "--samples", 999, "--json").json()[0]
    assert "accuracy" not in below, "an accuracy from fewer than 1,000 samples would be noise"


def test_without_inputs_random_codes_are_used_and_said(et: Call, model: Path) -> None:
    answer = et("simulate", model, "--json")
    assert answer.code == 0
    assert answer.json()[0]["samples"] == 8
    assert "random codes" in answer.err


@pytest.mark.usefixtures("wrong_host")
def test_a_wrong_executor_is_named_with_layer_index_and_values(et: Call, model: Path, inputs: Path) -> None:
    answer = et(
        "simulate", model, "--on", "numpy,host", "--inputs", inputs, "--compare", "--json", "--junit", "j.xml"
    )
    assert answer.code == 4
    right, wrong = answer.json()
    assert right["mismatches"] == 0
    assert wrong["mismatches"] == 1
    difference = wrong["difference"]
    assert difference["layer"] == "act"
    assert difference["index"] == [3, 1, 2, 3]
    assert difference["agreed"] == "conv"
    assert difference["expected"] ^ 1 == difference["found"]
    text = f"layer 'act' at sample 3, index [1, 2, 3]: expected {difference['expected']}"
    assert text in answer.err
    suite = ET.parse("j.xml").getroot()
    assert suite.get("tests") == "2"
    assert suite.get("failures") == "1"
    assert "layer 'act'" in (suite.findtext("testcase[@name='host']/failure") or "")


@pytest.mark.usefixtures("wrong_host")
def test_without_compare_nothing_is_judged(et: Call, model: Path, inputs: Path) -> None:
    answer = et("simulate", model, "--on", "host", "--inputs", inputs, "--json")
    assert answer.code == 0
    assert "mismatches" not in answer.json()[0]


@pytest.mark.usefixtures("wrong_host")
def test_assert_bit_exact_fails_in_a_users_test(model: Path, inputs: Path) -> None:
    from edgeternary.testing import assert_bit_exact

    images = np.load(inputs)
    assert_bit_exact(model, on=["numpy", "host"], inputs=images[:3])
    with pytest.raises(AssertionError, match="layer 'act' at sample 3"):
        assert_bit_exact(model, on=["numpy", "host"], inputs=images)


@pytest.mark.emulator
def test_real_executors(et: Call, model: Path, inputs: Path) -> None:
    need("zig", "unicorn", "capstone")
    answer = et("simulate", model, "--on", "numpy,host,cortex-m4", "--inputs", inputs, "--compare", "--json")
    assert answer.code == 0, answer.err
    rows = {row["executor"]: row for row in answer.json()}
    assert [row["mismatches"] for row in rows.values()] == [0, 0, 0]
    assert rows["cortex-m4"]["instructions"] > 0
    assert rows["cortex-m4"]["flash_bytes"] > 0


def test_executor_without_taps_is_blamed_for_its_output(model: Path, inputs: Path) -> None:
    from edgeternary import load
    from edgeternary.run.compare import locate

    graph, images = load(model), np.load(inputs).astype(np.int32)
    right = numpy_executor.run(graph, images)
    wrong = dataclasses.replace(right, outputs=right.outputs + np.array([0, 1, 0], np.int32))
    difference = locate(graph, images, 2, "numpy", (right.outputs[2], wrong.outputs[2]))
    assert difference.layer == "fc"
    assert difference.index == (2, 1)
    assert difference.found == difference.expected + 1


@pytest.mark.torch
def test_a_nudged_torch_model_is_found_out(et: Call, tmp_path: Path) -> None:
    """One batch-norm bias moves one threshold by one accumulator step, in torch alone."""
    need("torch")
    torch = pytest.importorskip("torch")
    from edgeternary import zoo
    from edgeternary.nn.checkpoint import save_codes

    model = zoo.torch_model("fashion-mlp")
    with torch.no_grad():
        norm = model.get_submodule("bn2")
        step = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        norm.bias[7] += 2 * step[7]  # sums of bipolar products come in steps of two
    save_codes(model, tmp_path / "nudged.safetensors")
    zoo_model = ("simulate", "zoo:fashion-mlp", "--on", "torch", "--samples", 300, "--compare")
    assert et(*zoo_model).code == 0
    answer = et(*zoo_model, "--torch-checkpoint", "nudged.safetensors", "--json")
    assert answer.code == 4, answer.err
    assert "layer 'act2' at sample" in answer.err
    assert answer.json()[0]["difference"]["index"][1:] == [7]
