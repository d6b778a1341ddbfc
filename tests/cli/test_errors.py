"""Bad input ends in one block of what, why and remedy, with the right exit code, and no file is left."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import Answer

Call = Callable[..., Answer]


def test_unknown_verb_is_a_usage_error_with_a_hint(et: Call) -> None:
    answer = et("simulat", "x.et")
    assert answer.code == 2
    assert "did you mean simulate?" in answer.err


def test_missing_model(et: Call, tmp_path: Path) -> None:
    answer = et("inspect", tmp_path / "none.et")
    assert answer.code == 1
    assert answer.err.startswith("error: cannot read")
    assert answer.out == ""


def test_a_zoo_name_without_prefix_gets_a_hint(et: Call) -> None:
    answer = et("inspect", "fashion-mlp")
    assert answer.code == 1
    assert "zoo:fashion-mlp" in answer.err


def test_unknown_zoo_name_lists_the_known_ones(et: Call) -> None:
    answer = et("inspect", "zoo:nothing")
    assert answer.code != 0
    assert "fashion-mlp" in answer.err


@pytest.mark.parametrize("keep", [0, 7, 8, 100, -1])
def test_truncated_model(et: Call, model: Path, keep: int) -> None:
    model.write_bytes(model.read_bytes()[:keep])
    answer = et("simulate", model)
    assert answer.code == 1
    assert "not a valid model" in answer.err
    assert "Traceback" not in answer.err


def test_unknown_executor(et: Call, model: Path, inputs: Path) -> None:
    answer = et("simulate", model, "--inputs", inputs, "--on", "numpy,abacus")
    assert answer.code == 2
    assert "abacus" in answer.err
    assert "numpy" in answer.err


@pytest.mark.parametrize(
    ("array", "word"),
    [
        (np.full((2, 6, 6, 1), np.nan), "NaN"),
        (np.full((2, 6, 6, 1), 0.5), "fractions"),
        (np.zeros((2, 5, 6, 1), np.uint8), "shape"),
        (np.zeros((), np.uint8), "shape"),
        (np.full((2, 6, 6, 1), 256), "256"),
        (np.full((2, 6, 6, 1), "a"), "dtype"),
        (np.zeros((0, 6, 6, 1), np.uint8), "no samples"),
    ],
)
def test_bad_inputs(et: Call, model: Path, tmp_path: Path, array: np.ndarray, word: str) -> None:
    path = tmp_path / "bad.npy"
    np.save(path, array)
    answer = et("simulate", model, "--inputs", path)
    assert answer.code == 1
    assert word in answer.err
    assert answer.out == ""


def test_a_pickle_is_refused(et: Call, model: Path, tmp_path: Path) -> None:
    path = tmp_path / "evil.npy"
    np.save(path, np.array([{}], dtype=object), allow_pickle=True)
    answer = et("simulate", model, "--inputs", path)
    assert answer.code == 1
    assert "cannot read" in answer.err


@pytest.mark.parametrize("content", [b"", b"not numpy", b"PK\x03\x04broken", b"\x93NUMPY\x01\x00v\x00{"])
def test_a_file_that_is_no_array(et: Call, model: Path, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.npz"
    path.write_bytes(content)
    answer = et("simulate", model, "--inputs", path)
    assert answer.code == 1
    assert answer.err.startswith("error: cannot read")


def _claiming(shape: str, size: int = 72) -> bytes:
    """A .npy file whose header claims a shape, and `size` bytes after it."""
    text = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode() + bytes(size)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    "shape", ["(10**15, 6, 6, 1)", "(40000000000, 6, 6, 1)", "(3, 6, 6, 1)", "(-2, 6, 6, 1)"]
)
def test_an_array_that_claims_more_than_its_file(
    et: Call, model: Path, tmp_path: Path, shape: str, packed: bool
) -> None:
    path = tmp_path / ("x.npz" if packed else "x.npy")
    content = _claiming(shape.replace("10**15", str(10**15)))
    path.write_bytes(content)
    if packed:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("x.npy", content)
    answer = et("simulate", model, "--inputs", path)
    assert answer.code == 1
    assert answer.err.startswith("error: cannot read")


def test_a_zip_bomb_is_not_unpacked(et: Call, model: Path, tmp_path: Path) -> None:
    """300 MB of zeros in 300 kB."""
    path = tmp_path / "x.npz"
    archive = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
    with archive, archive.open("x.npy", "w") as stream:
        stream.write(_claiming("(8500000, 6, 6, 1)", 0))
        for _ in range(306):
            stream.write(bytes(10**6))
    answer = et("simulate", model, "--inputs", path)
    assert answer.code == 1 and "unpacks to 306,000,128 bytes" in answer.err


def test_an_npz_without_inputs_says_what_it_holds(et: Call, model: Path, tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    np.savez(path, foo=np.zeros(3), bar=np.zeros(3))
    answer = et("simulate", model, "--inputs", path)
    assert answer.code == 1
    assert "foo" in answer.err


def test_an_unforeseen_exception_becomes_one_block(
    et: Call, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("boom")

    monkeypatch.setattr("edgeternary.ir.text.dump", broken)
    answer = et("inspect", model)
    assert answer.code == 1
    assert "unexpected ZeroDivisionError: boom" in answer.err
    assert "--debug" in answer.err
    assert "Traceback" not in answer.err
    for arguments in (["--debug", "inspect", model], ["inspect", model, "--debug"]):
        answer = et(*arguments)
        assert answer.code == 1
        assert "Traceback" in answer.err
        assert "unexpected ZeroDivisionError: boom" in answer.err


def test_debug_keeps_the_exit_code(et: Call) -> None:
    answer = et("boards", "no-such-board", "--debug")
    assert answer.code == 2
    assert "Traceback" in answer.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("simulate", "MODEL", "--on", "host", "--junit", "no/such/folder/x.xml"),
        ("simulate", "MODEL", "--output", "no/such/folder/x"),
        ("simulate", "MODEL", "--output", "FOLDER.npz"),
        ("export", "MODEL", "--to", "c", "-o", "MODEL"),
        ("export", "MODEL", "--to", "onnx", "-o", "FOLDER.npz"),
        ("compile", "MODEL", "--core", "cortex-m4", "-o", "no/such/folder"),
    ],
)
def test_places_that_cannot_be_written(
    et: Call, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("FOLDER.npz").mkdir()
    before = {path.name for path in tmp_path.iterdir()}
    answer = et(*(str(model) if word == "MODEL" else word for word in arguments))
    assert answer.code == 1
    assert "unexpected" not in answer.err
    assert answer.out == ""
    assert {path.name for path in tmp_path.iterdir()} == before


def test_interrupt(et: Call, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("edgeternary.ir.text.dump", interrupted)
    assert et("inspect", model).code == 130


def test_a_warning_of_ours_is_one_line_and_others_say_where_they_come_from() -> None:
    from edgeternary.c.choices import KernelFault
    from edgeternary.cli import _formatted

    assert _formatted(KernelFault("said"), KernelFault, "/a.py", 3) == "warning: said\n"
    assert _formatted("said", DeprecationWarning, "/a.py", 3) == "/a.py:3: DeprecationWarning: said\n"
