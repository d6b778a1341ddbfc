"""int8 models in CMSIS-NN, counted in our emulator: `python -m benchmarks.cmsis CMSIS-NN MODEL.tflite`

CMSIS-NN is a folder with its sources (github.com/ARM-software/CMSIS-NN), which are no part of this project.
A row has instructions and modelled cycles of one inference from int8 codes to int8 codes, without the
interpreter of TensorFlow Lite Micro; `differ` counts output codes that are not those of LiteRT's reference
kernels, which round a fully connected layer once.
flash_bytes  functions, weights and parameters;  ram_bytes  tensors that live at once, scratch and stack
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
from numpy.typing import NDArray
from unicorn import arm_const as arm

from benchmarks import cmsis_calls
from edgeternary.bench import make
from edgeternary.data import firmware_dir
from edgeternary.errors import USAGE, EdgeTernaryError, script
from edgeternary.frontends.imported import Cut
from edgeternary.frontends.tflite.file import read_model
from edgeternary.frontends.tflite.lower import lower
from edgeternary.image.elf import Elf
from edgeternary.run import run
from edgeternary.run._emulator.count import Counter
from edgeternary.run._emulator.image import ROOMY, STACK_BYTES
from edgeternary.run._emulator.machine import Machine
from edgeternary.run._emulator.measured import Count
from edgeternary.run._emulator.timing import COMPARED
from edgeternary.toolchains import cache, compilers
from edgeternary.toolchains.process import run as call

CORES = ("cortex-m4", "cortex-m0plus", "cortex-m7", "cortex-m33")
SOURCES = (
    "ConvolutionFunctions/*s8*.c", "FullyConnectedFunctions/arm_fully_connected_s8.c",
    "PoolingFunctions/arm_avgpool*s8.c", "BasicMathFunctions/arm_elementwise_add_s8.c",
    "NNSupportFunctions/*s8*.c", "NNSupportFunctions/arm_q7_to_q15*.c",
)  # fmt: skip
LEFT_OUT = ("_s4", "transpose", "lstm", "svdf")
ASSEMBLY = "CMSIS_NN_USE_REQUANTIZE_INLINE_ASSEMBLY"  # needs Thumb-2
SAMPLES = 2  # random ones; two extreme ones come on top
LIMIT = 600.0  # seconds
OPTIONS = ("-O3", "-ffunction-sections", "-fdata-sections", "-fomit-frame-pointer")
LINK = ("-nostartfiles", "-Wl,--gc-sections,-u,run,-u,scratch_bytes", "-T", "link.ld", "-lc", "-lgcc")


def count(folder: Path, path: Path, cores: tuple[str, ...] = CORES) -> Iterator[dict[str, Any]]:
    """A row for each core."""
    model = read_model(path)
    name = path.name.removesuffix(".tflite")
    text = cmsis_calls.source(model, name)
    graph = lower(model, "model", path.name, Cut()).graph
    inputs = make.inputs(graph, SAMPLES).reshape(SAMPLES + 2, -1).astype(np.int8)
    shaped = inputs.reshape(len(inputs), *graph.inputs[0].shape)
    want = run(graph, shaped, on="tflite", options={"original": path}).outputs.reshape(len(inputs), -1)
    x_name, y_name = (cmsis_calls.buffer(model, i) for i in (model.inputs[0], cmsis_calls.output(model)))
    for core in cores:
        elf = build(folder, text, core)
        machine = Machine(elf, core, ROOMY)
        got = []
        with machine.time_limit(LIMIT):
            machine.paint_stack()
            for sample in inputs:
                machine.write(elf.address(x_name), sample.tobytes())
                machine.call(elf.address("run"))
                if machine.uc.reg_read(arm.UC_ARM_REG_R0):
                    raise EdgeTernaryError(
                        f"CMSIS-NN refuses a layer of {name}", "a call returned no success"
                    )
                got.append(np.frombuffer(machine.read(elf.address(y_name), want.shape[1]), np.int8))
            stack = machine.stack_used()
            machine.call(elf.address("scratch_bytes"))
        scratch = machine.uc.reg_read(arm.UC_ARM_REG_R0)
        counts = _counts(elf, core, elf.address(x_name), inputs[0], len(cmsis_calls.layers(model)))
        total = sum(counts.values(), Count(0, 0))
        differences = np.abs(np.array(got, np.int64) - want)
        yield {
            "model": name, "core": core, "instructions": total.instructions, "cycles": total.cycles,
            "flash_bytes": elf.flash_bytes,
            "ram_bytes": cmsis_calls.live_bytes(model) + scratch + stack, "scratch_bytes": scratch,
            "outputs": differences.size, "differ": int((differences > 0).sum()),
            "most": int(differences.max()),
            "layers": [
                (layer["name"], counts[n].instructions, counts[n].cycles)
                for n, layer in enumerate(cmsis_calls.layers(model))
            ],
        }  # fmt: skip


def _counts(elf: Elf, core: str, x: int, sample: NDArray[np.int8], layers: int) -> dict[int, Count]:
    """Of each layer, by its number; of `run` itself by -1."""
    machine = Machine(elf, core, ROOMY)
    addresses = {elf.address(f"layer_{n}") & ~1: n for n in range(layers)}
    counter = Counter(machine, addresses, elf.address("run") & ~1, COMPARED[core])
    machine.write(x, sample.tobytes())
    with machine.time_limit(LIMIT):
        machine.call(elf.address("run"))
    counter.returned()
    return counter.layers()


def build(folder: Path, text: str, core: str) -> Elf:
    """The image of `text` with the functions that it needs, gcc -O3."""
    if not (folder / "Include" / "arm_nnfunctions.h").is_file():
        raise EdgeTernaryError(
            f"{folder} has no CMSIS-NN", "Include/arm_nnfunctions.h is missing",
            "clone github.com/ARM-software/CMSIS-NN", USAGE,
        )  # fmt: skip
    gcc = compilers.for_core(core, "gcc", "3")
    regions = {
        "flash_origin": ROOMY.flash.origin, "flash_bytes": ROOMY.flash.bytes, "ram_origin": ROOMY.ram.origin,
        "ram_bytes": ROOMY.ram.bytes, "stack_bytes": STACK_BYTES,
    }  # fmt: skip
    link = Template((firmware_dir() / "ports/cortex_m/image.ld.in").read_text(encoding="utf-8")).substitute(
        regions
    )
    options = ["-I", str(folder.absolute() / "Include"), *OPTIONS]
    options += [f"-D{ASSEMBLY}"] * (core != "cortex-m0plus")
    named = sorted(file.absolute() for part in SOURCES for file in (folder / "Source").glob(part))
    units = [file for file in named if not any(text in file.name for text in LEFT_OUT)]
    texts = [file.read_text(encoding="utf-8") for file in units]

    def parts(made: Path) -> None:
        call([*gcc.command, *options, "-c", *units], what="building CMSIS-NN", cwd=made)

    def image(made: Path) -> None:
        (made / "net.c").write_text(text, encoding="utf-8")
        (made / "link.ld").write_text(link, encoding="utf-8")
        objects = sorted(library.glob("*.o"))
        call([*gcc.command, *options, "net.c", *objects, *LINK, "-o", "image"], what="linking", cwd=made)

    library = cache.build(cache.digest("cmsis", str(gcc), core, *options, *texts), parts)
    return Elf(cache.build(cache.digest("cmsis image", str(library), text, link, *LINK), image) / "image")


def main() -> int:
    if len(sys.argv) < 3:
        raise EdgeTernaryError("name a folder and models", "", (__doc__ or "").splitlines()[0], USAGE)
    named = tuple(name for name in sys.argv[2:] if name in CORES)
    for path in (name for name in sys.argv[2:] if name not in CORES):
        for row in count(Path(sys.argv[1]), Path(path), named or CORES):
            print(json.dumps(row), flush=True)
    return 0


if __name__ == "__main__":
    script(main)
