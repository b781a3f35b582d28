"""Trains on separable classes with each kind of loss, in as many processes as torchrun starts, for test_processes."""

import sys
from pathlib import Path

import torch

from asr import models
from asr.storage.weights import save_weights
from asr.training.loop import fit, make_fabric
from support.separable import CPU, recipe, separable_frames, separable_phones

SETS = {"cross_entropy": separable_frames, "ctc": separable_phones}


def train_each(out_dir: Path) -> None:
    """Writes metrics and model.safetensors into a folder a loss."""
    fabric = make_fabric(recipe().training, CPU)
    for loss, sets in SETS.items():
        config = recipe(loss=loss, epochs=2, optimizer={"type": "sgd", "learning_rate": 0.1}, batch_size=33)
        config = config.model_copy(update={"model": config.model.model_copy(update={"dropout": 0.0})})
        torch.manual_seed(0)
        model = models.build(config.model, 4, 4)
        fit(config, fabric, model, sets(0), sets(1), out_dir / loss, "one")
        if fabric.is_global_zero:
            save_weights(out_dir / loss / "model.safetensors", model.state_dict())


if __name__ == "__main__":
    train_each(Path(sys.argv[1]))
