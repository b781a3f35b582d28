"""Pauses inserted into speech: digital silence, or faint noise."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from asr.features.augmentation.rows import joined, sent


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
    drawn = [torch.empty(0)]
    for own, seed in zip(pauses, seeds, strict=True):
        generator.manual_seed(seed)
        drawn += [torch.randn(pause.length, generator=generator) * 10 ** (pause.level / 20) for pause in own]
    _, *noises = sent(torch.cat(drawn), waveforms.device).split([len(noise) for noise in drawn])
    waiting, rows = iter(noises), []
    for row, length, own in zip(waveforms, lengths, pauses, strict=True):
        pieces, done = [], 0
        for pause in own:
            pieces += [row[done : pause.place], next(waiting)]
            done = pause.place
        rows.append([*pieces, row[done:length]])
    return joined(rows), [sum(map(len, row)) for row in rows]
