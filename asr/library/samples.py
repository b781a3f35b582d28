"""Samples as people have them (NumPy arrays, PyTorch tensors), as a waveform at a model's rate."""

from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from asr.audio.opening import HIGHEST_RATE, LOWEST_RATE
from asr.audio.reading import resampled
from asr.audio.waveform import Waveform
from asr.errors import InputError


@runtime_checkable
class ArrayLike(Protocol):
    """A NumPy array, a PyTorch tensor, or anything else that becomes an array."""

    def __array__(self, *arguments: Any, **options: Any) -> npt.NDArray[Any]: ...


def to_waveform(samples: ArrayLike, rate: int | None, sample_rate: int) -> Waveform:
    """One channel of samples [S], [1, S] or [S, 1] at `rate` Hz -> float32 samples [S] at `sample_rate` Hz.

    Floating-point samples have a full scale of 1; integers are scaled by that of their type. Raises InputError for a
    missing or impossible rate, for several channels, and for samples that are not finite numbers.

    >>> to_waveform(np.array([0, 16384, -32768], np.int16), 16000, 16000)
    array([ 0. ,  0.5, -1. ], dtype=float32)
    """
    if rate is None:
        raise InputError(f"sample_rate is missing; give the rate of the samples in Hz, such as {sample_rate}")
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise InputError(f"sample_rate {rate} is not between {LOWEST_RATE} and {HIGHEST_RATE} Hz")
    waveform = _scaled(_one_channel(_as_array(samples)))
    if not np.isfinite(waveform).all():
        raise InputError("the samples have values that are not finite numbers (NaN or infinity)")
    return np.concatenate(list(resampled([waveform], rate, sample_rate)))


def _as_array(samples: Any) -> npt.NDArray[Any]:
    if hasattr(samples, "detach"):  # a tensor, on any device and with any gradient
        samples = samples.detach().cpu()
        return np.asarray(samples.float() if samples.is_floating_point() else samples)
    return np.asarray(samples)


def _one_channel(samples: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if samples.ndim == 2 and 1 in samples.shape:
        samples = samples.reshape(-1)
    if samples.ndim != 1:
        raise InputError(f"samples of shape {samples.shape}: give one channel, such as the mean of all")
    return samples


def _scaled(samples: npt.NDArray[Any]) -> Waveform:
    kind = samples.dtype
    if kind == np.uint8:  # as in WAV files, where silence is 128
        return np.asarray((samples.astype(np.float32) - 128) / 128, np.float32)
    if np.issubdtype(kind, np.signedinteger):
        return np.asarray(samples / -float(np.iinfo(kind).min), np.float32)
    if np.issubdtype(kind, np.floating):
        return np.ascontiguousarray(samples, np.float32)
    raise InputError(f"samples of type {kind}: give floating-point numbers, or integers of 16 or 32 bits")
