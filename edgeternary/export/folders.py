"""Folders that other ecosystems build: generated sources at the places they expect, and text around them.

A format is a folder below templates/export/ that holds a `format.toml` (`Format`) and the templates of all
other files. In their names, and in those that format.toml gives, NAME stands for the model's identifier.
"""

import io
import tomllib
import zipfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import msgspec
import numpy as np

from edgeternary.data import templates_dir
from edgeternary.export.names import DESCRIPTION, names
from edgeternary.ir import Graph
from edgeternary.ir.names import identifier, plain
from edgeternary.templating import render
from edgeternary.version import __version__

PLACE = "NAME"
DATE = (1980, 1, 1, 0, 0, 0)  # of files in an archive: the same content, the same bytes


class Format(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What format.toml says.

    title    what the folder is
    sources  which files are generated: C, or Verilog
    core     the Cortex-M core whose kernels are taken when the user names none; host: plain C for any
    files    {generated file: its place in the folder}; C has NAME.c, NAME.h, vectors.h, Verilog what
             `export --to verilog` writes
    archive  name of a zip archive with all files, which is then written beside them
    """

    title: str
    sources: Literal["c", "verilog"]
    core: str = "host"
    files: dict[str, str]
    archive: str = ""


@cache
def formats() -> dict[str, Format]:
    """Every format by name."""
    folder = templates_dir() / "export"
    texts = {name: (folder / name / DESCRIPTION).read_text(encoding="utf-8") for name in names()}
    return {name: msgspec.convert(tomllib.loads(text), Format) for name, text in texts.items()}


def folder(
    graph: Graph, name: str, sources: Mapping[str, str], inputs: np.ndarray, outputs: np.ndarray
) -> dict[str, bytes | str]:
    """{path: content} of format `name`.

    sources  the generated files
    inputs   codes (samples, steps, elements) of the example, and the outputs that the graph answers
    """
    chosen, fields = formats()[name], _fields(graph, inputs, outputs)
    made = dict(sources)
    if chosen.sources == "c":
        made["vectors.h"] = render("export/_shared/vectors.h.j2", fields)
    place = fields["name"]
    files: dict[str, bytes | str] = {
        path.replace(PLACE, place): made[file.replace(PLACE, place)] for file, path in chosen.files.items()
    }
    root = templates_dir() / "export" / name
    for path in sorted(root.rglob("*.j2")):
        target = path.relative_to(root).as_posix().removesuffix(".j2").replace(PLACE, place)
        files[target] = render(f"export/{name}/{path.relative_to(root).as_posix()}", fields)
    if chosen.archive:
        files[chosen.archive.replace(PLACE, place)] = _zip(files)
    return files


def _fields(graph: Graph, inputs: np.ndarray, outputs: np.ndarray) -> dict[str, Any]:
    """What templates know."""
    name = identifier(graph.name)

    def rows(codes: np.ndarray) -> list[list[str]]:
        return [[", ".join(map(str, step)) for step in sample] for sample in codes.tolist()]

    return {
        "name": name,
        "macro": name.upper(),
        "title": plain(graph.name),
        "version": __version__,
        "input": _value(graph.input),
        "output": _value(graph.output_value),
        "stateful": bool(graph.states),
        "inputs": rows(inputs),
        "outputs": rows(outputs),
    }


def _value(value: Any) -> SimpleNamespace:
    shape = "x".join(map(str, value.shape))
    return SimpleNamespace(type=value.type.name, shape=shape, size=value.size, lo=value.lo, hi=value.hi)


def _zip(files: Mapping[str, bytes | str]) -> bytes:
    """A zip archive; the same files give the same bytes."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for path, content in sorted(files.items()):
            entry = zipfile.ZipInfo(Path(path).as_posix(), DATE)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return data.getvalue()
