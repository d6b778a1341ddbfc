"""An emulated Cortex-M that loads an image and calls its functions."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import unicorn
from unicorn import arm_const as arm

from edgeternary.cores import cortex_m as find_core
from edgeternary.errors import EdgeTernaryError
from edgeternary.image.elf import Elf
from edgeternary.run._emulator.image import Regions

PAGE = 0x10_0000  # fewer borders: with hooks on memory unicorn 2.1 may not fetch an instruction across one
PAINT = 0xC5
DEEP = 0x10_0000  # an access this far below the stack is taken for an overflow of it
ARGUMENTS = (arm.UC_ARM_REG_R0, arm.UC_ARM_REG_R1, arm.UC_ARM_REG_R2, arm.UC_ARM_REG_R3)
ACCESS = {
    unicorn.UC_MEM_READ_UNMAPPED: "reads",
    unicorn.UC_MEM_WRITE_UNMAPPED: "writes",
    unicorn.UC_MEM_FETCH_UNMAPPED: "jumps to",
    unicorn.UC_MEM_WRITE_PROT: "writes to flash at",
}


class Machine:
    """One core with an image in its flash, reset and ready for calls.

    A bad access, an invalid instruction and a call that does not come back are EdgeTernaryErrors that
    name the address and the function.
    """

    def __init__(self, elf: Elf, core: str, regions: Regions) -> None:
        self.elf = elf
        self.uc = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
        self.uc.ctl_set_cpu_model(getattr(arm, f"UC_CPU_ARM_{find_core(core).unicorn}"))
        self.uc.ctl_set_page_size(PAGE)
        self._access = ""
        self._expired = ""
        self._refused: tuple[int, str] | None = None
        flash, ram = regions.flash, regions.ram
        self.flash = flash
        self.uc.mem_map(flash.origin, _pages(flash.bytes), unicorn.UC_PROT_READ | unicorn.UC_PROT_EXEC)
        self.uc.mem_map(ram.origin, _pages(ram.bytes), unicorn.UC_PROT_ALL)  # code may run from it
        for address, data in elf.segments:
            self.uc.mem_write(address, data)
        self.uc.hook_add(unicorn.UC_HOOK_MEM_INVALID, self._bad_access)
        self.stack_bottom, self.stack_top = elf.address("stack_bottom"), elf.address("stack_top")
        self.stop = elf.address("main")  # a call returns here, where the emulator stops
        self._start(elf.address("Reset_Handler"), self.stop, ())

    def call(self, address: int, *arguments: int) -> None:
        """Call the function at `address` with word arguments and return when it does.

        The first four are in registers, the others on the stack (AAPCS, 6.5).
        """
        self._start(address, self.stop, arguments)

    def read(self, address: int, size: int) -> bytes:
        return bytes(self.uc.mem_read(address, size))

    def write(self, address: int, data: bytes) -> None:
        self.uc.mem_write(address, data)

    def watch(self, address: int, seen: Callable[[int, int], None]) -> None:
        """Call `seen(r0, r1)` each time the instruction at `address` is about to run."""

        def hook(uc: unicorn.Uc, _address: int, _size: int, _data: object) -> None:
            seen(uc.reg_read(arm.UC_ARM_REG_R0), uc.reg_read(arm.UC_ARM_REG_R1))

        self.uc.hook_add(unicorn.UC_HOOK_CODE, hook, begin=address, end=address)

    def refuse(self, pc: int, why: str) -> None:
        """End the call with an error: the core does not allow what the instruction at `pc` does."""
        if self._refused is None:
            self._refused = pc, why
        self.uc.emu_stop()

    def on_block(self, seen: Callable[[unicorn.Uc, int, int, object], None]) -> None:
        """Call `seen(uc, address, size, None)` at the start of each block of instructions."""
        self.uc.hook_add(unicorn.UC_HOOK_BLOCK, seen)

    @contextmanager
    def time_limit(self, seconds: float) -> Iterator[None]:
        """Stop the machine when the calls of the `with` block take longer than `seconds` in all.

        The emulator's own limit costs 2.5 ms a call, this one nothing.
        """
        finished = threading.Event()

        def watch() -> None:
            if not finished.wait(seconds):
                self._expired = f"the limit of {seconds:g} s has passed"
                while not finished.wait(0.05):
                    self.uc.emu_stop()

        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        try:
            yield
        finally:
            finished.set()
            thread.join()
            self._expired = ""

    def paint_stack(self) -> None:
        """Fill the stack, so that `stack_used` can tell how much of it was written."""
        self.uc.mem_write(self.stack_bottom, bytes([PAINT]) * (self.stack_top - self.stack_bottom))

    def stack_used(self) -> int:
        """Bytes from the top of the stack to its lowest byte that lost its paint."""
        stack = self.read(self.stack_bottom, self.stack_top - self.stack_bottom)
        return len(stack.lstrip(bytes([PAINT])))

    def _start(self, address: int, until: int, arguments: tuple[int, ...]) -> None:
        uc = self.uc
        more = np.array(arguments[len(ARGUMENTS) :], "<u4").tobytes()
        top = self.stack_top - (len(more) + 7) // 8 * 8
        uc.mem_write(top, more)
        uc.reg_write(arm.UC_ARM_REG_SP, top)
        uc.reg_write(arm.UC_ARM_REG_LR, until | 1)
        for register, value in zip(ARGUMENTS, arguments):
            uc.reg_write(register, value)
        try:
            uc.emu_start(address | 1, until)
        except unicorn.UcError as error:
            raise self._fault(address, error) from None
        if self._refused is not None:
            (pc, why), self._refused = self._refused, None
            raise self._at(address, pc, why)
        pc = uc.reg_read(arm.UC_ARM_REG_PC)
        if pc != until:
            raise EdgeTernaryError(
                f"{self.elf.where(address)} does not return",
                f"{self._expired or 'the emulator stopped'}, and it is at {self.elf.where(pc)}",
                "raise the limit, use fewer samples, or look for an endless loop there",
            )

    def _bad_access(
        self, _uc: unicorn.Uc, access: int, address: int, size: int, _value: int, _data: object
    ) -> bool:
        self._access = f"{ACCESS.get(access, 'touches')} {address:#010x} ({size} bytes)"
        if self.stack_bottom - DEEP <= address < self.stack_bottom:
            self._access += f", below the stack of {self.stack_top - self.stack_bottom:,} bytes"
        return False

    def _fault(self, address: int, error: unicorn.UcError) -> EdgeTernaryError:
        why = self._access or str(error)
        self._access = ""
        return self._at(address, self.uc.reg_read(arm.UC_ARM_REG_PC), why)

    def _at(self, address: int, pc: int, why: str) -> EdgeTernaryError:
        lr = self.uc.reg_read(arm.UC_ARM_REG_LR)
        return EdgeTernaryError(
            f"fault in {self.elf.where(address)} at pc {pc:#010x}, {self.elf.where(pc)}",
            f"it {why}" if why[0].islower() else why,
            f"lr is {lr:#010x}, {self.elf.where(lr & ~1)}; disassemble {self.elf.path}",
        )


def _pages(size: int) -> int:
    return (size + PAGE - 1) // PAGE * PAGE
