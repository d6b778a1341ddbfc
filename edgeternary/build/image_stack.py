"""The bound of a linked image's stack, computed from its instructions.

A function's own depth is the sum of everything that it takes off sp; its bound adds the deepest of the
functions that it calls or jumps to. On top of the deepest path from reset comes one interrupt, the clock
counter's. A call through a register or a recursion has no bound and is an error. `-fstack-usage` does not
cover assembly.
"""

import re
from dataclasses import dataclass, field

from edgeternary.build.image_registers import Registers
from edgeternary.errors import EdgeTernaryError
from edgeternary.image.elf import Elf, Symbol

FRAME = 36  # bytes that an exception puts on the stack, and what aligns it
VECTOR_FRAME = 108  # with the vector registers that the core saves where it has them
VENEER = re.compile(r"__(?:\w*?(?:Thunk|thunk)_(\w+)|(\w+)_veneer)")
RETURNS = ("lr",)
UNMOVED = ("ldm", "ldmia", "stm", "stmia", "vldmia", "vstmia")  # of "sp, {...}": without ! it stays
CONDITIONAL = re.compile(
    r"^(addw?|subw?|mov|v?push|v?stmdb)(?:eq|ne|cs|hs|cc|lo|mi|pl|vs|vc|hi|ls|ge|lt|gt|le)$"
)


@dataclass
class Frame:
    """What a function takes off sp, and the functions that it goes on to."""

    own: int = 0
    calls: set[int] = field(default_factory=set)


def bound(elf: Elf, vectors: bool = False) -> int:
    """Bytes of stack that the image needs at most, a multiple of 8. `vectors`: it has those of Helium."""
    frames: dict[int, Frame] = {}
    depths: dict[int, int] = {}
    main = _depth(elf, elf.address("Reset_Handler"), frames, depths, ())
    interrupt = _depth(elf, elf.address("SysTick_Handler"), frames, depths, ())
    return -(-(main + interrupt + (VECTOR_FRAME if vectors else FRAME)) // 8) * 8


def _depth(
    elf: Elf, address: int, frames: dict[int, Frame], depths: dict[int, int], path: tuple[int, ...]
) -> int:
    if address in path:
        raise _unbounded(elf, address, "it calls itself, over others perhaps")
    if address not in depths:
        frame = frames.setdefault(address, _frame(elf, _function(elf, address)))
        below = [_depth(elf, target, frames, depths, (*path, address)) for target in frame.calls]
        depths[address] = frame.own + max(below, default=0)
    return depths[address]


def _function(elf: Elf, address: int) -> Symbol:
    found = elf.function_at(address)
    if found is None or found.address != address:
        raise _unbounded(elf, address, "it jumps there, and no function begins there")
    return found


def _frame(elf: Elf, function: Symbol) -> Frame:
    frame = Frame()
    if veneer := VENEER.fullmatch(function.name):  # a linker's way to a function far away
        frame.calls.add(elf.address(veneer[1] or veneer[2]))
    known = Registers()
    end = function.address + function.size
    for insn in elf.instructions(function):
        name, operands = insn.mnemonic.removesuffix(".w"), insn.op_str
        frame.own += _taken(elf, function, name, operands, known)
        if load := re.fullmatch(r"(\w+), \[pc(?:, #(\w+))?\]", operands) if name == "ldr" else None:
            where = (insn.address + 4 & ~3) + int(load[2] or "0", 0)
            known.load(load[1], int.from_bytes(elf.read(where, 4), "little", signed=True))
        else:
            known.step(name, operands)
        target = re.fullmatch(r"#(0x[0-9a-f]+)", operands)
        if target and name[0] == "b" and name != "bkpt":
            goal = int(target[1], 16)
            inside = function.address < goal < end  # a bl there is a branch that reaches further
            if not inside and (name in ("bl", "blx") or goal != function.address):
                frame.calls.add(goal)
        elif name == "blx" or (name == "bx" and operands not in RETURNS) or operands.startswith("pc, "):
            _check_indirect(elf, function, name, operands)
    return frame


def _taken(elf: Elf, function: Symbol, name: str, operands: str, known: Registers) -> int:
    """Bytes that an instruction takes off sp."""
    name = CONDITIONAL.sub(r"\1", name)
    if name in ("push", "vpush") or (name in ("stmdb", "vstmdb") and operands.startswith("sp!")):
        return 4 * _registers(operands)
    if match := re.search(r"\[sp, #-(\w+)\]!", operands):
        return int(match[1], 0)
    if not operands.startswith("sp, ") or name in ("cmp", "cmn", "tst", *UNMOVED):
        return 0
    change = re.fullmatch(r"sp, (?:sp, )?(?:#(\w+)|(\w+))", operands)
    if change and name == "mov" and change[2] in known.copies:
        return 0  # back to where it was
    size = None
    if change and name in ("add", "sub", "addw", "subw"):
        size = int(change[1], 0) if change[1] else known.constants.get(change[2])
    if size is None:
        raise _unbounded(elf, function.address, f"{name} {operands}: the size is not known")
    return max(0, size if name.startswith("sub") else -size)


def _registers(operands: str) -> int:
    """Words of a list of registers, d0-d15 counting twice."""
    inside = operands[operands.index("{") + 1 : operands.index("}")]
    return sum(2 if part.strip().startswith("d") else 1 for part in inside.split(","))


def _check_indirect(elf: Elf, function: Symbol, name: str, operands: str) -> None:
    """A jump through a register is a return from where lr was moved to, or a switch; a call has no bound."""
    if name == "blx":
        raise _unbounded(elf, function.address, f"{name} {operands}: a call through a register")


def _unbounded(elf: Elf, address: int, why: str) -> EdgeTernaryError:
    return EdgeTernaryError(f"the stack of {elf.where(address)} has no bound", why, "report this as a bug")
