"""The policy network, observations as int8 codes, and the integer graph that answers with an action."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace

import msgspec
import numpy as np
import torch

import edgeternary
from edgeternary import nn
from edgeternary.errors import TOOL_MISSING, EdgeTernaryError
from edgeternary.ops import Argmax

HIDDEN = 32
TOP = 127  # codes are -127..127


@dataclass(frozen=True)
class Task:
    """An environment: `reach` is the value of each observation that gets the code 127, chosen once by hand.

    steps   of an episode at most; actions: their names
    budget  environment steps of a training; gamma: the discount
    """

    name: str
    environment: str
    reach: tuple[float, ...]
    actions: tuple[str, ...]
    steps: int
    budget: int
    gamma: float = 0.99


TASKS = {
    "cartpole": Task(
        "cartpole", "CartPole-v1", (2.4, 3.0, 0.2095, 3.5), ("left", "right"), 500, 120_000, 0.98
    ),
    "acrobot": Task(
        "acrobot", "Acrobot-v1", (1.0, 1.0, 1.0, 1.0, 8.0, 16.0), ("-1", "0", "+1"), 500, 300_000
    ),
}


def environment(task: Task):
    """A gymnasium environment of the task; says how to install gymnasium where it is missing."""
    try:
        import gymnasium
    except ModuleNotFoundError as error:
        raise EdgeTernaryError(
            f"the environment {task.environment} is not there",
            "the Python package gymnasium is not installed",
            'pip install "edgeternary[rl]"',
            TOOL_MISSING,
        ) from error
    return gymnasium.make(task.environment)


def codes(task: Task, observations: np.ndarray) -> np.ndarray:
    """clamp(floor(127 x / reach + 1/2), -127, 127) of observations (..., n), as int8."""
    scaled = np.asarray(observations, np.float64) / np.asarray(task.reach) * TOP
    return np.clip(np.floor(scaled + 0.5), -TOP, TOP).astype(np.int8)


def fixed_norm(channels: int, deviation: float) -> nn.BatchNorm:
    """(x / deviation) * gamma + beta with learnt gamma and beta: what policy gradients see changes with the
    weights only, never with the batch.
    """
    norm = nn.BatchNorm(channels)
    norm.use_running = True
    norm.running_var.fill_(deviation**2)
    return norm


def make_policy(inputs: int, actions: int) -> torch.nn.Sequential:
    """Codes (N, inputs) -> logits (N, actions): ternary weights, one-bit activations straight through."""
    return torch.nn.Sequential(
        OrderedDict(
            fc1=nn.Linear(inputs, HIDDEN),
            norm1=fixed_norm(HIDDEN, 0.3 * TOP * inputs**0.5),
            act1=nn.Activation("bipolar"),
            fc2=nn.Linear(HIDDEN, HIDDEN),
            norm2=fixed_norm(HIDDEN, 0.8 * HIDDEN**0.5),
            act2=nn.Activation("bipolar"),
            out=nn.Output(HIDDEN, actions),
        )
    )


def make_graph(model: torch.nn.Module, task: Task) -> edgeternary.ir.Graph:
    """The trained policy as an integer graph: int8 codes in, the index of the action out."""
    example = torch.zeros(1, len(task.reach))
    graph = edgeternary.lower(
        model, example, name=task.name, input_type="int8", input_range=(-TOP, TOP), labels=task.actions
    )
    action = Argmax(name="action", inputs=(graph.output,))
    info = {
        **graph.meta.info,
        "environment": task.environment,
        "observation reach": " ".join(map(str, task.reach)),
    }
    meta = msgspec.structs.replace(graph.meta, info=info, logit_scale=1.0)
    return replace(graph.with_ops([*graph.ops, action], outputs="action"), meta=meta)
