"""Registers and what happens under conditions: always blocks."""

from collections.abc import Iterator

from edgeternary.hdl.writer.expressions import Expressions, constant
from edgeternary.hdl.writer.live import Live
from edgeternary.hdl.writer.netlist import Assign, Body, Case, Module, Spec, Switch, cut
from edgeternary.hdl.writer.processes import apart, by_case, keeps, pruned, terms

REGISTERS = ("$dff", "$adff")


class Statements:
    """The always blocks of a module, and the statements of its initial block.

    registers  what is assigned in always blocks
    """

    def __init__(self, module: Module, live: Live, say: Expressions) -> None:
        self.module, self.live, self.say = module, live, say
        self.flops = [c for c in module.cells if c.kind in REGISTERS and live.uses.get(c.ports["Q"][0].wire)]
        self.registers = {c.ports["Q"][0].wire for c in self.flops}
        self.initial: list[str] = []

    def processes(self) -> Iterator[str]:
        for process in self.module.processes:
            assert isinstance(process[0], Assign)
            wire = process[0].left[0].wire
            if wire not in self.live.merged and self.live.uses.get(wire):
                yield from self._combinational(wire, pruned(process, self.live.top(wire)))
        plain: dict[str, list[str]] = {}
        for cell in self.flops:
            q = cell.ports["Q"][0].wire
            top, name = self.live.top(q), self.say.name(q)
            if bits := self.module.wires[q].init:
                self.initial.append(f"{name} = {constant(bits[-self.live.declared[q] :])};")
            d = cut(cell.ports["D"], self.live.declared[q])
            edge = f"always @(posedge {self.say.spec(cell.ports['CLK'])}"
            if cell.kind == "$adff":
                value = constant(cell.parameters["ARST_VALUE"].partition("'")[2][-self.live.declared[q] :])
                reset = self.say.spec(cell.ports["ARST"])
                yield f"    {edge}, posedge {reset})"
                yield f"        if ({reset}) {name} <= {value};"
                yield f"        else {name} <= {self.say.spec(d)};"
            elif d[0].wire in self.live.merged:
                body = self.live.driver[d[0].wire]
                assert isinstance(body, list)
                lines = list(self._lines(pruned(body, top), q, "<="))
                yield f"    {edge}) begin"
                yield from (f"        {line}" for line in lines)
                yield "    end"
            else:
                plain.setdefault(edge, []).append(f"{name} <= {self.say.spec(d)};")
        for edge, lines in plain.items():
            yield f"    {edge}) begin"
            yield from (f"        {line}" for line in lines)
            yield "    end"

    def _combinational(self, wire: str, body: Body) -> Iterator[str]:
        name = self.say.name(wire)
        if len(body) == 1 and isinstance(body[0], Assign):
            yield f"    assign {name} = {self.say.spec(body[0].right)};"
            return
        self.registers.add(wire)
        yield "    always @* begin"
        yield from (f"        {line}" for line in self._lines(body, wire, "="))
        yield "    end"

    def _lines(self, body: Body, target: str, sign: str) -> Iterator[str]:
        for item in body:
            if isinstance(item, Assign):
                (left,) = item.left
                whole = left.width == self.live.declared[target]
                if sign == "<=" and item is body[0] and keeps(item, target):
                    continue
                high = left.low + left.width - 1
                bits = "" if whole else f"[{high}:{left.low}]" if left.width > 1 else f"[{high}]"
                yield f"{self.say.name(target)}{bits} {sign} {self.say.spec(item.right)};"
            elif by_case(item):
                yield from self._case(item, target, sign)
            else:
                yield from self._chain(item, target, sign)

    def _case(self, switch: Switch, target: str, sign: str) -> Iterator[str]:
        yield f"case ({self.say.spec(switch.selector)})"
        for case in switch.cases:
            label = ", ".join(map(constant, case.patterns)) or "default"
            yield from _indented(f"    {label}: ", self._inner(case.body, target, sign), "    ")
        if all(case.patterns for case in switch.cases):
            yield "    default: ;"
        yield "endcase"

    def _chain(self, switch: Switch, target: str, sign: str) -> Iterator[str]:
        word = "if"
        first, *others = switch.cases
        if len(others) == 1 and not first.body and first.patterns and others[0].patterns:
            inner = self._inner(others[0].body, target, sign)
            if apart(first, others[0]):
                yield from _indented(f"if ({self._condition(switch.selector, others[0])}) ", inner, "")
                return
            no, yes = (self._condition(switch.selector, case, True) for case in switch.cases)
            yield from _indented(f"if (!{no} && {yes}) ", inner, "")
            return
        for case in switch.cases:
            always = not case.patterns or any(not pattern.strip("-") for pattern in case.patterns)
            head = "else " if always else f"{word} ({self._condition(switch.selector, case)}) "
            inner = self._inner(case.body, target, sign)
            if always and word == "if":
                yield from inner
                return
            yield from _indented(head, inner, "")
            if always:
                return
            word = "else if"

    def _inner(self, body: Body, target: str, sign: str) -> list[str]:
        return list(self._lines(body, target, sign))

    def _condition(self, selector: Spec, case: Case, inside: bool = False) -> str:
        choices = [terms(selector, pattern) for pattern in case.patterns]
        several = len(choices) > 1
        texts = []
        for choice in choices:
            alone = len(choice) == 1 and not several and not inside
            tests = [self._test((piece,), bits, alone) for piece, bits in choice]
            text = " && ".join(tests)
            texts.append(f"({text})" if several and len(tests) > 1 else text)
        text = " || ".join(texts)
        return f"({text})" if inside and (several or len(choices[0]) > 1 or text[0] == "!") else text

    def _test(self, piece: Spec, bits: str, alone: bool) -> str:
        if len(bits) == 1:
            return (
                self.say.spec(piece, inside=not alone)
                if bits == "1"
                else f"!{self.say.spec(piece, inside=True)}"
            )
        if "-" in bits:
            mask, value = bits.replace("0", "1").replace("-", "0"), bits.replace("-", "0")
            text = f"({self.say.spec(piece, inside=True)} & {constant(mask)}) == {constant(value)}"
        else:
            text = f"{self.say.spec(piece, inside=True)} == {constant(bits)}"
        return text if alone else f"({text})"


def _indented(head: str, lines: list[str], indent: str) -> Iterator[str]:
    """`head` and a statement, or a block of them."""
    if len(lines) == 1 and not lines[0].startswith("if "):
        yield f"{head}{lines[0]}"
        return
    yield f"{head}begin"
    yield from (f"{indent}    {line}" for line in lines)
    yield f"{indent}end"
