"""An iCE40 bitstream back to Verilog: what the file that is flashed says, not what was meant to be in it."""

from collections.abc import Mapping
from pathlib import Path

from edgeternary.toolchains import cache, require, run

Place = tuple[int, int, int]  # column, row and number of an IO cell


def unpacked(bitstream: bytes) -> str:
    """The bitstream as icestorm's text: the bits of each tile, and the contents of each block RAM."""
    tool = require("iceunpack")

    def fill(folder: Path) -> None:
        (folder / "design.bin").write_bytes(bitstream)
        run([*tool.command, "design.bin", "design.asc"], what="unpacking the bitstream", cwd=folder)

    key = cache.digest(bitstream, tool.version, tool.where)
    return (cache.build(key, fill, "unpacked") / "design.asc").read_text(encoding="utf-8")


def verilog(asc: str, ports: Mapping[str, Place], name: str) -> str:
    """Module `name` with the cells that the bits of `asc` set up: LUTs, flip-flops, block RAMs.

    ports  {name, or name[bit]: where its IO cell is}; icebox_vlog knows an IO cell only by its place
    icebox_vlog leaves out the UP5K's single-port RAM.
    """
    tool = require("icebox_vlog")
    pins = "".join(f"set_io {port} {x} {y} {z}\n" for port, (x, y, z) in sorted(ports.items()))

    def fill(folder: Path) -> None:
        (folder / "design.asc").write_text(asc, encoding="utf-8")
        (folder / "design.pcf").write_text(pins, encoding="utf-8")
        options = ["-s", "-c", "-n", name, "-p", "design.pcf", "design.asc"]
        text = run(
            [*tool.command, *options],
            what="reading the bitstream back",
            cwd=folder,
            env={"PYTHONHASHSEED": "0"},  # the order of its cells is that of a Python set
        )
        (folder / "design.v").write_text(text, encoding="utf-8")

    folder = cache.build(cache.digest(asc, pins, name, tool.where), fill, "unpacked")
    return (folder / "design.v").read_text(encoding="utf-8")
