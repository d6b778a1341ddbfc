"""Plays episodes in closed loop: physics here, every action by the integer graph on an executor.

    python examples/rl_cartpole/play.py --on numpy,cortex-m0plus,hdl,emulate:microbit --episodes 20

Each executor plays the same episodes by itself; all action sequences must be equal to those of
numpy (exit code 4 where one is not). --svg draws the first episode.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from drawing import draw
from episodes import Game, play
from policy import TASKS

import edgeternary
from edgeternary.errors import NOT_BIT_EXACT, EdgeTernaryError, script

HERE = Path(__file__).parent
HARDWARE = ("hdl", "cxxrtl", "verilator", "netlist", "bitstream")


def differing(expected: list[Game], found: list[Game]) -> list[int]:
    """Indices of the episodes whose actions differ anywhere."""
    return [k for k, (a, b) in enumerate(zip(expected, found, strict=True)) if a.actions != b.actions]


def note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--task", choices=sorted(TASKS), default="cartpole")
    parser.add_argument("--model", type=Path, help="an .et file (the one that ships)")
    parser.add_argument(
        "--on",
        default="numpy",
        help="executors: numpy,host,cortex-m0plus,hdl,cxxrtl,serial:PORT, or emulate:BOARD (microbit)",
    )
    parser.add_argument(
        "--latency", type=int, default=9, help="clocks in which hardware answers; 0: folded layers"
    )
    parser.add_argument("--episodes", type=int, default=20)
    parser.add_argument("--steps", type=int, help="the longest episode, in steps")
    parser.add_argument("--seed", type=int, default=0, help="of the first episode")
    parser.add_argument("--svg", type=Path, help="draw the first episode")
    parser.add_argument("--json", action="store_true", help="print JSON")
    args = parser.parse_args()
    task = TASKS[args.task]
    graph = edgeternary.load(args.model or HERE / f"{task.name}.et")
    kinds = list(dict.fromkeys(["numpy", *args.on.split(",")]))
    rows, expected, wrong = [], [], []
    for on in kinds:
        games = play(
            graph, task, on=on, episodes=args.episodes, seed=args.seed, steps=args.steps, log=note,
            options={"latency": args.latency} if on.startswith(HARDWARE) else None,
        )  # fmt: skip
        expected = expected or games
        differ = differing(expected, games)
        wrong += [f"{on}: episode {k}" for k in differ]
        totals = [game.total for game in games]
        rows.append(
            {
                "executor": on,
                "episodes": len(games),
                "mean_return": sum(totals) / len(totals),
                "worst_return": min(totals),
                "actions": sum(len(game.actions) for game in games),
                "episodes_that_differ": len(differ),
            }
        )
        if not args.json:
            print(
                f"{on}: mean return {rows[-1]['mean_return']:.1f}, worst {rows[-1]['worst_return']:.0f} of"
                f" {len(games)} episodes, {rows[-1]['actions']:,} actions,"
                f" {len(differ)} episodes differ from numpy"
            )
    if args.json:
        print(json.dumps(rows, indent=2))
    if args.svg:
        args.svg.write_text(draw(task, expected[0]), encoding="utf-8")
        note(f"episode drawn to {args.svg}")
    if wrong:
        raise EdgeTernaryError(
            f"actions of {task.name} differ", ", ".join(wrong[:5]), "report this as a bug", NOT_BIT_EXACT
        )
    return 0


if __name__ == "__main__":
    script(main)
