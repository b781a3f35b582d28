"""The learning rate range test finds the rates between too small and too large."""

from pathlib import Path

import pytest
import torch
from support.commands.asr_command import Command
from support.models.separable import CONTEXT, CPU, separable_frames

from asr.config import DnnConfig, TrainingConfig
from asr.errors import InputError
from asr.models import build
from asr.training.find_lr import find_learning_rate, steepest, write_sweep
from asr.training.optimizers import make_optimizer
from asr.training.trainer import make_fabric, make_trainer


def test_suggestion_learns(tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = TrainingConfig(batch_size=32)
    model = build(DnnConfig(layers=1, width=32, context=CONTEXT, dropout=0), 4, 4)
    trainer = make_trainer(
        config, make_fabric(config, CPU), model, make_optimizer(config.optimizer, model.parameters())
    )
    sweep = find_learning_rate(trainer, separable_frames(0))
    assert 1e-4 < sweep.suggested < 1
    assert sweep.rates == sorted(sweep.rates)
    write_sweep(sweep, tmp_path)
    assert len((tmp_path / "learning_rate.tsv").read_text().splitlines()) == len(sweep.rates) + 1


def test_the_command_writes_a_table_and_a_figure(
    prepared: Path, features: Path, tiny_recipe: Path, tmp_path: Path, asr_command: Command
) -> None:
    out = tmp_path / "out"
    find = ("train", prepared, features, out, "--recipe", tiny_recipe, "--find-lr")
    assert asr_command(*find, "--devices", 2).err == "asr: --find-lr takes one device; leave out --devices\n"
    outcome = asr_command(*find)
    assert outcome.status == 0, outcome.err
    assert outcome.out.startswith("suggested: --set training.optimizer.learning_rate=")
    assert (out / "learning_rate.tsv").read_text().startswith("learning_rate\tloss\n")
    assert "suggested" in (out / "learning_rate.svg").read_text()


def test_loss_that_never_falls_is_an_error() -> None:
    with pytest.raises(InputError, match="did not fall"):
        steepest([1e-6, 1e-5, 1e-4], [1.0, 2.0, 3.0])
