"""Kaldi's log-mel filterbanks and MFCC, computed in batches by PyTorch on a CPU or a GPU."""

import copy
import threading
from typing import Protocol

import torch
from torch import Tensor

from asr.config import FeaturesConfig
from asr.errors import InputError
from asr.features import mel
from asr.features.framing import FLOOR, FULL_SCALE, mirrored
from asr.features.waveform import WaveformFrames

# A mel energy below this share of its frame's largest shows the rounding of a single-precision transform. Measured on
# 75,000 frames of speech, of which 2 % and 4 % have such an energy: above it, log energies of 23 to 80 bins are off by
# at most 8e-4 and cepstra by 7e-4.
QUIET = {"fbank": 2e-8, "mfcc": 1e-7}
# Frames computed at a time: few enough for a CPU's cache, or for a GPU's memory.
CPU_FRAMES = 512
GPU_FRAMES = 1 << 16
FEWEST_FRAMES = 256  # on a GPU


class StaticFeatures(Protocol):
    """A front end of either backend: waveforms to static features."""

    config: FeaturesConfig

    def frame_count(self, samples: int) -> int:
        """Number of frames of a waveform of `samples` samples."""

    def __call__(self, waveforms: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Waveforms [B, S] in [-1, 1] of `lengths` [B] samples -> features [B, T, static_dim] and their lengths [B]."""


def build_front_end(config: FeaturesConfig, device: torch.device | str = "cpu") -> StaticFeatures:
    """The front end of the backend in the settings.

    Raises InputError when settings contradict each other, or for librosa's when it is not installed.

    >>> front_end = build_front_end(FeaturesConfig(type="fbank", bins=40))
    >>> features, lengths = front_end(torch.zeros(1, 16000), torch.tensor([16000]))
    >>> features.shape, lengths
    (torch.Size([1, 98, 40]), tensor([98]))
    """
    if config.type == "waveform":
        return WaveformFrames(config, device)
    if config.backend == "librosa":
        try:
            from asr.features.librosa_backend import LibrosaFrontEnd
        except ModuleNotFoundError as error:
            raise InputError('features.backend: librosa is not installed: pip install "asr-phones[librosa]"') from error
        return LibrosaFrontEnd(config, device)
    return FrontEnd(config, device)


class FrontEnd:
    """Waveforms to static features, equal to Kaldi's (kaldi_native_fbank's) within 1e-3 where dither is 0.

    Dither is drawn for each sample, again from `seed` for each waveform, so that features never depend on the batch.
    `at_once` computes all frames of a batch together, as suits a GPU, in double precision where rounding matters.
    """

    def __init__(self, config: FeaturesConfig, device: torch.device | str = "cpu", seed: int = 0) -> None:
        """Raises InputError when the settings contradict each other (see `asr.features.mel`)."""
        self.config = config
        self.device = torch.device(device)
        self.seed = seed
        self.length = mel.window_samples(config)
        self.shift = mel.shift_samples(config)
        self.size = mel.fft_size(config)
        self.at_once = self.device.type != "cpu"
        self._buffers = _Buffers()
        self._window = self._table(mel.window(config.window, self.length) * FULL_SCALE, torch.float32)
        self._set_filters(1.0)
        # Double precision on a GPU: rounding of matrix products to TF32, where it is on, would show in the cepstra.
        precise = torch.float64 if self.at_once else torch.float32
        self._cepstra = self._table(mel.cepstral_transform(config), precise) if config.type == "mfcc" else None

    def _set_filters(self, warp: float) -> None:
        bands = mel.mel_bands(self.config, warp)
        self._bands = [(rows, columns, self._table(filters, torch.float32)) for rows, columns, filters in bands]
        self._exact_filters = self._table(mel.mel_filters(self.config, warp), torch.float64)

    def warped(self, warp: float) -> "FrontEnd":
        """This front end with its mel filters warped (see `mel.warped`). Raises InputError when one has no FFT bin."""
        other = copy.copy(self)
        other._set_filters(warp)
        return other

    def _table(self, values: mel.Table, dtype: torch.dtype) -> Tensor:
        return torch.from_numpy(values).to(self.device, dtype)

    def frame_count(self, samples: int) -> int:
        """Number of frames of a waveform of `samples` samples."""
        return mel.frame_count(samples, self.length, self.shift, self.config.snip_edges)

    @torch.no_grad()
    def __call__(self, waveforms: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Waveforms [B, S] in [-1, 1] of `lengths` [B] samples -> features [B, T, static_dim] and lengths [B] (frames).

        Rows are zero after their length. With snip_edges, a waveform that is shorter than one window has no frame.
        """
        samples = lengths.tolist()
        counts = [self.frame_count(count) for count in samples]
        features = torch.zeros(len(counts), max(counts, default=0), self.config.static_dim, device=self.device)
        if features.numel() > 0:
            waveforms = waveforms.to(self.device, torch.float32)
            if self.config.dither > 0:
                waveforms = self._dithered(waveforms, samples)
            if not self.config.snip_edges:
                rows = zip(waveforms, samples, counts, strict=True)
                edged = [mirrored(row[:length], self.length, self.shift, count) for row, length, count in rows]
                waveforms = torch.nn.utils.rnn.pad_sequence(edged, batch_first=True)
            # Only here, so that the features can still be the input of a computation with gradients.
            with torch.inference_mode():
                self._fill(features, waveforms, counts)
        return features, torch.tensor(counts)

    def _dithered(self, waveforms: Tensor, samples: list[int]) -> Tensor:
        waveforms = waveforms.clone()
        generator = torch.Generator(self.device)
        for row, length in zip(waveforms, samples, strict=True):
            noise = torch.randn(length, generator=generator.manual_seed(self.seed), device=self.device)
            row[:length] += noise * (self.config.dither / FULL_SCALE)
        return waveforms

    def _fill(self, features: Tensor, waveforms: Tensor, counts: list[int]) -> None:
        """Computes each waveform's frames into its row of `features`: row by row on a CPU, all at once on a GPU."""
        frames = waveforms.unfold(1, self.length, self.shift)
        if self.at_once:
            inside = torch.arange(features.shape[1])[None] < torch.tensor(counts)[:, None]
            for piece in inside.nonzero().split(GPU_FRAMES):
                row, frame = of_few_sizes(piece).to(self.device).unbind(1)
                features[row, frame] = self._compute(frames[row, frame])
            return
        for windows, out, count in zip(frames, features, counts, strict=True):
            pieces = -(-count // CPU_FRAMES)
            for number in range(pieces):
                start, end = number * count // pieces, (number + 1) * count // pieces
                out[start:end] = self._compute(windows[start:end])

    def _compute(self, frames: Tensor) -> Tensor:
        """Frames [N, length] -> features [N, static_dim]."""
        config = self.config
        if config.remove_dc_offset:
            centred = self._buffer("centred", len(frames), self.length)
            frames = torch.sub(frames, frames.mean(dim=1, keepdim=True), out=centred)
        features = self._mel_energies(self._windowed(frames)).clamp_(min=FLOOR).log_()
        if self._cepstra is not None:
            features = torch.mm(features.to(self._cepstra.dtype), self._cepstra).float()
        if config.energy:
            energy = (frames.square().sum(dim=1, keepdim=True) * FULL_SCALE**2).clamp_(min=FLOOR).log_()
            features = torch.cat([energy, features if config.type == "fbank" else features[:, 1:]], dim=1)
        return features

    def _windowed(self, frames: Tensor) -> Tensor:
        """Pre-emphasis (The HTK Book, 2006, chapter 5), window, padding: [N, length] -> [N, size], in the 16-bit range.

        Each product and difference is rounded separately, as in Kaldi (and not in a fused multiply-add): the energy of
        a quiet band next to a loud one contains this rounding, and the cepstra show it.
        """
        padded = self._buffer("padded", len(frames), self.size)
        windowed = padded[:, : self.length]
        torch.mul(frames[:, :-1], self.config.preemphasis, out=windowed[:, 1:])
        torch.mul(frames[:, 0], self.config.preemphasis, out=windowed[:, 0])
        torch.sub(frames, windowed, out=windowed)
        windowed *= self._window
        return padded

    def _mel_energies(self, padded: Tensor) -> Tensor:
        """[N, size] -> [N, bins]; a frame so quiet in a band that rounding shows is recomputed in double precision."""
        if self.at_once:
            return torch.mm(_power(padded.double()), self._exact_filters).float()
        power = _power(padded, self._buffer("power", len(padded), self.size // 2 + 1))
        energies = self._filtered(power, self._buffer("energies", len(padded), self.config.bins))
        least, most = energies.aminmax(dim=1)
        quiet = (least < QUIET[self.config.type] * most).nonzero()[:, 0]
        if len(quiet) > 0:
            power = _power(padded[quiet].double()).float()
            energies[quiet] = self._filtered(power, torch.empty(len(quiet), self.config.bins))
        return energies

    def _filtered(self, power: Tensor, out: Tensor) -> Tensor:
        """Power spectra [N, size / 2 + 1] -> mel energies [N, bins]."""
        for rows, columns, filters in self._bands:
            torch.mm(power[:, rows], filters, out=out[:, columns])
        return out

    def _buffer(self, name: str, rows: int, columns: int) -> Tensor:
        """Memory [rows, columns] that this thread keeps between calls, zero at first; fresh memory costs more than the
        arithmetic, as the system clears it page by page."""
        buffer = self._buffers.tensors.get(name)
        if buffer is None or len(buffer) < rows:
            buffer = self._buffers.tensors[name] = torch.zeros(rows, columns, device=self.device)
        return buffer[:rows]


def of_few_sizes(places: Tensor) -> Tensor:
    """Places [N, 2], of which the last is repeated up to one of sixteen sizes between two powers of two.

    cuFFT plans each new number of transforms.
    """
    size = max(len(places), FEWEST_FRAMES)
    unit = (1 << (size - 1).bit_length()) // 32
    return torch.cat([places, places[-1:].expand(-(-size // unit) * unit - len(places), -1)])


class _Buffers(threading.local):
    def __init__(self) -> None:
        self.tensors: dict[str, Tensor] = {}


def _power(frames: Tensor, out: Tensor | None = None) -> Tensor:
    """Power spectrum of real frames: [N, size] -> [N, size / 2 + 1]."""
    squares = torch.view_as_real(torch.fft.rfft(frames)).square_()
    return torch.add(squares[..., 0], squares[..., 1], out=out)
