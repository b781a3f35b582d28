"""Checkpoints: everything that training needs to resume, in one safetensors file (nothing is pickled)."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from asr.config import TrainingConfig
from asr.errors import InputError
from asr.storage.weights import read_checked, save_checked
from asr.training.averaging import MovingAverage


@dataclass
class Progress:
    """How far training has come: the learning rate before the schedule's factor, the dev errors (per cent), and the
    number of updates."""

    learning_rate: float
    dev_errors: list[float] = field(default_factory=list)
    updates: int = 0

    @property
    def epoch(self) -> int:
        """Epochs done."""
        return len(self.dev_errors)

    @property
    def best_epoch(self) -> int:
        """The first epoch with the lowest error; 0 before the first."""
        return 1 + self.dev_errors.index(min(self.dev_errors)) if self.dev_errors else 0

    def goes_on(self, training: TrainingConfig) -> bool:
        """Whether another epoch follows: not after the last, nor once the dev set has stopped improving."""
        return self.epoch < training.epochs and self.epoch - self.best_epoch < training.patience

    def is_reached_by(self, training: TrainingConfig) -> bool:
        """Whether a training with these settings would have come this far."""
        before = (Progress(self.learning_rate, self.dev_errors[:epoch]) for epoch in range(self.epoch))
        return all(progress.goes_on(training) for progress in before)


@dataclass(frozen=True)
class Trained:
    """What a checkpoint holds besides the progress."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    average: MovingAverage | None = None


def save_checkpoint(path: Path, trained: Trained, progress: Progress, fingerprint: str) -> None:
    """Writes the model, its average, the optimiser and the progress; the file is complete or absent."""
    tensors = {f"model.{name}": tensor for name, tensor in trained.model.state_dict().items()}
    if trained.average is not None:
        tensors |= {f"average.{name}": tensor for name, tensor in trained.average.weights.items()}
    for number, values in trained.optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{number}.{name}": value for name, value in values.items() if value is not None}
    save_checked(path, tensors, {"progress": asdict(progress), "fingerprint": fingerprint})


def load_checkpoint(path: Path, trained: Trained, fingerprint: str, training: TrainingConfig) -> Progress | None:
    """Restores what `save_checkpoint` wrote; None when there is no checkpoint of this training, or it is further than
    `training` goes.

    Raises InputError when the file is damaged.
    """
    if not path.is_file():
        return None

    def fits(head: dict[str, Any]) -> bool:
        return head.get("fingerprint") == fingerprint and Progress(**head["progress"]).is_reached_by(training)

    try:
        head, tensors = read_checked(path, fits)
    except ValueError as error:
        raise InputError("the checkpoint is damaged; delete it to train from the start", path) from error
    if not tensors:
        return None
    trained.model.load_state_dict(_part(tensors, "model."))
    if trained.average is not None:
        for name, tensor in _part(tensors, "average.").items():
            trained.average.weights[name].copy_(tensor)
    state: dict[int, dict[str, Any]] = {}
    for name, tensor in _part(tensors, "optimizer.").items():
        number, key = name.split(".", 1)
        state.setdefault(int(number), {})[key] = tensor
    groups = trained.optimizer.state_dict()["param_groups"]
    trained.optimizer.load_state_dict({"state": state, "param_groups": groups})
    return Progress(**head["progress"])


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
