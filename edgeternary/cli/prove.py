"""edgeternary prove: the hardware of a model is its graph, for every input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgeternary.cli._hardware import Hardware, hardware_options, wanted
from edgeternary.cli._help import verb
from edgeternary.cli._model import load_model
from edgeternary.cli._output import json_option, note, print_json
from edgeternary.cli._tools import yosys_option
from edgeternary.errors import USAGE, EdgeTernaryError

if TYPE_CHECKING:
    from edgeternary.prove.subject import Subject


@verb()
@click.argument("what", metavar="BUILD|MODEL")
@click.option("--device", help="FPGA of a MODEL: up5k, hx8k, ecp5-25f, ... A BUILD has its own.")
@hardware_options
@click.option(
    "--minutes",
    type=click.FloatRange(0, min_open=True),
    default=10.0,
    show_default=True,
    help="Time for proofs; what is not proven then is open.",
)
@click.option("--netlist/--no-netlist", default=True, help="Synthesise, and prove the netlist, too.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write PATH.json and PATH.txt.")
@yosys_option
@json_option
def command(
    what: str,
    device: str | None,
    hardware: Hardware,
    minutes: float,
    netlist: bool,
    output: Path | None,
    yosys: str,
    as_json: bool,
) -> None:
    """Prove that hardware is its graph, for every input.

    BUILD is a folder of compile --device, whose Verilog is read. Exit code 1: a proof is open; 4: an input
    was found for which hardware and graph differ.

    \b
    Example:
      edgeternary prove zoo:mnist-tables-800 --device ecp5-25f --embedded
    """
    from edgeternary.build.files import check_writable, write_file
    from edgeternary.prove.build import prove

    files = [Path(f"{output}{ending}") for ending in (".json", ".txt")] if output else []
    for path in files:
        check_writable(path)
    subject = _subject(what, device, hardware, yosys)
    subject.netlist = netlist
    certificate = prove(subject, minutes, lambda text: note(f"{text} ..."))
    for path, text in zip(files, (_json(certificate.record()), certificate.text()), strict=False):
        write_file(path, text)
    if as_json:
        print_json(certificate.record())
    else:
        click.echo(certificate.text(), nl=False)
    certificate.refuse()


def _json(record: dict[str, Any]) -> str:
    return json.dumps(record, indent=2, ensure_ascii=False) + "\n"


def _subject(what: str, device: str | None, hardware: Hardware, yosys: str) -> Subject:
    """The design of a folder, or of a model for --device."""
    from edgeternary.prove.build import of_folder, subject

    if Path(what).is_dir():
        if device or hardware != Hardware():
            raise EdgeTernaryError(
                f"{what} has a design already", "--device and what shapes a design go with a MODEL",
                "leave these options out", USAGE,
            )  # fmt: skip
        return of_folder(Path(what), yosys)
    graph = wanted(load_model(what), hardware)
    if not device:
        raise EdgeTernaryError(
            "name a device", "the hardware of a model is made for one",
            "for example --device ecp5-25f; edgeternary boards lists them", USAGE,
        )  # fmt: skip
    return subject(graph, device, hardware.constraints(), yosys=yosys)
