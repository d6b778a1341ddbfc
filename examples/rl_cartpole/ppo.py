"""Proximal policy optimisation (Schulman et al., 2017, arXiv:1707.06347), the little that these tasks need.

The critic is an ordinary float network: it is needed for training only and ships nowhere.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from policy import Task, codes, environment, make_policy
from torch import Tensor
from torch.distributions import Categorical


@dataclass(frozen=True)
class Settings:
    """horizon: steps of each of `envs` environments between updates; decay: lambda of the advantages."""

    envs: int = 8
    horizon: int = 128
    epochs: int = 4
    batch: int = 256
    lr: float = 3e-3
    decay: float = 0.95
    clip: float = 0.2
    entropy: float = 0.01
    norm: float = 0.5


class Rollout:
    """Environments side by side, and the observations they are at."""

    def __init__(self, task: Task, settings: Settings, seed: int) -> None:
        self.task, self.settings = task, settings
        self.envs = [environment(task) for _ in range(settings.envs)]
        self.at = np.stack([env.reset(seed=seed + i)[0] for i, env in enumerate(self.envs)])
        self.returns = np.zeros(settings.envs)
        self.finished: list[float] = []

    def step(
        self, actions: np.ndarray, value: Callable[[np.ndarray], float]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Rewards, and whether episodes ended; one cut off by its length adds what was to come."""
        rewards, ended = np.zeros(len(actions), np.float32), np.zeros(len(actions), np.float32)
        for i, env in enumerate(self.envs):
            self.at[i], reward, terminated, truncated, _ = env.step(int(actions[i]))
            self.returns[i] += reward
            rewards[i], ended[i] = reward, terminated or truncated
            if truncated and not terminated:
                rewards[i] += self.task.gamma * value(self.at[i])
            if ended[i]:
                self.finished.append(self.returns[i])
                self.returns[i] = 0.0
                self.at[i] = env.reset()[0]
        return rewards, ended


def advantages(
    rewards: Tensor, ended: Tensor, values: Tensor, last: Tensor, gamma: float, decay: float
) -> Tensor:
    """Generalised advantage estimates (horizon, envs) (Schulman et al., 2016, arXiv:1506.02438)."""
    result, running, following = torch.zeros_like(rewards), torch.zeros_like(last), last
    for t in reversed(range(len(rewards))):
        alive = 1 - ended[t]
        delta = rewards[t] + gamma * following * alive - values[t]
        running = delta + gamma * decay * alive * running
        result[t], following = running, values[t]
    return result


def train(task: Task, steps: int, seed: int, settings: Settings = Settings(), log=None) -> torch.nn.Module:
    """The policy with the best mean return of 20 episodes in training; tells `log` (stderr) how it goes."""
    log = log or (lambda text: print(text, file=sys.stderr, flush=True))
    torch.manual_seed(seed)
    inputs, s = len(task.reach), settings
    policy = make_policy(inputs, len(task.actions))
    critic = torch.nn.Sequential(
        torch.nn.Linear(inputs, 64),
        torch.nn.Tanh(),
        torch.nn.Linear(64, 64),
        torch.nn.Tanh(),
        torch.nn.Linear(64, 1),
    )
    parameters = [*policy.parameters(), *critic.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=s.lr, eps=1e-5)
    rollout = Rollout(task, s, seed)
    best, kept = -np.inf, {name: t.clone() for name, t in policy.state_dict().items()}
    updates = max(1, steps // (s.envs * s.horizon))

    def seen(observations: np.ndarray) -> Tensor:
        return torch.from_numpy(codes(task, observations).astype(np.float32))

    def value(observation: np.ndarray) -> float:
        with torch.no_grad():
            return float(critic(seen(observation) / 127))

    for update in range(updates):
        for group in optimizer.param_groups:
            group["lr"] = s.lr * (1 - update / updates)
        x = torch.zeros(s.horizon, s.envs, inputs)
        action, chance, rewards, ended, values = (torch.zeros(s.horizon, s.envs) for _ in range(5))
        for t in range(s.horizon):
            with torch.no_grad():
                x[t] = seen(rollout.at)
                choice = Categorical(logits=policy(x[t]))
                action[t] = choice.sample()
                chance[t], values[t] = choice.log_prob(action[t]), critic(x[t] / 127)[:, 0]
            r, e = rollout.step(action[t].int().numpy(), value)
            rewards[t], ended[t] = torch.from_numpy(r), torch.from_numpy(e)
        with torch.no_grad():
            last = critic(seen(rollout.at) / 127)[:, 0]
        gain = advantages(rewards, ended, values, last, task.gamma, s.decay)
        goal = gain + values
        flat = [a.flatten(0, 1) for a in (x, action, chance, gain, goal)]
        for _ in range(s.epochs):
            for part in torch.randperm(s.horizon * s.envs).split(s.batch):
                bx, ba, bc, bg, bv = (a[part] for a in flat)
                choice = Categorical(logits=policy(bx))
                ratio = (choice.log_prob(ba) - bc).exp()
                bg = (bg - bg.mean()) / (bg.std() + 1e-8)
                surrogate = torch.minimum(ratio * bg, ratio.clamp(1 - s.clip, 1 + s.clip) * bg).mean()
                error = (critic(bx / 127)[:, 0] - bv).square().mean()
                loss = -surrogate + 0.5 * error - s.entropy * choice.entropy().mean()
                optimizer.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(policy.parameters(), s.norm)
                torch.nn.utils.clip_grad_norm_(critic.parameters(), s.norm)
                optimizer.step()
                with torch.no_grad():
                    for name, p in policy.named_parameters():
                        if name.endswith(".weight") and name.startswith(("fc", "out")):
                            p.clamp_(-1, 1)
        recent = rollout.finished[-20:]
        mean = float(np.mean(recent)) if recent else -np.inf
        if len(recent) == 20 and mean >= best:
            best, kept = mean, {name: t.clone() for name, t in policy.state_dict().items()}
        if update % 10 == 9 or update == updates - 1:
            done = (update + 1) * s.envs * s.horizon
            log(f"{done:,} steps: mean return {mean:.1f} of the last {len(recent)} episodes")
    policy.load_state_dict(kept)
    return policy.eval()
