"""The front end as a graph: batches of samples to static features, as `asr.features.frontend` computes them."""

import numpy as np
import torch
from torch import Tensor, nn

from asr.config import FeaturesConfig
from asr.features import mel
from asr.features.framing import FLOOR, FULL_SCALE
from asr.features.waveform import cut_into_frames


def front_end_graph(config: FeaturesConfig) -> nn.Module:
    """Waveforms [B, S] of `lengths` [B] samples -> static features [B, T, static_dim] and their frames [B]."""
    return WaveformGraph(config) if config.type == "waveform" else FrontEndGraph(config)


class WaveformGraph(nn.Module):
    """Waveforms [B, S] of `lengths` [B] samples -> features [B, T, static_dim], as `asr.features.waveform` cuts them,
    and their frames [B]."""

    def __init__(self, config: FeaturesConfig) -> None:
        super().__init__()
        self.shift = mel.shift_samples(config)

    def forward(self, waveforms: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        counts = lengths // self.shift
        return cut_into_frames(waveforms, counts, self.shift), counts


class FrontEndGraph(nn.Module):
    """Waveforms [B, S] of `lengths` [B] samples -> static features [B, T, static_dim] and their frames [B].

    Windows are rounded as in the front end; from the Fourier transform (a product with a matrix) to the logarithm all
    is in double precision, as the front end is where rounding would show.
    """

    def __init__(self, config: FeaturesConfig) -> None:
        super().__init__()
        self.config = config
        self.length, self.shift = mel.window_samples(config), mel.shift_samples(config)
        cosines, sines = _fourier(self.length, mel.fft_size(config))
        self._constant("window", (mel.window(config.window, self.length) * FULL_SCALE).astype(np.float32))
        self._constant("cosines", cosines)
        self._constant("sines", sines)
        self._constant("filters", mel.mel_filters(config))
        if config.type == "mfcc":
            self._constant("transform", mel.cepstral_transform(config))

    window: Tensor
    """[length of a frame]"""
    cosines: Tensor
    sines: Tensor
    """Both [length of a frame, fft_size / 2 + 1]"""
    filters: Tensor
    """[fft_size / 2 + 1, bins]"""
    transform: Tensor
    """[bins, cepstra]"""

    def _constant(self, name: str, values: np.ndarray) -> None:
        self.register_buffer(name, torch.from_numpy(values))

    def forward(self, waveforms: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        config = self.config
        frames = self._frames(waveforms, lengths)
        if config.remove_dc_offset:
            frames = frames - frames.mean(dim=2, keepdim=True)
        before = torch.cat([frames[:, :, :1], frames[:, :, :-1]], dim=2)
        windowed = ((frames - before * config.preemphasis) * self.window).double()
        power = (windowed @ self.cosines).square() + (windowed @ self.sines).square()
        features = (power @ self.filters).clamp(min=FLOOR).log()
        if config.type == "mfcc":
            features = features @ self.transform
        if config.energy:
            energy = (frames.double().square().sum(dim=2, keepdim=True) * FULL_SCALE**2).clamp(min=FLOOR).log()
            features = torch.cat([energy, features if config.type == "fbank" else features[:, :, 1:]], dim=2)
        return features.float(), self._counts(lengths)

    def _counts(self, lengths: Tensor) -> Tensor:
        """The number of frames of each waveform, as `mel.frame_count`."""
        if not self.config.snip_edges:
            return (lengths + self.shift // 2) // self.shift
        return torch.where(lengths < self.length, 0, 1 + (lengths - self.length) // self.shift)

    def _frames(self, waveforms: Tensor, lengths: Tensor) -> Tensor:
        """[B, S] -> [B, T, length]; frames beyond a waveform's own have any values."""
        samples = waveforms.shape[1]
        if self.config.snip_edges:
            count = 1 + (samples - self.length) // self.shift
            return waveforms[:, self._index(count)]
        count = (samples + self.shift // 2) // self.shift
        index = self._index(count) + (self.shift // 2 - self.length // 2)
        # Mirrored repeatedly, a waveform is periodic: forwards, then backwards.
        period = 2 * lengths[:, None]
        index = index.flatten()[None] % period
        mirrored = waveforms.gather(1, torch.minimum(index, period - 1 - index))
        return mirrored.unflatten(1, (count, self.length))

    def _index(self, count: int) -> Tensor:
        """The samples [count, length] of each frame."""
        return torch.arange(count)[:, None] * self.shift + torch.arange(self.length)


def _fourier(length: int, size: int) -> tuple[mel.Table, mel.Table]:
    """The real and the imaginary part of the Fourier transform of `length` samples padded to `size`: both [length, size
    / 2 + 1]."""
    turns = np.outer(np.arange(length), np.arange(size // 2 + 1)) % size
    angles = 2 * np.pi / size * turns
    return np.cos(angles), np.sin(angles)
