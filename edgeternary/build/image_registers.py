"""What a walk through a function knows of the registers: constants, and copies of sp.

Instructions are taken in the order in which they lie. That is enough here: a compiler loads the size of a
large frame right before it takes it off sp.
"""

import re
from collections.abc import Callable

NUMBER = r"#(-?\w+)"
UNCHANGED = ("cmp", "cmn", "tst", "teq", "push", "vpush", "it")  # and whatever stores
CALLER_SAVED = ("r0", "r1", "r2", "r3", "ip", "lr")

# {instruction without its "s": (constant of the first operand, number) -> constant}
CHANGES: dict[str, Callable[[int, int], int]] = {
    "lsl": lambda value, number: value << number,
    "add": lambda value, number: value + number,
    "sub": lambda value, number: value - number,
    "rsb": lambda value, number: number - value,
    "movt": lambda value, number: value & 0xFFFF | number << 16,
}


class Registers:
    """What registers hold.

    constants  {register: signed value}
    copies     registers that hold what sp was before
    stacked    {register that was loaded from the stack: its distance from sp in bytes}
    """

    def __init__(self) -> None:
        self.constants: dict[str, int] = {}
        self.copies: set[str] = set()
        self.stacked: dict[str, int] = {}

    def load(self, register: str, value: int) -> None:
        """Notes that a register gets a constant from memory."""
        self._forget(register)
        self._set(register, value)

    def step(self, name: str, operands: str) -> None:
        """Notes what any other instruction changes."""
        if name in ("bl", "blx"):
            self._forget(*CALLER_SAVED)
        elif name.startswith(("ldm", "pop")):
            self._forget(*re.findall(r"\w+", operands.partition("{")[2]))
        elif not name.startswith(("str", "stm", *UNCHANGED)):
            self._change(name.removesuffix("s"), operands.split(", "))

    def _change(self, name: str, operands: list[str]) -> None:
        to, source = operands[0], operands[-2] if len(operands) > 2 else operands[0]
        number = re.fullmatch(NUMBER, operands[-1])
        value: int | None = None
        copied = False
        if name in ("mov", "movw") and number:
            value = int(number[1], 0)
        elif name == "mov":
            value, copied = self.constants.get(operands[-1]), operands[-1] in ("sp", *self.copies)
        elif name == "mvn":
            known = self.constants.get(operands[-1])
            value = None if known is None else ~known
        elif name in CHANGES and number and source in self.constants:
            value = CHANGES[name](self.constants[source], int(number[1], 0))
        elif name == "add" and number and source in ("sp", *self.copies):
            copied = True
        self._forget(to)
        if value is not None:
            self._set(to, value)
        if copied:
            self.copies.add(to)
        if name == "ldr" and (place := re.fullmatch(r"\[sp(?:, #(\w+))?\]", ", ".join(operands[1:]))):
            self.stacked[to] = int(place[1] or "0", 0)

    def _set(self, register: str, value: int) -> None:
        self.constants[register] = (value + 2**31) % 2**32 - 2**31

    def _forget(self, *registers: str) -> None:
        for register in registers:
            self.constants.pop(register, None)
            self.copies.discard(register)
            self.stacked.pop(register, None)
