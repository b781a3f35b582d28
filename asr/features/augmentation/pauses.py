"""Pauses inserted into speech: digital silence, or faint noise."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from asr.features.augmentation.gaussian import gaussian


class Pause(NamedTuple):
    """`length` samples before the sample `place`: white noise of `level` dB of full scale, or zeros (-inf)."""

    place: int
    length: int
    level: float


def insert_pauses(
    waveforms: Tensor, lengths: Sequence[int], pauses: Sequence[Sequence[Pause]], seeds: Sequence[int]
) -> tuple[Tensor, list[int]]:
    """Waveforms [B, S] of `lengths` (samples) with pauses, given in order of their places, and their new lengths."""
    generator = torch.Generator()
    rows = []
    for row, length, own, seed in zip(waveforms, lengths, pauses, seeds, strict=True):
        parts, done = [], 0
        generator.manual_seed(seed)
        for pause in own:
            noise = gaussian(pause.length, generator, row.device)
            parts += [row[done : pause.place], noise * 10 ** (pause.level / 20)]
            done = pause.place
        rows.append(torch.cat([*parts, row[done:length]]))
    return pad_sequence(rows, batch_first=True), [len(row) for row in rows]
