"""Which reader takes a model file, what a file is that none takes, and what integers of an output mean."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import edgeternary
from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.frontends.files import OTHERS, read
from edgeternary.frontends.imported import Refusals, model_name
from edgeternary.ir.meta import Meta, OutputMeta
from edgeternary.report.tiny import tiny_graph


def test_a_graph_of_our_own_is_loaded(tmp_path: Path) -> None:
    edgeternary.save(tiny_graph(), tmp_path / "net.et")
    assert edgeternary.load(tmp_path / "net.et").name == tiny_graph().name
    with pytest.raises(EdgeTernaryError, match=r"net\.et is a graph already"):
        read(tmp_path / "net.et")


@pytest.mark.parametrize("suffix", OTHERS)
def test_what_is_no_model_of_ours_is_named(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"net{suffix}"
    path.write_bytes(b"whatever")
    what, remedy = OTHERS[suffix]
    with pytest.raises(EdgeTernaryError) as caught:
        edgeternary.load(path)
    assert caught.value.what == f"net{suffix} is {what}"
    assert caught.value.remedy == remedy


def test_a_missing_file_and_an_option_of_another_format(tmp_path: Path) -> None:
    pytest.importorskip("nir")
    with pytest.raises(EdgeTernaryError, match="there is no such file"):
        read(tmp_path / "none.nir")
    with pytest.raises(EdgeTernaryError, match="it is a folder"):
        (tmp_path / "folder.nir").mkdir()
        read(tmp_path / "folder.nir")
    with pytest.raises(EdgeTernaryError, match="read without --input-type") as caught:
        read(tmp_path / "none.nir", input_type="uint8")
    assert caught.value.code == USAGE


def test_all_refusals_are_raised_together() -> None:
    refusals = Refusals("net.onnx")
    refusals.check()
    for name in ("conv", "conv", "act"):
        with refusals.of(name):
            raise EdgeTernaryError(f"{name} is strange", "it is", f"change {name}")
    with pytest.raises(EdgeTernaryError) as caught:
        refusals.check()
    text = str(caught.value)
    assert text.startswith("2 operators of net.onnx cannot be kept exactly:\n  conv: conv is strange. it is")
    assert "\n  act: act is strange" in text


def test_names_come_from_files() -> None:
    assert model_name(Path("/a/kws.int8.tflite")) == "kws.int8"
    assert model_name(Path("/a/\x07.tflite")) == "model"


def test_logits_have_a_scale_a_zero_point_and_an_offset() -> None:
    meta = OutputMeta(logit_scale=(0.5, 0.25), logit_zero=-3, logit_offset=1.0)
    np.testing.assert_array_equal(meta.logits(np.array([[1, 5]], np.int32)), [[3.0, 3.0]])
    with pytest.raises(EdgeTernaryError, match="generate needs logits that are integers times one scale"):
        meta.one_scale("generate")
    assert OutputMeta(logit_scale=0.5).one_scale("generate") == 0.5


@pytest.mark.parametrize(
    ("meta", "why"),
    [
        (Meta(logit_scale=(1.0, 2.0)), "2 values of logit_scale"),
        (Meta(logit_offset=float("nan")), "an offset is finite"),
        (Meta(logit_scale=-1.0), "a scale is finite and above 0"),
        (Meta(logit_zero=1 << 40), "within -2\\^24"),
    ],
)
def test_meanings_that_cannot_be(meta: Meta, why: str) -> None:
    graph = tiny_graph()
    with pytest.raises(EdgeTernaryError, match=why):
        type(graph)(graph.name, graph.inputs, graph.ops, graph.outputs, meta=meta)
