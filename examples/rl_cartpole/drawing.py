"""An episode as an SVG: the machine moving, animated by the SVG itself; angles and actions over time."""

from __future__ import annotations

import math

import numpy as np
from episodes import Game
from policy import Task

WIDTH, TOP, PLOT, GAP = 640, 180, 90, 24
SECONDS = {"cartpole": 0.02, "acrobot": 0.2}  # of one step
COLOURS = ("#1f6feb", "#d1442f")
FRAMES = 250


def draw(task: Task, game: Game) -> str:
    """A self-contained picture of the episode."""
    states, actions = np.stack(game.states), np.array(game.actions)
    angles = {"cartpole": _cartpole_angles, "acrobot": _acrobot_angles}[task.name](states)
    height = TOP + 2 * (PLOT + GAP) + GAP
    duration = len(states) * SECONDS[task.name]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" '
        'font-size="11">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        {"cartpole": _cartpole, "acrobot": _acrobot}[task.name](states, duration),
    ]
    y = TOP + GAP
    for k, (name, values) in enumerate(angles):
        parts.append(_curve(values, y, COLOURS[k]))
        parts.append(f'<text x="{6 + 150 * k}" y="{y - 6}" fill="{COLOURS[k]}">{name}</text>')
    y += PLOT + GAP
    parts.append(f'<text x="6" y="{y - 6}">action: {", ".join(task.actions)}</text>')
    parts.append(_curve(actions.astype(float), y, "#555"))
    parts.append(
        f'<text x="{WIDTH - 6}" y="{height - 8}" text-anchor="end">{task.environment}, seed {game.seed}: '
        f"return {game.total:.0f} in {len(actions)} steps ({duration:.1f} s)</text></svg>"
    )
    return "\n".join(parts) + "\n"


def _curve(values: np.ndarray, y: float, colour: str) -> str:
    low, high = float(values.min()), float(values.max())
    span = high - low or 1.0
    points = " ".join(
        f"{WIDTH * t / max(len(values) - 1, 1):.1f},{y + PLOT * (1 - (v - low) / span):.1f}"
        for t, v in enumerate(values)
    )
    return f'<polyline points="{points}" fill="none" stroke="{colour}"/>'


def _animated(kind: str, values: list[str], duration: float) -> str:
    """An animateTransform over the whole episode, for ever."""
    step = max(1, -(-len(values) // FRAMES))
    return (
        f'<animateTransform attributeName="transform" type="{kind}" dur="{duration:.2f}s" '
        f'repeatCount="indefinite" additive="sum" values="{";".join(values[::step])}"/>'
    )


def _cartpole_angles(states: np.ndarray) -> list[tuple[str, np.ndarray]]:
    return [("pole angle", states[:, 2]), ("cart position", states[:, 0])]


def _acrobot_angles(states: np.ndarray) -> list[tuple[str, np.ndarray]]:
    first, second = _joints(states)
    return [("first angle", first), ("second angle", second)]


def _joints(states: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.arctan2(states[:, 1], states[:, 0]), np.arctan2(states[:, 3], states[:, 2])


def _cartpole(states: np.ndarray, duration: float) -> str:
    places = [f"{60 * x:.1f} 0" for x in states[:, 0]]
    turns = [f"{math.degrees(a):.2f}" for a in states[:, 2]]
    return (
        f'<g transform="translate({WIDTH / 2} {TOP - 30})">'
        '<line x1="-300" x2="300" y1="10" y2="10" stroke="#999"/>'
        f'<g>{_animated("translate", places, duration)}<rect x="-25" y="-10" width="50" height="20" '
        f'fill="{COLOURS[1]}"/><g>{_animated("rotate", turns, duration)}'
        f'<line y2="-110" stroke="{COLOURS[0]}" stroke-width="6"/></g></g></g>'
    )


def _acrobot(states: np.ndarray, duration: float) -> str:
    first, second = (np.degrees(np.unwrap(angle)) for angle in _joints(states))
    inner = (
        f'<g transform="translate(0 40)"><g>{_animated("rotate", [f"{-a:.1f}" for a in second], duration)}'
        f'<line y2="40" stroke="{COLOURS[1]}" stroke-width="5"/></g></g>'
    )
    return (
        f'<g transform="translate({WIDTH / 2} {TOP / 2})"><line x1="-80" x2="80" y1="-40" y2="-40" '
        'stroke="#999" stroke-dasharray="4"/>'
        f"<g>{_animated('rotate', [f'{-a:.1f}' for a in first], duration)}"
        f'<line y2="40" stroke="{COLOURS[0]}" stroke-width="5"/>{inner}</g></g>'
    )
