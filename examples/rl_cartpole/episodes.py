"""Closed loop: physics on this machine, the policy on any executor, all episodes side by side."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from policy import Task, codes, environment

import edgeternary
from edgeternary.ir import Graph


@dataclass
class Game:
    """One episode: what was seen, as int8 codes and as the environment's numbers, done and earned."""

    seed: int
    total: float = 0.0
    actions: list[int] = field(default_factory=list)
    seen: list[np.ndarray] = field(default_factory=list)
    states: list[np.ndarray] = field(default_factory=list)
    over: bool = False


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

    steps: an episode is cut off after so many. The environment's own limit holds besides.
    """
    games = [Game(seed + k) for k in range(episodes)]
    envs = [environment(task) for _ in games]
    at = [env.reset(seed=game.seed)[0] for env, game in zip(envs, games, strict=True)]
    for t in range(min(steps or task.steps, task.steps)):
        going = [k for k, game in enumerate(games) if not game.over]
        if not going:
            break
        x = codes(task, np.stack([at[k] for k in going]))
        answers = edgeternary.run.run(graph, x, on=on, options={"count": 0, **(options or {})}).outputs
        for k, seen, answer in zip(going, x, answers, strict=True):
            game, action = games[k], int(np.ravel(answer)[0])
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
