"""Speech in a room, by a synthetic response."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from asr.features.augmentation.gaussian import gaussian

STEP = 4096  # samples; transforms of multiples of this length are fast
BURST = 0.002  # seconds from the direct sound to the first reflection


class Room(NamedTuple):
    """The time in which reverberation decays by 60 dB (s), and the ratio of the direct sound's energy to its (dB)."""

    t60: float
    direct: float


def reverberate(
    waveforms: Tensor, lengths: Sequence[int], rooms: Sequence[Room | None], seeds: Sequence[int], sample_rate: int
) -> Tensor:
    """Waveforms [B, S] of `lengths` (samples) in their rooms (None: unchanged).

    The direct sound is neither delayed nor changed in level, and what rings on after an utterance's end is cut off, so
    that labels stay right. The response depends only on the room and the seed.
    """
    changed = waveforms.clone()
    generator = torch.Generator()
    for row, length, room, seed in zip(changed, lengths, rooms, seeds, strict=True):
        if room is not None:
            response = room_response(room, sample_rate, generator.manual_seed(seed), row.device)
            size = -(-(length + len(response)) // STEP) * STEP
            spectrum = torch.fft.rfft(row[:length], size) * torch.fft.rfft(response, size)
            row[:length] = torch.fft.irfft(spectrum, size)[:length]
    return changed


def room_response(room: Room, sample_rate: int, generator: torch.Generator, device: torch.device) -> Tensor:
    """Polack's model of a room [S]: a direct sound of 1 and, soon after, noise that decays exponentially (Polack 1988,
    La transmission de l'energie sonore dans les salles)."""
    time = torch.arange(1 + round(room.t60 * sample_rate), device=device) / sample_rate
    noise = gaussian(len(time), generator, device)
    tail = noise * torch.exp(-3 * math.log(10) / room.t60 * time) * (time >= BURST)
    energy = 10 ** (-room.direct / 10)
    response = tail * (energy / tail.square().sum().clamp(min=1e-20)).sqrt()
    response[0] = 1.0
    return response
