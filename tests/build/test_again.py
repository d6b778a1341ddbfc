"""`verify-build`: a folder is made again, and what was edited, is missing or says something else is found."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import edgeternary
from edgeternary import cli
from edgeternary.build import manifest
from edgeternary.build.again import again, difference
from edgeternary.errors import BAD_INPUT, NOT_BIT_EXACT, EdgeTernaryError
from edgeternary.report.tiny import tiny_graph
from edgeternary.toolchains import cache
from tests.need import need

EVERY = ("README.md", "report.html", "report.json", "tiny.c", "tiny.h")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return edgeternary.compile(tiny_graph(), core="cortex-m4").write(tmp_path / "out")


def states(folder: Path) -> dict[str, str]:
    """{file: state} of what is not equal."""
    return {row.file: row.state for row in again(folder).files if row.state != "equal"}


def rewrite(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = folder / "edgeternary.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_a_folder_is_made_again(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert states(folder) == {}
    assert cli.call(["verify-build", str(folder)]) == 0
    assert "Every byte is equal" in capsys.readouterr().out
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert cli.call(["verify-build", str(folder), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["files"]
    assert {row["file"] for row in rows} == {*EVERY, "tiny.et", "edgeternary.json"}


def test_every_option_is_kept(tmp_path: Path) -> None:
    options: dict[str, Any] = {
        "core": "cortex-m0plus",
        "optimize": "flash",
        "max_flash": 9000,
        "max_ram": None,
    }
    made = edgeternary.compile(tiny_graph(), **options).write(tmp_path / "c", report=False)
    found, whole = manifest.read(made)
    assert {name: getattr(found.options, name) for name in options} == options
    assert whole["options"] == {"core": "cortex-m0plus", "optimize": "flash", "max_flash": 9000}
    assert not found.report and states(made) == {}


@pytest.mark.parametrize("name", EVERY)
def test_an_edited_and_a_missing_file(folder: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / name
    content = path.read_bytes()
    path.write_bytes(content.replace(b"e", b"3", 1))
    assert states(folder) == {name: "edited"}
    assert cli.call(["verify-build", str(folder)]) == NOT_BIT_EXACT
    said = capsys.readouterr().err
    assert f"{name}: edited, from line" in said and "restore the folder" in said
    path.unlink()
    assert states(folder) == {name: "missing"}
    assert cli.call(["verify-build", str(folder)]) == NOT_BIT_EXACT


def test_another_digest_in_the_manifest(folder: Path) -> None:
    rewrite(folder, lambda m: m["sha256"].update({"tiny.c": "0" * 64}))
    assert states(folder) == {"tiny.c": "edited"}
    with pytest.raises(EdgeTernaryError, match=r"tiny\.c: edited, the digest of it in edgeternary\.json"):
        again(folder).refuse(folder)


def test_a_file_and_its_digest_changed_together(folder: Path) -> None:
    (folder / "tiny.c").write_text((folder / "tiny.c").read_text() + "int more;\n")
    digest = manifest.digest((folder / "tiny.c").read_bytes())
    rewrite(folder, lambda m: m["sha256"].update({"tiny.c": digest}))
    assert states(folder) == {"tiny.c": "different"}
    rewrite(folder, lambda m: m["tools"].update(jinja2="2.11", gcc="9.4"))
    found = again(folder)
    assert found.tools.keys() == {"jinja2", "gcc"} and found.tools["gcc"] == ("9.4", "none")
    with pytest.raises(EdgeTernaryError, match=r"another version of a tool: .*jinja2 2\.11 is now") as caught:
        found.refuse(folder)
    assert caught.value.code == NOT_BIT_EXACT


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        (lambda m: m["estimates"].update(estimated_cycles=1), {"edgeternary.json": "different"}),
        (lambda m: m.update(more=1), {"edgeternary.json": "different"}),
        (lambda m: m["sha256"].pop("tiny.h"), {"tiny.h": "missing"}),
        (lambda m: m["sha256"].pop("tiny.et"), {"edgeternary.json": "edited"}),
        (lambda m: m["sha256"].update(more="0"), {"more": "missing"}),
        (lambda m: m["options"].update(optimize="ram", core="host"), None),
    ],
)  # fmt: skip
def test_a_changed_manifest(
    folder: Path, change: Callable[[dict[str, Any]], object], wrong: dict[str, str] | None
) -> None:
    rewrite(folder, change)
    found = states(folder)
    assert found and (wrong is None or found.items() >= wrong.items())
    assert cli.call(["verify-build", str(folder)]) == NOT_BIT_EXACT


def test_other_versions_and_the_same_bytes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rewrite(folder, lambda m: m["tools"].update(numpy="1.26"))
    assert cli.call(["verify-build", str(folder)]) == 0
    assert "1.26" in capsys.readouterr().out


def test_files_of_others_are_named(folder: Path) -> None:
    (folder / "build").mkdir()
    (folder / "build/tiny.o").write_bytes(b"mine")
    assert states(folder) == {"build/tiny.o": "not of this build"}
    assert again(folder).wrong == []


def test_another_model(folder: Path) -> None:
    """Nothing is made of a model that is not the build's, and a damaged one is not read."""
    (folder / "tiny.et").write_bytes(b"x")
    assert states(folder) == {"tiny.et": "edited"}
    (folder / "tiny.et").unlink()
    assert states(folder) == {"tiny.et": "missing"}
    (folder / "tiny.et").write_bytes(b"x")
    rewrite(folder, lambda m: m["sha256"].update({"tiny.et": manifest.digest(b"x")}))
    assert cli.call(["verify-build", str(folder)]) == BAD_INPUT


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m.pop("options"),
        lambda m: m.update(graph="../tiny.et"),
        lambda m: m.update(graph="/etc/passwd"),
        lambda m: m.update(graph=7),
        lambda m: m["sha256"].update({"../../secret": "0"}),
        lambda m: m["sha256"].update({"a\\..\\..\\secret": "0"}),
        lambda m: m["sha256"].update({"C:secret": "0"}),
        lambda m: m["options"].update(board="../mine.toml"),
        lambda m: m["options"].update(build="yes"),
        lambda m: m["options"].update(hardware={"fps": "many"}),
        lambda m: m.update(sha256=[]),
    ],
)
def test_a_hostile_manifest(
    folder: Path, change: Callable[[dict[str, Any]], object], capsys: pytest.CaptureFixture[str]
) -> None:
    rewrite(folder, change)
    assert cli.call(["verify-build", str(folder)]) == BAD_INPUT
    assert "unexpected" not in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "[]", "7", "[" * 100_000, '{"options": {}}', "\x00"])
def test_no_manifest(tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.call(["verify-build", str(tmp_path)]) == BAD_INPUT
    (tmp_path / "edgeternary.json").write_text(text)
    assert cli.call(["verify-build", str(tmp_path)]) == BAD_INPUT
    assert "unexpected" not in capsys.readouterr().err


def test_where_contents_differ() -> None:
    assert difference(b"a\nb\n", b"a\nc\n") == "from line 2 on: 'b', made again 'c'"
    assert difference(b"a", b"a\nb") == "from line 2 on: nothing, made again 'b'"
    assert difference(b"\xff\0\1", b"\xff\0\2\3") == "from byte 2 on; 3 bytes, made again 4"


def test_a_build_is_made_in_an_empty_cache() -> None:
    usual, zig = cache.directory(), cache.zig_environment()
    with cache.apart():
        assert cache.directory() != usual and not any(cache.directory().iterdir())
        assert cache.zig_environment()["ZIG_GLOBAL_CACHE_DIR"] == zig["ZIG_GLOBAL_CACHE_DIR"]
        assert cache.zig_environment()["ZIG_LOCAL_CACHE_DIR"] != zig["ZIG_LOCAL_CACHE_DIR"]
    assert cache.directory() == usual


@pytest.mark.emulator
def test_an_image_for_a_board_of_ones_own(tmp_path: Path) -> None:
    need("zig", "unicorn", "capstone")
    own = tmp_path / "mine.toml"
    own.write_text((Path(edgeternary.__file__).parent / "boards/nucleo_f446re.toml").read_text())
    made = edgeternary.compile(tiny_graph(), board=str(own), build=True).write(tmp_path / "out")
    own.unlink()
    assert states(made) == {}
    image = made / "tiny.bin"
    image.write_bytes(image.read_bytes()[:-1] + b"\0")
    assert states(made) == {"tiny.bin": "edited"}
    (made / "mine.toml").write_text((made / "mine.toml").read_text().replace("F446", "F999"))
    assert states(made).keys() == {"tiny.bin", "mine.toml"}
