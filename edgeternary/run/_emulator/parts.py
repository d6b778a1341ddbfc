"""What the flash of a built model is made of: tables, the code of its kernels, and routines."""

import re
from dataclasses import dataclass

from edgeternary.c.naming import make_names
from edgeternary.c.plan import Plan
from edgeternary.run._emulator.image import Image


@dataclass(frozen=True)
class Parts:
    """Bytes of flash; table_bytes, kernel_bytes and routine_bytes add up to flash_bytes.

    kernels        of the code of each call of the plan; 0 where a compiler merged it with an equal one
    routine_bytes  what layers share: routines that their code calls, run and reset, the compiler's library
    """

    flash_bytes: int
    table_bytes: int
    kernels: tuple[int, ...]

    @property
    def kernel_bytes(self) -> int:
        return sum(self.kernels)

    @property
    def routine_bytes(self) -> int:
        return self.flash_bytes - self.table_bytes - self.kernel_bytes

    def words(self) -> dict[str, int]:
        names = ("flash_bytes", "table_bytes", "kernel_bytes", "routine_bytes")
        return {name: int(getattr(self, name)) for name in names}


def parts(plan: Plan, image: Image) -> Parts:
    """The parts of an image that was built of `plan`."""
    names = make_names(plan)
    net = re.escape(names.net)
    owned = [(re.compile(rf"{net}_{index}_.*"), index) for index in range(len(plan.calls))]
    layers = {names.values[step.layer]: index for index, step in enumerate(plan.calls) if step.ops}
    for layer in sorted(layers, key=len, reverse=True):  # conv1_a before conv1
        owned.append((re.compile(rf"{net}_(\w+_)?{re.escape(layer)}([_.].*)?"), layers[layer]))
    kernels = [0] * len(plan.calls)
    for function in image.elf.functions:
        owner = next((index for pattern, index in owned if pattern.fullmatch(function.name)), None)
        if owner is not None:
            kernels[owner] += function.size
    constants = sum(s.size for s in image.elf.objects if s.name.startswith(f"{names.net}_"))
    return Parts(image.flash_bytes, constants, tuple(kernels))
