"""Trains on separable classes in one process or in several, for test_processes."""

import os
from functools import partial
from pathlib import Path
from typing import Any

import torch

from asr.config import TimingConfig
from asr.storage.weights import save_weights
from asr.training.loop import fit
from asr.training.trainer import make_fabric
from support.models.separable import CPU, built, recipe, separable_frames, separable_phones

CASES = {
    "frames": ("cross_entropy", "none", separable_frames),
    "batch_norm": ("cross_entropy", "batch", separable_frames),
    "ctc": ("ctc", "none", separable_phones),
    "frozen": ("cross_entropy", "none", separable_frames),
    "timed": ("ctc", "none", partial(separable_phones, timed=True)),
    "timing_alone": ("ctc", "none", partial(separable_phones, timed=True)),
}
"""The loss, the normalisation and the training sets of each."""

SECOND: dict[str, Any] = {"dilations": [1], "width": 12, "dropout": 0}
TRAINING: dict[str, dict[str, object]] = {
    "frozen": {"freeze_encoder": 4},
    "timed": {"timing": TimingConfig(weight=0.5, **SECOND)},
    "timing_alone": {"timing": TimingConfig(weight=1, **SECOND), "freeze_encoder": "all"},
}
"""Other settings of training."""


def train_each(out_dir: Path) -> None:
    """Writes metrics and model.safetensors into a folder a case."""
    fabric = make_fabric(recipe().training, CPU)
    for name, (loss, normalization, sets) in CASES.items():
        config = recipe(loss=loss, epochs=2, optimizer={"type": "sgd", "learning_rate": 0.1}, batch_size=33)
        changes = {"dropout": 0.0, "normalization": normalization}
        config = config.model_copy(update={"model": config.model.model_copy(update=changes)})
        config = config.model_copy(update={"training": config.training.model_copy(update=TRAINING.get(name, {}))})
        model = built(config)
        fit(config, fabric, model, sets(0), sets(1), out_dir / name, "one")
        if fabric.is_global_zero:
            save_weights(out_dir / name / "model.safetensors", model.state_dict())


def train_as(number: int, processes: int, port: int, out_dir: Path) -> None:
    """Does so as process `number` of several."""
    become(number, processes, port)
    train_each(out_dir)


def become(number: int, processes: int, port: int) -> None:
    """Makes this process `number` of several, with what torchrun would set."""
    place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "RANK": number, "LOCAL_RANK": number}
    for name, value in (place | {"WORLD_SIZE": processes, "LOCAL_WORLD_SIZE": processes}).items():
        os.environ[name] = str(value)
    torch.set_num_threads(1)
