"""A core as a folder for any FPGA: the core itself, wrappers, benches, constraints, README, timing."""

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from edgeternary.hdl.describe import ENCODINGS, made_by, shaped
from edgeternary.hdl.devices import FAMILIES, PARTS, Family, family
from edgeternary.hdl.emit import as_verilog, design_verilog
from edgeternary.hdl.testbench import axis_testbench, testbench, vectors
from edgeternary.hdl.tools import constant_tables, output_registers
from edgeternary.hdl.top import Design
from edgeternary.hdl.wrappers import Core, axis, i_fields, o_fields, wishbone, wrapped_rtlil
from edgeternary.ir import IntArray, Value
from edgeternary.ir.names import identifier, plain
from edgeternary.templating import render
from edgeternary_hw import Axis, Element, Fields, Wishbone

TEXTS = ("constraints.sdc", "constraints.xdc", "README.md", "TIMING.md")
CLOCK = 100.0  # MHz of the constraints where no device says another
DEPTH = 64  # words of each FIFO of the Wishbone slave


def texts_of(
    design: Design,
    inputs: IntArray,
    outputs: IntArray,
    *,
    device: str = "",
    clock: float = 0.0,
    estimates: Mapping[str, Any] | None = None,
    measured: Mapping[str, Any] | None = None,
) -> dict[str, str]:
    """{file name: text} of a design: NAME.v, the wrappers NAME_axis.v and NAME_wishbone.v around it, test
    benches with vectors, constraints, a script for yosys, a README and a timing report.

    inputs, outputs      codes (samples[, steps], *shape) of the benches, and the answers to them
    device               part or family that it was planned for, "" for none
    clock                MHz of the constraints; 0: those of the device
    estimates, measured  figures of the timing report, in the words for quantities
    """
    name = identifier(design.graph.name)
    streams, slave = axis(Core(design)), wishbone(Core(design), DEPTH)
    made = {
        "axis": (
            wrapped_rtlil(streams, f"{name}_axis", "aclk", "aresetn", low=True),
            _axis_title(design, streams),
        ),
        "wishbone": (
            wrapped_rtlil(slave, f"{name}_wishbone", "wb_clk_i", "wb_rst_i"),
            _slave_title(design, slave),
        ),
    }
    texts = {f"{name}.v": design_verilog(design)}
    texts |= {f"{name}_{kind}.v": as_verilog(text, title) for kind, (text, title) in made.items()}
    count = outputs.size // design.graph.output_value.size
    texts |= {f"{name}_tb.v": testbench(design, count), f"{name}_axis_tb.v": axis_testbench(design, count)}
    texts |= vectors(design, inputs, outputs)
    part = PARTS.get(device)
    fabrics = [family(device)] if device else list(FAMILIES.values())
    tables = constant_tables.many(texts[f"{name}.v"])
    for fabric in fabrics:
        texts[f"synth_{fabric.name}.ys"] = _script(name, fabric, tables)
    if tables:
        texts[constant_tables.FILE] = constant_tables.MAP
    if any(fabric.output_registers for fabric in fabrics):
        texts["output_registers.py"] = Path(output_registers.__file__).read_text(encoding="utf-8")
    mhz = clock or (part.clock if part else 0) or CLOCK
    values = {
        "name": name, "title": plain(design.graph.name), "made_by": made_by(),
        "mhz": mhz, "period": f"{1e3 / mhz:.3f}", "frames_per_s": round(1e6 * mhz / design.cycles),
        "cycles": design.cycles, "stateful": design.stateful, "latency": design.latency,
        "device": part.title if part else device, "weights": len(design.weights),
        "scripts": [f"synth_{fabric.name}.ys" for fabric in fabrics],
        "tables": constant_tables.FILE if tables else "",
        "registers": [fabric.name for fabric in fabrics if fabric.output_registers],
        "estimates": [*(estimates or {}).items()], "measured": [*(measured or {}).items()],
        "rows": _rows(design), "answer": design.answer, "frames": count,
        "i": _port(design.graph.input, design.i_element, i_fields(design), len(design.top.i.payload)),
        "o": _port(design.graph.output_value, design.o_element, o_fields(design), len(design.top.o.payload)),
        "wb": SimpleNamespace(
            frame_bytes=slave.unpack.frame_bytes, wire=slave.unpack.wire, frame_words=slave.frame_words,
            words=slave.gather.words, index=slave.gather.index, depth=DEPTH,
            load_words=-(-len(design.weights) // 4),
        ),
    }  # fmt: skip
    for file in TEXTS:
        texts[file] = render(f"export/verilog/{file}.j2", values)
    return texts


def _rows(design: Design) -> list[tuple[str, str, int]]:
    """Part, layer, cycles a frame: the busiest first."""
    found = [(part, plain(design.layers.get(part, part)), cycles) for part, cycles in design.busy.items()]
    return sorted(found, key=lambda row: -row[2])


def _script(name: str, fabric: Family, tables: bool) -> str:
    """What synthesises the core as its figures were measured; `tables`: it has many."""
    after = " && python3 output_registers.py netlist.json" if fabric.output_registers else ""
    first = "".join(f"{line}\n" for line in constant_tables.passes(name)) if tables else ""
    return (
        f"# yosys -s synth_{fabric.name}.ys{after}\n"
        f"read_verilog {name}.v\n{first}{fabric.synth.format(top=name)}\ndelete t:$scopeinfo\nautoname\n"
        "stat\ntee -q -o stat.json stat -json\nblackbox =A:whitebox\nwrite_json netlist.json\n"
    )


def _axis_title(design: Design, part: Axis) -> str:
    i, o = part.fields
    return (
        f"{identifier(design.graph.name)}_axis: the network with AXI4-Stream ports.\n"
        "A packet is a frame, or its answer.\n"
        f"s_axis  {i.beats:,} beats a packet, in each {_lanes(i)}.\n"
        f"m_axis  {o.beats:,} beats a packet, in each {_lanes(o)}.\n"
        "A packet that ends early is filled up with zeros; of one that ends late the end is dropped.\n"
        f"A frame every {design.cycles:,} cycles; the wrapper adds none."
    )


def _lanes(fields: Fields) -> str:
    sign = ", its sign repeated" if fields.signed and fields.room > fields.width else ""
    many = fields.lanes > 1
    each = f"{fields.lanes} elements of {fields.width} bits" if many else f"an element of {fields.width} bits"
    return f"{each} in {fields.room}{sign}, {fields.bits} bits of TDATA"


def _slave_title(design: Design, part: Wishbone) -> str:
    words = f"A frame is {part.frame_words:,} words, an answer {part.gather.words:,}."
    return (
        f"{identifier(design.graph.name)}_wishbone: the network as a Wishbone B4 slave of four words.\n"
        f"{words} Cycles are classic; each access is acknowledged in the cycle after it.\n"
        f"A frame every {design.cycles:,} cycles, or slower if the bus is."
    )


def _port(value: Value, element: Element, fields: Fields, bits: int) -> SimpleNamespace:
    return SimpleNamespace(
        text=f"`{plain(value.name)}`, {shaped(value)}",
        size=value.size, lanes=fields.lanes, width=element.width, room=fields.room, signed=fields.signed,
        encoding=ENCODINGS[element.kind], beats=fields.beats, bits=bits, axis_bits=fields.bits,
    )  # fmt: skip
