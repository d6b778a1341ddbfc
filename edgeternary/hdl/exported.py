"""A model as Verilog for somebody's own design: core, AXI4-Stream, Wishbone, constraints, README."""

from __future__ import annotations

from types import SimpleNamespace

import jinja2

from edgeternary.data import templates_dir
from edgeternary.hdl.emit import as_verilog, design_rtlil
from edgeternary.hdl.folding import Folding
from edgeternary.hdl.top import build
from edgeternary.hdl.wrappers import axis, wishbone, wrapped_rtlil
from edgeternary.ir import Graph, Value
from edgeternary.ir.names import identifier
from edgeternary_hw import Element

TEXTS = ("constraints.sdc", "constraints.xdc", "README.md")
PERIOD = "10.000"  # nanoseconds, in the constraints
DEPTH = 64  # words of each FIFO of the Wishbone slave
ENCODINGS = {
    "unsigned": "unsigned",
    "signed": "two's complement",
    "bipolar": "1 is +1, 0 is -1",
    "ternary": "bit 0: +1, bit 1: -1, none: 0",
}


def verilog_project(graph: Graph, folding: Folding | None = None, tool: str = "auto") -> dict[str, str]:
    """{file name: text}: core.v, axis.v, wishbone.v, constraints and a README. `tool`: see hdl.yosys."""
    name = identifier(graph.name)
    core, again, bytewise = (build(graph, folding, answer=answer) for answer in (False, False, True))
    streams, slave = axis(again), wishbone(bytewise, DEPTH)
    files = {
        "core.v": (design_rtlil(core), "streams i and o, one clock, synchronous reset"),
        "axis.v": (wrapped_rtlil(streams, f"{name}_axis", "aclk", "aresetn", low=True), "AXI4-Stream"),
        "wishbone.v": (wrapped_rtlil(slave, f"{name}_wishbone", "wb_clk_i", "wb_rst_i"), "Wishbone B4 slave"),
    }
    texts = {
        file: as_verilog(text, f"Model {name}: {what}.", f"writing {file} of model {graph.name!r}", tool)
        for file, (text, what) in files.items()
    }
    i_bits, o_bits = len(core.top.i.payload), len(core.top.o.payload)
    values = {
        "name": name,
        "title": graph.name,
        "version": _version(),
        "period": PERIOD,
        "cycles": core.cycles,
        "stateful": core.stateful,
        "i": _port(graph.input, core.i_element, core.i_lanes, i_bits, len(streams.s_axis_tdata)),
        "o": _port(graph.output_value, core.o_element, core.o_lanes, o_bits, len(streams.m_axis_tdata)),
        "wb": SimpleNamespace(
            frame_bytes=slave.unpack.frame_bytes, wire=slave.unpack.wire, frame_words=slave.frame_words,
            words=slave.gather.words, index=slave.gather.index, depth=DEPTH,
        ),
    }  # fmt: skip
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates_dir()), undefined=jinja2.StrictUndefined,
        trim_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    for file in TEXTS:
        texts[file] = environment.get_template(f"export/verilog/{file}.j2").render(values)
    return texts


def _port(value: Value, element: Element, lanes: int, bits: int, axis_bits: int) -> SimpleNamespace:
    return SimpleNamespace(
        text=f"`{value.name}`, {value.type.name} {'x'.join(map(str, value.shape))}", size=value.size,
        lanes=lanes, width=element.width, encoding=ENCODINGS[element.kind], beats=-(-value.size // lanes),
        bits=bits, axis_bits=axis_bits,
    )  # fmt: skip


def _version() -> str:
    from edgeternary import __version__

    return __version__
