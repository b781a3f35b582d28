"""Speech that went through a narrow band or a lossy codec."""

import io
import os
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from asr.features.augmentation.gain import sixteen_bits

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


def transmit(waveforms: Tensor, lengths: Sequence[int], channels: Sequence[Channel | None], sample_rate: int) -> Tensor:
    """Waveforms [B, S] of `lengths` (samples) after their channels (None: unchanged), without any delay.

    Codecs run on the CPU, and only at the sample rates that they have (`asr.config.augmentation.CODEC_RATES`); for
    waveforms on a GPU on all cores, as training on the CPU needs the others.
    """
    changed = waveforms.clone()
    cores = 1 if waveforms.device.type == "cpu" else os.cpu_count()
    coded: dict[int, Future[NDArray[np.float32]]] = {}
    with ThreadPoolExecutor(cores) as pool:
        for number, (length, channel) in enumerate(zip(lengths, channels, strict=True)):
            if channel is not None and channel.kind in FORMATS and length:
                coded[number] = pool.submit(_coded, waveforms[number, :length].cpu().numpy(), sample_rate, channel)
        for number, (row, length, channel) in enumerate(zip(changed, lengths, channels, strict=True)):
            if channel is None or length == 0:
                continue
            if number in coded:
                speech = torch.from_numpy(coded[number].result()).to(row.device)
            else:
                speech = _band(row[:length], sample_rate, channel)
            row[:length] = sixteen_bits(speech) if channel.rounded else speech
    return changed


def _band(speech: Tensor, sample_rate: int, channel: Channel) -> Tensor:
    low, high = TELEPHONE if channel.kind == "telephone" else (0.0, HIGHEST[1])
    if channel.kind == "narrow":
        high -= channel.severity * (HIGHEST[1] - HIGHEST[0])
    size = -(-(len(speech) + STEP) // STEP) * STEP
    frequency = torch.fft.rfftfreq(size, 1 / sample_rate, device=speech.device)
    response = ((high + SLOPE - frequency) / SLOPE).clamp(0, 1)
    if low:
        response *= ((frequency - (low - SLOPE)) / SLOPE).clamp(0, 1)
    return torch.fft.irfft(torch.fft.rfft(speech, size) * response, size)[: len(speech)]


def _coded(samples: NDArray[np.float32], sample_rate: int, channel: Channel) -> NDArray[np.float32]:
    import soundfile

    least, most = LEVELS[channel.kind]
    file = io.BytesIO()
    level = least + (most - least) * channel.severity
    soundfile.write(file, samples.clip(-1, 1), sample_rate, compression_level=level, **FORMATS[channel.kind])
    file.seek(0)
    decoded, _ = soundfile.read(file, dtype="float32")
    return np.asarray(np.pad(decoded, (0, max(len(samples) - len(decoded), 0)))[: len(samples)], dtype=np.float32)
