"""bench --fpga: networks of the zoo as hardware, built and measured."""

from __future__ import annotations

import json
from pathlib import Path

from edgeternary.cli._output import note, print_json
from edgeternary.errors import USAGE, EdgeTernaryError

COLUMNS = (
    "model", "device", "test_accuracy", "luts", "predicted_luts", "ffs", "logic_cells", "ram_blocks",
    "fmax_mhz", "cycles", "predicted_cycles", "frames_per_s", "latency_us", "frames", "mismatches",
)  # fmt: skip


def bench_fpga(
    only: tuple[str, ...], yosys: str, rows: Path | None, document: Path | None, as_json: bool
) -> None:
    """Build and measure the designs of bench.fpga, or take them from a file; print or write them."""
    from edgeternary.bench import fpga, fpga_page
    from edgeternary.build.files import write_file
    from edgeternary.report.tables import print_table

    if rows is not None:
        found = json.loads(rows.read_text(encoding="utf-8"))
    else:
        entries = [e for e in fpga.ENTRIES if not only or any(word in e.name for word in only)]
        if not entries:
            names = ", ".join(e.name for e in fpga.ENTRIES)
            raise EdgeTernaryError("no such design", f"there are {names}", "choose with --only", USAGE)
        found = list(fpga.measure(entries, yosys, fpga.FRAMES, True, note))
    if document is None:
        print_json(found) if as_json else print_table(found, COLUMNS)
        return
    data, ladders = document.with_suffix(".json"), fpga_page.read_ladders(document.parent)
    if only and data.is_file():  # the other rows stay
        found = fpga.merged(json.loads(data.read_text(encoding="utf-8")), found)
    write_file(data, (json.dumps(found, indent=1) + "\n").encode())
    write_file(document, fpga_page.document(found, data.name, ladders).encode())
    note(f"wrote {document} and {data}")
