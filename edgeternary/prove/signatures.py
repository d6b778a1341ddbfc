"""Registers of two netlists matched by what they hold in a simulation: a guess that a proof confirms.

Registers that hold the same in all runs are one class. A class is split where its registers take different
bits after a state that was drawn, with the same bit for all of a class; until nothing is split any more.
"""

from __future__ import annotations

import random
from collections.abc import Hashable, Mapping

from edgeternary.prove.gates import CLOCK, TABLE, Gates, Net, Pairs

PATTERNS = 1024  # runs at once, as the bits of an integer
CLOCKS = 96
ROUNDS = 50  # in which classes are split
MASK = (1 << PATTERNS) - 1
Register = tuple[int, Net]  # of the first netlist or of the second
Classes = dict[Register, Hashable]


def matched(one: Gates, other: Gates) -> Pairs:
    """The registers of `one` with those of `other` of the same class."""
    members: dict[Hashable, tuple[list[Net], list[Net]]] = {}
    for (side, net), its in _classes((one, other)).items():
        members.setdefault(its, ([], []))[side].append(net)
    found = Pairs({}, [])
    for its, (left, right) in members.items():
        if its == 0 or not right:
            like: Net = "0"
        else:
            like, *right = right
        if its == 0 or like != "0":
            found.same |= dict.fromkeys(left, like)
            found.again |= dict.fromkeys(right, like)
        else:
            found.missing += [str(one.names.get(net, [net])[0]) for net in left]
    return found


def _classes(netlists: tuple[Gates, Gates]) -> Classes:
    """The class of each register: 0 for those that always are 0."""
    rng = random.Random(7)
    orders = [_sorted(gates) for gates in netlists]
    classes: Classes = {}
    for side, gates in enumerate(netlists):
        for net, history in _histories(gates, orders[side]).items():
            classes[side, net] = history if any(history) else 0
    for _ in range(ROUNDS):
        count = len(set(classes.values()))
        words = {its: rng.getrandbits(PATTERNS) if its else 0 for its in set(classes.values())}
        inputs = {name: rng.getrandbits(PATTERNS) for name in sorted(netlists[0].inputs)}
        taken: dict[Register, int] = {}
        for side, gates in enumerate(netlists):
            state = {net: words[classes[side, net]] for net in gates.registers}
            values = _values(gates, orders[side], inputs, state)
            taken |= {(side, q): values[d] for q, d in gates.registers.items()}
        classes = {
            register: 0 if its == 0 and not taken[register] else (its, taken[register])
            for register, its in classes.items()
        }
        numbers = {its: k + 1 for k, its in enumerate(dict.fromkeys(its for its in classes.values() if its))}
        classes = {register: numbers[its] if its else 0 for register, its in classes.items()}
        if len(set(classes.values())) == count:
            break
    return classes


def _values(
    gates: Gates,
    order: list[tuple[str, tuple[Net, ...], Net]],
    inputs: Mapping[tuple[str, int], int],
    state: Mapping[Net, int],
) -> dict[Net, int]:
    """All nets for inputs (without the clock) and registers."""
    values: dict[Net, int] = {"0": 0, "1": MASK, "x": 0}
    values |= {net: inputs.get(name, 0) * (name[0] != CLOCK) for name, net in gates.inputs.items()}
    values |= state
    for kind, pins, y in order:
        values[y] = _gate(kind, [values[pin] for pin in pins])
    return values


def _histories(gates: Gates, order: list[tuple[str, tuple[Net, ...], Net]]) -> dict[Net, tuple[int, ...]]:
    """What each register holds before each clock, in all runs."""
    rng = random.Random(7)
    state = {q: MASK * gates.initial.get(q, 0) for q in gates.registers}
    history: dict[Net, list[int]] = {q: [] for q in gates.registers}
    for _ in range(CLOCKS):
        inputs = {}
        for name in sorted(gates.inputs):
            bits = rng.getrandbits(PATTERNS)
            rare = bits & rng.getrandbits(PATTERNS) & rng.getrandbits(PATTERNS) & rng.getrandbits(PATTERNS)
            inputs[name] = rare if name[0] == "rst" else bits
        values = _values(gates, order, inputs, state)
        for q in state:
            history[q].append(state[q])
        state = {q: values[d] for q, d in gates.registers.items()}
    return {q: tuple(found) for q, found in history.items()}


def _gate(kind: str, pins: list[int]) -> int:
    if kind.startswith(TABLE):
        return _entry(kind.removeprefix(TABLE), pins)
    a, b = pins[0], pins[1] if len(pins) > 1 else 0
    if kind == "$_MUX_":
        return a & ~pins[2] | b & pins[2]
    found = {
        "$_NOT_": ~a, "$_BUF_": a, "$_AND_": a & b, "$_NAND_": ~(a & b), "$_OR_": a | b, "$_NOR_": ~(a | b),
        "$_XOR_": a ^ b, "$_XNOR_": ~(a ^ b), "$_ANDNOT_": a & ~b, "$_ORNOT_": a | ~b,
    }[kind]  # fmt: skip
    return found & MASK


def _entry(entries: str, pins: list[int]) -> int:
    """What a table gives in all runs: pin by pin, the last one first, half of the entries are left."""
    rows = [MASK if entry == "1" else 0 for entry in entries]
    for pin in reversed(pins):
        half = len(rows) // 2
        rows = [high & pin | low & ~pin for high, low in zip(rows[:half], rows[half:], strict=True)]
    return rows[0]


def _sorted(gates: Gates) -> list[tuple[str, tuple[Net, ...], Net]]:
    """The gates, each after those that it reads."""
    driver = {gate[2]: gate for gate in gates.gates}
    done: set[Net] = set()
    order = []
    for start in driver:
        stack = [(start, False)]
        while stack:
            net, ready = stack.pop()
            if net in done or net not in driver:
                continue
            if ready:
                done.add(net)
                order.append(driver[net])
            else:
                stack.append((net, True))
                stack += [(pin, False) for pin in driver[net][1]]
    return order
