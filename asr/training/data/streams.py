"""Model input that is not kept in memory: made for each minibatch by threads, ahead of the step that needs it.

The bits are those of rows in memory, because both come from the same functions, one utterance at a time.
"""

import os
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from asr.config import FeaturesConfig
from asr.errors import InputError
from asr.features.cmvn import Statistics
from asr.features.dataset import Split
from asr.features.normalize import model_input, normalized
from asr.storage.files import cannot_write
from asr.training.data.layout import Layout, Numbers

AHEAD = 2
"""Threads that make minibatches, and minibatches that wait: one is decoded or read while another is computed."""


class RowStream(Protocol):
    """Makes the model input of utterances when a minibatch needs it."""

    def __call__(self, members: Sequence[int]) -> list[Tensor]:
        """The model input [T, dim] of some utterances, on the CPU."""


class ArchivedRows:
    """The model input of a split, read from its feature archive."""

    def __init__(self, split: Split) -> None:
        self.split, self.cmvn = split, split.cmvn

    def __call__(self, members: Sequence[int]) -> list[Tensor]:
        archive, config = self.split.archive, self.split.features
        return [
            torch.from_numpy(model_input(archive[number], archive.speakers[number], self.cmvn, config))
            for number in members
        ]


@dataclass(frozen=True)
class ChangedRows:
    """The model input of an epoch of changed speech, computed from the audio.

    `make` gives an utterance's static features [T, static_dim] and the statistics that normalise it.
    """

    make: Callable[[int], tuple[Tensor, Statistics | None]]
    config: FeaturesConfig

    def __call__(self, members: Sequence[int]) -> list[Tensor]:
        torch.set_num_threads(1)  # of this thread: training needs the other cores, and sums depend on the number
        return [_normalized(*self.make(number), self.config) for number in members]


@dataclass
class StoredRows:
    """The model input of an epoch of changed speech, from a file of its static features, and `statistics` [U]."""

    file: "RowFile"
    layout: Layout
    config: FeaturesConfig
    statistics: Sequence[Statistics] | None = None

    def __call__(self, members: Sequence[int]) -> list[Tensor]:
        return [
            _normalized(
                self.file.read(int(self.layout.starts[number]), int(self.layout.lengths[number])),
                None if self.statistics is None else self.statistics[number],
                self.config,
            )
            for number in members
        ]

    def store(self, features: Tensor, members: Numbers) -> None:
        """Keeps the static features [B, T, static_dim] of some utterances."""
        for rows, number in zip(features, members.tolist(), strict=True):
            self.file.write(int(self.layout.starts[number]), rows[: int(self.layout.lengths[number])])


class RowFile:
    """Rows of `width` numbers in a file that the system removes when this process ends; nothing of it is mapped."""

    def __init__(self, path: Path, width: int) -> None:
        """Raises OutputError where the file cannot be made."""
        self.path, self.width = path, width
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
            weakref.finalize(self, os.close, self._file)
            path.unlink()
        except OSError as error:
            raise cannot_write(path, error) from error

    def write(self, first: int, rows: Tensor) -> None:
        """Writes rows [T, width] from row `first` on. Raises OutputError where the disk is full."""
        content = memoryview(rows.numpy().tobytes())
        at = 4 * self.width * first
        try:
            while content:
                done = os.pwrite(self._file, content, at)
                content, at = content[done:], at + done
        except OSError as error:
            raise cannot_write(self.path, error) from error

    def read(self, first: int, count: int) -> Tensor:
        """Rows [count, width] from row `first` on. Raises InputError where the disk no longer has them."""
        read = bytearray(os.pread(self._file, 4 * self.width * count, 4 * self.width * first))
        if len(read) < 4 * self.width * count:
            raise InputError("cannot read what was written; check the disk", self.path)
        return torch.from_numpy(np.frombuffer(read, np.float32).reshape(count, self.width))


def _normalized(static: Tensor, statistics: Statistics | None, config: FeaturesConfig) -> Tensor:
    return normalized(static[None], None if statistics is None else [statistics], config)[0]
