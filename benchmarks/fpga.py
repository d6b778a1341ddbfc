"""The FPGA rows of docs/fpga.md: whole networks on devices, built, simulated and measured."""

import hashlib
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import edgeternary
from edgeternary import zoo
from edgeternary.build import fpga
from edgeternary.hdl.constraints import Constraints
from edgeternary.ir import Graph
from edgeternary.passes.cut import after, with_argmax
from edgeternary.run import run

ROOT = Path(__file__).parents[1]
FRAMES = 2000  # back to back at the input, test images in turn
TIMEOUT = 7200.0  # seconds for them, on a machine that does other work
Row = dict[str, Any]


@dataclass(frozen=True)
class Entry:
    """A network on a device.

    model   of the zoo, or a file of this repository
    recipe  of a file: what names its test samples, which are read where the recipe says
    fps     frames a second that are asked for
    start   the design starts after this layer
    seeds   of place and route, 0: by size
    argmax  the design ends with the index of the largest number
    frames  back to back at the input, test samples in turn
    """

    model: str
    device: str
    fps: int = 0
    start: str = ""
    seeds: int = 0
    recipe: str = ""
    argmax: bool = False
    frames: int = FRAMES

    @property
    def command(self) -> str:
        """The command that builds it."""
        words = ["edgeternary compile", self.model if self.recipe else f"zoo:{self.model}"]
        words += ["--argmax"] if self.argmax else []
        words += ["--device", self.device]
        words += ["--fps", str(self.fps)] if self.fps else []
        words += ["--from", self.start] if self.start else []
        words += ["--build"]
        words += ["--tries", str(self.seeds)] if self.seeds else []
        return " ".join(words)

    @property
    def name(self) -> str:
        return f"{self.model}{f' after {self.start}' if self.start else ''} on {self.device}"


SPEECH, PICTURES = "examples/speech_commands/keywords-human", "examples/cifar10"
ENTRIES = (
    Entry("mnist-mlp-100", "up5k", 8000),
    Entry("mnist-cnn-2bit", "up5k", 1000),
    Entry("mnist-mlp-binary-64", "up5k", 150_000, "bits"),
    Entry("fashion-mlp", "up5k", 3000),
    Entry("mnist-mlp-binary-64", "hx8k", 400_000),
    Entry("mnist-cnn-2bit", "ecp5-25f", 30_000),
    Entry("mnist-cnn-2bit", "gw1nr-9", 1000),
    Entry("mnist-mlp-100", "gw1nr-9", 8000),
    Entry("keywords-ds-cnn", "ecp5-85f", 5000, seeds=1),
    Entry("fashion-resnet8", "ecp5-85f", 2000, seeds=1),
    Entry(
        f"{SPEECH}.et", "ecp5-25f", seeds=1, recipe=f"{SPEECH}.toml", argmax=True, frames=1000,
    ),
    Entry(
        f"{PICTURES}/cifar10-resnet8.et", "ecp5-25f", seeds=1, recipe=f"{PICTURES}/resnet8.toml",
        argmax=True, frames=200,
    ),
)  # fmt: skip
LUT6 = "xc7"  # the family of the LUT6 counts, in the folding of the row


def measure(
    entries: Sequence[Entry], yosys: str, lut6: bool, progress: Callable[[str], None]
) -> Iterator[Row]:
    """A row for each entry, see `row`."""
    for entry in entries:
        progress(entry.name)
        yield row(entry, yosys, entry.frames, lut6, progress)


def row(
    entry: Entry, yosys: str, frames: int, lut6: bool, progress: Callable[[str], None], seeds: int = 0
) -> Row:
    """Figures of one design.

    measured     luts, ffs, ram_blocks, multipliers (synthesis); logic_cells, fmax_mhz (place and route);
                 cycles a frame over `frames` frames back to back in CXXRTL, mismatches there; latency_us
    predicted_*  what was estimated before
    seeds        of place and route; 0: the entry's
    lut6         LUTs of the same design in yosys's mapping to Xilinx 7, without DSP cells
    rtlil        see `planned`
    """
    graph, (inputs, labels) = network(entry), samples(entry)
    constraints = Constraints(fps=entry.fps, seeds=seeds or entry.seeds)
    made = fpga.make(graph, entry.device, None, True, progress, yosys, constraints)
    measured = made.measured
    progress(f"simulating {frames} frames")
    chosen = inputs[np.arange(frames) % len(inputs)]
    options = {"fps": entry.fps, "yosys": yosys, "timeout": TIMEOUT}
    ran = run(graph, chosen, on=f"cxxrtl:{entry.device}", options=options)
    expected = run(graph, inputs, on="numpy").outputs[np.arange(frames) % len(inputs)]
    wrong = int(np.any((ran.outputs != expected).reshape(frames, -1), axis=1).sum())
    found = {
        "model": entry.model,
        "device": entry.device,
        "from": entry.start,
        "command": entry.command,
        **_accuracy(entry, graph, inputs, labels),
        "macs": graph.macs(),
        "input_bits_a_cycle": made.estimates["input_bits_a_cycle"],
        "frames": frames,
        "mismatches": wrong,
        **{key: value for key, value in measured.items() if key not in ("device", "latency_cycles")},
        "rtlil": planned(entry),
        "mean_cycles": ran.stats["mean_cycles"],
        "bitstream_bytes": len(made.files[measured["bitstream"]]),
        **{key: made.estimates[key] for key in ("load_bytes",) if key in made.estimates},
    }
    if lut6:
        progress(f"synthesising for {LUT6}")
        found["lut6"] = _lut6(graph, entry, yosys)
    return found


def merged(old: Sequence[Row], new: Sequence[Row]) -> list[Row]:
    """Old rows and, in their place where they have one, new ones; in the order of ENTRIES."""
    rows = {(row["model"], row["device"], row["from"]): row for row in (*old, *new)}
    order = [(e.model, e.device, e.start) for e in ENTRIES]
    return [rows[key] for key in order if key in rows]


def planned(entry: Entry) -> str:
    """Digest of the RTLIL that the planner makes of an entry now; rows with another one are older."""
    from edgeternary.hdl import emit, plan

    design = plan.design(network(entry), Constraints(entry.device, entry.fps))
    return hashlib.sha256(emit.design_rtlil(design).encode()).hexdigest()[:16]


def older(rows: Sequence[Row]) -> list[Row]:
    """The rows whose hardware differs from what is planned now."""
    now = {(e.model, e.device, e.start): e for e in ENTRIES}
    return [row for row in rows if row.get("rtlil") != planned(now[row["model"], row["device"], row["from"]])]


def network(entry: Entry) -> Graph:
    """The graph of an entry."""
    whole = edgeternary.load(ROOT / entry.model) if entry.recipe else zoo.load(entry.model)
    if entry.argmax:
        whole = with_argmax(whole)
    return after(whole, entry.start) if entry.start else whole


def samples(entry: Entry) -> tuple[np.ndarray, np.ndarray]:
    """The test samples of an entry in the codes that its graph reads, and their labels."""
    if entry.recipe:
        from edgeternary.train.toml import source  # of a recipe whose model need not be there; needs torch

        return source(tomllib.loads((ROOT / entry.recipe).read_text(encoding="utf-8"))["data"])().test
    images, labels = zoo.images(entry.model)
    codes = images.astype(np.int32)
    if entry.start:
        codes = run(zoo.load(entry.model), codes, on="numpy", taps=True).taps[entry.start]
    return codes, labels


def _accuracy(entry: Entry, graph: Graph, inputs: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """Of the integers on all test samples, and the name of their data."""
    if not entry.recipe:
        card = zoo.card(entry.model)
        return {"data": card["data"], "test_accuracy": card["test_accuracy"]}
    right = run(graph, inputs, on="host").outputs.reshape(len(labels)) == labels
    return {"data": entry.recipe, "test_accuracy": round(float(right.mean()), 4)}


def _lut6(graph: Graph, entry: Entry, yosys: str) -> int:
    from edgeternary.hdl import emit, plan
    from edgeternary.hdl.tools import synthesis
    from edgeternary.ir.names import identifier

    design = plan.design(graph, Constraints(entry.device, entry.fps), memories=LUT6)
    figures, _ = synthesis.synthesise(emit.design_verilog(design), identifier(graph.name), LUT6, yosys)
    synthesis.refuse_multipliers(graph.name, figures)
    return int(figures["luts"])
