"""docs/integer-graph.md says enough: a reader written from it alone agrees, and it names every field."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import ClassVar

import msgspec
import numpy as np
import pytest

import edgeternary
from edgeternary.ir import REGISTRY, Graph, Meta, file, names, value, verify
from edgeternary.ir.op import Op
from edgeternary.run import run
from tests.ir import independent_reader, independent_values
from tests.registry.graphs import STATEFUL, WHOLE, chosen, kinds, named_inputs
from tests.registry.several import draws, several

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "integer-graph.md").read_text()
SHIPPED = sorted([*(ROOT / "edgeternary" / "zoo" / "nets").glob("*.et"), *(ROOT / "examples").rglob("*.et")])
GIVEN = {"name", "inputs"}  # fields of every op


@cache
def section(kind: str) -> str:
    """The text below the heading of an op; two ops may share one."""
    found = re.findall(r"^### (.*?)\n(.*?)(?=^##)", PAGE, re.M | re.S)
    (text,) = [text for heading, text in found if kind in heading.split(", ")]
    return str(text)


def agrees(graph: Graph, path: Path, samples: int, steps: int = 3) -> None:
    codes = named_inputs(graph, samples, steps=steps)
    model = independent_reader.read(path)
    derived = independent_values.values(model)
    assert derived == {name: (v.shape, v.type.name, v.lo, v.hi) for name, v in graph.values.items()}
    found, wanted = model.run(codes), run(graph, codes).outputs
    for name in graph.outputs:
        right = wanted[name] if isinstance(wanted, dict) else wanted
        np.testing.assert_array_equal(found[name], right, err_msg=name)


@pytest.mark.parametrize("seed", draws(12))
def test_a_reader_of_the_page_agrees_on_several_inputs_and_outputs(seed: int, tmp_path: Path) -> None:
    graph = several(seed)
    edgeternary.save(graph, tmp_path / "m.et")
    agrees(graph, tmp_path / "m.et", samples=4)
    again = edgeternary.load(tmp_path / "m.et")
    assert (again.inputs, again.outputs, again.meta) == (graph.inputs, graph.outputs, graph.meta)
    assert file.to_bytes(again) == file.to_bytes(graph)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_reader_of_the_page_agrees_on_every_shipped_file(path: Path) -> None:
    agrees(edgeternary.load(path), path, samples=3)


@pytest.mark.parametrize("kind", kinds())
def test_a_reader_of_the_page_agrees_on_every_example(kind: str, tmp_path: Path) -> None:
    for graph in chosen(kind):
        edgeternary.save(graph, tmp_path / "m.et")
        agrees(graph, tmp_path / "m.et", samples=8)


@pytest.mark.parametrize("make", WHOLE + STATEFUL)
def test_a_reader_of_the_page_agrees_on_whole_models(make: object, tmp_path: Path) -> None:
    assert callable(make)
    edgeternary.save(make(), tmp_path / "m.et")
    agrees(make(), tmp_path / "m.et", samples=5)


def test_the_reader_is_independent() -> None:
    for module in (independent_reader, independent_values):
        tree = ast.parse(Path(module.__file__).read_text())
        names = {a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names}
        names |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        ours = {name for name in names if name.startswith(("edgeternary", "tests"))}
        assert ours <= {"tests.ir.independent_reader"}
    assert set(independent_reader.OPS) == set(independent_values.RULES) == set(REGISTRY)


@pytest.mark.parametrize("kind", kinds())
def test_the_page_names_every_field(kind: str) -> None:
    cls, text = REGISTRY[kind], section(kind)
    fields = {field.name: field for field in msgspec.structs.fields(cls) if field.name not in GIVEN}
    listed = {
        name: line
        for line in re.findall(r"^\* (`.*(?:\n  .*)*)", text, re.M)
        for name in re.findall(r"`(\w+)`", line.partition(":")[0])
    }
    assert set(listed) == set(fields)
    for name, field in fields.items():
        absent = re.search(r"\(absent: `?([^)`]*)`?\)", listed[name])
        if field.default is msgspec.NODEFAULT:
            assert absent is None, f"{kind}.{name} has no default"
        else:
            assert absent, f"{kind}.{name} may be absent"
            default = list(field.default) if isinstance(field.default, tuple) else field.default
            assert absent[1] == str(default)
    if not fields:
        assert "no fields" in text


def test_the_page_names_the_rest_of_the_file() -> None:
    records = (
        file.ModelRecord,
        file.SeveralRecord,
        file.ValueRecord,
        file.ArrayRecord,
        file.StateRecord,
        Meta,
    )
    below = PAGE[PAGE.index("## The file") :]
    for record in records:
        for name in record.__struct_fields__:
            assert re.search(rf"\b{name}\b", below), f"{record.__name__}.{name}"
    limits = {
        f"{names.MAX_LENGTH}": names.MAX_LENGTH,
        f"{verify.MAX_OPS:,}": verify.MAX_OPS,
        f"{verify.MAX_PORTS}": verify.MAX_PORTS,
        "2^26": value.MAX_ELEMENTS,
        "2^28": file.MAX_FILE_BYTES,
        "2^22": file.MAX_JSON_BYTES,
    }
    for text, limit in limits.items():
        assert text in PAGE and eval(text.replace("^", "**").replace(",", "")) == limit


def test_a_new_field_must_be_described(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test of the test above."""

    class Slice(REGISTRY["slice"], frozen=True, kw_only=True, eq=False):  # type: ignore[misc]
        internal: ClassVar[bool] = True  # so that it does not register itself
        stride: int = 1

    monkeypatch.setitem(REGISTRY, "slice", Slice)
    with pytest.raises(AssertionError):
        test_the_page_names_every_field("slice")
    assert issubclass(Slice, Op)


def absent_defaults(path: Path, graph: Graph) -> Path:
    """The file of `graph` without the fields that may be absent."""
    import json

    import safetensors
    import safetensors.numpy

    edgeternary.save(graph, path)
    with safetensors.safe_open(path, framework="numpy") as source:
        record = json.loads(source.metadata()["edgeternary"])
        tensors = {key: source.get_tensor(key) for key in source.keys()}  # noqa: SIM118
    for op in record["ops"]:
        for field in msgspec.structs.fields(REGISTRY[op["kind"]]):
            default = list(field.default) if isinstance(field.default, tuple) else field.default
            if field.name in op and op[field.name] == default:
                del op[field.name]
    safetensors.numpy.save_file(tensors, path, metadata={"edgeternary": json.dumps(record)})
    return path


@pytest.mark.parametrize("kind", ["conv2d", "max_pool", "upsample"])
def test_absent_fields_have_their_defaults(kind: str, tmp_path: Path) -> None:
    for graph in chosen(kind):
        path = absent_defaults(tmp_path / "m.et", graph)
        codes = named_inputs(graph, 4)
        expected = run(graph, codes).outputs
        np.testing.assert_array_equal(run(edgeternary.load(path), codes).outputs, expected)
        np.testing.assert_array_equal(independent_reader.read(path).run(codes)[graph.output], expected)
