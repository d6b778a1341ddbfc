"""Every verb: help that fits a screen, an example, one name for one meaning, one code for a missing file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from edgeternary import cli
from edgeternary.cli._app import Session, app
from tests.cli.conftest import Answer

Call = Callable[..., Answer]
LINES, COLUMNS = 40, 80
OWN = "-"  # one verb has it
MEANINGS = {  # of every option; two names never mean the same
    "--activation-kinds": OWN, "--activations": "types of activations",
    "--against": OWN, "--argmax": "the class alone", "--baud": "baud rate of a port",
    "--bitstream": "simulate the packed bitstream", "--board": "a board", "--build": OWN,
    "--check": OWN, "--checkpoint": OWN, "--clock": "MHz of a design",
    "--compare": OWN, "--compile-limit": OWN, "--compiler": "the C compiler", "--core": "cores",
    "--debug": "tracebacks",
    "--device": "an FPGA", "--dry-run": OWN, "--dt": OWN, "--embedded": "a core inside a larger design",
    "--emulate": "an emulator in place of the board", "--epochs": OWN, "--explain": OWN, "--fix": OWN,
    "--flash-wait": "wait states", "--float": OWN, "--form": OWN, "--fresh": OWN, "--fps": "frames a second",
    "--from": "where a graph starts", "--help": "help", "--inexact": OWN, "--input-scale": OWN,
    "--input-type": "type of the input codes", "--inputs": "a file of input codes", "--jobs": "processes",
    "--json": "JSON", "--junit": "a file of JUnit XML", "--kind": OWN,
    "--latency": "clocks until the answer", "--layer": OWN, "--length": OWN, "--markdown": "a Markdown file",
    "--max-cycles": "limit of cycles", "--max-flash": "limit of flash", "--max-luts": "limit of LUTs",
    "--max-ram": "limit of RAM", "--maximize": "the most frames a second", "--measure": OWN,
    "--min-accuracy": OWN,
    "--min-flash": OWN,
    "--netlist": OWN, "--no-netlist": OWN,
    "--min-luts": OWN, "--min-ram": OWN, "--minutes": "time that is allowed", "--name": OWN,
    "--no-build": OWN, "--no-report": OWN, "--on": "executors", "--only": "one of several models",
    "--opt-level": "the letter after -O", "--optimize": "what is made small",
    "--output": "the file or folder that is written", "--points": OWN,
    "--part": OWN, "--port": "a serial port", "--probe": OWN, "--prompt": OWN,
    "--quick": OWN, "--report": OWN,
    "--samples": "number of samples", "--search": OWN,
    "--seed": "seed of random numbers", "--seeds": OWN, "--shape": "shape of a sample", "--stalls": OWN,
    "--sound": "the front end of sound",
    "--sweep": OWN, "--temperature": OWN, "--tensorboard": OWN, "--threads": OWN, "--time": OWN,
    "--to": OWN, "--tool": OWN, "--torch-checkpoint": OWN, "--tries": OWN, "--until": OWN, "--update": OWN,
    "--warm": OWN, "--waves": OWN, "--weight-kinds": OWN, "--weights": "types of weights", "--yes": OWN,
    "--yosys": "which yosys",
}  # fmt: skip
SHORT = {"-o": "--output", "-h": "--help"}


def verbs() -> Iterator[tuple[str, click.Command]]:
    context = click.Context(app, obj=Session())
    for name in app.list_commands(context):
        command = app.get_command(context, name)
        assert command is not None
        yield name, command


VERBS = dict(verbs())


def shown(*words: str) -> str:
    done = CliRunner().invoke(app, [*words, "--help"], terminal_width=COLUMNS, obj=Session())
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.parametrize("name", VERBS)
def test_help_fits_a_screen_and_has_an_example(name: str) -> None:
    lines = shown(name).splitlines()
    assert len(lines) <= LINES and max(map(len, lines)) <= COLUMNS
    assert any(line.strip().startswith(f"edgeternary {name} ") for line in lines), "no example"


def test_the_list_of_verbs_has_all_of_them_in_full() -> None:
    text = shown()
    assert max(map(len, text.splitlines())) <= COLUMNS
    assert all(f"\n  {name} " in text for name in VERBS) and "...\n  " not in text
    assert "bash_source edgeternary" in text and "Exit codes" in text


def test_one_name_for_one_meaning() -> None:
    found: dict[str, set[str]] = {}  # {option: verbs}
    for name, command in VERBS.items():
        context = click.Context(command)
        for option in command.get_params(context):
            if isinstance(option, click.Option):
                for word in (*option.opts, *option.secondary_opts):
                    found.setdefault(word, set()).add(name)
                if set(option.opts) & set(SHORT):
                    short, long = sorted(option.opts, key=len)
                    assert SHORT[short] == long
    long = {word for word in found if word.startswith("--")}
    assert long <= set(MEANINGS), "a new option: is there a name for this already?"
    assert {word for word in found if word not in long} <= set(SHORT)
    meanings = [MEANINGS[word] for word in long if MEANINGS[word] != OWN]
    assert len(meanings) == len(set(meanings)), "two names for one meaning"
    shared = sorted(word for word in long if MEANINGS[word] == OWN and len(found[word]) > 1)
    assert not shared, "say what these mean: several verbs have them"


MISSING = """
    inspect none.et | inspect none.py:Net --shape 1x2x2 | inspect none.onnx | simulate none.et
    simulate MODEL --inputs none.npy | simulate MODEL --inputs none.csv | run none.et --inputs none.npy
    run MODEL --inputs none.npy | run none --emulate --inputs none.npy | bench none.et | bench none --emulate
    bench MODEL --board ./none.toml | compile none.et --core m4 | compile MODEL --board ./none.toml
    export none.et --to c | export MODEL --to make --inputs none.npy | summary none.et | summary none.toml
    train none.toml | train none.json | generate none.et --prompt a | import none.onnx | import none.tflite
    import none.nir | flash none | verify none --emulate | emulate none | boards ./none.toml | check none.toml
    report none.et | report MODEL --board ./none.toml | report MODEL --against none.et
    verify-build none | prove none.et --device up5k
""".replace("\n", "|").split("|")  # fmt: skip
TAKES_NONE = {"data", "demo", "doctor", "zoo"}


@pytest.mark.parametrize("line", [line.strip() for line in MISSING if line.strip()])
def test_a_missing_file_has_one_exit_code(
    et: Call, model: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    monkeypatch.chdir(model.parent)
    if line.startswith(("summary none.t", "train", "inspect none.py")):
        pytest.importorskip("torch")
    answer = et(*line.replace("MODEL", model.name).split())
    assert answer.code == 1, answer.err
    last = answer.err[answer.err.index("error: ") :]
    assert "none" in last.splitlines()[0] and "Errno" not in last and answer.out == ""


def test_every_verb_with_a_file_is_among_them() -> None:
    assert {line.split()[0] for line in MISSING if line.strip()} | TAKES_NONE == set(VERBS)


@pytest.mark.parametrize("name", ["m0plus", "m3", "m4", "cortex-m4", "m55", "m0+"])
def test_cores_have_short_names_everywhere(name: str) -> None:
    expected = f"cortex-{name.split('-')[-1]}".replace("+", "plus")
    for verb, command in VERBS.items():
        for option in command.params:
            if "--core" in option.opts:
                full = option.type.convert(name, option, click.Context(command))
                assert (full if isinstance(full, str) else full[0]) == expected, verb


@pytest.mark.parametrize("verb", [name for name, command in VERBS.items() if "--core " in shown(name)])
def test_cores_that_help_lists_are_taken(verb: str) -> None:
    from edgeternary.cores import core

    (option,) = (option for option in VERBS[verb].params if "--core" in option.opts)
    for word in re.findall(r"\bm\d\w*", str(getattr(option, "help", ""))):
        assert option.type.convert(word, option, click.Context(VERBS[verb])) and core(word)


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("simulat MODEL", "did you mean simulate?"),
        ("simulate MODEL --inpts x", "--inputs"),
        ("simulate MODEL --on nunpy", "did you mean numpy?"),
        ("simulate MODEL --on cortex-m44", "cortex-m4"),
        ("inspect zoo:fashion-cn", "did you mean fashion-cnn?"),
        ("zoo fashion-cn", "did you mean fashion-cnn?"),
        ("boards pic", "pico"),
        ("compile MODEL --board nucleo_f030", "nucleo_f030r8"),
        ("compile MODEL --core m0pluss", "did you mean m0plus?"),
        ("bench MODEL --core m44", "did you mean m4?"),
        ("bench MODEL --layer cnv", "did you mean"),
        ("compile MODEL --device hx9k", "did you mean hx8k?"),
        ("export MODEL --to ardino", "arduino"),
    ],
)
def test_a_wrong_name_gets_the_nearest(
    et: Call, model: Path, monkeypatch: pytest.MonkeyPatch, line: str, hint: str
) -> None:
    monkeypatch.chdir(model.parent)
    answer = et(*line.replace("MODEL", model.name).split())
    assert answer.code in (1, 2) and hint in answer.err


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("inspect zoo:fashion-m", "fashion-mlp"),
        ("compile x --board nucleo_f4", "nucleo_f446re"),
        ("bench x --core m0", "m0plus"),
        ("simulate x --on numpy,cxx", "numpy,cxxrtl"),
        ("simulate x --on numpy,netlist:up", "up5k"),
        ("compile x --device gw2", "gw2ar-18"),
        ("comp", "compile"),
        ("simulate x --inp", "--inputs"),
        ("zoo mnist-mlp-b", "mnist-mlp-binary-64"),
    ],
)
def test_a_shell_completes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: str, completed: str
) -> None:
    parts = ["edgeternary", *words.replace(":", " : ").split()]  # bash splits at colons
    monkeypatch.setenv("_EDGETERNARY_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "\n".join(parts))
    monkeypatch.setenv("COMP_CWORD", str(len(parts) - 1))
    with pytest.raises(SystemExit):
        cli.main([])
    assert f"plain,{completed}" in capsys.readouterr().out.splitlines()
