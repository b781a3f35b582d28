"""Averages of weights: over the checkpoints of several epochs, and a moving average over steps."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn

from asr.config import AverageConfig
from asr.errors import InputError
from asr.storage.files import remove
from asr.storage.weights import read_checked

State = dict[str, Tensor]


def epochs_to_keep(config: AverageConfig, dev_errors: Sequence[float]) -> list[int]:
    """The epochs (from 1) whose weights are averaged so far: the last ones, or those with the lowest dev error."""
    epochs = range(1, len(dev_errors) + 1)
    if config.of == "last":
        return list(epochs)[-config.count :]
    return sorted(sorted(epochs, key=lambda epoch: (dev_errors[epoch - 1], epoch))[: config.count])


def epoch_path(folder: Path, epoch: int) -> Path:
    """The weights after an epoch, counted from 1."""
    return folder / f"epoch-{epoch:04d}.safetensors"


def forget_epochs(folder: Path, kept: Sequence[int]) -> None:
    """Removes the weights of all epochs except those to be averaged."""
    for path in folder.glob("epoch-*.safetensors"):
        if path not in [epoch_path(folder, number) for number in kept]:
            remove(path)


def load_average(folder: Path, model: nn.Module, kept: Sequence[int]) -> None:
    """Loads the mean of the kept epochs' weights into a model; integers (batch counts) are the last epoch's.

    Raises InputError for an epoch whose weights are missing or damaged.
    """
    states = [_read_epoch(epoch_path(folder, epoch)) for epoch in kept]
    model.load_state_dict(
        {
            name: torch.stack([state[name] for state in states]).mean(dim=0) if last.is_floating_point() else last
            for name, last in states[-1].items()
        }
    )


def _read_epoch(path: Path) -> State:
    try:
        return read_checked(path)[1]
    except ValueError as error:
        raise InputError("missing or damaged; delete the folder of checkpoints to train again", path) from error


class MovingAverage:
    """weights <- decay * weights + (1 - decay) * the model's, after every step; used for evaluation and kept (Kingma &
    Ba 2015, section 7.2, from the first weights instead of zeros)."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.model, self.decay = model, decay
        self.weights: State = {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}

    @torch.no_grad()
    def update(self) -> None:
        """Takes in the model's weights after a step."""
        current = self.model.state_dict()
        moving = [name for name, tensor in self.weights.items() if tensor.is_floating_point()]
        torch._foreach_lerp_([self.weights[n] for n in moving], [current[n] for n in moving], 1 - self.decay)
        for name in self.weights.keys() - set(moving):
            self.weights[name].copy_(current[name])

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Replaces the model's weights by the average inside the `with`."""
        own = {name: tensor.clone() for name, tensor in self.model.state_dict().items()}
        self.model.load_state_dict(self.weights)
        try:
            yield
        finally:
            self.model.load_state_dict(own)
