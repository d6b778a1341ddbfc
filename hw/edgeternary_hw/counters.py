"""Nodes of kind `count` as small tables and adders that suit a fabric."""

from collections.abc import Sequence
from functools import lru_cache

from .circuit import Circuit, Number
from .fabric import Fabric

__all__ = ["counted", "expanded", "ones_table"]

SUM, MAJORITY = 0b10010110, 0b11101000  # of three bits


def expanded(circuit: Circuit, roots: Sequence[int], fabric: Fabric) -> tuple[Circuit, list[int]]:
    """The circuit without nodes that count, and its roots."""
    made, place = Circuit(circuit.fabric), dict[int, int]()
    for n in circuit.live([*roots, *_named(circuit)]):
        node = circuit.nodes[n]
        args = tuple(place[a] for a in node.args)
        if node.kind == "count":
            place[n] = counted(made, args, fabric)
        else:
            place[n] = made.again(node, args)
    for layer, numbers in circuit.layers.items():
        made.layers[layer] = [
            Number(tuple((place[n], c) for n, c in number.terms), number.constant) for number in numbers
        ]
    return made, [place[n] for n in roots]


def _named(circuit: Circuit) -> list[int]:
    return [n for numbers in circuit.layers.values() for number in numbers for n, _ in number.terms]


def counted(circuit: Circuit, bits: Sequence[int], fabric: Fabric) -> int:
    """How many of some bits are set: a few by tables, more as the sum of two counts, and of one bit more
    as its carry."""
    size = len(bits)
    if size == 1:
        return bits[0]
    _, half, carry = _cheapest(size, fabric)
    if not half:
        return ones(circuit, bits)
    if carry > 1:
        return circuit.tally(counted(circuit, bits[carry:], fabric), bits[:carry])
    a = counted(circuit, bits[carry : carry + half], fabric)
    b = counted(circuit, bits[carry + half :], fabric)
    if size.bit_length() + carry > fabric.least_chain:
        return circuit.add(a, b, carry=bits[0] if carry else None)
    return _rippled(circuit, a, b, bits[0] if carry else circuit.const(0))


def ones(circuit: Circuit, bits: Sequence[int]) -> int:
    """How many of a few bits are set, a table for each bit of the number."""
    size = len(bits)
    return circuit.word([circuit.table(bits, ones_table(size, k)) for k in range(size.bit_length())], hi=size)


def _rippled(circuit: Circuit, a: int, b: int, carry: int) -> int:
    """A sum too short for a carry chain, of full adders."""
    most = sum(circuit.nodes[n].hi for n in (a, b, carry))
    found = []
    for k in range(max(circuit.nodes[a].width, circuit.nodes[b].width)):
        three = [circuit.bit(a, k), circuit.bit(b, k), carry]
        found.append(circuit.table(three, SUM))
        carry = circuit.table(three, MAJORITY)
    if circuit.nodes[carry].kind != "const":
        found.append(carry)
    return circuit.word(found, hi=most)


@lru_cache(maxsize=4096)
def _cheapest(size: int, fabric: Fabric) -> tuple[float, int, int]:
    """(LUTs, bits of the first of two counts, bits beside them) of a count of `size` bits; 0: tables. A bit
    beside them is the carry of their sum; more of them are added to the first one, which is the only one."""
    if size < 2:
        return 0.0, 0, 0
    found = []
    if size <= (fabric.inputs if fabric.inputs >= 6 else 3):
        found.append((2.0 if size <= 3 else float(size.bit_length()), 0, 0))
    for carry in range(2 if size > 2 else 1):
        left = size - carry
        full = [1 << k for k in range(left.bit_length())]
        for half in {*full, *(n - 1 for n in full), left // 2} - {0, left}:
            sides = _cheapest(half, fabric)[0] + _cheapest(left - half, fabric)[0]
            width = max(half, left - half).bit_length()
            found.append((sides + fabric.sum_luts(width, size.bit_length(), carry), half, carry))
    for beside in range(2, 7) if fabric.tallies else ():
        if size - beside >= 1:
            width = (size - beside).bit_length()
            luts = _cheapest(size - beside, fabric)[0] + fabric.tally_luts(width, beside)
            found.append((luts, size - beside, beside))
    return min(found)


@lru_cache(maxsize=256)
def ones_table(size: int, k: int) -> int:
    """The table of bit k of the number of set bits."""
    return sum((row.bit_count() >> k & 1) << row for row in range(1 << size))
