"""Noise, babble, rooms and levels for all utterances of a batch at once: the same within rounding as one after another.

For a GPU, where launching a kernel takes longer than what it does for one utterance. Random numbers are drawn on the
CPU, so that they are the same; nothing is read from the device. On a CPU one utterance after another is faster.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from asr.features.augmentation.gain import sixteen_bits
from asr.features.augmentation.gaussian import gaussian
from asr.features.augmentation.noise import STEP, Color, Voice, shaped_pink
from asr.features.augmentation.reverberation import BURST, Room
from asr.features.augmentation.reverberation import STEP as ROOM_STEP
from asr.features.augmentation.rows import column, sent, within
from asr.features.framing import FULL_SCALE


def add_noise(
    waveforms: Tensor,
    lengths: Sequence[int],
    snrs: Sequence[float | None],
    seeds: Sequence[int],
    colors: Sequence[Color],
) -> Tensor:
    """As `noise.add_noise`; the kernels are those of one utterance, but for pink noise, which is shaped for each number
    of STEPs."""
    pink = [snr is not None and own == "pink" for snr, own in zip(snrs, colors, strict=True)]
    samples = [
        0 if snr is None else -(-length // STEP) * STEP if shaped else length
        for length, snr, shaped in zip(lengths, snrs, pink, strict=True)
    ]
    noise = _gaussians(samples, seeds, max(*samples, waveforms.shape[1]), waveforms.device)
    for size in sorted({each for each, shaped in zip(samples, pink, strict=True) if shaped}):
        rows = [row for row, (each, shaped) in enumerate(zip(samples, pink, strict=True)) if shaped and each == size]
        where = sent(torch.tensor(rows), noise.device)
        noise[:, :size].index_copy_(0, where, shaped_pink(noise[:, :size].index_select(0, where)))
    return _mixed(waveforms, noise[:, : waveforms.shape[1]], lengths, snrs)


def add_babble(
    waveforms: Tensor, lengths: Sequence[int], snrs: Sequence[float | None], voices: Sequence[Sequence[Voice]]
) -> Tensor:
    """As `noise.add_babble`."""
    babble = torch.zeros_like(waveforms)
    for turn in range(max(map(len, voices), default=0)):
        babble += _voice([each[turn] if turn < len(each) else None for each in voices], waveforms, lengths)
    return _mixed(waveforms, babble, lengths, snrs)


def _voice(voices: Sequence[Voice | None], waveforms: Tensor, lengths: Sequence[int]) -> Tensor:
    """A voice [B, S] of variance 1 for each utterance; zeros for None."""
    device, chosen = waveforms.device, [voice for voice in voices if voice is not None]
    counts = torch.tensor([0 if voice is None else len(voice.samples) for voice in voices])
    firsts = torch.tensor([0 if voice is None else voice.first for voice in voices])
    places = torch.stack([(counts.cumsum(0) - counts).clamp(max=int(counts.sum()) - 1), firsts, counts.clamp(min=1)])
    starts, firsts, sizes = sent(places, device)[..., None]
    frames = torch.arange(waveforms.shape[1], device=device)
    samples = torch.cat([voice.samples for voice in chosen])[starts + (firsts + frames) % sizes].float() / FULL_SCALE
    there = column([0.0 if voice is None else 1.0 for voice in voices], device)
    return samples * there / (_power(samples, within(waveforms, lengths)).sqrt() + 1e-9)


def reverberate(
    waveforms: Tensor, lengths: Sequence[int], rooms: Sequence[Room | None], seeds: Sequence[int], sample_rate: int
) -> Tensor:
    """As `reverberation.reverberate`."""
    samples = [0 if room is None else 1 + round(room.t60 * sample_rate) for room in rooms]
    if not any(samples):
        return waveforms
    device = waveforms.device
    noise = _gaussians(samples, seeds, max(samples), device)
    decay = column([0.0 if room is None else -3 * math.log(10) / room.t60 for room in rooms], device)
    energy = column([0.0 if room is None else 10 ** (-room.direct / 10) for room in rooms], device)
    time = torch.arange(max(samples), device=device) / sample_rate
    tail = noise * torch.exp(decay * time) * (time >= BURST)
    responses = tail * (energy / tail.square().sum(1, keepdim=True).clamp(min=1e-20)).sqrt()
    responses[:, 0] = 1.0  # and nothing else where there is no room
    size = -(-(waveforms.shape[1] + max(samples)) // ROOM_STEP) * ROOM_STEP
    inside = within(waveforms, lengths)
    spectrum = torch.fft.rfft(waveforms * inside, size) * torch.fft.rfft(responses, size)
    there = column([float(each > 0) for each in samples], device) > 0
    return torch.where(inside & there, torch.fft.irfft(spectrum, size)[:, : waveforms.shape[1]], waveforms)


def change_level(
    waveforms: Tensor, lengths: Sequence[int], gains: Sequence[float | None], peaks: Sequence[float | None]
) -> Tensor:
    """As `gain.change_level`."""
    device, inside = waveforms.device, within(waveforms, lengths)
    both = list(zip(gains, peaks, strict=True))
    factor = column([1.0 if gain is None else 10 ** (gain / 20) for gain, _ in both], device)
    wanted = column([math.nan if peak is None else 10 ** (peak / 20) for _, peak in both], device)
    highest = (waveforms * inside).abs().amax(1, keepdim=True).clamp(min=1 / FULL_SCALE)
    louder = sixteen_bits(waveforms * torch.where(wanted.isnan(), factor, wanted / highest))
    there = column([float(gain is not None or peak is not None) for gain, peak in both], device) > 0
    return torch.where(inside & there, louder, waveforms)


def _mixed(waveforms: Tensor, noise: Tensor, lengths: Sequence[int], snrs: Sequence[float | None]) -> Tensor:
    inside = within(waveforms, lengths)
    noise = noise * inside
    ratio = column([0.0 if snr is None else 10 ** (-snr / 10) for snr in snrs], waveforms.device)
    level = noise.square().sum(1, keepdim=True) / _counts(inside)
    return waveforms + noise * (_power(waveforms, inside) / level.clamp(min=1e-20) * ratio).sqrt()


def _power(samples: Tensor, inside: Tensor) -> Tensor:
    """The variance [B, 1] of each row inside of it."""
    mean = (samples * inside).sum(1, keepdim=True) / _counts(inside)
    return ((samples - mean) * inside).square().sum(1, keepdim=True) / _counts(inside)


def _counts(inside: Tensor) -> Tensor:
    return inside.sum(1, keepdim=True).clamp(min=1)


def _gaussians(samples: Sequence[int], seeds: Sequence[int], width: int, device: torch.device) -> Tensor:
    """Noise [B, width] of so many samples, zero after them, each of its own seed."""
    noise, generator = torch.zeros(len(samples), width), torch.Generator()
    for row, count, seed in zip(noise, samples, seeds, strict=True):
        if count:
            row[:count] = gaussian(count, generator.manual_seed(seed), row.device)
    return sent(noise, device)
