"""Templates are compiled once: the next process finds their byte code in the cache."""

from __future__ import annotations

from pathlib import Path

import jinja2
import pytest

from edgeternary import templating
from edgeternary.toolchains import cache

FIELDS = {"share": 0.9318}
TEXT = "{{ share | percent }} %\n"


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> jinja2.Environment:
    """With one template, and a cache of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    made = templating.environment().overlay(loader=jinja2.DictLoader({"a.j2": TEXT}))
    assert isinstance(made.bytecode_cache, templating.Compiled)
    return made


def test_byte_code_is_kept(environment: jinja2.Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    assert environment.get_template("a.j2").render(FIELDS) == "93.18 %\n"
    monkeypatch.setattr(jinja2.Environment, "_generate", None)
    again = environment.overlay(loader=jinja2.DictLoader({"a.j2": TEXT}))
    assert again.get_template("a.j2").render(FIELDS) == "93.18 %\n"


def test_another_text_is_compiled(environment: jinja2.Environment) -> None:
    environment.get_template("a.j2")
    again = environment.overlay(loader=jinja2.DictLoader({"a.j2": f"about {TEXT}"}))
    assert again.get_template("a.j2").render(FIELDS) == "about 93.18 %\n"


@pytest.mark.parametrize("damage", [b"", b"j2", b"\0" * 300])
def test_a_damaged_file_is_compiled_again(environment: jinja2.Environment, damage: bytes) -> None:
    environment.get_template("a.j2")
    (path,) = (cache.directory() / templating.FOLDER).glob("*/code")
    path.write_bytes(damage)
    again = environment.overlay(loader=jinja2.DictLoader({"a.j2": TEXT}))
    assert again.get_template("a.j2").render(FIELDS) == "93.18 %\n"


def test_no_place_for_the_cache(
    environment: jinja2.Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert environment.get_template("a.j2").render(FIELDS) == "93.18 %\n"
