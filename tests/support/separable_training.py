"""Trains on separable classes in as many processes as torchrun starts, for test_processes."""

import sys
from pathlib import Path

import torch

from asr import models
from asr.storage.weights import save_weights
from asr.training.loop import fit, make_fabric
from support.separable import CPU, recipe, separable_frames, separable_phones

CASES = {
    "frames": ("cross_entropy", "none", separable_frames),
    "batch_norm": ("cross_entropy", "batch", separable_frames),
    "ctc": ("ctc", "none", separable_phones),
    "frozen": ("cross_entropy", "none", separable_frames),
}
"""The loss, the normalisation and the training sets of each."""


def train_each(out_dir: Path) -> None:
    """Writes metrics and model.safetensors into a folder a case."""
    fabric = make_fabric(recipe().training, CPU)
    for name, (loss, normalization, sets) in CASES.items():
        config = recipe(loss=loss, epochs=2, optimizer={"type": "sgd", "learning_rate": 0.1}, batch_size=33)
        changes = {"dropout": 0.0, "normalization": normalization}
        config = config.model_copy(update={"model": config.model.model_copy(update=changes)})
        if name == "frozen":
            config = config.model_copy(update={"training": config.training.model_copy(update={"freeze_encoder": 4})})
        torch.manual_seed(0)
        model = models.build(config.model, 4, 4)
        fit(config, fabric, model, sets(0), sets(1), out_dir / name, "one")
        if fabric.is_global_zero:
            save_weights(out_dir / name / "model.safetensors", model.state_dict())


if __name__ == "__main__":
    train_each(Path(sys.argv[1]))
