"""Instructions of Armv8.1-M that capstone does not know: vectors (Helium) and low-overhead loops.

Encodings: Arm DDI 0553, C2.4. A register is a number that no register of capstone has: Q0 is VECTORS + 0.
"""

from capstone import arm_const as c

from edgeternary.run._emulator.decode import Instruction

VECTORS = 1000
SCALARS = tuple(getattr(c, f"ARM_REG_R{number}") for number in range(13)) + (
    c.ARM_REG_SP, c.ARM_REG_LR, c.ARM_REG_PC,
)  # fmt: skip
LOOPS = {0xF00F: "loop", 0xF01F: "loop", 0xF02F: "loop"}  # LE, LETP


def vector(address: int, code: bytes) -> Instruction | None:
    """The instruction of four bytes at `address`; None for one that is neither of these."""
    first, second = int.from_bytes(code[:2], "little"), int.from_bytes(code[2:4], "little")
    if first in LOOPS and second & 0xF001 == 0xC001:
        return _made(address, "loop", "loop")
    if first & 0xFF80 == 0xF000 and second & 0xD001 == 0xC001:
        return _made(address, "alu", "early", writes=(c.ARM_REG_LR,))  # DLS, WLS
    if first & 0xEC00 != 0xEC00 or second >> 9 & 7 == 0b101:  # the latter are of the floating-point unit
        return None
    if first & 0x0200:
        return _data(address, first, second)
    return _memory(address, first, second)


def _memory(address: int, first: int, second: int) -> Instruction:
    base, data = SCALARS[first & 15], VECTORS + (second >> 13)
    load = bool(first & 0x10)
    offsets = not first & 0x0120 and not second & 0x1000  # neither P nor W, and no interleaving
    kind = ("gather" if load else "scatter") if offsets else ("vector_load" if load else "vector_store")
    reads = {base} | (set() if load else {data}) | ({VECTORS + (second >> 1 & 7)} if offsets else set())
    writes = ({data} if load else set()) | ({base} if first & 0x20 else set())
    elements = 16 >> (second >> 7 & 3) if offsets else 0
    return _made(address, kind, "vector", reads, writes, elements, {base})


def _data(address: int, first: int, second: int) -> Instruction:
    what = second >> 8 & 15
    # VMLADAV, VMLALDAV and VADDV, whose result is in a core register
    reduces = first & 0x180 == 0x80 and (what == 0b1110 or (what == 0b1111 and first & 0x70 == 0x70))
    if first & 0x100:  # 0xEF, 0xFF: two or three vectors
        multiplies = not first & 0x80 and (what == 0b1011 or (what == 0b1001 and bool(second & 0x10)))
    else:
        multiplies = what == 0b1110 or (reduces and not first & 1)
    reads = {VECTORS + (first >> 1 & 7), VECTORS + (second >> 1 & 7)}
    to = SCALARS[second >> 12 & 14] if reduces else VECTORS + (second >> 13)
    return _made(address, "vector_multiply" if multiplies else "vector", "vector", reads, {to})


def _made(
    address: int,
    kind: str,
    unit: str,
    reads: set[int] | frozenset[int] = frozenset(),
    writes: set[int] | tuple[int, ...] = (),
    registers: int = 0,
    address_from: set[int] | frozenset[int] = frozenset(),
) -> Instruction:
    return Instruction(
        address,
        kind,
        registers,
        frozenset(address_from),
        frozenset(writes),
        kind,
        frozenset(reads),
        unit=unit,
    )
