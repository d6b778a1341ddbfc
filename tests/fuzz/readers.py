"""What reads files that others wrote, with small files to begin with.

A reader takes bytes and gives "read" or "refused"; any exception but an EdgeTernaryError of code 1 or 2
is a fault.
"""

from __future__ import annotations

import importlib.util
import io
import json
import os
import resource
import signal
import sys
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

import edgeternary
from edgeternary.errors import BAD_INPUT, USAGE, EdgeTernaryError
from edgeternary.frontends.nir import MEMORY
from edgeternary.ir.file import to_bytes
from edgeternary.report.tiny import tiny_graph
from tests.faults.small import small

CORPUS = Path(__file__).parent / "corpus"  # FOLDER/NAME: files that found something


@dataclass(frozen=True)
class Reader:
    """One kind of file.

    suffix   of its files;  modules  whose lines count as coverage
    package  without which there is no reader
    read     takes the path;  seeds  gives files to begin with
    """

    suffix: str
    modules: tuple[str, ...]
    read: Callable[[Path], object]
    seeds: Callable[[], list[bytes]]
    package: str = "edgeternary"

    def outcome(self, content: bytes) -> str:
        path = _folder() / f"x{self.suffix}"
        path.write_bytes(content)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self.read(path)
        except EdgeTernaryError as error:
            assert error.code in (BAD_INPUT, USAGE) and str(error)
            return "refused"
        return "read"


@cache
def _folder() -> Path:
    _folder.keep = tempfile.TemporaryDirectory()  # type: ignore[attr-defined]
    return Path(_folder.keep.name)  # type: ignore[attr-defined]


def _model(path: Path) -> None:
    graph = edgeternary.load(path)
    assert graph.name


def _models() -> list[bytes]:
    return [to_bytes(graph) for graph in (small(), tiny_graph())]


def _board(path: Path) -> None:
    from edgeternary.boards import read_board

    read_board(path)


def _boards() -> list[bytes]:
    folder = Path(edgeternary.__file__).parent / "boards"
    return [(folder / f"{name}.toml").read_bytes() for name in ("nucleo_f446re", "icebreaker", "pico")]


def _recipe(path: Path) -> None:
    from edgeternary.train.toml import read

    read(path)


def _recipes() -> list[bytes]:
    from tests.train.stripes import TOML

    return [TOML.encode()]


def _inputs(path: Path) -> None:
    from edgeternary.cli._inputs import load_inputs
    from edgeternary.run.inputs import check_inputs

    graph = small()
    check_inputs(graph, load_inputs(path, graph)[0])


def _arrays() -> list[bytes]:
    found = []
    for dtype in (np.uint8, np.int32, np.float32):
        stream = io.BytesIO()
        np.save(stream, np.ones((2, 4), dtype))
        found.append(stream.getvalue())
    for save in (np.savez, np.savez_compressed):
        stream = io.BytesIO()
        save(stream, inputs=np.ones((2, 4), np.uint8), labels=np.zeros(2, np.uint8))
        found.append(stream.getvalue())
    return found


def _manifest(path: Path) -> None:
    from edgeternary.build import manifest
    from edgeternary.link.build import read_build

    folder = path.parent / "folder"
    folder.mkdir(exist_ok=True)
    (folder / "edgeternary.json").write_bytes(path.read_bytes())
    for read in (manifest.read, read_build):
        try:
            read(folder)
        except EdgeTernaryError as error:
            last = error
    raise last


def _manifests() -> list[bytes]:
    project = edgeternary.compile(small(), core="host")
    board = {"board": "pico", "kind": "mcu", "model": "m", "digest": "0" * 64, "image": "m.uf2"}
    text = project.contents(False)["edgeternary.json"]
    assert isinstance(text, str)
    return [text.encode(), json.dumps({**json.loads(text), **board}).encode()]


def _report(path: Path) -> None:
    from edgeternary.report.html.pages import read

    folder = path.parent / "folder"
    folder.mkdir(exist_ok=True)
    (folder / "report.json").write_bytes(path.read_bytes())
    read(folder)


def _reports() -> list[bytes]:
    text = edgeternary.compile(small(), core="host").contents()["report.json"]
    assert isinstance(text, str)
    return [text.encode()]


def _tflites() -> list[bytes]:
    from tests.frontends.tflite_files.drawn import network

    return [network(seed) for seed in range(8)]


def _onnx() -> list[bytes]:
    from edgeternary.export.onnx import to_onnx
    from edgeternary.export.qonnx import to_qonnx

    return [make(graph) for make in (to_onnx, to_qonnx) for graph in (small(), tiny_graph())]


def _nir(path: Path) -> None:
    """As from_nir, but the process that reads a file first is forked, which takes a hundredth of the time."""
    from edgeternary.frontends import nir

    with mock.patch.object(nir, "run", forked):
        assert nir.from_nir(path, inexact=True).graph.name


def forked(command: tuple[Any, ...], **_: object) -> None:
    """What `python -c TEXT PATH` does, within 2 s and 256 MB."""
    _, _, text, path = command
    child = os.fork()
    if child == 0:
        try:
            sys.settrace(None)
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(2)
            pages = int(Path("/proc/self/statm").read_text().split()[0])
            sys.argv[:] = ["-c", str(path)]
            exec(text.replace(str(MEMORY), str(pages * resource.getpagesize() + (256 << 20))), {})
        except Exception:
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if status:
        raise EdgeTernaryError("the file cannot be read", f"status {status}", "read another one")


def _nirs() -> list[bytes]:
    import nir

    rng, size = np.random.default_rng(1), 4
    each = np.ones(size)
    nodes = {
        "input": nir.Input({"input": np.array([size])}),
        "flat": nir.Flatten({"input": np.array([size])}, 0),
        "fc": nir.Affine(rng.integers(-2, 3, (size, size)).astype(float), each),
        "if": nir.IF(r=each, v_threshold=3 * each, metadata={"edgeternary": '{"bias": [1, 2, 0, 1]}'}),
        "fc2": nir.Linear(rng.integers(-1, 2, (size, size)).astype(float)),
        "lif": nir.LIF(tau=4 * each, r=4 * each, v_leak=0 * each, v_threshold=each),
        "gate": nir.Threshold(each / 2),
        "sum": nir.I(r=each),
        "output": nir.Output({"output": np.array([size])}),
    }
    short = {name: nodes[name] for name in ("input", "fc2", "sum", "output")}
    found = []
    for made in (nodes, short):
        stream = io.BytesIO()
        nir.write(stream, nir.NIRGraph(made, list(pairwise(made))))
        found.append(stream.getvalue())
    return found


def _rows() -> list[bytes]:
    return [b"1,2,3,4\n5,6,7,8\n", b"a;b;c;d;label\n1;2;3;4;0\n", b"# x\n1 2 3 4\n"]


def _budget(path: Path) -> None:
    from edgeternary.budgets.table import read

    assert read(path)


def _budgets() -> list[bytes]:
    exact = 'exact = { on = ["host", "cortex-m4"], samples = 2 }'
    software = f'[model.a]\nfile = "zoo:mnist-mlp"\ncore = "m4"\nmax_cycles = 9\nmax_flash = 9\n{exact}\n'
    hardware = '[model."b c"]\nfile = "x.et"\ndevice = "up5k"\nfps = 10.5\nmax_luts = 9\nmin_accuracy = 97\n'
    return [software.encode(), hardware.encode(), f'{hardware}board = "pico"\n{software}'.encode()]


READERS = {
    "et": Reader(".et", ("edgeternary/ir", "edgeternary/ops"), _model, _models),
    "board": Reader(".toml", ("edgeternary/boards",), _board, _boards),
    "recipe": Reader(".toml", ("edgeternary/train",), _recipe, _recipes, "torch"),
    "budgets": Reader(".toml", ("edgeternary/budgets", "edgeternary/boards"), _budget, _budgets),
    "inputs": Reader(".npy", ("edgeternary/cli", "edgeternary/run", "numpy/lib"), _inputs, _arrays),
    "csv": Reader(".csv", ("edgeternary/cli",), _inputs, _rows),
    "manifest": Reader(".json", ("edgeternary/build", "edgeternary/link"), _manifest, _manifests),
    "report": Reader(".json", ("edgeternary/report",), _report, _reports),
    "tflite": Reader(".tflite", ("edgeternary/frontends", "edgeternary/ops"), _model, _tflites, "tflite"),
    "nir": Reader(".nir", ("edgeternary/frontends/nir", "site-packages/nir/"), _nir, _nirs, "nir"),
    "onnx": Reader(".onnx", ("edgeternary/frontends", "edgeternary/ops"), _model, _onnx, "onnx"),
}  # fmt: skip


def present() -> list[str]:
    """The readers whose packages are installed."""
    return [name for name, reader in READERS.items() if importlib.util.find_spec(reader.package)]


def kept(name: str) -> list[bytes]:
    """The corpus of a reader."""
    return [path.read_bytes() for path in sorted((CORPUS / name).glob("*"))]
