"""A frozen encoder keeps every bit, from its weights to its running statistics, for as long as the recipe says."""

from pathlib import Path

import pytest
import torch
from support.models.recorded_steps import CpuRecorder
from support.models.separable import CPU, recipe, separable_frames, separable_phones
from torch import Tensor

from asr import models
from asr.config import RecipeConfig
from asr.training.loop import fit
from asr.training.trainer import make_fabric

BATCHES = 10
"""Updates in an epoch of the separable frames."""


def make_recipe(freeze: int | str, normalization: str = "batch", **training: object) -> RecipeConfig:
    config = recipe(freeze_encoder=freeze, patience=9, **training)
    changes = {"normalization": normalization}
    return config.model_copy(update={"model": config.model.model_copy(update=changes)})


def initial(config: RecipeConfig) -> models.AcousticModel:
    torch.manual_seed(0)
    return models.build(config.model, 4, 4)


def train(config: RecipeConfig, out: Path, recorder: CpuRecorder | None = None) -> dict[str, Tensor]:
    make = separable_phones if config.training.loss == "ctc" else separable_frames
    model = initial(config)
    fit(config, make_fabric(config.training, CPU), model, make(0), make(1), out, "one", recorder)
    return model.state_dict()


def changed(config: RecipeConfig, trained: dict[str, Tensor]) -> tuple[set[str], set[str]]:
    """Which tensors of the encoder, and which of the output layer, are not as they were."""
    model = initial(config)
    before = model.state_dict()
    of_output = {name for name, tensor in before.items() if tensor.shape[:1] == (4,)}
    assert len(of_output) == 2
    differing = {name for name, tensor in before.items() if not torch.equal(tensor, trained[name])}
    return differing - of_output, differing & of_output


@pytest.mark.parametrize("loss", ["cross_entropy", "ctc"])
@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_a_frozen_encoder_stays_and_the_output_learns(tmp_path: Path, loss: str, optimizer: str) -> None:
    settings = {"moving_average": 0.9, "clip_gradient": 1.0, "optimizer": {"type": optimizer, "weight_decay": 0.1}}
    config = make_recipe("all", loss=loss, epochs=2, **settings)
    encoder, output = changed(config, train(config, tmp_path))
    assert not encoder
    assert len(output) == 2


@pytest.mark.parametrize("recorded", [False, True])
def test_it_thaws_after_so_many_updates(tmp_path: Path, recorded: bool) -> None:
    for updates, thaws in ((BATCHES + 5, True), (2 * BATCHES - 1, True), (2 * BATCHES, False)):
        config = make_recipe(updates, epochs=2, average={"of": "last"})
        encoder, output = changed(config, train(config, tmp_path / str(updates), CpuRecorder() if recorded else None))
        assert bool(encoder) == thaws
        assert output


def test_recorded_steps_are_plain_ones_before_and_after_the_thaw(tmp_path: Path) -> None:
    config = make_recipe(BATCHES + 5, "none", epochs=3)
    recorder = CpuRecorder()
    plain, replayed = train(config, tmp_path / "plain"), train(config, tmp_path / "replayed", recorder)
    assert not recorder.failed
    assert recorder.replays > 2 * BATCHES
    assert all(torch.equal(plain[name], replayed[name]) for name in plain)


@pytest.mark.parametrize("updates", [5, BATCHES + 5, 2 * BATCHES + 5])
def test_stopped_training_goes_on_to_the_same_bits(tmp_path: Path, updates: int) -> None:
    whole = train(make_recipe(updates), tmp_path / "whole")
    train(make_recipe(updates, epochs=2), tmp_path / "parts")
    parts = train(make_recipe(updates), tmp_path / "parts")
    assert all(torch.equal(whole[name], parts[name]) for name in whole)
