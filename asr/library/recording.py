"""A recording as the library is given one: a file, or samples in memory."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from asr.audio import read_blocks
from asr.audio.waveform import Waveform
from asr.errors import InputError
from asr.features.pieces import WHOLE
from asr.library.samples import ArrayLike, to_waveform
from asr.library.spectrogram import Picture, spectrogram

Audio = str | Path | ArrayLike
"""A file, or one channel of samples (a NumPy array or a PyTorch tensor)."""

UNNAMED = "audio"
"""The utterance of samples that came without a file."""


@dataclass(frozen=True)
class Recording:
    """Where a recording's samples come from."""

    utterance: str
    audio: str | None
    """The file; None for samples in memory."""
    blocks: Callable[[], Iterator[Waveform]]
    """Gives the samples at the model's rate in blocks of WHOLE seconds, as often as it is called."""
    picture: Picture | None
    """The spectrogram of samples in memory."""

    def waveform(self) -> Waveform:
        """All samples [S]."""
        return np.concatenate(list(self.blocks()))


def require_recording(audio: object, name: str) -> None:
    """Raises TypeError, with what errors call it, for what is neither a path nor samples."""
    if not isinstance(audio, str | Path | ArrayLike):
        raise TypeError(f"{name} is a path, or samples as a NumPy array or a tensor, not {type(audio).__name__}")


def open_recording(audio: Audio, rate: int | None, sample_rate: int) -> Recording:
    """A recording whose samples are at `rate` Hz, which a file itself says, for a model of `sample_rate` Hz.

    Raises InputError for samples that `to_waveform` refuses, and TypeError for what is neither a path nor samples;
    files are only read by `blocks`.
    """
    if isinstance(audio, str | Path):
        if rate is not None:
            raise InputError("sample_rate is for samples in memory; a file has its own", audio)
        return Recording(Path(audio).stem, str(audio), lambda: read_blocks(audio, sample_rate, WHOLE), None)
    require_recording(audio, "a recording")
    waveform, length = to_waveform(audio, rate, sample_rate), round(WHOLE * sample_rate)

    def blocks() -> Iterator[Waveform]:
        return (waveform[start : start + length] for start in range(0, max(len(waveform), 1), length))

    return Recording(UNNAMED, None, blocks, spectrogram(waveform, sample_rate))
