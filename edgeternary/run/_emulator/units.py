"""Which part of a core runs an instruction: what pairing and latencies depend on."""

import capstone
from capstone import arm
from capstone import arm_const as c

# Additions, moves and shifts, which an early ALU can do too.
EARLY = ("ADD", "SUB", "RSB", "MOV", "MOVW", "MOVT", "MVN", "ADR", "LSL", "LSR", "ASR", "ROR")
EXTENDS = ("SXTB", "SXTH", "UXTB", "UXTH", "SXTB16", "UXTB16")
BITS = ("BFI", "BFC", "SBFX", "UBFX", "CLZ", "RBIT", "REV", "REV16", "REVSH")
PACKS = ("SXTAB", "SXTAH", "UXTAB", "UXTAH", "SXTAB16", "UXTAB16", "PKHBT", "PKHTB")
SIGNS, PARALLEL = ("S", "U", "Q", "UQ", "SH", "UH"), ("ADD8", "ADD16", "SUB8", "SUB16", "ASX", "SAX")
DSP = (
    "SEL", "SSAT", "USAT", "SSAT16", "USAT16", "USAD8", "USADA8", "QADD", "QSUB", "QDADD", "QDSUB",
    *(sign + op for sign in SIGNS for op in PARALLEL),
)  # fmt: skip
UNITS = {"extend": EXTENDS, "bits": BITS, "pack": PACKS, "dsp": DSP}


def _ids(names: tuple[str, ...]) -> frozenset[int]:
    found = (getattr(c, f"ARM_INS_{name}", None) for name in names)
    return frozenset(number for number in found if number is not None)


_EARLY, _MOVES = _ids(EARLY), _ids(("MOVW", "MOVT", "LSL", "LSR", "ASR", "ROR", "B", "BL"))
_UNITS = {number: name for name, names in UNITS.items() for number in _ids(names)}


def unit(decoded: capstone.CsInsn) -> str:
    """One of UNITS, early, shifted (an operand or a constant is), nop, it; late for all others."""
    if decoded.id in (c.ARM_INS_HINT, c.ARM_INS_NOP):
        return "nop"
    if decoded.id == c.ARM_INS_IT:
        return "it"
    if decoded.id in _UNITS:
        return _UNITS[decoded.id]
    if any(op.shift.type != arm.ARM_SFT_INVALID for op in decoded.operands if op.type == arm.ARM_OP_REG):
        return "shifted"
    constants = [op.imm for op in decoded.operands if op.type == arm.ARM_OP_IMM]
    if decoded.size == 4 and decoded.id not in _MOVES and any(map(_moved, constants)):
        return "shifted"
    return "early" if decoded.id in _EARLY else "late"


def _moved(immediate: int) -> bool:
    """It is a constant of eight bits that the shifter moves, not a pattern of equal bytes."""
    value = immediate & 0xFFFFFFFF
    low, high = value & 0xFF, value >> 8 & 0xFF
    return not (value < 1 << 12 or value in (low * 0x10001, high * 0x1000100, low * 0x1010101))
