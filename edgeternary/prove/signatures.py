"""Registers of two netlists matched by what they hold in a simulation: a guess that a proof confirms."""

from __future__ import annotations

import random

from edgeternary.prove.gates import CLOCK, TABLE, Gates, Net, Pairs

PATTERNS = 1024  # runs at once, as the bits of an integer
CLOCKS = 96
MASK = (1 << PATTERNS) - 1


def matched(one: Gates, other: Gates) -> Pairs:
    """Each register of `one` with one of `other` that holds the same bits in all runs."""
    found = Pairs({}, [])
    by_history: dict[tuple[int, ...], list[Net]] = {}
    for net, history in _histories(other).items():
        by_history.setdefault(history, []).append(net)
    for net, history in _histories(one).items():
        candidates = by_history.get(history, [])
        if candidates:
            found.same[net] = candidates.pop(0) if len(candidates) > 1 else candidates[0]
        elif not any(history):
            found.same[net] = "0"
        else:
            found.missing.append(str(one.names.get(net, [net])[0]))
    return found


def _histories(gates: Gates) -> dict[Net, tuple[int, ...]]:
    """What each register holds before each clock, in all runs."""
    rng = random.Random(7)
    values: dict[Net, int] = {"0": 0, "1": MASK, "x": 0}
    order = _sorted(gates)
    state = {q: MASK * gates.initial.get(q, 0) for q in gates.registers}
    history: dict[Net, list[int]] = {q: [] for q in gates.registers}
    for _ in range(CLOCKS):
        for name, net in sorted(gates.inputs.items()):
            bits = rng.getrandbits(PATTERNS)
            rare = bits & rng.getrandbits(PATTERNS) & rng.getrandbits(PATTERNS) & rng.getrandbits(PATTERNS)
            values[net] = 0 if name[0] == CLOCK else rare if name[0] == "rst" else bits
        values |= state
        for kind, pins, y in order:
            values[y] = _gate(kind, [values[pin] for pin in pins])
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
