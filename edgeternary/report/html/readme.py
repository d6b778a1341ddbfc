"""README.md of a compiled folder: what each file is, the next commands, and how to call the model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edgeternary.build.project import Project
from edgeternary.c.naming import make_names
from edgeternary.c.ports import inputs, outputs
from edgeternary.ir import Graph
from edgeternary.ir.names import identifier
from edgeternary.report.html import words
from edgeternary.report.html.document import Document
from edgeternary.templating import render

# what a file is, by its ending; NAME. stands for the model's own
KINDS = {
    ".c": "the network in C99", ".h": "its interface", ".o": "the network as an object file for the core",
    ".elf": "the image with symbols", ".hex": "the image as Intel HEX", ".bin": "the image as plain bytes",
    ".uf2": "the image for the drive that the board appears as", ".et": "the model, which `verify` reads",
    ".toml": "the board", ".v": "Verilog", ".lpf": "pins of the board", ".pcf": "pins of the board",
    ".cst": "pins of the board", ".bit": "the bitstream", ".fs": "the bitstream",
}  # fmt: skip
FILES = {
    "design.bin": "the bitstream", "weights.bin": "weights that the design loads after configuration",
    "report.html": "the report: open it in a browser", "report.json": "the numbers of the report",
    "edgeternary.json": "the manifest: what was built, estimates and measured figures",
}  # fmt: skip
OWN = ("report.html", "report.json", "edgeternary.json")


def readme(project: Project, found: Document) -> str:
    """Markdown. A folder of Verilog has a README with its ports already; what comes next is added to it."""
    graph = project.model
    assert graph is not None
    name = identifier(graph.name)
    before = str(project.files.get("README.md", ""))
    values: dict[str, Any] = {
        "name": name,
        "title": _plain(graph.name),
        "target": _plain(found["target"]["title"]),
        "board": project.on.name if project.on else "",
        "hardware": project.plan is None,
        "device": project.target if project.plan is None and not project.on else "",
        "core": project.plan.core.name if project.plan else "",
        "image": project.identity.get("image"),
        "tools": list(project.on.tools) if project.on else [],
        "emulated": bool(project.on and (project.on.emulator or project.on.fpga)),
        "files": [(file, _what(file)) for file in sorted({*project.files, *OWN})],
        "figures": [_figure(f, found["target"]["kind"]) for f in found["figures"]],
        "baud": project.on.uart.baud if project.on and project.on.uart else None,
        "before": before,
    }
    if project.plan:
        values |= _interface(project, graph)
    return before.rstrip("\n") + "\n\n" * bool(before) + render("report/readme.md.j2", values)


def _interface(project: Project, graph: Graph) -> dict[str, Any]:
    """Names of the C interface, as the header declares them."""
    assert project.plan
    names = make_names(project.plan)
    return {
        "net": names.net,
        "NET": names.net.upper(),
        "inputs": inputs(graph, names),
        "outputs": outputs(graph, names),
        "stateful": bool(graph.states),
        "several": graph.several,
    }


def _figure(row: Mapping[str, Any], kind: str) -> tuple[str, str, str]:
    """Name, value with its unit, source."""
    value = f"{words.number(row['value'])} {words.unit(row['word'], kind)}".rstrip()
    return words.word(row["word"]), value, row["source"]


def _what(file: str) -> str:
    return FILES.get(file) or KINDS.get(Path(file).suffix, "")


def _plain(text: str) -> str:
    """A name as it may stand in Markdown: what would be markup or HTML is replaced."""
    return "".join(letter if letter.isalnum() or letter in " .,:()+-_/" else "_" for letter in text)
