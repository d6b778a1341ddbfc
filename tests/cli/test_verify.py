"""verify, run and bench against a device in Python: figures, exit codes, and errors without a traceback."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgeternary.cli import _target
from edgeternary.errors import BAD_INPUT, NOT_BIT_EXACT, USAGE
from edgeternary.ir.file import save
from edgeternary.link.frames import Kind
from edgeternary.run import run
from tests.cli.conftest import Answer
from tests.link.builds import DIGEST, write_build
from tests.link.fake import Fake, hello_of, other, small
from tests.need import need

Et = Callable[..., Answer]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time-outs that tests can wait for."""
    need("pyserial")
    monkeypatch.setattr("edgeternary.run.serial.SECONDS", 0.2)
    monkeypatch.setattr("edgeternary.link.client.SECONDS", 0.2)
    monkeypatch.setattr("edgeternary.link.client.ATTEMPTS", 2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_build(tmp_path / "build", small())


def verify(et: Et, fake: Fake, folder: Path, *more: object) -> Answer:
    with fake:
        return et("verify", folder, "--port", fake.port, *more)


def test_a_good_board(et: Et, folder: Path) -> None:
    fake = Fake()
    answer = verify(et, fake, folder, "--samples", 30, "--json")
    row = answer.json()
    words = ("board", "samples", "mismatches", "cycles", "flash_bytes", "ram_bytes", "stack_bytes", "digest")
    assert [row[word] for word in words] == ["microbit", 30, 0, 1000, 5000, 700, None, DIGEST]
    assert (row["ms"], row["inferences_per_s"]) == (0.0625, 16_000)  # a micro:bit has 16 MHz
    assert answer.code == 0 and f"--seed {row['seed']}" in answer.err
    assert sum(message.kind == Kind.RUN for message in fake.requests) == 30


def test_the_draw_has_a_seed(et: Et, folder: Path) -> None:
    bodies = []
    for seed in (1, 1, 2, None, None):
        fake = Fake()
        verify(et, fake, folder, "--samples", 8, *([] if seed is None else ["--seed", seed]))
        bodies.append([message.body for message in fake.requests if message.kind == Kind.RUN])
    assert bodies[0] == bodies[1] != bodies[2] and bodies[3] != bodies[4]


def test_samples_of_a_file(et: Et, folder: Path, tmp_path: Path) -> None:
    x = np.random.default_rng(0).integers(0, 256, (6, 8), dtype=np.uint8)
    np.save(tmp_path / "x.npy", x)
    fake = Fake()
    assert verify(et, fake, folder, "--samples", 6, "--inputs", tmp_path / "x.npy").code == 0
    sent = [message.body for message in fake.requests if message.kind == Kind.RUN]
    assert sorted(sent) == sorted(row.tobytes() for row in x)


def test_one_wrong_number(et: Et, folder: Path) -> None:
    """Sample 3 comes back with its second number off by one: exit 4, and the message says exactly that."""
    wrong = lambda numbers, n: numbers + (np.arange(3) == 1) if n == 3 else numbers  # noqa: E731
    need("pyserial")
    graph = small()
    fake = Fake(graph, other(hello_of(graph), class_bytes=0), answers=wrong)
    answer = verify(et, fake, folder, "--samples", 9, "--seed", 1, "--json")
    assert answer.code == NOT_BIT_EXACT and "Traceback" not in answer.err
    row = answer.json()
    assert row["mismatches"] == 1 and row["difference"]["index"] == [3, 1]
    assert row["difference"]["found"] == row["difference"]["expected"] + 1
    assert "sample 3, index [1]: expected" in answer.err


@pytest.mark.parametrize(
    "fake, said",
    [
        (Fake(nonsense=b"Zephyr shell> \r\n"), "does not speak the protocol"),
        (Fake(wire=lambda data, n: b""), "nothing answers"),
        (Fake(loop=True), "sends back"),
        (Fake(gone=0), "is gone"),
        (Fake(gone=5), "is gone"),
        (Fake(version=3), "version 3"),
        (Fake(hello=other(hello_of(small()), digest="feedfeedfeedfeed")), "runs another build"),
        (Fake(hello=other(hello_of(small()), name="cat-or-dog")), "runs another build"),
        (Fake(hello=other(hello_of(small()), input_shape=(7, 7))), "runs another build"),
    ],
    ids=["nonsense", "silent", "loop", "gone at once", "gone later", "version", "digest", "name", "shape"],
)
def test_boards_that_are_not_right(et: Et, folder: Path, fake: Fake, said: str) -> None:
    answer = verify(et, fake, folder, "--samples", 5)
    assert answer.code == BAD_INPUT and said in answer.err
    assert "Traceback" not in answer.err and "try:" in answer.err


def test_no_board(et: Et, folder: Path, tmp_path: Path) -> None:
    assert "no port /dev/ttyNOPE" in et("verify", folder, "--port", "/dev/ttyNOPE").err
    for arguments in ((), ("--port", "x", "--emulate"), ("--port", "x", "--bitstream")):
        answer = et("verify", folder, *arguments)
        assert answer.code == USAGE and "name one board" in answer.err
    assert "there is no such folder" in et("verify", tmp_path / "none", "--emulate").err
    (tmp_path / "edgeternary.json").write_text("{}")
    assert "not for a board" in et("verify", tmp_path, "--emulate").err
    nothing = write_build(tmp_path / "f0", small(), "nucleo_f030r8")
    assert et("verify", nothing, "--emulate").code == USAGE


def test_run_on_a_board(et: Et, folder: Path, tmp_path: Path) -> None:
    x = np.random.default_rng(0).integers(0, 256, (3, 8), dtype=np.uint8)
    expected = run(small(), x).outputs
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "one.npy", x[0])
    with Fake() as fake:
        answer = et("run", folder, "--inputs", tmp_path / "x.npy", "--port", fake.port, "--json")
        assert [row["outputs"] for row in answer.json()["samples"]] == expected.tolist()
        assert [row["class"] for row in answer.json()["samples"]] == expected.argmax(1).tolist()
        one = et("run", folder, "--inputs", tmp_path / "one.npy", "--port", fake.port)
        assert " ".join(map(str, expected[0])) in one.out
        save(small(), tmp_path / "small.et")
        arguments = ("--inputs", tmp_path / "x.npy", "--output", tmp_path / "y.npy")
        assert et("run", tmp_path / "small.et", *arguments, "--port", fake.port).code == 0
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), expected)
    on = et("run", tmp_path / "small.et", "--inputs", tmp_path / "x.npy", "--json")
    assert on.json()["by"] == "numpy" and on.json()["samples"][2]["outputs"] == expected[2].tolist()
    both = et("run", folder, "--inputs", tmp_path / "x.npy", "--port", "x", "--on", "numpy")
    assert both.code == USAGE
    file = et("run", tmp_path / "small.et", "--inputs", tmp_path / "x.npy", "--emulate")
    assert file.code == BAD_INPUT and "a file, not a folder" in file.err


def test_simulate_on_a_port(et: Et, tmp_path: Path) -> None:
    save(small(), tmp_path / "small.et")
    with Fake() as fake:
        answer = et(
            "simulate", tmp_path / "small.et", "--on", f"numpy,serial:{fake.port}", "--compare", "--json"
        )
    assert answer.code == 0 and [row["mismatches"] for row in answer.json()] == [0, 0]


def test_bench_on_a_board(et: Et, folder: Path) -> None:
    with Fake() as fake:
        rows = et("bench", folder, "--port", fake.port, "--json").json()["rows"]
        assert [row["layer"] for row in rows] == ["fc", "out", "total"]
        assert [row["cycles"] for row in rows] == [700, 300, 1000]
        assert [row["estimated_cycles"] for row in rows] == [630, 330, 900]
        assert rows[-1]["ms"] == 0.0625
        assert [row["estimate_error"] for row in rows] == [-0.1, 0.1, -0.1]
        bare = et("bench", "--port", fake.port)
        assert bare.code == 0 and "small on fake" in bare.out and "1,000" in bare.out


def test_patience_follows_from_the_estimate(tmp_path: Path) -> None:
    from edgeternary.link.build import read_build

    build = read_build(write_build(tmp_path / "b", small(), estimates={"estimated_cycles": 32_000_000}))
    assert _target._patience(build) == 8  # four times 2 s of a 16 MHz micro:bit
