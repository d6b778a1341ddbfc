"""Closed loop: physics on this machine, the policy on any executor, all episodes side by side."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from policy import Task, codes, environment

import edgeternary
from edgeternary.ir import Graph

EMULATE = "emulate:"
ALIVE = ("hdl", "serial:")  # executors that are started once, not for every action


@dataclass
class Game:
    """One episode: what was seen, as int8 codes and as the environment's numbers, done and earned."""

    seed: int
    total: float = 0.0
    actions: list[int] = field(default_factory=list)
    seen: list[np.ndarray] = field(default_factory=list)
    states: list[np.ndarray] = field(default_factory=list)
    over: bool = False


@contextmanager
def policy(graph: Graph, on: str, options: dict[str, object]) -> Iterator[Callable[[np.ndarray], np.ndarray]]:
    """What answers to observations (n, 4): an executor, or emulate:BOARD, the build for an emulated board.

    Amaranth's simulator and a board stay alive from the first action to the last.
    """
    from edgeternary.run import open_session

    if on.startswith(EMULATE):
        board = _emulated(graph, on.removeprefix(EMULATE))
        with board as (port, constraints), policy(graph, port, {**options, **constraints}) as answer:
            yield answer
    elif on.startswith(ALIVE):
        with open_session(graph, on, options) as session:
            yield lambda x: np.stack([session.step(codes) for codes in x])
    else:
        yield lambda x: edgeternary.run.run(graph, x, on=on, options={"count": 0, **options}).outputs


@contextmanager
def _emulated(graph: Graph, board: str) -> Iterator[tuple[str, dict[str, object]]]:
    """The executor serial:PORT of a board that was compiled for and emulated, and its options."""
    from edgeternary.emulate import emulated
    from edgeternary.link.build import read_build

    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "policy.et"
        edgeternary.save(graph, model)
        command = [sys.executable, "-m", "edgeternary", "compile", model, "--board", board]
        subprocess.run([*command, "-o", Path(folder) / "build"], check=True, stdout=subprocess.DEVNULL)
        build = read_build(Path(folder) / "build")
        baud = build.board.uart.baud if build.board.uart else 0
        with emulated(build) as running:
            constraints = {"baud": baud, "patience": running.patience, "digest": build.digest}
            yield f"serial:{running.port}", constraints


def play(
    graph: Graph,
    task: Task,
    *,
    on: str = "numpy",
    episodes: int = 20,
    seed: int = 0,
    steps: int | None = None,
    options: dict[str, object] | None = None,
    log=None,
) -> list[Game]:
    """Episodes with the seeds seed, seed + 1, ...; at each step the executor answers those that go on.

    steps: the longest episode. The environment's own limit holds besides.
    """
    with policy(graph, on, options or {}) as answer:
        return _episodes(answer, task, on, episodes, seed, min(steps or task.steps, task.steps), log)


def _episodes(
    answer: Callable[[np.ndarray], np.ndarray],
    task: Task,
    on: str,
    episodes: int,
    seed: int,
    steps: int,
    log,
) -> list[Game]:
    games = [Game(seed + k) for k in range(episodes)]
    envs = [environment(task) for _ in games]
    at = [env.reset(seed=game.seed)[0] for env, game in zip(envs, games, strict=True)]
    for t in range(steps):
        going = [k for k, game in enumerate(games) if not game.over]
        if not going:
            break
        x = codes(task, np.stack([at[k] for k in going]))
        for k, seen, action in zip(going, x, answer(x).reshape(len(x)).tolist(), strict=True):
            game = games[k]
            game.seen.append(seen)
            game.states.append(np.array(at[k], np.float64))
            game.actions.append(action)
            at[k], reward, terminated, truncated, _ = envs[k].step(action)
            game.total += float(reward)
            game.over = bool(terminated or truncated)
        if log and t % 50 == 49:
            log(f"{on}: step {t + 1}, {len(going)} episodes going on")
    for env in envs:
        env.close()
    return games
