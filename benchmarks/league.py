"""The league table: networks on FPGAs, ours and those of other projects, counted by one yosys.

A row is a network. `counts` holds, what `count` says; the rest says what was
counted and where accuracy and latency come from.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import fpga, rivals
from benchmarks.rivals import Rival
from edgeternary import zoo
from edgeternary.hdl import emit, plan
from edgeternary.hdl.constraints import Constraints
from edgeternary.hdl.devices import family
from edgeternary.hdl.tools import synthesis
from edgeternary.hdl.tools.yosys import version
from edgeternary.hdl.top import build
from edgeternary.hdl.wired import why_not
from edgeternary.ir.names import identifier
from edgeternary.passes.cut import with_argmax
from edgeternary.run import run

Row = dict[str, Any]
Note = Callable[[str], None]

FAMILIES = {"ice40": "SB_CARRY", "ecp5": "", "xc7": "CARRY4"}  # carries that sit beside the LUTs, uncounted
DATA = ("MNIST", "Fashion-MNIST")  # of our rows
LATENCY = 1 << 20  # clocks: weights as wires, however many registers
LIMIT = 7200.0  # seconds for yosys, on a machine that does other work
OURS, RIVAL = "ours", "rival"


@dataclass(frozen=True)
class Wired:
    """A network of the zoo with its weights, or tables, as wires: a whole frame in, the class out."""

    model: str

    @property
    def name(self) -> str:
        return f"{self.model}, wired"


@dataclass(frozen=True)
class Folded:
    """A design of docs/fpga.md: pixels in, bytes of the answer out, the class among them."""

    entry: fpga.Entry

    @property
    def name(self) -> str:
        return f"{self.entry.model}, folded for {self.entry.device}"


Entry = Wired | Folded | Rival


def entries(folder: Path | None = None) -> list[Entry]:
    """What the table can have: our networks, found in the zoo, and those in `folder`."""
    ours: list[Entry] = [Wired(name) for name in zoo.names() if _wired(name)]
    ours += [Folded(one) for one in fpga.ENTRIES if _counted(one) and _data(one.model)]
    return [*ours, *(rivals.found(folder) if folder else ())]


def _counted(entry: fpga.Entry) -> bool:
    return not entry.start and not entry.recipe and family(entry.device).name in FAMILIES


def _data(model: str) -> str:
    """The data set of a model, "" where the table has none of it."""
    name = str(zoo.card(model)["data"]).partition(",")[0]
    return name if name in DATA else ""


def _wired(model: str) -> bool:
    return bool(_data(model)) and not why_not(zoo.load(model))


@dataclass(frozen=True)
class Counter:
    """Counts designs: in which fabrics, with which yosys."""

    yosys: str
    note: Note
    fabrics: tuple[str, ...] = tuple(FAMILIES)

    def count(self, text: str, top: str, fabric: str) -> dict[str, int]:
        """luts, ffs, ram_blocks, multipliers and carries of a design, RTLIL or Verilog."""
        figures, folder = self.made(text, top, fabric)
        found = {word: int(figures[word]) for word in ("luts", "ffs", "ram_blocks", "multipliers")}
        return {**found, "carries": synthesis.cell_types(folder).get(FAMILIES[fabric], 0)}

    def made(self, text: str, top: str, fabric: str) -> tuple[dict[str, int | str], Path]:
        self.note(f"synthesising for {fabric}")
        return synthesis.synthesise(text, top, fabric, self.yosys, LIMIT)


def measure(chosen: Sequence[Entry], counter: Counter) -> Iterator[Row]:
    """A row for each entry."""
    for entry in chosen:
        counter.note(entry.name)
        yield _MEASURES[type(entry)](entry, counter)


def of_rival(rival: Rival, counter: Counter) -> Row:
    """The row of a folder. Its accuracy is simulated where the folder has frames."""
    facts = rival.facts
    found: Row = {
        "group": RIVAL, "name": facts.name, "data": facts.data, "accuracy": facts.accuracy,
        "accuracy_of": "that of its authors", "latency": facts.latency,
        "interval": 1, "takes": facts.takes, "holds": facts.holds, "how": facts.made, "source": facts.source,
        "commit": facts.commit, "yosys": version(counter.yosys),
        "counts": {name: counter.count(rival.verilog, facts.top, name) for name in counter.fabrics},
    }  # fmt: skip
    if rival.frames and "ice40" in counter.fabrics:
        _, folder = counter.made(rival.verilog, facts.top, "ice40")
        share, frames = rivals.accuracy(rival, folder / "netlist.json")
        told = f"{share:.2%} of {frames:,} frames through the netlist"
        if frames == facts.frames:
            found["accuracy"] = share
            found["accuracy_of"] = f"{told}; {facts.accuracy:.2%} by its authors" if facts.accuracy else told
        else:
            found["accuracy_of"] += f"; {told}"
    return found


def of_wired(entry: Wired, counter: Counter) -> Row:
    """The row of a wired network, planned for each fabric; 1,000 test images are simulated in CXXRTL."""
    graph, counts = with_argmax(zoo.load(entry.model)), {}
    for fabric in counter.fabrics:
        folding = plan.folding(graph, Constraints(fabric, latency=LATENCY))
        design = build(graph, folding)
        counts[fabric] = counter.count(emit.design_rtlil(design), identifier(graph.name), fabric)
    counter.note("simulating the zoo's test images")
    images = zoo.images(entry.model)[0].astype(np.int32)
    ran = run(graph, images, on="cxxrtl", options={"latency": LATENCY, "yosys": counter.yosys})
    wrong = int((ran.outputs != run(graph, images, on="numpy").outputs).sum())
    return {
        **_ours(entry.name, entry.model, counts, counter.yosys), "latency": design.latency,
        "interval": ran.stats["cycles"], "mismatches": wrong,
        "holds": "registers of the frame, encoder, argmax",
        "how": f"the core of `edgeternary compile zoo:{entry.model} --latency {LATENCY}` after an argmax",
    }  # fmt: skip


def of_folded(entry: Folded, counter: Counter) -> Row:
    """The row of a folded design, whose folding is that of the device and whose memories are the fabric's."""
    one = entry.entry
    graph, counts = zoo.load(one.model), {}
    for fabric in counter.fabrics:
        design = plan.design(graph, Constraints(one.device, one.fps), memories=fabric)
        counts[fabric] = counter.count(emit.design_rtlil(design), identifier(graph.name), fabric)
    return {
        **_ours(entry.name, one.model, counts, counter.yosys),
        "latency": design.latency, "interval": design.cycles,
        "holds": "loading of the frame, encoder, argmax, bytes of the answer", "how": f"`{one.command}`",
    }  # fmt: skip


def _ours(name: str, model: str, counts: dict[str, dict[str, int]], yosys: str) -> Row:
    card = zoo.card(model)
    accuracy, samples = card["test_accuracy"], card["test_samples"]
    return {
        "group": OURS, "name": name, "data": _data(model), "accuracy": accuracy,
        "accuracy_of": f"{samples:,} frames by the same integers in numpy", "takes": "pixels of 8 bits",
        "yosys": version(yosys), "counts": counts,
    }  # fmt: skip


_MEASURES: dict[type, Callable[[Any, Counter], Row]] = {
    Wired: of_wired, Folded: of_folded, Rival: of_rival
}  # fmt: skip


def merged(old: Sequence[Row], new: Sequence[Row]) -> list[Row]:
    """Old rows and, in their place where they have one, new ones: ours first, by accuracy."""
    rows: dict[tuple[str, str], Row] = {}
    for row in (*old, *new):
        key = row["group"], row["name"]
        rows[key] = {**row, "counts": {**rows.get(key, {}).get("counts", {}), **row["counts"]}}
    return sorted(rows.values(), key=lambda row: (row["group"], row["data"], -row["accuracy"], row["name"]))
