"""One hostile text in every text field of a model, a board, a recipe: it is refused, or no generated file has
it where code stands, and all of them still parse."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from io import BytesIO
from pathlib import Path, PurePosixPath

import msgspec
import pytest

import edgeternary
from edgeternary import cli
from edgeternary.boards import read_board
from edgeternary.build.exported import exported
from edgeternary.errors import BAD_INPUT, USAGE, EdgeTernaryError
from edgeternary.export.names import names
from edgeternary.ir import Graph
from edgeternary.report.tiny import tiny_graph
from tests.faults.hostile_text import MARK, TEXTS, code
from tests.registry.graphs import inputs, leaky, renamed

Files = Mapping[str, bytes | str]
BINARY = (".et", ".o", ".elf", ".bin", ".uf2")


def hostile(graph: Graph, text: str) -> Graph:
    """The graph with the text in every name, label and note."""
    size = graph.output_value.size
    meta = msgspec.structs.replace(
        graph.meta,
        labels=tuple(f"{text}\n{k}" for k in range(size)),
        info={text: text, "summary": f"{text}\n{text}", "data": text, "test_accuracy": text},
    )
    return replace(renamed(graph, text), meta=meta)


def check(files: Files) -> None:
    """No file leaves its folder, and none has the text in its code."""
    for name, content in files.items():
        assert MARK not in name and ".." not in name and not PurePosixPath(name).is_absolute(), name
        if name.endswith((".zip", ".pack")):
            assert isinstance(content, bytes)
            with zipfile.ZipFile(BytesIO(content)) as archive:
                check({entry: archive.read(entry).decode("utf-8", "replace") for entry in archive.namelist()})
        elif not name.endswith(BINARY):
            text = content if isinstance(content, str) else content.decode()
            found = code(name, text)
            at = found.find(MARK)
            assert at < 0, f"{name}: ...{found[max(0, at - 80) : at + 80]}..."


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.c", f"/* x */ {MARK} /* x */"), ("a.h", f'"x" {MARK} "x"'), ("a.v", f"// x\n{MARK}"),
        ("a.c", f"// ends with a backslash \\\n {MARK}"), ("a.tcl", f'set x "[exec {MARK}]"'),
        ("Makefile", f"x = $(shell {MARK})"), ("a.html", f"<p onclick={MARK}>"),
        ("a.svg", f"<svg><{MARK}/></svg>"),
        ("a.html", f"<script>{MARK}</script>"), ("a.md", f"<b {MARK}>"), ("a.md", f"[x]({MARK})"),
        ("a.ld", MARK),
        ("a.py", f"{MARK}()"), ("a.yaml", f"a: {{{MARK}: 1}}"), (f"{MARK}.c", ""), ("../a", ""), ("/a", ""),
    ],
)  # fmt: skip
def test_code_is_seen(name: str, content: str) -> None:
    with pytest.raises(AssertionError):
        check({name: content})


@pytest.mark.parametrize("text", TEXTS)
def test_compiled_folders(text: str) -> None:
    """C, README, report and manifest, for a core and, without an image, for a board."""
    for graph in (hostile(tiny_graph(), text), hostile(leaky(), text)):
        check(edgeternary.compile(graph, core="cortex-m4").contents())
    check(edgeternary.compile(hostile(tiny_graph(), text), board="pico").contents())


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("name", [name for name in names() if name not in ("vivado", "litex")])
def test_exported_folders_of_c(name: str, text: str) -> None:
    graph = hostile(tiny_graph(), text)
    check(exported(graph, name, inputs(graph, 1)))


@pytest.mark.slow
@pytest.mark.parametrize("text", TEXTS)
def test_hardware(text: str) -> None:
    """Verilog with wrappers, benches, scripts and constraints; a whole board; and what wraps them."""
    pytest.importorskip("amaranth")
    graph = hostile(tiny_graph(), text)
    check(edgeternary.compile(graph, device="up5k").contents())
    if text == TEXTS[0]:
        check(edgeternary.compile(graph, board="icebreaker").contents())
    for name in ("vivado", "litex", "cocotb"):
        check(exported(graph, name, inputs(graph, 1)))


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("name", ["onnx", "qonnx", "tflite"])
def test_exported_files(name: str, text: str) -> None:
    """The other engines read them."""
    graph = hostile(tiny_graph(), text)
    if name == "tflite":
        pytest.importorskip("tflite")
        from edgeternary.export.tflite import to_tflite
        from edgeternary.frontends.tflite.file import parse

        try:
            parse(to_tflite(graph), "m")
        except EdgeTernaryError as error:
            assert error.code == BAD_INPUT
        return
    onnx = pytest.importorskip("onnx")
    from edgeternary.export.onnx import to_onnx
    from edgeternary.export.qonnx import to_qonnx

    try:
        onnx.checker.check_model(onnx.load_from_string((to_onnx if name == "onnx" else to_qonnx)(graph)))
    except EdgeTernaryError as error:
        assert error.code == BAD_INPUT


OWN_BOARD = (Path(edgeternary.__file__).parent / "boards/nucleo_f446re.toml").read_text(encoding="utf-8")


def _fields() -> list[str]:
    """The keys of the board's file whose values are texts."""
    return [line.split(" =")[0] for line in OWN_BOARD.splitlines() if ' = "' in line]


@pytest.mark.parametrize("field", _fields())
def test_boards(tmp_path: Path, field: str) -> None:
    for text in TEXTS:
        lines = [
            f"{field} = '''{text}'''" if line.startswith(f"{field} =") and "'''" not in text else line
            for line in OWN_BOARD.splitlines()
        ]
        path = tmp_path / "mine.toml"
        path.write_text("\n".join(lines), encoding="utf-8")
        try:
            read_board(path)
            check(edgeternary.compile(tiny_graph(), board=str(path)).contents())
        except EdgeTernaryError as error:
            assert error.code in (BAD_INPUT, USAGE)


@pytest.mark.parametrize("text", [*TEXTS, "a\x01\x1b[31m\x85"])
def test_budgets(tmp_path: Path, text: str) -> None:
    """In each text of edgeternary.toml, and in what a check writes of a model that has it as its name."""
    from edgeternary.budgets import measure, shown
    from edgeternary.budgets.table import read
    from edgeternary.report.junit import write_suite

    keys = {
        "file": "x.et",
        "core": "m4",
        "optimize": "ram",
        "compiler": "gcc",
        "opt_level": "2",
        "inputs": "x",
    }
    for field in (*keys, "board", "device", "exact"):
        table = {**keys, "max_cycles": 9, "exact": {"on": ["host"]}}
        table |= {field: {"on": [text]} if field == "exact" else text}
        path = tmp_path / "edgeternary.toml"
        path.write_text(toml(f"[model.{json.dumps(text)}]", table), encoding="utf-8")
        try:
            assert list(read(path)) == [text]
        except EdgeTernaryError as error:
            assert error.code in (BAD_INPUT, USAGE)
    row = measure.Row(text, f"exact {text}", 1, 0, measure.WRONG, text)
    rows = [shown.data(row, {})]
    write_suite(tmp_path / "a.xml", text, shown.cases(rows))
    check({"a.md": shown.markdown(rows), "a.xml": (tmp_path / "a.xml").read_bytes()})


def toml(head: str, table: Mapping[str, object]) -> str:
    """A table whose values are numbers, texts and tables of lists of texts."""
    lines = [
        f"{key}.on = {json.dumps(value['on'])}" if isinstance(value, dict) else f"{key} = {json.dumps(value)}"
        for key, value in table.items()
    ]
    return "\n".join([head, *lines, ""])


@pytest.mark.parametrize("name", ["../out", "a/b", "..", "/tmp/x", "a\\b", "", "x\ny", "a\0b", "C:x"])
def test_recipes_do_not_leave_their_folder(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torch")
    from tests.train.stripes import TOML

    monkeypatch.chdir(tmp_path)
    inner = tmp_path / "inner"
    inner.mkdir()
    recipe = TOML.replace('name = "stripes"', f"name = {json.dumps(name)}").replace(
        "epochs = 6", "epochs = 1"
    )
    (inner / "r.toml").write_text(recipe)
    assert cli.call(["train", str(inner / "r.toml"), "-o", str(inner / "made")]) in (BAD_INPUT, USAGE)
    said = capsys.readouterr().err
    assert "unexpected" not in said and "Traceback" not in said
    assert {path.name for path in tmp_path.rglob("*")} == {"inner", "r.toml"}
