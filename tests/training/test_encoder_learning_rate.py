"""The encoder's own learning rate."""

from pathlib import Path

import pytest
import torch
from support.models.separable import CPU, recipe, separable_frames
from torch import Tensor

from asr import models
from asr.config import RecipeConfig
from asr.training.loop import fit
from asr.training.optimizers import make_optimizer, parameter_groups, set_learning_rate
from asr.training.trainer import make_fabric, make_trainer, train_step

RATE, FACTOR = 0.01, 0.25
OPTIMIZERS = ["sgd", "adagrad", "rmsprop", "adam", "adamw"]


def with_optimizer(name: str, own: bool, **training: object) -> RecipeConfig:
    settings = {"type": name, "learning_rate": RATE}
    return recipe(optimizer=settings, encoder_learning_rate=FACTOR * RATE if own else None, **training)


def step(config: RecipeConfig, capturable: bool, rate: float) -> dict[str, Tensor]:
    """What one update adds to each weight, in double precision."""
    torch.manual_seed(0)
    model = models.build(config.model, 4, 4).double()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    optimizer = make_optimizer(config.training.optimizer, parameter_groups(model, config.training), capturable)
    set_learning_rate(optimizer, rate)
    trainer = make_trainer(config.training, make_fabric(config.training, CPU), model, optimizer)
    batch = separable_frames(0).batch(torch.arange(1, 33))
    train_step(trainer, type(batch)(batch.inputs.double(), batch.labels))
    return {name: tensor - before[name] for name, tensor in model.state_dict().items()}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("capturable", [False, True])
@pytest.mark.parametrize("rate", [RATE, RATE / 2])
def test_scales_the_steps_of_the_encoder_alone(optimizer: str, capturable: bool, rate: float) -> None:
    """At any rate that the schedule sets."""
    one = step(with_optimizer(optimizer, own=False), capturable, rate)
    own = step(with_optimizer(optimizer, own=True), capturable, rate)
    of_output = [name for name, tensor in one.items() if tensor.shape[:1] == (4,)]
    assert len(of_output) == 2
    for name, change in one.items():
        expected = change if name in of_output else FACTOR * change
        torch.testing.assert_close(own[name], expected, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("freeze", [0, 15, "all"])
def test_resumes_to_the_same_bits(tmp_path: Path, freeze: int | str) -> None:
    def train(out: Path, epochs: int) -> dict[str, Tensor]:
        config = with_optimizer("adam", own=True, epochs=epochs, freeze_encoder=freeze)
        torch.manual_seed(0)
        model = models.build(config.model, 4, 4)
        fit(config, make_fabric(config.training, CPU), model, separable_frames(0), separable_frames(1), out, "one")
        return model.state_dict()

    at_once = train(tmp_path / "at_once", 3)
    train(tmp_path / "interrupted", 1)
    resumed = train(tmp_path / "interrupted", 3)
    assert all(torch.equal(resumed[name], tensor) for name, tensor in at_once.items())
