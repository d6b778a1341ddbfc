"""What a header says of inputs and outputs, and the class that it finds in an output."""

import ctypes
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeternary.c.render import render
from edgeternary.ir import Graph, Meta
from edgeternary.ops import Dense, build
from tests.c.harness import WARNINGS
from tests.need import need
from tests.registry.several import two_heads

LABELS = ("standing", "d\u00e9g */", "running")


def columns() -> Graph:
    """Three columns with scales of their own; the answer is the three codes, so that ties are easily made."""
    fc = Dense(name="fc", inputs=("x",), weights=np.eye(3, dtype=np.int8), weight_type="ternary",
               bias=np.zeros(3, np.int32))  # fmt: skip
    meta = Meta(input_scale=(0.5, 2.0, 1 / 3), input_zero=(0, -7, 2), logit_scale=0.1, labels=LABELS)
    return replace(build.graph(build.value("x", (3,), "int8"), fc, name="net"), meta=meta)


def test_the_header_says_what_codes_and_outputs_mean() -> None:
    text = render(columns())["net.h"]
    for line in (
        " *         sensor value = (code - zero) * scale; one for each channel\n",
        " *         scale 0.5, 2, 0.333333333\n *         zero 0, -7, 2\n",
        " *         classes 0 standing, 1 d_g __, 2 running\n",
        "#define NET_LOGIT_SCALE 0.1f ",
        "row-major, channels last",
    ):
        assert line in text
    plain = render(replace(columns(), meta=Meta()))["net.h"]
    for word in ("sensor value", "classes", "LOGIT_SCALE", "net_quantize"):
        assert word not in plain
    many = Meta(labels=tuple(f"class number {i}" for i in range(300)))
    assert max(map(len, render(replace(columns(), meta=many))["net.h"].splitlines())) < 120


def test_the_class_is_that_of_argmax_and_ties_go_to_the_first(tmp_path: Path) -> None:
    need("gcc")
    (tmp_path / "net.h").write_text(render(columns())["net.h"])
    (tmp_path / "use.c").write_text(
        '#include "net.h"\nint found(const net_out_t *out);\n'
        "int found(const net_out_t *out) { return net_class(out); }\n"
    )
    line = ["gcc", *WARNINGS, "-shared", "-fPIC", "use.c", "-o", "use.so"]
    subprocess.run(line, cwd=tmp_path, check=True)
    found = ctypes.CDLL(str(tmp_path / "use.so")).found
    rows = np.random.default_rng(0).integers(-1, 2, (60, 3)).astype(np.int32)
    rows = np.concatenate([rows, np.full((1, 3), -(2**31), np.int32)])
    classes = [found(row.ctypes.data_as(ctypes.c_void_p)) for row in np.ascontiguousarray(rows)]
    np.testing.assert_array_equal(classes, rows.argmax(1))


@pytest.mark.parametrize("compiler", [["gcc", "-std=c99"], ["g++", "-std=c++98", "-xc++"]])
def test_a_function_that_nobody_calls_is_no_warning(compiler: list[str], tmp_path: Path) -> None:
    need("gcc")
    for graph in (columns(), two_heads()):
        (tmp_path / "net.h").write_text(render(graph)[f"{graph.name}.h"])
        flags = ["-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only"]
        flags += ["-Wno-long-long"] if compiler[0] == "g++" else []
        subprocess.run([*compiler, *flags, "net.h"], cwd=tmp_path, check=True)


def test_each_vector_of_several_outputs_has_its_class() -> None:
    text = render(two_heads())["two_heads.h"]
    assert "int two_heads_class_size_fc0(const int32_t *out)" in text
    assert "two_heads_class_kind" not in text, "codes of a map are no scores"
    assert "#define TWO_HEADS_SIZE_FC0_LOGIT_SCALE 0.25f " in text


@pytest.mark.parametrize("scale", [0.5, (0.5, 0.25, 4.0)], ids=["one", "each"])
def test_logits_with_a_zero_point_and_the_class_of_the_largest(scale: float, tmp_path: Path) -> None:
    need("gcc")
    meta = Meta(logit_scale=scale, logit_zero=-7, logit_offset=(1.0, 2.0, -3.5))
    (tmp_path / "net.h").write_text(render(replace(columns(), meta=meta))["net.h"])
    (tmp_path / "use.c").write_text(
        '#include "net.h"\nint found(const net_out_t *out);\nfloat logit(const net_out_t *out, int i);\n'
        "int found(const net_out_t *out) { return net_class(out); }\n"
        "float logit(const net_out_t *out, int i) { return net_logit(out, i); }\n"
    )
    line = ["gcc", *WARNINGS, "-shared", "-fPIC", "use.c", "-o", "use.so"]
    subprocess.run(line, cwd=tmp_path, check=True)
    library = ctypes.CDLL(str(tmp_path / "use.so"))
    library.logit.restype = ctypes.c_float
    rows = np.random.default_rng(0).integers(-99, 99, (30, 3)).astype(np.int32)
    for row, logits in zip(rows, meta.of_output("fc").logits(rows), strict=True):
        pointer = row.ctypes.data_as(ctypes.c_void_p)
        assert library.found(pointer) == logits.argmax()
        assert [library.logit(pointer, i) for i in range(3)] == list(logits)
