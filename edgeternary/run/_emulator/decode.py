"""Blocks of Thumb code, decoded as far as timing needs."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import capstone
from capstone import arm
from capstone import arm_const as c

from edgeternary.errors import EdgeTernaryError
from edgeternary.run._emulator.machine import Machine
from edgeternary.run._emulator.units import unit

PC = c.ARM_REG_PC
_IDS: dict[str, str] = {
    **dict.fromkeys(("LDR", "LDRB", "LDRH", "LDRSB", "LDRSH", "LDRT", "LDREX"), "load"),
    **dict.fromkeys(("STR", "STRB", "STRH", "STRT", "STREX"), "store"),
    **dict.fromkeys(("LDM", "LDMDB", "POP"), "load_multiple"),
    **dict.fromkeys(("STM", "STMDB", "PUSH"), "store_multiple"),
    "LDRD": "load_double",
    "STRD": "store_double",
    **dict.fromkeys(("MUL", "SMULBB", "SMULBT", "SMULTB", "SMULTT", "SMULWB", "SMULWT"), "multiply"),
    **dict.fromkeys(("SMUAD", "SMUADX", "SMUSD", "SMUSDX", "SMMUL", "SMMULR"), "multiply"),
    **dict.fromkeys(("MLA", "MLS", "SMLABB", "SMLABT", "SMLATB", "SMLATT"), "multiply_accumulate"),
    **dict.fromkeys(("SMLAWB", "SMLAWT", "SMLAD", "SMLADX", "SMLSD", "SMLSDX"), "multiply_accumulate"),
    **dict.fromkeys(("SMMLA", "SMMLAR", "SMMLS", "SMMLSR"), "multiply_accumulate"),
    **dict.fromkeys(("UMULL", "SMULL"), "multiply_long"),
    **dict.fromkeys(("UMLAL", "SMLAL", "UMAAL"), "multiply_accumulate_long"),
    **dict.fromkeys(("SMLALBB", "SMLALBT", "SMLALTB", "SMLALTT"), "multiply_accumulate_long"),
    **dict.fromkeys(("SMLALD", "SMLALDX", "SMLSLD", "SMLSLDX"), "multiply_accumulate_long"),
    **dict.fromkeys(("UDIV", "SDIV"), "divide"),
    **dict.fromkeys(("B", "CBZ", "CBNZ"), "branch"),
    **dict.fromkeys(("BX",), "branch_register"),
    **dict.fromkeys(("BL",), "call"),
    **dict.fromkeys(("BLX",), "call_register"),
    **dict.fromkeys(("TBB", "TBH"), "table_branch"),
    **dict.fromkeys(("DMB", "DSB", "ISB"), "barrier"),
    **dict.fromkeys(("MRS", "MSR", "CPS"), "system"),
}
KINDS = {getattr(c, f"ARM_INS_{name}"): kind for name, kind in _IDS.items() if hasattr(c, f"ARM_INS_{name}")}
TO_PC = {"alu": "branch_register", "load": "load_pc", "load_multiple": "load_multiple_pc"}
RELATIVE = ("branch", "call")  # their texts hold an address that depends on where they lie


@dataclass(frozen=True)
class Instruction:
    """One instruction.

    address    where it lies
    kind       its row in a timing table; "alu" for anything that is not special
    registers  in the list of a load or store multiple, the program counter included
    address_from  registers that its memory address is made of
    writes     registers that it changes
    reads      registers that it needs, those of its address included
    shifter    those of `reads` that go through the shifter before anything else happens
    adds       those of `reads` that are only added at the end of a product
    unit       what runs it; see units.py
    size       in bytes
    flags      it sets the condition flags
    writeback  it changes a register of its address
    """

    address: int
    kind: str
    registers: int
    address_from: frozenset[int]
    writes: frozenset[int]
    text: str
    reads: frozenset[int] = frozenset()
    shifter: frozenset[int] = frozenset()
    adds: frozenset[int] = frozenset()
    unit: str = "late"
    size: int = 4
    flags: bool = False
    writeback: bool = False


@dataclass(frozen=True)
class Block:
    """Straight-line code from `address` up to `end`; only its last instruction can branch."""

    address: int
    end: int
    instructions: tuple[Instruction, ...]


def decoder() -> capstone.Cs:
    """A decoder of Thumb code, with the details of each instruction."""
    made = capstone.Cs(
        capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS | capstone.CS_MODE_V8
    )
    made.detail = True
    return made


class Decoder:
    """Decodes the code of a machine, each block once."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._capstone = decoder()
        self._blocks: dict[tuple[int, int], Block] = {}

    def block(self, address: int, size: int) -> Block:
        """The block of `size` bytes at `address`; EdgeTernaryError when its bytes are no instructions."""
        key = (address, size)
        if key not in self._blocks:
            code = self._machine.read(address, size) if size else b""
            found = list(self._instructions(code, address))
            if (understood := sum(this.size for this in found)) != size:
                raise EdgeTernaryError(
                    f"cannot decode the block at {self._machine.elf.where(address)}",
                    f"capstone understood {understood} of its {size} bytes: {code.hex()}",
                )
            self._blocks[key] = Block(address, address + size, tuple(found))
        return self._blocks[key]

    def _instructions(self, code: bytes, address: int) -> Iterator[Instruction]:
        """Those of `code`, up to the first that capstone does not know; see `_KNOWN`."""
        for piece in _pieces(code):
            known = _KNOWN.get(piece)
            if known is None:
                known = tuple(instruction(one) for one in self._capstone.disasm(piece, address))
                if not any(one.kind in RELATIVE for one in known):
                    _KNOWN[piece] = known
            for one in known:
                yield one if one.address == address else replace(one, address=address)
                address += one.size
            if sum(one.size for one in known) != len(piece):
                return


# What was decoded, by its bytes: programs have few different instructions, and capstone takes long for each.
_KNOWN: dict[bytes, tuple[Instruction, ...]] = {}


def _pieces(code: bytes) -> Iterator[bytes]:
    """`code` in pieces that decode alone: an instruction, or an IT with those that it makes conditional."""
    start, end, conditional = 0, 0, 0
    while start < len(code):
        first = int.from_bytes(code[end : end + 2], "little")
        end += 4 if first >> 11 in (0b11101, 0b11110, 0b11111) else 2
        if not conditional and first >> 8 == 0xBF and first & 0xF:
            conditional = 5 - (first & -first & 0xF).bit_length()  # how many follow
        else:
            conditional = max(conditional - 1, 0)
        if not conditional or end >= len(code):
            yield code[start:end]
            start = end


def instruction(decoded: capstone.CsInsn) -> Instruction:
    """What timing needs of an instruction."""
    kind = KINDS.get(decoded.id, "alu")
    reads, writes = decoded.regs_access()
    memory = [op.mem for op in decoded.operands if op.type == arm.ARM_OP_MEM]
    parts = {register for m in memory for register in (m.base, m.index) if register not in (0, PC)}
    if kind == "store" and any(m.index for m in memory):
        kind = "store_indexed"
    registers = [op.reg for op in decoded.operands if op.type == arm.ARM_OP_REG]
    count = 0
    if kind in ("load_multiple", "store_multiple"):
        named = decoded.id in (c.ARM_INS_POP, c.ARM_INS_PUSH)
        count = len(registers) - (0 if named else 1)
        parts = set() if named else {registers[0]}
    if PC in writes or (kind in TO_PC and kind != "alu" and PC in registers):
        kind = TO_PC.get(kind, kind)
    text = f"{decoded.mnemonic} {decoded.op_str}"
    shifter, adds = _shifter(decoded), _adds(decoded, kind)
    return Instruction(
        decoded.address, kind, count, frozenset(parts), frozenset(writes), text,
        reads=frozenset(reads) | shifter | adds,  # capstone leaves out some of those
        shifter=shifter, adds=adds, unit=unit(decoded), size=decoded.size, writeback=decoded.writeback,
        flags=decoded.update_flags or c.ARM_REG_CPSR in writes,
    )  # fmt: skip


def _shifter(decoded: capstone.CsInsn) -> frozenset[int]:
    registers = [op for op in decoded.operands if op.type == arm.ARM_OP_REG]
    match unit(decoded):
        case "shifted":
            registers = [op for op in registers if op.shift.type != arm.ARM_SFT_INVALID]
        case "pack":
            registers = registers[-1:]
        case "bits":
            registers = registers[1:]
        case _:
            registers = []
    return frozenset(op.reg for op in registers)


def _adds(decoded: capstone.CsInsn, kind: str) -> frozenset[int]:
    registers = [op.reg for op in decoded.operands if op.type == arm.ARM_OP_REG]
    if kind == "multiply_accumulate_long":
        return frozenset(registers[:2])
    return frozenset(registers[3:]) if kind == "multiply_accumulate" else frozenset()
