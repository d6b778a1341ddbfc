"""docs/verified.md from the rows of `make bench-boards`."""

from collections.abc import Sequence
from typing import Any

HEAD = """# Boards, verified in emulators

`make bench-boards BENCH_ARGS="--samples {samples} --document docs/verified.md"` generates this page. `{data}`
holds the rows with digests and seeds; `--only NAME` measures some of them again.

* Each row is an image that `compile MODEL --board BOARD` writes. It runs in an emulator, as in
  `verify --emulate`, and answers {samples} test samples that were drawn for this row. *mismatches* counts the
  samples whose complete output differs from numpy's.
* *by* names what runs: qemu runs the ELF file, rp2040js the .bin file. fpga simulates the whole top.v in
  CXXRTL, at the two pins of its serial port. bitstream simulates the packed file that is flashed, after its
  conversion to Verilog.
* *cycles* are those that the device counts. QEMU does not model the time of a core, so they are empty there;
  rp2040js has no wait states for flash.
* *image* is the size of the whole image in flash, in bytes, with start-up code, serial port and protocol.
  *flash* and *RAM* are the part of the model, with its stack. *stack* was measured when the image was built;
  the image reserves the static *stack bound*.

"""
FIELDS = {
    "model": "model",
    "board": "board",
    "core": "core",
    "by": "by",
    "samples": "samples",
    "mismatches": "mismatches",
    "cycles": "cycles",
    "image_bytes": "image",
    "flash_bytes": "flash",
    "ram_bytes": "RAM",
    "stack_bytes": "stack",
    "stack_bound": "stack bound",
    "luts": "LUTs",
}


def document(rows: Sequence[dict[str, Any]], data: str) -> str:
    """Markdown of all rows."""
    samples = min(row["samples"] for row in rows)
    lines = ["| " + " | ".join(FIELDS.values()) + " |", "|---" * len(FIELDS) + "|"]
    lines += ["| " + " | ".join(_text(row.get(key)) for key in FIELDS) + " |" for row in rows]
    return HEAD.format(data=data, samples=samples) + "\n".join(lines) + "\n"


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
