"""Where each utterance's frames are among all rows, and normalisation in place, a group of utterances at a time."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from asr.config import FeaturesConfig
from asr.features.cmvn import Statistics
from asr.features.normalize import normalized

Numbers = NDArray[np.int64]


class Layout:
    """Utterances of `lengths` [U] (frames) one after another, each with `edge` rows before and after its frames.

    `starts` [U] is the row of each one's first frame, `rows` the number of all rows.
    """

    def __init__(self, lengths: Numbers, edge: int) -> None:
        self.lengths, self.edge = lengths, edge
        self.starts = np.cumsum(lengths) - lengths + edge * (2 * np.arange(len(lengths)) + 1)
        self.rows = int(lengths.sum()) + 2 * edge * len(lengths)

    def frames(self, members: Numbers) -> tuple[Numbers, Numbers, Numbers]:
        """For each of the N frames of some utterances: which of them it belongs to, its place in that one, and its row,
        all [N]."""
        number, frame = _ramps(self.lengths[members])
        return number, frame, self.starts[members][number] + frame

    def padded(self, members: Numbers) -> Numbers:
        """The rows [B, T] of the frames of some utterances; each repeats its last frame after its end."""
        lengths = self.lengths[members]
        return np.asarray(self.starts[members][:, None] + np.minimum(np.arange(lengths.max()), lengths[:, None] - 1))

    def edged(self, members: Numbers) -> tuple[Numbers, Numbers, Numbers]:
        """As `frames`, including the edges, which repeat the first and the last frame."""
        lengths = self.lengths[members]
        number, place = _ramps(lengths + 2 * self.edge)
        frame = np.clip(place - self.edge, 0, lengths[number] - 1)
        return number, frame, self.starts[members][number] - self.edge + place


def _ramps(lengths: Numbers) -> tuple[Numbers, Numbers]:
    """0, 0, ..., 1, 1, ... and 0, 1, ..., 0, 1, ...: each item's run, and its place in it, for runs of `lengths`."""
    runs = np.repeat(np.arange(len(lengths)), lengths)
    return runs, np.arange(len(runs)) - np.repeat(np.cumsum(lengths) - lengths, lengths)


def normalize_rows(
    rows: Tensor,
    layout: Layout,
    groups: Sequence[Numbers],
    statistics: Sequence[Statistics] | None,
    config: FeaturesConfig,
) -> None:
    """CMVN by each utterance's `statistics` (None: no CMVN), then deltas and edges.

    The first static_dim columns of `rows` [R, dim] hold the static features, and then all columns the model input.
    """
    for members in groups:
        static = rows[on(rows.device, layout.padded(members)), : config.static_dim]
        own = None if statistics is None else [statistics[member] for member in members]
        values = normalized(static, own, config)
        number, frame, row = (on(rows.device, index) for index in layout.edged(members))
        rows[row] = values[number, frame]


def on(device: torch.device, values: Numbers) -> Tensor:
    """The values on the device."""
    return torch.from_numpy(values).to(device)
