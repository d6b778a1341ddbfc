"""Trains a ternary policy with PPO, lowers it and writes <task>.et and <task>.json.

pip install "edgeternary[train,rl]"
python examples/rl_cartpole/train.py --task cartpole
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from pathlib import Path

import numpy as np
import torch
from episodes import play
from policy import TASKS, make_graph
from ppo import Settings, train

import edgeternary
from edgeternary.errors import script
from edgeternary.ops.sizes import sizes

HERE = Path(__file__).parent


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--task", choices=sorted(TASKS), default="cartpole")
    parser.add_argument("--steps", type=int, help="environment steps (the task's budget)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--episodes", type=int, default=100, help="greedy episodes of the card")
    parser.add_argument("-o", "--output", dest="out", type=Path, default=HERE, help="folder of the results")
    args = parser.parse_args()
    task = TASKS[args.task]
    torch.set_num_threads(1)
    start = time.perf_counter()
    steps = args.steps or task.budget
    model = train(task, steps, args.seed)
    seconds = time.perf_counter() - start
    graph = make_graph(model, task)
    games = play(graph, task, episodes=args.episodes, seed=1_000_000)
    returns = np.array([game.total for game in games])
    card = {
        "name": task.name,
        "environment": task.environment,
        "mean_return": float(returns.mean()),
        "worst_return": float(returns.min()),
        "episodes": len(games),
        "first_seed": 1_000_000,
        **sizes(graph),
        "seed": args.seed,
        "steps": steps,
        "recipe": {**Settings().__dict__, "gamma": task.gamma},
        "seconds": round(seconds, 1),
        "machine": platform.machine(),
        "torch": torch.__version__,
    }
    args.out.mkdir(parents=True, exist_ok=True)
    edgeternary.save(graph, args.out / f"{task.name}.et")
    (args.out / f"{task.name}.json").write_text(json.dumps(card, indent=2) + "\n")
    print(
        f"{task.name}: mean return {returns.mean():.1f}, worst {returns.min():.0f} of {len(games)} episodes,"
        f" {card['packed_bytes']} bytes of weights"
    )
    return 0


if __name__ == "__main__":
    script(main)
