"""Interrupted training goes on to the same bits; checkpoints are whole or not there."""

from __future__ import annotations

import errno
import os
import random
import signal
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from edgeternary import nn as q  # noqa: E402
from edgeternary.errors import EdgeTernaryError  # noqa: E402
from edgeternary.train import Augment, Fitted, Options, Stage, fit, run  # noqa: E402
from edgeternary.train.files import write_whole  # noqa: E402
from tests.train.stripes import RECIPE, model  # noqa: E402

pytestmark = pytest.mark.torch


def noisy() -> nn.Module:
    """A network that draws from torch's own generator too."""
    return nn.Sequential(nn.Dropout(0.1), *model())


EVERYTHING = replace(
    RECIPE,
    model=noisy,
    augment=Augment(flip=True, shift=1),
    patience=9,
    sparsity={"target": 0.6},
    stages=(Stage({"epochs": 2}, "float"), Stage({"epochs": 3, "lr": 5e-3})),
)
STEPS = 40


def same(first: nn.Module, second: nn.Module) -> None:
    wanted = second.state_dict()
    for name, tensor in first.state_dict().items():
        np.testing.assert_array_equal(tensor, wanted[name], err_msg=name)


@cache
def unbroken() -> Fitted:
    return fit(EVERYTHING)


@pytest.mark.parametrize("step", [3, 16, 17, 39])
def test_a_run_that_stops_anywhere_ends_in_the_same_bits(tmp_path, step):
    """Augmentation, dropout, optimizer, batch-norms, stages, sparsity and patience all go on."""

    def stop(done: int, steps: int, figures: dict[str, float]) -> None:
        assert steps == STEPS
        if done == step:
            raise KeyboardInterrupt

    whole = unbroken()
    with pytest.raises(KeyboardInterrupt):
        fit(EVERYTHING, stop, tmp_path / "run.ckpt", every_steps=3)
    seen: list[int] = []
    resumed = fit(EVERYTHING, lambda done, *rest: seen.append(done), tmp_path / "run.ckpt", every_steps=3)
    assert seen[0] > step - 3 and seen[-1] == STEPS
    same(resumed.model, whole.model)
    keys = [key for key in whole.history[0] if key != "seconds"]
    assert [[row[k] for k in keys] for row in resumed.history] == [
        [row[k] for k in keys] for row in whole.history
    ]


def test_forgetting_a_part_of_the_state_is_noticed(tmp_path):
    """The comparison above sees a generator that was not put back."""

    def stop(done: int, *rest: object) -> None:
        if done == 12:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(EVERYTHING, stop, tmp_path / "run.ckpt", every_steps=3)
    state = torch.load(tmp_path / "run.ckpt", weights_only=True)
    torch.save(state | {"generator": torch.Generator().manual_seed(5).get_state()}, tmp_path / "run.ckpt")
    with pytest.raises(AssertionError):
        same(fit(EVERYTHING, None, tmp_path / "run.ckpt").model, unbroken().model)


CHILD = """
import sys, torch
from pathlib import Path
torch.set_num_threads(1)
from edgeternary.train import Options, run
from tests.train.stripes import RECIPE
say = lambda step, *rest: print(step, flush=True)
run(RECIPE, sys.argv[1], progress=say, options=Options(Path(sys.argv[2]), every_steps=1))
"""


def test_a_process_killed_at_a_random_step_resumes_to_the_same_files(tmp_path):
    step = random.randrange(1, 47)
    command = [sys.executable, "-c", CHILD, tmp_path / "killed", tmp_path / "run.ckpt"]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as child:
        assert child.stdout
        for line in child.stdout:
            if int(line) == step:
                os.kill(child.pid, signal.SIGKILL)
                break
    assert child.returncode == -signal.SIGKILL, f"killed after step {step}"
    assert (tmp_path / "run.ckpt").exists() and not (tmp_path / "killed/stripes.et").exists()
    seen: list[int] = []
    options = Options(tmp_path / "run.ckpt")
    run(RECIPE, tmp_path / "killed", options=options, progress=lambda done, *rest: seen.append(done))
    assert not seen or seen[0] >= step, f"killed after step {step}"
    run(RECIPE, tmp_path / "whole")
    for name in ("stripes.safetensors", "stripes.et"):
        found, wanted = ((tmp_path / folder / name).read_bytes() for folder in ("killed", "whole"))
        assert found == wanted, f"{name}, killed after step {step}"
    assert not list(tmp_path.rglob("*.partial")) and not (tmp_path / "run.ckpt").exists()


def test_ctrl_c_writes_a_checkpoint_of_that_step(tmp_path):
    def press(done: int, *rest: object) -> None:
        if done == 5:
            signal.raise_signal(signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        fit(RECIPE, press, tmp_path / "run.ckpt")
    assert signal.getsignal(signal.SIGINT) is before
    assert torch.load(tmp_path / "run.ckpt", weights_only=True)["position"]["step"] == 6
    same(fit(RECIPE, None, tmp_path / "run.ckpt").model, fit(RECIPE).model)


def test_checkpoints_of_other_runs_and_damaged_ones_are_refused(tmp_path):
    path = tmp_path / "run.ckpt"
    fit(replace(RECIPE, epochs=1), None, path)
    with pytest.raises(EdgeTernaryError, match=r"belongs to another run.*train\.seed.*delete it"):
        fit(replace(RECIPE, epochs=1, seed=1), None, path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(EdgeTernaryError, match="is not a checkpoint"):
        fit(replace(RECIPE, epochs=1), None, path)


def test_a_full_disk_leaves_the_old_checkpoint(tmp_path, monkeypatch):
    path = tmp_path / "run.ckpt"
    path.write_bytes(b"old")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_whole(path, b"new" * 1000)
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


def test_a_failure_at_the_end_leaves_no_card_and_keeps_the_checkpoint(tmp_path, monkeypatch):
    from edgeternary.train import session

    def broken(*_: object) -> str:
        raise EdgeTernaryError("no paper")

    monkeypatch.setattr(session, "card_text", broken)
    options = Options(tmp_path / "run.ckpt")
    with pytest.raises(EdgeTernaryError, match="no paper"):
        run(replace(RECIPE, epochs=1), tmp_path / "out", options=options)
    assert (tmp_path / "run.ckpt").exists() and not (tmp_path / "out/stripes.json").exists()
    assert not list(tmp_path.rglob("*.partial"))
    monkeypatch.undo()
    steps: list[int] = []
    run(replace(RECIPE, epochs=1), tmp_path / "out", options=options, progress=lambda *s: steps.append(s[0]))
    assert not steps and (tmp_path / "out/stripes.json").exists()


def test_a_saved_convolution_net_loads_again(tmp_path):
    """Weights are kept in another memory format while training."""
    run(replace(RECIPE, epochs=1), Path(tmp_path))
    again = q.load_codes(model(), tmp_path / "stripes.safetensors")
    assert again[0].weight.shape == (8, 1, 3, 3)
