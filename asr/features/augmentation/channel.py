"""Speech that went through a narrow band or a lossy codec."""

import io
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad

from asr.features.augmentation.gain import sixteen_bits
from asr.features.augmentation.rows import column, sent, within

Kind = Literal["narrow", "telephone", "mp3", "opus"]

HIGHEST = (3300.0, 4000.0)
"""Hz: where a narrow band may end, below the Nyquist frequency of 8 kHz speech."""
TELEPHONE = (300.0, 3400.0)
"""Hz."""
SLOPE = 200.0
"""Hz in which the response goes from all to nothing."""
STEP = 4096  # samples; transforms of multiples of this length are fast

# libsndfile has no bit rates but a compression level. At 16 kHz these are, in kbit/s: MP3 20 to 60, Opus 10 to 45. An
# average rate, because only then MP3 files say how many samples their encoder put before the speech.
LEVELS = {"mp3": (0.65, 0.92), "opus": (0.85, 0.99)}
FORMATS: dict[str, dict[str, Any]] = {
    "mp3": {"format": "MP3", "subtype": "MPEG_LAYER_III", "bitrate_mode": "AVERAGE"},
    "opus": {"format": "OGG", "subtype": "OPUS"},
}


class Channel(NamedTuple):
    """A kind, and how bad it is of its kind, 0 to 1: how narrow, or how low the bit rate. With `rounded` the samples
    are rounded to 16 bits after it, as when a file of 8 kHz was converted."""

    kind: Kind
    severity: float
    rounded: bool


def transmit(
    waveforms: Tensor,
    lengths: Sequence[int],
    channels: Sequence[Channel | None],
    sample_rate: int,
    at_once: bool = False,
) -> Tensor:
    """Waveforms [B, S] of `lengths` (samples) after their channels (None: unchanged), without any delay.

    Bands filter all utterances `at_once`, as suits a GPU, or one after another: the same within 1e-5. Codecs run on the
    CPU, and only at the sample rates that they have (`asr.config.augmentation.CODEC_RATES`); for waveforms on a GPU on
    all cores, as training on the CPU needs the others.
    """
    changed = waveforms.clone()
    changing = [
        (row, length, channel)
        for row, (length, channel) in enumerate(zip(lengths, channels, strict=True))
        if channel is not None and length
    ]
    cores = 1 if waveforms.device.type == "cpu" else os.cpu_count()
    with ThreadPoolExecutor(cores) as pool:
        coded = [
            (changed[row, :length], pool.submit(_coded, waveforms[row, :length].cpu(), sample_rate, channel))
            for row, length, channel in changing
            if channel.kind in FORMATS
        ]
        bands = [each for each in changing if each[2].kind not in FORMATS]
        for group in [bands] if at_once and bands else [[each] for each in bands]:
            _filter(changed, group, sample_rate)
        for row, speech in coded:
            row.copy_(speech.result())
    return changed


def _filter(waveforms: Tensor, members: Sequence[tuple[int, int, Channel]], sample_rate: int) -> None:
    """Filters some rows of waveforms [B, S], each with its length and its channel, in place."""
    rows, lengths, channels = zip(*members, strict=True)
    device, longest = waveforms.device, max(lengths)
    lowest, highest = zip(*map(_band, channels), strict=True)
    size = -(-(longest + STEP) // STEP) * STEP
    frequency = torch.fft.rfftfreq(size, 1 / sample_rate, device=device)
    response = ((column(highest, device) - frequency) / SLOPE).clamp(0, 1)
    response *= ((frequency - column(lowest, device)) / SLOPE).clamp(0, 1)
    where = sent(torch.tensor(rows), device)
    speech = waveforms[:, :longest].index_select(0, where)
    speech = torch.fft.irfft(torch.fft.rfft(speech, size) * response, size)[:, :longest]
    rounded = column([float(channel.rounded) for channel in channels], device) > 0
    speech = torch.where(rounded, sixteen_bits(speech), speech)
    waveforms[:, :longest].index_copy_(0, where, speech.masked_fill_(~within(speech, lengths), 0.0))


def _band(channel: Channel) -> tuple[float, float]:
    """Below and above which frequencies (Hz) nothing passes."""
    low, high = TELEPHONE if channel.kind == "telephone" else (0.0, HIGHEST[1])
    if channel.kind == "narrow":
        high -= channel.severity * (HIGHEST[1] - HIGHEST[0])
    return low - SLOPE, high + SLOPE


def _coded(speech: Tensor, sample_rate: int, channel: Channel) -> Tensor:
    import soundfile

    least, most = LEVELS[channel.kind]
    file = io.BytesIO()
    level = least + (most - least) * channel.severity
    samples = speech.clamp(-1, 1).numpy()
    soundfile.write(file, samples, sample_rate, compression_level=level, **FORMATS[channel.kind])
    file.seek(0)
    decoded = torch.from_numpy(soundfile.read(file, dtype="float32")[0][: len(speech)])
    decoded = pad(decoded, (0, len(speech) - len(decoded)))
    return sixteen_bits(decoded) if channel.rounded else decoded
