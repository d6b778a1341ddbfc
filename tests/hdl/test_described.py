"""A part or a layer with something left out is an error at import, and names it."""

from __future__ import annotations

import inspect
from pathlib import Path
from textwrap import dedent

import pytest

from edgeternary.ir.op import REGISTRY
from tests.need import need

need("amaranth")

from edgeternary.hdl import parts  # noqa: E402
from edgeternary.hdl.part import Layer, Part  # noqa: E402
from edgeternary.hdl.parts.add import AddLayer  # noqa: E402

METHODS = {"build", "lanes", "area", "times"}
FACTS = {"kind", "hardware", "answers"}


@pytest.mark.parametrize("name", sorted(METHODS | FACTS))
def test_what_is_left_out_is_named(name: str) -> None:
    rest = {key: item for key, item in vars(AddLayer).items() if key != name and not key.startswith("__")}
    with pytest.raises(TypeError, match=rf"\.Incomplete lacks {name}$"):
        type("Incomplete", (Layer, Part), rest)


def test_the_error_comes_at_import(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = """
        from edgeternary.hdl.part import Area, Part

        class Half(Part):
            hardware = int

            def area(self, part):
                return Area(0, 0)
    """
    (tmp_path / "half.py").write_text(dedent(text), encoding="utf-8")
    monkeypatch.setattr(parts, "__path__", [str(tmp_path)])
    parts.described.cache_clear()
    with pytest.raises(TypeError, match=r"edgeternary\.hdl\.parts\.half\.Half lacks times$"):
        parts.described()
    parts.described.cache_clear()


def test_the_list_is_whole() -> None:
    """Every abstract method and every fact without a default is in the lists above."""
    every = {n for base in (Layer, Part) for n, item in vars(base).items() if _abstract(item)}
    every |= {n for base in (Layer, Part) for n in inspect.get_annotations(base) if not hasattr(base, n)}
    assert every == METHODS | FACTS


def _abstract(item: object) -> bool:
    return bool(getattr(item, "__isabstractmethod__", False))


def test_every_op_has_a_layer_and_every_component_one_description() -> None:
    software = {"log_mel"}
    assert {kind for kind, op in REGISTRY.items() if not op.internal} - software <= set(parts.layers())
    described = [d.hardware for d in parts.described() if isinstance(d, Part)]
    assert len(described) == len(set(described))


def test_a_component_without_a_description_is_named() -> None:
    with pytest.raises(TypeError, match=r"no module of edgeternary.hdl.parts describes builtins\.object"):
        parts.part_of(object())
