"""Published cycles: the table is complete, the page agrees with its rows, and the rows keep to the limits."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks import cycles
from benchmarks.commands.cycles import command
from benchmarks.cycles_page import document, errors
from edgeternary.errors import EdgeTernaryError
from edgeternary.run._emulator.timing import TABLES
from edgeternary.run._emulator.timing.waits import ERROR
from edgeternary.toolchains import compilers
from tests.need import need

DOCS = Path(__file__).parents[2] / "docs"
ROWS = json.loads((DOCS / "cycles.json").read_text())
SOURCE = """__asm(".syntax unified\\n.thumb\\n.section .text.twice, \\"ax\\", %progbits\\n.balign 4\\n"
      ".global twice\\n.type twice, %function\\n.thumb_func\\n"
      "twice: ldr r2, [r0]\\nadds r2, r2, r2\\nstr r2, [r1]\\nadds r3, r2, #1\\nbx lr\\n"
      ".size twice, .-twice\\n");
"""
SCRIPT = """ENTRY(twice) PHDRS { code PT_LOAD; }
SECTIONS { .text 0x100000 : { KEEP(*(.text.twice)) } :code /DISCARD/ : { *(.ARM.*) *(.comment) } }"""


def test_the_page_is_made_of_its_rows() -> None:
    assert (DOCS / "cycles.md").read_text() == document(ROWS, "cycles.json")


def test_every_program_has_a_row() -> None:
    named = [(p.core, p.name, p.source, p.wait_states) for p in cycles.table().programs]
    assert [(row["core"], row["program"], row["source"], row["wait_states"]) for row in ROWS] == named
    assert len(set(named)) == len(named) and {p.source for p in cycles.table().programs} == set(
        cycles.table().sources
    )


LIMITS = {
    "cortex-m0": (4, 0.1),
    "cortex-m3": (4, 0.1),
    "cortex-m4": (4, 0.1),
    "cortex-m7": (2, 0.25),
    "cortex-m33": (2, 0.25),
    "cortex-m55": (2, 0.25),
}


@pytest.mark.parametrize("core", LIMITS)
def test_within_the_limits(core: str) -> None:
    (programs, within), found = LIMITS[core], errors(ROWS, core)
    assert len(found) >= programs and max(found) <= within
    model = TABLES.get(core, TABLES["cortex-m0plus"])
    assert round(max(found), 2) <= model.error <= max(found) + 0.015


def test_wait_states_keep_to_their_limit() -> None:
    found = [abs(row["error"]) for row in ROWS if row["wait_states"]]
    assert len(found) >= 20 and max(found) <= ERROR <= max(found) + 0.015


def test_a_program_of_our_own(tmp_path: Path) -> None:
    """An image without a startup runs, with its buffers where the call says."""
    need("zig", "unicorn", "capstone")
    compiler = compilers.for_core("cortex-m4", "zig")
    image = compilers.build(compiler, {"twice.c": SOURCE}, link_script=SCRIPT, what="twice")
    program = cycles.Program(
        name="twice", source="none", core="cortex-m4", chip="none", image="twice",
        before=(("twice", "a:4", "b:4"),), call=("twice", "b:4", "c:4"), cycles=8.5, per=2,
    )  # fmt: skip
    count = cycles.run(program, image)
    assert count.instructions == 5 and count.cycles == 2 + 1 + 1 + 1 + 3
    assert cycles.row(program, count)["error"] == round(4 / 8.5 - 1, 4)


def test_bad_input(tmp_path: Path) -> None:
    with pytest.raises(EdgeTernaryError, match="holds no image"):
        list(cycles.measure(tmp_path))
    assert "FOLDER is missing" in str(CliRunner().invoke(command, []).exception)
    answer = CliRunner().invoke(
        command, ["--rows", str(DOCS / "cycles.json"), "--document", str(tmp_path / "c.md")]
    )
    assert answer.exit_code == 0 and (tmp_path / "c.json").is_file()
