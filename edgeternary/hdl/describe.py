"""What stands above each module of the Verilog: what it is, its shapes, its streams, its cycles."""

import inspect
from collections.abc import Callable
from typing import Any

from edgeternary.hdl.ports import Port
from edgeternary.hdl.top import Design
from edgeternary.ir import Value
from edgeternary.ir.names import identifier
from edgeternary_hw import Element

ENCODINGS = {
    "unsigned": "unsigned",
    "signed": "two's complement",
    "bipolar": "1 is +1, 0 is -1",
    "ternary": "bit 0: +1, bit 1: -1, none: 0",
}


STARTS = " The highest bit is 1 with the first beat of a sample."


def made_by() -> str:
    from edgeternary.version import __version__

    return f"Made by edgeternary {__version__}."


def header(design: Design) -> Callable[[str], str]:
    """The text above a module, by its name in RTLIL."""
    parts = dict(design.top.parts)
    shapes = design.graph.values

    def text(name: str) -> str:
        _, _, path = name.partition(".")
        instance, _, inner = path.partition(".")
        if not path:
            return top(design)
        if instance not in parts:
            return f"{path}: {made_by()}"
        layer = design.layers.get(instance, instance)
        if inner:
            last = inner.rpartition(".")[2]
            part = getattr(parts[instance], last, None)
            return f"{last}, inside of {instance}: {_what(part) or f'a part of layer {layer}.'}\n{made_by()}"
        part = parts[instance]
        lines = [
            f"{instance}: {_what(part)}",
            f"Layer {layer}{_shape(shapes.get(layer))}.{_fold(design, layer)}",
        ]
        lines += [_streams(part)] if _streams(part) else []
        if cycles := design.busy.get(instance):
            lines.append(f"It works {cycles:,} cycles a frame.")
        return "\n".join([*lines, made_by()])

    return text


def top(design: Design) -> str:
    """Of the whole network."""
    graph = design.graph
    lines = [f"{identifier(graph.name)}: model {graph.name!r} as hardware, without multipliers."]
    for stream in design.ins:
        starts = STARTS if design.stateful and stream is design.ins[0] else ""
        lines += _stream(design, stream, "input", starts)
    if part := design.answer:
        index = f", then the index of the largest in {part.index_bytes}" if part.index_bytes else ""
        lines += [
            f"o  output {_value(graph.output_value)}: {_bytes(part.size)} a number, low one first{index};",
            f"   {_bytes(part.beat)} a beat, {design.o_beats:,} beats a frame.",
        ]
    else:
        for stream in design.outs:
            lines += _stream(design, stream, "output")
    if design.weights:
        lines.append(
            f"load  the weights, {len(design.weights):,} bytes (weights.bin), before the first frame."
        )
    lines.append("A beat moves at a rising edge of clk where valid and ready are both 1. rst is synchronous.")
    lines.append(f"A frame every {design.cycles:,} cycles.")
    return "\n".join([*lines, made_by()])


def _stream(design: Design, stream: Port, role: str, starts: str = "") -> list[str]:
    """Of a stream of the network."""
    bits = len(getattr(design.top, stream.name).payload)
    return [
        f"{stream.name}  {role} {port(stream.value, stream.element, stream.lanes)}; {bits} bits a beat,",
        f"   {stream.beats:,} beats a frame.{starts}",
    ]


def _bytes(count: int) -> str:
    return f"{count} byte{'s' * (count != 1)}"


def port(value: Value, element: Element, lanes: int) -> str:
    """A value on a stream in words."""
    each = f"{lanes} elements of {element.width} bits" if lanes > 1 else f"an element of {element.width} bits"
    return f"{_value(value)}: {each} ({ENCODINGS[element.kind]})"


def shaped(value: Value) -> str:
    """Type, shape and interval."""
    return f"{value.type.name} {'x'.join(map(str, value.shape))} in [{value.lo}, {value.hi}]"


def _value(value: Value) -> str:
    return f"{value.name}, {shaped(value)}"


def _what(part: Any) -> str:
    """The first paragraph about a part's class."""
    text = inspect.getdoc(type(part)) if part is not None else ""
    if part is None or type(part).__module__.partition(".")[0] != "edgeternary_hw":
        return ""
    return (text or "").split("\n\n")[0].replace("`", "")


def _shape(value: Value | None) -> str:
    return f", whose result is {_value(value)}" if value is not None else ""


def _fold(design: Design, layer: str) -> str:
    fold = design.folding.folds.get(layer)
    return f" {fold.pe} rows and {fold.simd} columns a cycle." if fold else ""


def _streams(part: Any) -> str:
    """Bits of its streams, where it has the usual two."""
    try:
        return f"Streams: {len(part.i.payload)} bits a beat in, {len(part.o.payload)} out."
    except AttributeError:
        return ""
