"""The commands of examples/rl_cartpole, short, and what ships there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.examples import script
from tests.examples.script import ROOT
from tests.need import need

pytestmark = pytest.mark.torch
FOLDER = ROOT / "examples" / "rl_cartpole"


def command(name: str, *args: object, code: int = 0) -> str:
    need("gymnasium")
    done = script.command(FOLDER / name, *args)
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


def test_a_short_training_writes_a_policy_and_its_card(tmp_path: Path) -> None:
    out = command("train.py", "--task", "acrobot", "--steps", 1024, "--episodes", 1, "--output", tmp_path)
    assert "328 bytes of weights" in out
    assert json.loads((tmp_path / "acrobot.json").read_text())["packed_bytes"] == 328


def test_the_shipped_policies_solve_their_tasks() -> None:
    """Greedy episodes of the integer graph: 500 of 500 on 20 seeds; a mean of at least -100 on 100."""
    (cartpole,) = json.loads(command("play.py", "--episodes", 20, "--json").split("numpy: step")[0])
    assert cartpole["worst_return"] == 500
    (acrobot,) = json.loads(
        command("play.py", "--task", "acrobot", "--episodes", 100, "--json").split("numpy: step")[0]
    )
    assert acrobot["mean_return"] >= -100


@pytest.mark.emulator
@pytest.mark.slow
def test_actions_are_the_same_on_every_executor(tmp_path: Path) -> None:
    need("zig", "unicorn", "capstone", "amaranth")
    svg = tmp_path / "episode.svg"
    out = command("play.py", "--on", "host,cortex-m0plus,hdl", "--episodes", 2, "--steps", 4, "--svg", svg)
    assert out.count("0 episodes differ") == 4
    assert svg.read_text().startswith("<svg")


@pytest.mark.synth
def test_hardware_plays_on_one_simulation() -> None:
    """The wired policies in Amaranth's simulator; more clocks are refused where fewer were asked for."""
    need("amaranth")
    for task in ("cartpole", "acrobot"):
        out = command("play.py", "--task", task, "--on", "hdl", "--episodes", 2, "--steps", 12)
        assert out.count("0 episodes differ") == 2
    assert "cannot answer within 3 clocks" in command("play.py", "--on", "hdl", "--latency", 3, code=5)


@pytest.mark.system
@pytest.mark.slow
def test_an_emulated_board_plays_over_its_serial_port() -> None:
    need("zig|arm-none-eabi-gcc", "qemu-system-arm", "pyserial")
    out = command("play.py", "--on", "emulate:microbit", "--episodes", 2, "--steps", 12)
    assert out.count("0 episodes differ") == 2


def test_another_policy_is_caught(tmp_path: Path) -> None:
    """A graph whose first threshold is moved plays differently, which the comparison of episodes says."""
    sys.path.insert(0, str(FOLDER))
    try:
        import msgspec
        from episodes import play
        from play import differing
        from policy import TASKS

        import edgeternary

        graph = edgeternary.load(FOLDER / "cartpole.et")
        act = next(op for op in graph.ops if op.kind == "threshold")
        moved = msgspec.structs.replace(act, base=-act.base, step=-act.step)
        faulty = graph.with_ops([moved if op is act else op for op in graph.ops])
        task = TASKS["cartpole"]
        games = [play(g, task, episodes=3, steps=100) for g in (graph, faulty)]
        assert differing(*games) and not differing(games[0], games[0])
        assert all(np.array(game.actions).max() <= 1 for game in games[0])
    finally:
        sys.path.remove(str(FOLDER))


def test_gradients_through_the_physics() -> None:
    assert "mean return" in command("differentiable.py", "--updates", 2, "--episodes", 2)


def test_a_missing_gymnasium_is_named_with_its_install_command(tmp_path: Path) -> None:
    need("torch")
    (tmp_path / "gymnasium.py").write_text("raise ModuleNotFoundError('gymnasium')")
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (tmp_path, ROOT, ROOT / "hw")))}
    done = subprocess.run([sys.executable, FOLDER / "play.py"], env=env, capture_output=True, text=True)
    assert done.returncode == 3
    assert 'pip install "edgeternary[rl]"' in done.stderr
