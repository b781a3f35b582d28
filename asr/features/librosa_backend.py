"""The same features from librosa, to compare results with the many programs that use it.

Frames, their number, window, mel filters' edges and floor are ours. The rest is librosa's: pre-emphasis and DC removal
act on the whole waveform, and the mel filters are triangles in Hz, where Kaldi's are triangles in mel.
"""

import librosa
import numpy as np
import torch
from librosa.effects import preemphasis
from numpy.typing import NDArray
from torch import Tensor

from asr.config import FeaturesConfig
from asr.features import mel
from asr.features.framing import FLOOR, FULL_SCALE, mirrored


class LibrosaFrontEnd:
    """Waveforms to static features, on the CPU whatever the device; results go to `device`."""

    def __init__(self, config: FeaturesConfig, device: torch.device | str = "cpu", seed: int = 0) -> None:
        """Raises InputError when the settings contradict each other (see `asr.features.mel`)."""
        mel.mel_filters(config)  # for its checks
        self.config = config
        self.device = torch.device(device)
        self.seed = seed
        self.length, self.shift, self.size = mel.window_samples(config), mel.shift_samples(config), mel.fft_size(config)

    def frame_count(self, samples: int) -> int:
        """Number of frames of a waveform of `samples` samples."""
        return mel.frame_count(samples, self.length, self.shift, self.config.snip_edges)

    def __call__(self, waveforms: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Waveforms [B, S] of `lengths` [B] samples -> features [B, T, static_dim] and their lengths [B] (frames)."""
        samples = lengths.tolist()
        counts = [self.frame_count(count) for count in samples]
        features = torch.zeros(len(counts), max(counts, default=0), self.config.static_dim)
        for row, length, count in zip(range(len(counts)), samples, counts, strict=True):
            if count > 0:
                waveform = waveforms[row, :length].cpu().numpy().astype(np.float32)
                features[row, :count] = torch.from_numpy(self._features(waveform, count))
        return features.to(self.device), torch.tensor(counts)

    def _features(self, waveform: NDArray[np.float32], count: int) -> NDArray[np.float32]:
        """[S] -> [T, static_dim]"""
        config = self.config
        waveform = waveform * np.float32(FULL_SCALE)
        if config.dither > 0:
            noise = np.random.default_rng(self.seed).standard_normal(len(waveform), dtype=np.float32)
            waveform += noise * np.float32(config.dither)
        if config.remove_dc_offset:
            waveform -= waveform.mean()
        if not config.snip_edges:
            waveform = mirrored(torch.from_numpy(waveform), self.length, self.shift, count).numpy()
        logarithms = self._log_mel(waveform)
        if config.type == "mfcc":
            cepstra = librosa.feature.mfcc(S=logarithms, n_mfcc=config.cepstra, dct_type=2, norm="ortho")
            features = cepstra.T * mel.lifter(config)
        else:
            features = logarithms.T
        if config.energy:
            frames = librosa.util.frame(waveform, frame_length=self.length, hop_length=self.shift, axis=0)
            energy = np.log(np.maximum((frames**2).sum(axis=1, keepdims=True), FLOOR))
            features = np.concatenate([energy, features if config.type == "fbank" else features[:, 1:]], axis=1)
        return np.asarray(features[:count], dtype=np.float32)

    def _log_mel(self, waveform: NDArray[np.float32]) -> NDArray[np.float32]:
        """[S] -> [bins, T]"""
        config = self.config
        if config.preemphasis > 0:
            waveform = preemphasis(waveform, coef=config.preemphasis)
        # librosa centres the window in the FFT's samples: with this margin, frame t still begins at sample t * shift.
        margin = self.size - self.length
        energies = librosa.feature.melspectrogram(
            y=np.pad(waveform, (margin // 2, margin - margin // 2)),
            sr=config.sample_rate,
            n_fft=self.size,
            hop_length=self.shift,
            win_length=self.length,
            window=mel.window(config.window, self.length),
            center=False,
            power=2.0,
            n_mels=config.bins,
            fmin=config.low_frequency,
            fmax=config.high_frequency + (config.sample_rate / 2 if config.high_frequency <= 0 else 0),
            htk=True,
            norm=None,
        )
        return np.asarray(np.log(np.maximum(energies, FLOOR)))
