"""No step of training mixes tensors of the host and of the device: found without a GPU, by tensors without values."""

import pytest
import torch
from support.commands.other_device import DEVICE, other_device
from support.models.each_model import EACH_MODEL, make_recipe, minibatch
from support.models.separable import CPU

from asr import models
from asr.features.spec_augment import SpecAugment
from asr.training.averaging import MovingAverage
from asr.training.freezing import Freezing
from asr.training.losses import make_criterion
from asr.training.optimizers import make_optimizer
from asr.training.trainer import Trainer, dev_step, make_fabric, train_step

WITHOUT_TRITON = [case for case in EACH_MODEL if case[0]["type"] in ("gru", "ligru")]


@pytest.mark.parametrize(
    ("model", "training", "triton"),
    [*((*case, True) for case in EACH_MODEL), *((*case, False) for case in WITHOUT_TRITON)],
)
def test_no_model_mixes_devices(
    model: dict[str, object], training: dict[str, object], triton: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    masks = model["type"] != "wav2vec2"  # which reads samples: the masks are of features
    optimizer = {"type": "rmsprop", "momentum": 0.5}
    config = make_recipe(model, masks, clip_gradient=1.0, optimizer=optimizer, **training)
    settings, fabric = config.training, make_fabric(config.training, CPU)
    with other_device(monkeypatch, triton):
        with DEVICE:
            built = models.build(config.model, 4, 4)
        batch = minibatch(config, built, frames=9).to(DEVICE)
        trainer = Trainer(
            settings,
            fabric,
            built,
            make_optimizer(settings.optimizer, built.parameters(), capturable=True),
            make_criterion(settings, built.subsampling),
            Freezing(settings, built),
            MovingAverage(built, 0.5),
            SpecAugment(config.augmentation.spec_augment, config.features) if masks else None,
        )
        assert train_step(trainer, batch).device == DEVICE
        with torch.no_grad():
            assert {each.device for each in dev_step(trainer, batch)} == {DEVICE}
