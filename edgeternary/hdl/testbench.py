"""A test bench in plain Verilog for the core or its AXI4-Stream wrapper, and what it compares with."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from edgeternary.hdl import frames
from edgeternary.hdl.top import Design
from edgeternary.hdl.wrappers import i_fields, o_fields
from edgeternary.ir import IntArray
from edgeternary.ir.names import identifier
from edgeternary.templating import render
from edgeternary_hw import Fields

STREAMS = [(f"{side}__{word}", f"{side}_{word}") for side in "io" for word in ("payload", "valid", "ready")]
CORE = [("clk", "clk"), ("rst", "rst"), *STREAMS]
LOAD = [(f"load__{word}", f"load_{word}") for word in ("payload", "valid", "ready", "done", "failed")]


def vectors(design: Design, inputs: IntArray, outputs: IntArray) -> dict[str, str]:
    """{file name: text} of the beats of codes (samples[, steps], *shape) and of the answers to them."""
    name = identifier(design.graph.name)
    count = outputs.size // design.graph.output_value.size
    flat = outputs.reshape(count, *design.graph.output_value.shape)
    files = {
        f"{name}_inputs.hex": _hex(frames.payloads(design.stimulus(inputs)), len(design.top.i.payload)),
        f"{name}_outputs.hex": _hex(beats(design, flat), len(design.top.o.payload)),
    }
    if design.weights:
        files[f"{name}_weights.hex"] = _hex(list(design.weights), 8)
    return files


def beats(design: Design, outputs: IntArray) -> list[int]:
    """The payloads that answers (count, *shape) leave as."""
    part = design.answer
    if not part:
        return frames.payloads(frames.pack(outputs, design.o_element, design.o_lanes))
    found = []
    for answer in outputs.reshape(len(outputs), -1):
        data = b"".join(
            (number & (1 << 8 * part.size) - 1).to_bytes(part.size, "little") for number in answer.tolist()
        )
        if part.index:
            data += int(answer.argmax()).to_bytes(part.index_beats * part.beat, "little")
        found += [int.from_bytes(data[k : k + part.beat], "little") for k in range(0, len(data), part.beat)]
    return found


def testbench(design: Design, count: int) -> str:
    """The bench of the core for `count` frames."""
    ports = [*CORE, *([*LOAD, ("load__clear", "1'b0")] if design.weights else [])]
    return _rendered(design, count, identifier(design.graph.name), ports, axis=False)


AXIS = [("aclk", "clk"), ("aresetn", "!rst"), ("m_axis_tlast", "o_last"),
        ("event_tlast_unexpected", "unexpected"), ("event_tlast_missing", "missing")]  # fmt: skip
TO_AXIS = {"payload": "tdata", "valid": "tvalid", "ready": "tready"}


def axis_testbench(design: Design, count: int) -> str:
    """The bench of the wrapper with AXI4-Stream ports."""
    sides = (("s_axis", "i"), ("m_axis", "o"), *([("s_load", "load")] if design.weights else []))
    ports = [(f"{port}_{TO_AXIS[w]}", f"{side}_{w}") for port, side in sides for w in TO_AXIS]
    i, o = i_fields(design), o_fields(design)
    ports = [(port, {"i_payload": _placed(i), "o_payload": "o_data"}.get(s, s)) for port, s in ports]
    ports += [*AXIS, ("s_axis_tlast", "i_last")]
    ports += [("s_axis_tuser", f"i_payload[{len(design.top.i.payload) - 1}]")] if design.stateful else []
    ports += [("load_done", "load_done"), ("load_failed", "load_failed")] if design.weights else []
    name = identifier(design.graph.name)
    return _rendered(design, count, f"{name}_axis", ports, axis=True, answer=_taken(o), o_data=o.bits)


def _placed(fields: Fields) -> str:
    """A core's payload in TDATA."""

    def element(k: int) -> tuple[str, int]:
        return f"i_payload[{fields.width * (k + 1) - 1}:{fields.width * k}]", fields.room - fields.width

    return _joined(fields, element, fields.bits - fields.lanes * fields.room)


def _taken(fields: Fields) -> str:
    """The core's payload out of TDATA."""
    return _joined(fields, lambda k: (f"o_data[{fields.room * k + fields.width - 1}:{fields.room * k}]", 0))


def _joined(fields: Fields, element: Callable[[int], tuple[str, int]], spare: int = 0) -> str:
    texts: list[str] = []
    for k in range(fields.lanes):
        text, zeros = element(k)
        texts = [*([f"{zeros}'d0"] if zeros else []), text, *texts]
    texts = [*([f"{spare}'d0"] if spare else []), *texts]
    return f"{{{', '.join(texts)}}}"


def _rendered(
    design: Design,
    count: int,
    top: str,
    ports: list[tuple[str, str]],
    *,
    axis: bool,
    answer: str = "",
    o_data: int = 0,
) -> str:
    name = identifier(design.graph.name)
    fields = {
        "top": top,
        "name": name,
        "sources": f" {name}_axis.v {name}.v" if axis else f" {name}.v",
        "frames": count,
        "ports": ports,
        "axis": axis,
        "answer": answer,
        "o_data": o_data,
        "weights": len(design.weights),
        "patience": design.limit(1),
        "i": _side(design.top.i, design.i_beats, count),
        "o": _side(design.top.o, design.o_beats, count),
    }
    return render("export/verilog/NAME_tb.v.j2", fields)


def _side(port: Any, frame: int, count: int) -> SimpleNamespace:
    return SimpleNamespace(bits=len(port.payload), beats=count * frame, frame=frame)


def _hex(words: list[int], bits: int) -> str:
    return "".join(f"{word:0{-(-bits // 4)}x}\n" for word in words)
