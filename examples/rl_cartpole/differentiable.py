"""Trains a policy by gradients through the physics: actions pass a straight-through Gumbel-softmax.

    python examples/rl_cartpole/differentiable.py

No reward is sampled and no value is learnt: the pole's angle and the cart's place after each step are
functions of the forces before, so the loss has a gradient with respect to every action. Forward, an action is
exactly 0 or 1, as on the device; backward, it is a softmax (see edgeternary.nn.gumbel_softmax).
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
import torch
from episodes import play
from policy import TASKS, TOP, make_graph, make_policy
from torch import Tensor

from edgeternary import nn
from edgeternary.errors import script

GRAVITY, CART, POLE, HALF_LENGTH, FORCE, SECONDS = 9.8, 1.0, 0.1, 0.5, 10.0, 0.02


def physics(state: Tensor, force: Tensor) -> Tensor:
    """One explicit Euler step of (N, 4) x, x', angle, angle' (Barto, Sutton and Anderson, 1983, appendix)."""
    x, speed, angle, turning = state.unbind(1)
    sine, cosine, total = angle.sin(), angle.cos(), CART + POLE
    push = (force + POLE * HALF_LENGTH * turning.square() * sine) / total
    bend = (GRAVITY * sine - cosine * push) / (HALF_LENGTH * (4 / 3 - POLE * cosine.square() / total))
    pull = push - POLE * HALF_LENGTH * bend * cosine / total
    return torch.stack(
        [x + SECONDS * speed, speed + SECONDS * pull, angle + SECONDS * turning, turning + SECONDS * bend], 1
    )


def codes(state: Tensor, reach: Tensor) -> Tensor:
    """Observations as int8 codes, rounded straight through."""
    scaled = (state / reach * TOP).clamp(-TOP, TOP)
    return scaled + (torch.floor(scaled.detach() + 0.5) - scaled.detach())


def rollout(policy: torch.nn.Module, state: Tensor, reach: Tensor, steps: int, temperature: float) -> Tensor:
    """Mean over steps of how far cart and pole are off, in units of the places where episodes end."""
    total = state.new_zeros(())
    for _ in range(steps):
        action = nn.gumbel_softmax(policy(codes(state, reach)), temperature)
        state = physics(state, FORCE * (action[:, 1] - action[:, 0]))
        total = (
            total + ((state[:, 2] / 0.2095).square() + 0.3 * (state[:, 0] / 2.4).square()).clamp(max=4).mean()
        )
    return total / steps


def train(updates: int, seed: int, horizon: int = 40) -> torch.nn.Module:
    """The policy after `updates` updates of 64 rollouts side by side, from ever wilder starts."""
    torch.manual_seed(seed)
    task = TASKS["cartpole"]
    reach = torch.tensor(task.reach)
    policy = make_policy(len(task.reach), len(task.actions))
    optimizer = torch.optim.Adam(policy.parameters(), lr=3e-3)
    for update in range(updates):
        share = update / updates
        for group in optimizer.param_groups:
            group["lr"] = 3e-3 * (1 - share)
        state = (torch.rand(64, 4) - 0.5) * torch.tensor([2.0, 1.0, 0.2, 1.0])
        loss = rollout(policy, state, reach, horizon, temperature=1.0 - 0.7 * share)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(policy.parameters(), 1.0)
        optimizer.step()
        with torch.no_grad():
            for name, p in policy.named_parameters():
                if name.endswith(".weight") and not name.startswith("norm"):
                    p.clamp_(-1, 1)
        if update % 25 == 24:
            print(f"update {update + 1}: loss {loss.item():.4f}", file=sys.stderr, flush=True)
    return policy.eval()


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--updates", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--episodes", type=int, default=20)
    args = parser.parse_args()
    torch.set_num_threads(1)
    task = TASKS["cartpole"]
    graph = make_graph(train(args.updates, args.seed), task)
    totals = np.array([game.total for game in play(graph, task, episodes=args.episodes)])
    print(f"mean return {totals.mean():.1f}, worst {totals.min():.0f} of {len(totals)} episodes in gymnasium")
    return 0


if __name__ == "__main__":
    script(main)
