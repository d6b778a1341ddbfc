"""Modules as Verilog-2005."""

import textwrap
from collections.abc import Callable, Iterator, Mapping

from edgeternary.hdl.writer import memories
from edgeternary.hdl.writer.clocked import Statements
from edgeternary.hdl.writer.constants import folded
from edgeternary.hdl.writer.expressions import Expressions
from edgeternary.hdl.writer.live import Live
from edgeternary.hdl.writer.names import BACK, Names, named
from edgeternary.hdl.writer.netlist import Assign, Cell, Memory, Module, Wire, cut, read
from edgeternary.hdl.writer.operators import OPERATORS

ONE_FILE = (
    "/* The parts of the module above follow in the same file. */\n/* verilator lint_off DECLFILENAME */\n"
)
LINE = 120  # characters
DIRECTIONS = {"input": "input  wire", "output": "output wire", "inout": "inout  wire"}


def verilog(rtlil: str, header: Callable[[str], str] = str) -> str:
    """Verilog-2005 of RTLIL as Amaranth writes it; ValueError for cells that it never writes here.

    header  of a module, by its name in RTLIL (a part's is its path, a.b), the text of the comment above it
    """
    modules = {name: folded(module) for name, module in read(rtlil).items()}
    live: dict[str, Live] = {}
    for name in reversed(_order(modules)):
        live[name] = Live(modules[name], live, top=name == next(iter(modules)))
    names = named(modules, live)
    texts = [
        comment(header(name.lstrip("\\"))) + _Text(module, live[name], names).text()
        for name, module in modules.items()
        if name in live
    ]
    texts[0] += f"\n{ONE_FILE}" if len(texts) > 1 else ""
    return "\n".join(texts)


def comment(text: str) -> str:
    """Lines as a comment."""
    paragraphs = text.replace("*/", "* /").splitlines()
    lines = [line for text in paragraphs for line in textwrap.wrap(text, LINE - 6, subsequent_indent="   ")]
    return "/* " + "\n".join([lines[0], *(f" * {line}".rstrip() for line in lines[1:])]) + " */\n"


def wrapped(text: str) -> Iterator[str]:
    """Lines of at most LINE characters, where there are spaces to break at."""
    for line in text.split("\n"):
        indent = line[: len(line) - len(line.lstrip())] + 8 * " "
        while len(line) > LINE and (at := line.rfind(" ", len(indent) + 1, LINE)) > 0:
            yield line[:at]
            line = indent + line[at + 1 :]
        yield line


def _order(modules: Mapping[str, Module]) -> list[str]:
    """Every module before those that it holds."""
    found: list[str] = []
    waiting = [next(iter(modules))]
    while waiting:
        found.append(name := waiting.pop())
        waiting += [cell.kind for cell in modules[name].cells if cell.kind in modules]
    return found


class _Text:
    """One module."""

    def __init__(self, module: Module, live: Live, names: Mapping[str, Names]) -> None:
        self.module, self.live, self.modules = module, live, names
        self.names = names[module.name]
        self.say = Expressions(live, self.names)

    def text(self) -> str:
        clocked = Statements(self.module, self.live, self.say)
        processes = list(clocked.processes())
        memory = [line for m in self._memories() for line in memories.ports(self.say, self.module, m)]
        assigns = list(self._assigns())
        instances = list(self._instances())
        contents = [b for m in self._memories() for b in memories.contents(self.say, self.module, m)]
        registers = clocked.registers | self._read_registers()
        head = ",\n".join(self._port(wire, wire.name in registers) for wire in self._ports())
        body = [
            self._declarations(registers, set(self.live.merged)),
            _block(clocked.initial),
            *map(_block, contents),
            "\n".join(assigns),
            "\n".join(processes),
            "\n".join(memory),
            "\n".join(instances),
        ]
        inside = "\n".join(line for text in filter(None, body) for line in (*wrapped(text), ""))
        return f"module {self.names.module} (\n{head}\n);\n{inside}endmodule\n"

    def _memories(self) -> list[Memory]:
        return [m for m in self.module.memories.values() if m.name in self.live.memories]

    def _read_registers(self) -> set[str]:
        """What clocked read ports of memories drive."""
        cells = (cell for cell in self.module.cells if cell.kind == "$memrd_v2")
        return {cell.ports["DATA"][0].wire for cell in cells if cell.number("CLK_ENABLE")}

    def _ports(self) -> list[Wire]:
        return sorted(filter(self.live.kept_port, self.module.ports), key=self._order)

    def _order(self, wire: Wire) -> tuple[bool, bool, str, int]:
        """Clock and reset, what comes in, what goes out; of a stream payload, valid, ready."""
        stream, _, word = self.say.name(wire.name).rpartition("_")
        first = wire.width == 1 and not stream and wire.kind == "input"
        back = word == BACK
        member = ("payload", "valid", BACK).index(word) if word in ("payload", "valid", BACK) else 3
        return not first, (wire.kind == "output") != back, stream, member

    def _port(self, wire: Wire, register: bool) -> str:
        direction = DIRECTIONS[wire.kind].replace("wire", "reg ") if register else DIRECTIONS[wire.kind]
        return f"    {direction} {_bits(wire.width)}{self.say.name(wire.name)}"

    def _declarations(self, registers: set[str], merged: set[str]) -> str:
        lines = []
        for wire in self.module.wires.values():
            there = wire.name in self.names.wires and not wire.kind and wire.name not in merged
            if there and not self.live.inlined(wire.name):
                kind = "reg " if wire.name in registers else "wire"
                lines.append(f"    {kind} {_bits(self.live.declared[wire.name])}{self.say.name(wire.name)};")
        lines += [memories.declaration(self.say, self.module, m) for m in self._memories()]
        lines += [f"    wire {_bits(bits)}{name} = {text};" for name, bits, text in self.say.made]
        lines += ["    integer k;"] if self.say.loops else []
        if sink := list(self._unused(merged)):
            lines.append(f"    wire {self.names.new('unused')} = &{{1'b0, {', '.join(sink)}}};")
        return "\n".join(lines)

    def _unused(self, merged: set[str]) -> Iterator[str]:
        """The bits that are there and that nobody reads."""
        shown = {w.name for w in self._ports() if w.kind == "input"}
        shown |= {w for w in self.names.wires if not self.module.wires[w].kind} - merged
        for name in self.module.wires:
            if name not in shown or self.live.inlined(name):
                continue
            mask, low = self.live.unused(name), 0
            if self.live.alone(name):
                yield self.say.name(name)
                continue
            if mask == (1 << self.live.declared[name]) - 1:
                yield self.say.name(name)
                continue
            while mask >> low:
                low += (mask >> low & -(mask >> low)).bit_length() - 1
                run = ~(mask >> low)
                size = (run & -run).bit_length() - 1
                high = low + size - 1
                yield f"{self.say.name(name)}[{high}{f':{low}' if size > 1 else ''}]"
                low += size

    def _assigns(self) -> Iterator[str]:
        for item in self.live.driver.items():
            wire, driver = item
            if not (top := self.live.top(wire)):
                continue
            if isinstance(driver, Assign):
                yield f"    assign {self.say.name(wire)} = {self.say.spec(cut(driver.right, top))};"
            elif isinstance(driver, Cell) and driver.kind in OPERATORS and not self.live.inlined(wire):
                yield f"    assign {self.say.name(wire)} = {self.say.operator(driver, top)};"

    def _instances(self) -> Iterator[str]:
        for cell in self.live.kept:
            if cell.kind == "$tribuf":
                y, a, enable = (self.say.spec(cell.ports[port]) for port in ("Y", "A", "EN"))
                yield f"    assign {y} = {enable} ? {a} : {{{cell.number('WIDTH')}{{1'bz}}}};"
                continue
            inner = self.modules.get(cell.kind)
            kind = inner.module if inner else cell.kind.lstrip("\\")
            values = [f".{name}({_parameter(value)})" for name, value in cell.parameters.items()]
            attributes = "".join(f"    (* {n} = {_parameter(v)} *)\n" for n, v in cell.attributes.items())
            parameters = f" #({', '.join(values)})" if values else ""
            there = dict(self.live.inputs(cell))
            if inner:
                ports_of = _Text(self.live.done[cell.kind].module, self.live.done[cell.kind], self.modules)
                there = {wire.name[1:]: there[wire.name[1:]] for wire in ports_of._ports()}
            ports = [
                f"        .{inner.wires[chr(92) + port] if inner else port}({self.say.spec(spec)})"
                for port, spec in there.items()
            ]
            name = self.names.instances[cell.name]
            yield f"{attributes}    {kind}{parameters} {name} (\n" + ",\n".join(ports) + "\n    );"


def _block(lines: list[str]) -> str:
    """An initial block."""
    return (
        "\n".join(["    initial begin", *(f"        {line}" for line in lines), "    end"]) if lines else ""
    )


def _bits(width: int) -> str:
    return f"[{width - 1}:0] " if width > 1 else ""


def _parameter(value: str) -> str:
    """A parameter's or attribute's value: a string, a number, or bits."""
    return value.replace("'", "'b") if value[0] != '"' and "'" in value else value
