"""LUTs as tables are yosys's models of them, and terms of sums as polynomials are these terms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edgeternary.hdl.devices import FAMILIES
from edgeternary.hdl.tools.lut_models import LUTS, models
from edgeternary.prove.evaluate import evaluate
from edgeternary.prove.polynomial import expanded
from edgeternary.prove.terms import Form, Terms, of_parts
from tests.need import need


@pytest.mark.synth
@pytest.mark.parametrize("family", LUTS)
def test_luts_are_what_the_models_of_yosys_say(family: str, monkeypatch) -> None:
    need("yosys", "yosys-abc")
    from edgeternary.prove import netlists
    from edgeternary.prove.gates import Pairs

    rng = np.random.default_rng(5)
    lines, outputs = [], 0
    for cell, init, pins, output in LUTS[family]:
        for _ in range(3):
            bits = "".join(map(str, rng.integers(0, 2, 1 << len(pins))))
            wires = ", ".join(f".{pin}(i[{rng.integers(6)}])" for pin in pins)
            lines.append(
                f"{cell} #(.{init}({len(bits)}'b{bits})) u{outputs} ({wires}, .{output}(o[{outputs}]));"
            )
            outputs += 1
    text = f"module top(input [5:0] i, output [{outputs - 1}:0] o);\n" + "\n".join(lines) + "\nendmodule\n"
    cells = (f"{family}/cells_sim.v",)
    ours = netlists.of_netlist(text, "top", cells, "native")
    assert any(kind.startswith("$lut") for kind, _, _ in ours.gates)
    monkeypatch.setattr(netlists, "luts", lambda cells: "")
    theirs = netlists.of_netlist(text, "top", cells, "native")
    claim = netlists.equal("LUTs", ours, theirs, Pairs({}, []), 30)
    assert claim.state == "proven", claim.why
    simulated = netlists.of_netlist(text + models(cells), "top", cells, "native")
    assert netlists.equal("LUTs", simulated, theirs, Pairs({}, []), 30).state == "proven"
    kind, pins, y = ours.gates[0]
    ours.gates[0] = (kind[:-1] + ("0" if kind[-1] == "1" else "1"), pins, y)
    assert netlists.equal("LUTs", ours, theirs, Pairs({}, []), 30).state == "refuted"


def test_every_family_of_luts_is_known() -> None:
    assert {family.cells[0].split("/")[0] for family in FAMILIES.values()} == set(LUTS)


def drawn(rng: np.random.Generator, terms: Terms, free: list[int]) -> int:
    """A bit out of a few random gates."""
    bits = [*free, *(bit ^ 1 for bit in free)]
    for _ in range(int(rng.integers(1, 9))):
        gate = (terms.both, terms.differ, terms.either)[rng.integers(3)]
        bits.append(gate(*(bits[k] for k in rng.integers(0, len(bits), 2))))
    return bits[-1]


@pytest.mark.parametrize("seed", range(20))
def test_terms_as_polynomials_have_the_same_sum(seed: int) -> None:
    rng, terms = np.random.default_rng(seed), Terms()
    free = [terms.free("x", k) for k in range(6)]
    every = np.arange(64)
    columns = {bit: every >> k & 1 for k, bit in enumerate(free)}
    parts = {drawn(rng, terms, free) & ~1: int(rng.integers(-9, 10)) for _ in range(7)}
    form = of_parts(3, {bit: f for bit, f in parts.items() if bit > 1 and f})

    def total(form: Form) -> np.ndarray:
        found = evaluate(terms, [bit for bit, _ in form.parts], columns, 64)
        return form.constant + sum(f * column for (_, f), column in zip(form.parts, found, strict=True))

    found = expanded(terms, form, [bit for bit, _ in form.parts])
    np.testing.assert_array_equal(total(found), total(form))
    a, b, c = free[:3]
    carry = terms.either(terms.both(a, b), terms.both(c, terms.either(a, b)))
    adder = of_parts(0, {terms.differ(a, terms.differ(b, c)): 1, carry & ~1: -2 if carry & 1 else 2})
    adder = replace(adder, constant=2 * (carry & 1))
    assert expanded(terms, adder, [bit for bit, _ in adder.parts]) == of_parts(0, {a: 1, b: 1, c: 1})
