"""The bound of a linked image's stack, computed from its instructions.

A function's own depth is the sum of everything that it takes off sp; its bound adds the deepest of the
functions that it calls or jumps to. On top of the deepest path from reset comes one interrupt, the clock
counter's. `-fstack-usage` does not cover assembly.

A call through a register goes to the function whose address the register was given before. If that came as
an argument on the stack, it may be any function whose address an instruction takes: no caller passes on what
a table in memory holds. Any other call through a register, or a recursion, has no bound and is an error.
"""

import re
from dataclasses import dataclass, field
from functools import cached_property

from edgeternary.build.image_registers import Registers
from edgeternary.errors import EdgeTernaryError
from edgeternary.image.elf import Elf, Symbol

FRAME = 36  # bytes that an exception puts on the stack, and what aligns it
VECTOR_FRAME = 108  # with the vector registers that the core saves where it has them
VENEER = re.compile(r"__(?:\w*?(?:Thunk|thunk)_(\w+)|(\w+)_veneer)")
UNMOVED = ("ldm", "ldmia", "stm", "stmia", "vldmia", "vstmia")  # of "sp, {...}": without ! it stays
CONDITIONAL = re.compile(
    r"^(addw?|subw?|mov|v?push|v?stmdb)(?:eq|ne|cs|hs|cc|lo|mi|pl|vs|vc|hi|ls|ge|lt|gt|le)$"
)


@dataclass
class Frame:
    """What a function takes off sp, and the functions that it goes on to.

    given     functions whose addresses its instructions take
    argument  whether it calls a function that it was given on the stack
    """

    own: int = 0
    calls: set[int] = field(default_factory=set)
    given: set[int] = field(default_factory=set)
    argument: bool = False


def bound(elf: Elf, vectors: bool = False) -> int:
    """Bytes of stack that the image needs at most, a multiple of 8. `vectors`: it has those of Helium."""
    image = _Image(elf)
    main = image.depth(elf.address("Reset_Handler"))
    interrupt = image.depth(elf.address("SysTick_Handler"))
    return -(-(main + interrupt + (VECTOR_FRAME if vectors else FRAME)) // 8) * 8


class _Image:
    """The frames and depths of an image's functions, each computed once."""

    def __init__(self, elf: Elf) -> None:
        self.elf = elf
        self.frames: dict[int, Frame] = {}
        self.depths: dict[int, int] = {}

    def frame(self, address: int) -> Frame:
        if address not in self.frames:
            self.frames[address] = _frame(self.elf, _function(self.elf, address))
        return self.frames[address]

    def depth(self, address: int, path: tuple[int, ...] = ()) -> int:
        """Bytes that a function and those below it take; `path` are the functions that lead to it."""
        if address in path:
            raise _unbounded(self.elf, address, "it calls itself, over others perhaps")
        if address not in self.depths:
            frame = self.frame(address)
            if frame.argument and not self.arguments:
                raise _unbounded(self.elf, address, "a call through a register, and no function is given")
            calls = frame.calls | self.arguments if frame.argument else frame.calls
            below = [self.depth(target, (*path, address)) for target in calls]
            self.depths[address] = frame.own + max(below, default=0)
        return self.depths[address]

    @cached_property
    def arguments(self) -> set[int]:
        """Functions that may be given to others: those whose addresses are taken by what reset leads to."""
        found: set[int] = set()
        seen: set[int] = set()
        ahead = [self.elf.address("Reset_Handler")]
        while ahead:
            address = ahead.pop()
            if address not in seen:
                seen.add(address)
                frame = self.frame(address)
                found |= frame.given
                ahead += frame.calls | frame.given
        return found


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
        elif name in ("blx", "bx") and not operands.startswith("#"):
            _through(elf, frame, function, name, operands, known)
            known.step(name, operands)
        else:
            known.step(name, operands)
        if load or name == "movt":
            address = _begun(elf, known.constants.get(operands.split(",")[0]))
            frame.given |= set() if address is None else {address}
        target = re.fullmatch(r"#(0x[0-9a-f]+)", operands)
        if target and name[0] == "b" and name != "bkpt":
            goal = int(target[1], 16)
            inside = function.address < goal < end  # a bl there is a branch that reaches further
            if not inside and (name in ("bl", "blx") or goal != function.address):
                frame.calls.add(goal)
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


def _through(elf: Elf, frame: Frame, function: Symbol, name: str, register: str, known: Registers) -> None:
    """Notes a call or a jump through a register. A jump is a return, or a switch, where no function's address
    is known. EdgeTernaryError if nothing is known of where a call goes."""
    goal = _begun(elf, known.constants.get(register))
    if goal is not None:
        frame.calls.add(goal)
    elif name == "blx" and known.stacked.get(register, -1) >= frame.own:  # above its own frame
        frame.argument = True
    elif name == "blx":
        raise _unbounded(elf, function.address, f"blx {register}: a call through a register")


def _begun(elf: Elf, value: int | None) -> int | None:
    """The function that begins at an address with the Thumb bit; None if the value is no such address."""
    address = (value or 0) % 2**32 - 1
    found = elf.function_at(address) if value and value % 2 else None
    return address if found and found.address == address else None


def _unbounded(elf: Elf, address: int, why: str) -> EdgeTernaryError:
    return EdgeTernaryError(f"the stack of {elf.where(address)} has no bound", why, "report this as a bug")
