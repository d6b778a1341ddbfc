"""Place and route: a netlist becomes a bitstream, with several seeds of which the best is kept."""

import json
import re
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from edgeternary.errors import DOES_NOT_FIT, EdgeTernaryError
from edgeternary.hdl import devices
from edgeternary.hdl.devices import Part
from edgeternary.toolchains import cache, require, run

TIMEOUT = 3600.0


@dataclass(frozen=True)
class Placer:
    """How one family is placed, routed and packed.

    tool, options   nextpnr and its options
    text            the routed design that the packer reads
    packer, pack    and its arguments; {chip} is the part's
    bitstream       file name
    cells, rams     the names of the logic cell and of the block RAM in nextpnr's report
    pins            options of nextpnr that name the file of pin constraints
    wires           more options for a design with layers as wires
    """

    tool: str
    options: tuple[str, ...]
    text: str
    packer: str
    pack: tuple[str, ...]
    bitstream: str
    cells: tuple[str, ...]
    rams: tuple[str, ...]
    pins: tuple[str, ...]
    wires: tuple[str, ...] = ()


PLACERS = msgspec.convert(devices.FILE["placers"], dict[str, Placer])


@dataclass(frozen=True)
class Placed:
    """One seed's result.

    fmax_mhz        of the slowest clock
    logic_cells     used, of the part's LUT sites
    critical_path   (layer or part, nanoseconds) along the slowest path, in order
    seconds         that it took, 0 where nobody noted it
    folder          holds the routed design
    """

    seed: int
    fmax_mhz: float
    logic_cells: int
    ram_blocks: int
    critical_path: list[tuple[str, float]] = field(default_factory=list)
    folder: Path = Path()
    seconds: float = 0.0


# Pins of the QN88 package that no programming interface needs; its placer takes no port without a pin.
GOWIN_PINS = (*range(25, 43), *range(53, 58), *range(68, 78), *range(79, 87), 63)


def free_pins(part: Part, ports: dict[str, int]) -> str:
    """Pin constraints for a design that is on no board: where the placer must have some, any free ones.

    ports  {name: bits}
    """
    if part.family != "gowin":
        return ""
    bits = [f"{name}[{k}]" if size > 1 else name for name, size in ports.items() for k in range(size)]
    others = [bit for bit in bits if bit != "clk"]
    if len(others) > len(GOWIN_PINS):
        raise EdgeTernaryError(
            f"the ports do not fit {part.title}",
            f"they have {len(others)} bits, the package {len(GOWIN_PINS)} pins",
            "let fewer input bits in a cycle",
            DOES_NOT_FIT,
        )
    places = [("clk", 52), *zip(others, GOWIN_PINS, strict=False)]
    return "".join(f'IO_LOC "{bit}" {pin};\nIO_PORT "{bit}" IO_TYPE=LVCMOS33;\n' for bit, pin in places)


MOST_SEEDS = 5
SECONDS = "seconds"  # file: what a seed took
PATIENCE, LEAST = 4, 60.0  # a seed may take 4 times as long as the longest before it, and 240 seconds


def seeds(luts: int) -> int:
    """How many seeds are worth their time: 5 below 10,000 LUTs, 3 below 40,000, else 1."""
    return 5 if luts < 10_000 else 3 if luts < 40_000 else 1


def place(
    netlist: Path,
    part: Part,
    count: int,
    *,
    name: str,
    pins: str = "",
    kept: bool = False,
    wires: bool = False,
    progress: Callable[[str], None] = lambda text: None,
) -> list[Placed]:
    """Place and route with the seeds 1 .. `count`; results in that order, cached by digest.

    A seed that fails, or for which the router finds no end in PATIENCE times what others took, is left out
    if one before it has succeeded, and said to `progress`.

    netlist  netlist.json of hdl.synthesis.synthesise
    pins     constraints in the family's own format; without them the placer chooses
    kept     also the further seeds that an earlier run has left in the cache
    wires    whether layers are wires
    EdgeTernaryError (code 5) where the design does not fit, quoting nextpnr and the layers it names.
    """
    placer = PLACERS[part.family]
    tool = require(placer.tool)
    text = netlist.read_bytes()
    found: list[Placed] = []
    for seed in range(1, (MOST_SEEDS if kept else count) + 1):
        options = [*part.place, *placer.options, "--freq", str(part.aim), "--seed", str(seed)]
        if pins:
            options += placer.pins
        if wires:
            options += placer.wires

        longest = max((placed.seconds for placed in found), default=0.0)
        limit = min(TIMEOUT, PATIENCE * max(longest, LEAST)) if longest else TIMEOUT

        def fill(folder: Path, options: list[str] = options, limit: float = limit) -> None:
            (folder / "netlist.json").write_bytes(text)  # tools in WebAssembly see this folder alone
            if pins:
                (folder / placer.pins[1].removeprefix("cst=")).write_text(pins, encoding="utf-8")
            command = [
                *tool.command,
                "--json",
                "netlist.json",
                "--report",
                "report.json",
                "--timing-allow-fail",
            ]
            started = time.monotonic()
            try:
                log = run([*command, *options], what="placement", cwd=folder, timeout=limit)
            except EdgeTernaryError as error:
                raise _explained(error, name, part) from error
            (folder / "nextpnr.log").write_text(log, encoding="utf-8")
            (folder / SECONDS).write_text(f"{time.monotonic() - started:.1f}", encoding="utf-8")
            if part.family == "ice40":
                _keep_ports(folder)
            (folder / "netlist.json").unlink()

        key = cache.digest(text, pins, *options, tool.version, tool.where)
        if seed > count and not cache.has(key, "placed"):
            continue
        progress(f"placing and routing for {part.name}, seed {seed} of {max(count, seed)}")
        try:
            found.append(_read(cache.build(key, fill, "placed"), seed, placer))
        except EdgeTernaryError as error:
            if not found:
                raise
            progress(f"leaving out seed {seed} of {max(count, seed)}: {error.why}")
    return found


def version(part: Part) -> str:
    """The placer and its version, for figures."""
    tool = require(PLACERS[part.family].tool)
    return f"{tool.name} {tool.version}"


def need(part: Part) -> None:
    """EdgeTernaryError (code 3) where a tool is missing that places, routes or packs for `part`."""
    if part.place:
        for name in (PLACERS[part.family].tool, PLACERS[part.family].packer):
            require(name)


def pack(placed: Placed, part: Part) -> bytes:
    """The bitstream of a routed design."""
    placer = PLACERS[part.family]
    tool = require(placer.packer)
    target = placed.folder / placer.bitstream
    if not target.exists():
        arguments = [word.format(chip=part.chip) for word in placer.pack]
        run([*tool.command, *arguments], what=f"packing the bitstream with {tool.name}", cwd=placed.folder)
    return target.read_bytes()


def ports(placed: Placed) -> dict[str, tuple[int, int, int]]:
    """Where an iCE40's placer put the ports: {name, or name[bit]: (column, row, number of the IO cell)}."""
    text = (placed.folder / "ports.json").read_text(encoding="utf-8")
    return {name: (x, y, z) for name, (x, y, z) in json.loads(text).items()}


def _keep_ports(folder: Path) -> None:
    """Of the design that nextpnr wrote with every placement (megabytes), keep where its IO cells are."""
    routed = folder / "routed.json"
    (module,) = json.loads(routed.read_text(encoding="utf-8"))["modules"].values()
    found = {}
    for name, cell in module["cells"].items():
        if name.endswith("$sb_io"):  # its place reads X13/Y0/io1
            place = re.findall(r"\d+", cell["attributes"]["NEXTPNR_BEL"])
            found[name.removesuffix("$sb_io")] = [int(number) for number in place]
    (folder / "ports.json").write_text(json.dumps(found), encoding="utf-8")
    routed.unlink()


def best(found: list[Placed]) -> Placed:
    """The fastest; of equals the first."""
    return max(found, key=lambda p: p.fmax_mhz)


def spread(found: list[Placed]) -> dict[str, float]:
    """Lowest, median and highest fmax over the seeds."""
    values = [p.fmax_mhz for p in found]
    return {"lowest": min(values), "median": statistics.median(values), "highest": max(values)}


def _read(folder: Path, seed: int, placer: Placer) -> Placed:
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    fmax = min((clock["achieved"] for clock in report["fmax"].values()), default=0.0)
    used = {cell: figures["used"] for cell, figures in report["utilization"].items()}
    return Placed(
        seed,
        round(fmax, 2),
        sum(used.get(cell, 0) for cell in placer.cells),
        sum(used.get(cell, 0) for cell in placer.rams),
        _critical(report),
        folder,
        float(noted.read_text(encoding="utf-8")) if (noted := folder / SECONDS).is_file() else 0.0,
    )


def _critical(report: Any) -> list[tuple[str, float]]:
    """The slowest path within a clock domain as (instance, ns), neighbours of the same instance added up."""
    inside = [p for p in report.get("critical_paths", []) if p["from"] == p["to"]]
    if not inside:
        return []
    slowest = max(inside, key=lambda p: sum(step["delay"] for step in p["path"]))
    found: list[tuple[str, float]] = []
    for step in slowest["path"]:
        where = instance(step["to"]["cell"])
        if found and found[-1][0] == where:
            found[-1] = (where, round(found[-1][1] + step["delay"], 3))
        else:
            found.append((where, round(step["delay"], 3)))
    return found


def instance(cell: str) -> str:
    """The part that a flattened cell came from: what stands before the first dot of its name.

    On a board the parts lie in serial.core, and what is not of the network in serial.link; those of an
    embedded core in hdl.embedded.NAME.
    """
    inner = re.sub(r"^(serial\.(core\.)?|inside\.)", "", cell.lstrip("\\"))
    return re.split(r"[.$]", inner, maxsplit=1)[0] or "top"


def _explained(error: EdgeTernaryError, name: str, part: Part) -> EdgeTernaryError:
    text = str(error)
    errors = [line.strip() for line in text.splitlines() if "ERROR" in line]
    cells = [word for line in errors for word in re.findall(r"'([^']+)'", line) if "." in word]
    layers = sorted({instance(cell) for cell in cells})
    where = f"; it names {', '.join(layers[:4])}" if layers else ""
    return EdgeTernaryError(
        f"{name} could not be placed and routed on {part.title}",
        f"nextpnr stopped: {' '.join(errors[-3:]) or text[-600:]}{where}",
        "allow more cycles a frame (a lower --fps), or choose a larger part: edgeternary boards",
        DOES_NOT_FIT,
    )
