"""docs/fpga.md from the rows of `make bench-fpga`."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.fpga import Row

HEAD = """# Figures on FPGAs

`make bench-fpga BENCH_ARGS="--document docs/fpga.md"` generates this page. `{data}` holds the rows;
`--only NAME` measures one row again. Tools: {tools}.

* The networks are those of the zoo, with the accuracy of the same integers on the full test set. Those of
  human keywords and of pictures are files of `examples`; their accuracy is that on the test samples of
  their recipe, which come from the folders that [tiny.md](tiny.md) names. Every figure includes the
  encoder, the loading of a frame, the argmax and the bytes of the answer. Pixels and features come in as the
  model takes them.
* *cycles* counts from the last byte of one frame to the last byte of the next, over *frames* back to back in
  CXXRTL. All outputs are compared with numpy.
* *predicted* is what the same command without `--build` prints, before any tool runs.
* *fmax* comes from nextpnr's timing model: the best of the seeds, with the lowest and the highest in
  brackets. frames/s = fmax / cycles. No board was used.
* *LUT4* and *FF* count the cells of yosys. *logic cells* are those that nextpnr occupies; a LUT, a carry and
  a flip-flop share one. No design has a multiplier cell, neither in the RTL nor after synthesis with DSP
  inference on.

"""
SIMULATE = "edgeternary simulate"
LADDERS = {  # each file lies in the folder of the page and holds what the command printed
    "fpga-ladder.json": f"{SIMULATE} zoo:mnist-mlp-binary-64 --from bits --fps 150000 "
    "--on hdl:up5k,cxxrtl:up5k,netlist:up5k,bitstream:up5k --compare --samples 1000 --json",
    "fpga-ladder-loaded.json": f"{SIMULATE} zoo:fashion-mlp --fps 3000 "
    "--on hdl:up5k,cxxrtl:up5k,netlist:up5k --compare --samples 20 --json",
}
LADDER = """
## The same bits at every stage

`simulate --compare` runs real test images in Amaranth's simulator, in the RTL as C++, in the netlist after
synthesis with models of its cells, and in the cells that are extracted from the packed bitstream.

"""
RUNGS = ("executor", "samples", "mismatches", "cycles", "luts", "ram_blocks", "single_port_rams", "fmax_mhz")
LOADED = """
## Weights in single-port RAM

The weights of these designs do not fit the block RAM of a UP5K. A loader reads them from a stream (one cycle
for a byte) or, on a board, from the flash, where they follow the bitstream (16 clocks for a byte). It checks
their CRC-32.

| network | single-port RAMs | bytes | start-up from flash at 12 MHz | start-up from a stream at fmax |
|---|---|---|---|---|
"""
FIELDS = {
    "model": "network",
    "device": "device",
    "test_accuracy": "accuracy",
    "input_bits_a_cycle": "input bits a cycle",
    "luts": "LUT4",
    "predicted_luts": "predicted",
    "ffs": "FF",
    "logic_cells": "logic cells",
    "ram_blocks": "block RAMs",
    "fmax_mhz": "fmax MHz",
    "cycles": "cycles",
    "predicted_cycles": "predicted",
    "frames_per_s": "frames/s",
    "latency_us": "latency µs",
    "frames": "frames",
    "mismatches": "mismatches",
}
LUT6 = """
## On a LUT6 part

The LUT6 of these designs are counted by yosys's `synth_xilinx -family xc7`, where `abc` maps to LUTs (abc9
in the rows that are of older hardware). The encoder, the argmax and the folding of the row above are inside.
DSP inference is on, and no DSP is used. The frames/s are those at the fmax of the row's device, since no open
place and route was run for a LUT6 part. [league.md](league.md) compares networks on FPGAs, ours and those of
other projects.

| design | LUT6 | accuracy | frames/s |
|---|---|---|---|
"""


def document(
    rows: Sequence[Row], data: str, ladders: Mapping[str, Sequence[Row]], older: Sequence[Row] = ()
) -> str:
    """Markdown of all rows, their commands, and their LUT6 counts.

    ladders  the rows of each file of LADDERS that exists, by file name
    older    the rows of older hardware: the same command now plans another design
    """
    tools = ", ".join(dict.fromkeys(row[key] for key in ("yosys", "nextpnr") for row in rows))
    lines = ["| " + " | ".join(FIELDS.values()) + " |", "|---" * len(FIELDS) + "|"]
    for row in rows:
        lines.append("| " + " | ".join(_text(row, key) for key in FIELDS) + " |")
    if older:
        names = ", ".join(f"{_name(row)} on {row['device']}" for row in older)
        lines += ["", f"These rows are of older hardware; the same commands now plan other designs: {names}."]
    lines += ["", "Each row is one command:", ""]
    lines += [f"* `{row['command']}`" for row in rows]
    text = HEAD.format(data=data, tools=tools) + "\n".join(lines) + "\n"
    text += _loaded(rows) + _ladders(ladders)
    counted = [row for row in rows if row.get("lut6")]
    if not counted:
        return text
    ours = [
        f"| {_name(row)} as on {row['device']} | {row['lut6']:,} | {row['test_accuracy']:.2%} "
        f"| {row['frames_per_s']:,} |"
        for row in counted
    ]
    return text + LUT6 + "\n".join(ours) + "\n"


def _loaded(rows: Sequence[Row]) -> str:
    lines = [
        f"| {_name(row)} | {row['single_port_rams']} | {row['load_bytes']:,} "
        f"| {16e3 * row['load_bytes'] / 12e6:.0f} ms | {row['load_bytes'] / row['fmax_mhz'] / 1e3:.1f} ms |"
        for row in rows
        if row.get("load_bytes")
    ]
    return LOADED + "\n".join(lines) + "\n" if lines else ""


def _ladders(found: Mapping[str, Sequence[Row]]) -> str:
    text = LADDER if found else ""
    for name, command in LADDERS.items():
        if name not in found:
            continue
        text += f"`{command}` (`{name}`)\n\n| " + " | ".join(RUNGS) + " |\n" + "|---" * len(RUNGS) + "|\n"
        for row in found[name]:
            text += "| " + " | ".join(_cell(row.get(word)) for word in RUNGS) + " |\n"
        text += "\n"
    return text.removesuffix("\n")


def _cell(value: object) -> str:
    return "" if value is None else f"{value:,}" if isinstance(value, int) else str(value)


def read_ladders(folder: Path) -> dict[str, list[Row]]:
    """Those of LADDERS that lie in a folder."""
    return {
        name: json.loads((folder / name).read_text(encoding="utf-8"))
        for name in LADDERS
        if (folder / name).is_file()
    }


def _name(row: Row) -> str:
    """The network's name, of a file's without its folder."""
    return str(row["model"]).rpartition("/")[2].removesuffix(".et")


def _text(row: Row, key: str) -> str:
    value = row.get(key)
    if key == "model":
        value = _name(row)
    if key == "model" and row["from"]:
        return f"{value} after `{row['from']}`"
    if key == "test_accuracy":
        return f"{value:.2%}"
    if key == "fmax_mhz":
        spread = row["fmax_spread"]
        if row["seeds"] == 1:
            return f"{value:.1f} (1 seed)"
        return f"{value:.1f} ({spread['lowest']:.1f}-{spread['highest']:.1f}, {row['seeds']} seeds)"
    if isinstance(value, float):
        return f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
