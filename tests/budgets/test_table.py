"""edgeternary.toml is read strictly: what is wrong is named with table, key and remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeternary.budgets import lock
from edgeternary.budgets.table import Exact, read
from edgeternary.errors import EdgeTernaryError

HEAD = '[model.net]\nfile = "net.et"\n'


def refused(path: Path, text: str) -> EdgeTernaryError:
    path.write_text(text)
    with pytest.raises(EdgeTernaryError) as caught:
        read(path)
    assert caught.value.code == 1
    return caught.value


def test_all_keys(tmp_path: Path) -> None:
    path = tmp_path / "edgeternary.toml"
    path.write_text(
        HEAD + 'core = "m4"\noptimize = "flash"\nmax_cycles = 2_000\nmax_flash = 65_536\nmax_ram = 1\n'
        'min_accuracy = 97.5\nexact = { on = ["host", "m4"] }\ninputs = "x.npz"\n'
        '[model.gates]\nfile = "zoo:x"\ndevice = "up5k"\nmax_luts = 5000\nfps = 100\n'
    )
    net, gates = read(path).values()
    assert net.limits == {"max_cycles": 2000, "max_flash": 65536, "max_ram": 1} and not net.hardware
    assert net.exact == Exact(on=("host", "m4"), samples=20) and net.min_accuracy == 97.5
    assert gates.hardware and gates.target == "up5k" and gates.limits == {"max_luts": 5000}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[model.net", "is not TOML"),
        ("", "no model"),
        ("model = 3", "no model"),
        ('name = "x"\n' + HEAD, "unknown key 'name'"),
        ("[model.net]\nmax_flash = 3", "[model.net]: file is missing"),
        (HEAD + 'core = "m4"\nmax_flsh = 3', "unknown key 'max_flsh'. known are .* did you mean max_flash?"),
        (HEAD + 'core = "m4"\nmax_flash = "64k"', "[model.net]: bad max_flash"),
        (HEAD + 'core = "m4"\nmax_flash = 0', "[model.net]: bad max_flash"),
        (HEAD + "min_accuracy = 101", "[model.net]: bad min_accuracy"),
        (HEAD + 'exact = { on = ["host"], sample = 3 }', "'exact.sample'.*did you mean samples?"),
        (HEAD + "exact = { on = [] }", "bad exact.on"),
        (HEAD + 'core = "m44"\nmax_ram = 1', "unknown core 'm44'.*did you mean m4?"),
        (HEAD + 'board = "picoo"\nmax_ram = 1', "unknown board 'picoo'"),
        (HEAD + 'device = "hx9k"\nmax_luts = 1', "unknown device 'hx9k'.*did you mean hx8k?"),
        (HEAD + 'core = "m4"\nboard = "pico"\nmax_ram = 1', "core and board"),
        (HEAD + "max_ram = 1", "max_ram without a target"),
        (HEAD + 'core = "host"\nmax_cycles = 1', "max_cycles of core host"),
        (HEAD + 'core = "m4"\nmax_luts = 1', "max_luts has no effect.*no FPGA"),
        (HEAD + 'board = "icebreaker"\nmax_flash = 1', "max_flash has no effect.*an FPGA"),
        (HEAD + 'core = "m4"', "nothing to check"),
        (HEAD + 'exact = { on = ["host", "numpy"] }', "exact.on has numpy"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, said: str) -> None:
    import re

    error = refused(tmp_path / "edgeternary.toml", text)
    pattern = ".*".join(re.escape(part) for part in said.split(".*"))
    assert re.search(pattern, str(error), re.S), str(error)
    assert error.remedy or error.why


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(EdgeTernaryError, match="cannot read") as caught:
        read(tmp_path / "none.toml")
    assert caught.value.code == 1 and "Errno" not in str(caught.value)


def test_figures_are_kept_as_they_are(tmp_path: Path) -> None:
    path = lock.lock_path(tmp_path / "edgeternary.toml")
    assert path.name == "edgeternary.lock.json" and lock.read(path) == {}
    lock.write(path, {"b": {"cycles": 3, "accuracy": 0.5}, "a": {}})
    assert lock.read(path) == {"a": {}, "b": {"accuracy": 0.5, "cycles": 3}}
    assert '"cycles": 3\n' in path.read_text()
    for text in ("[]", "{", '{"a": 3}', '{"a": {"cycles": "x"}}'):
        path.write_text(text)
        with pytest.raises(EdgeTernaryError, match="holds no figures"):
            lock.read(path)
