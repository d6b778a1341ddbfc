"""Accesses that are not aligned: the emulated core refuses those that QEMU's core of the same kind faults on.

Silicon faults on every one on an M0+, and elsewhere on those of several registers; unicorn on none by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import numpy as np
import pytest

from edgeternary.boards import load_board
from edgeternary.errors import EdgeTernaryError
from edgeternary.run import cortex_m, qemu
from edgeternary.run._bench import BenchModel
from edgeternary.run._emulator import alignment, image, measure
from edgeternary.run._emulator.machine import Machine
from edgeternary.run._options import Options
from tests.need import need
from tests.run import net
from tests.run.test_cycles import HEAD

pytestmark = pytest.mark.emulator
M0 = "cortex-m0plus"
CORES = (M0, "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33")
# What: (code, what r1, the aligned address of the input, is moved by, cores that refuse it).
THUMB1 = {
    "ldr": ("ldr r0, [r1]", 2, (M0,)),
    "ldr by one": ("ldr r0, [r1]", 1, (M0,)),
    "ldrh": ("ldrh r0, [r1]", 1, (M0,)),
    "ldrsh": ("movs r3, #0\nldrsh r0, [r1, r3]", 3, (M0,)),
    "str": ("str r0, [r1]", 2, (M0,)),
    "strh": ("strh r0, [r1]", 1, (M0,)),
    "ldm": ("ldmia r1!, {r0, r3}", 2, CORES),
    "stm": ("stmia r1!, {r0, r3}", 1, CORES),
    "words at words": ("ldr r0, [r1]\nstr r0, [r1, #4]\nldmia r1!, {r0, r3}", 4, ()),
    "halfwords at halfwords": ("ldrh r0, [r1]\nstrh r0, [r1, #2]", 2, ()),
    "bytes anywhere": ("ldrb r0, [r1]\nstrb r0, [r1, #1]", 1, ()),
}
THUMB2 = {
    "ldrd": ("ldrd r0, r3, [r1]", 2, CORES[1:]),
    "strd": ("strd r0, r3, [r1]", 1, CORES[1:]),
    "ldrd at a word": ("ldrd r0, r3, [r1]", 4, ()),
    "ldr.w": ("ldr.w r0, [r1, #1]", 0, ()),
    "ldm.w": ("ldmdb r1, {r0, r3, r12}", 2, CORES[1:]),
}
CASES = {**THUMB1, **THUMB2}
ON = [(name, core) for name in CASES for core in CORES if core != M0 or name in THUMB1]


def assembled(cases: dict[str, str]) -> BenchModel:
    """Functions of the code of some cases: {function: case}."""
    text = HEAD.split("__asm")[0]
    for function, name in cases.items():
        code, moved, _ = CASES[name]
        lines = [f"adds r1, #{moved}", *code.splitlines(), "bx lr", f".size {function}, .-{function}"]
        body = "".join(f'      "{line}\\n"\n' for line in [*START.format(function).splitlines(), *lines])
        text += f"__asm(\n{body});\n"
    return BenchModel("net", {"net.c": text, "net.h": (net.FIXTURES / "net.h").read_text()})


START = """.syntax unified
.thumb
.section .text.net_run, "ax", %progbits
.balign 4
.global {0}
.type {0}, %function
.thumb_func
{0}:""".replace('"', '\\"')


@cache
def linked(core: str) -> image.Image:
    """All cases of a core in one image; the first is net_run, in whose section they all are."""
    names = [name for name, on in ON if on == core]
    functions = {f"case_{i}" if i else "net_run": name for i, name in enumerate(names)}
    return image.link(assembled(functions), core)


def run(name: str, core: str) -> None:
    built = linked(core)
    number = [case for case, on in ON if on == core].index(name)
    machine = Machine(built.elf, core, built.regions)
    symbols = (f"case_{number}" if number else "net_run", "bench_model", "bench_input", "bench_output")
    with alignment.checked(machine, core):
        machine.call(*(built.elf.address(symbol) for symbol in symbols))


@pytest.mark.parametrize(("name", "core"), ON)
def test_what_is_refused(name: str, core: str) -> None:
    need("zig", "unicorn", "capstone")
    if core not in CASES[name][2]:
        run(name, core)
        return
    with pytest.raises(EdgeTernaryError, match="not aligned") as caught:
        run(name, core)
    assert "+0x" in caught.value.what and name.split()[0].split(".")[0][:3] in caught.value.why


@pytest.mark.parametrize("name", ["ldr", "ldm", "words at words"])
def test_without_a_compiler_for_this_machine(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python looks at the accesses where nothing can build the hook in C."""
    monkeypatch.setattr(alignment, "_filter", lambda: None)
    test_what_is_refused(name, M0)


# Boards of QEMU whose cores fault as silicon does, and judge the table above.
BOARDS = {M0: "microbit", "cortex-m4": "mps2_an386"}


@pytest.mark.system
@pytest.mark.parametrize("core", BOARDS)
def test_qemu_judges_the_table(core: str, monkeypatch: pytest.MonkeyPatch) -> None:
    need("arm-none-eabi-gcc", "qemu-system-arm")
    monkeypatch.setattr(image, "STACK_BYTES", 0x1000)  # a micro:bit has 16 KB of RAM
    board = load_board(BOARDS[core])
    for name in [name for name, on in ON if on == core]:
        try:
            model = assembled({"net_run": name})
            qemu.execute(net.GRAPH, net.inputs(1, steps=1), board, model, Options(compiler="gcc"))
            faulted = False
        except EdgeTernaryError:
            faulted = True
        assert faulted == (core in CASES[name][2]), name


def test_an_instruction_that_the_emulator_cannot_fetch_under_the_check(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The sample runs again without the check; a fault of the model comes again."""
    need("zig", "unicorn", "capstone")

    @contextmanager
    def failing(machine: Machine, core: str) -> Iterator[None]:
        yield
        raise EdgeTernaryError("fault in net_run", "Invalid instruction (UC_ERR_INSN_INVALID)")

    monkeypatch.setattr(measure, "checked", failing)
    x, options = net.inputs(3), Options(compiler="zig", count=0)
    found = cortex_m.execute(net.GRAPH, x, M0, net.model(), net.model(taps=True), options)
    outputs, taps = net.reference(x)
    np.testing.assert_array_equal(found.outputs, outputs)
    np.testing.assert_array_equal(found.taps["fc1"], taps["fc1"])
    broken = net.model(replace=("uint32_t word = 0;", 'uint32_t word = 0; __asm volatile("udf #0");'))
    with pytest.raises(EdgeTernaryError, match="fault in"):
        cortex_m.execute(net.GRAPH, x, M0, broken, None, options)


VECTORS = {  # What: (code, what r1 is moved by, whether an M55 refuses it)
    "vldrw": ("vldrw.u32 q0, [r1]", 2, True),
    "vldrh": ("vldrh.u16 q0, [r1]", 1, True),
    "vldrb to words": ("vldrb.u32 q0, [r1]", 1, False),
    "vstrw": ("vstrw.32 q0, [r1]", 2, True),
    "vldrw at a word": ("vldrw.u32 q0, [r1]", 4, False),
    "gathered words": ("vmov.i32 q1, #2\nvldrw.u32 q0, [r1, q1]", 0, True),
    "gathered bytes": ("vmov.i32 q1, #1\nvldrb.u32 q0, [r1, q1]", 0, False),
    "ldr": ("ldr r0, [r1]", 2, False),
    "ldm": ("ldmia r1!, {r0, r3}", 2, True),
    "doublewords at a word": ("push {r4}\nvpush {d8-d9}\nvpop {d8-d9}\npop {r4}", 0, False),
}


@pytest.mark.system
@pytest.mark.parametrize("name", VECTORS)
def test_vectors_are_judged_as_they_are_counted(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """QEMU lets vector instructions access any address; the plugin that counts does not."""
    need("arm-none-eabi-gcc", "qemu-system-arm")
    monkeypatch.setitem(CASES, name, (*VECTORS[name][:2], ()))
    options = Options(compiler="gcc", count=1)
    model, x = assembled({"net_run": name}), net.inputs(1, steps=1)
    if not VECTORS[name][2]:
        cortex_m.execute(net.GRAPH, x, "cortex-m55", model, None, options)
        return
    with pytest.raises(EdgeTernaryError, match=r"not aligned to its elements|fault at pc"):
        cortex_m.execute(net.GRAPH, x, "cortex-m55", model, None, options)


WORD = "uint32_t word = *(const volatile uint32_t *)((const char *)acc + 2) & 0u;"


@pytest.mark.parametrize("core", [M0, "cortex-m4"])
def test_a_planted_access_of_a_model_is_found(core: str) -> None:
    """An executor sees it in the first sample that it answers; a Cortex-M4 may do so."""
    need("zig", "unicorn", "capstone")
    x = net.inputs(2)
    planted = net.model(replace=("uint32_t word = 0;", WORD))
    options = Options(compiler="zig", count=0)
    if core == M0:
        with pytest.raises(EdgeTernaryError, match=r"not aligned, with ldr") as caught:
            cortex_m.execute(net.GRAPH, x, core, planted, None, options)
        assert "net_1_sign1" in caught.value.what
        planted = net.model()
    found = cortex_m.execute(net.GRAPH, x, core, planted, None, options).outputs
    np.testing.assert_array_equal(found, net.reference(x)[0])
