"""Reads any audio file that libsndfile supports, as mono float samples at a given rate."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from asr.audio_headers import check_complete
from asr.errors import InputError

if TYPE_CHECKING:
    import soundfile

LOWEST_RATE, HIGHEST_RATE = 1000, 768_000
"""Hz; a header with another rate is damaged."""

LOUDEST = 2.0**31
"""Full scale is 1, but some programs write floating-point samples in the range of 32-bit integers."""

UNKNOWN_LENGTH = 2**62
"""Samples; libsndfile reports more where the header has no length, as in a FLAC file that was written to a pipe."""

BLOCK = 1 << 20


def audio_info(path: Path | str) -> tuple[int, int]:
    """Sample rate in Hz and samples per channel, from the header and the file's size.

    A file whose header has no length is decoded. Raises InputError as `read_audio` does, except for errors that only
    the samples show.
    """
    path = Path(path)
    with _open(path) as file:
        return file.samplerate, file.frames if file.frames < UNKNOWN_LENGTH else len(_read_to_end(path))


def read_audio(
    path: Path | str, sample_rate: int, start: float = 0.0, duration: float | None = None
) -> NDArray[np.float32]:
    """Samples [S] in [-1, 1], float32, channels averaged, resampled (soxr, high quality) to `sample_rate` Hz.

    `start` and `duration` (seconds) select a part of the file; None reads to its end. Raises InputError when the file
    is missing, a folder, empty, not audio, truncated, without samples, of an impossible rate, or has samples that are
    not audio (not finite, or far above full scale); and when the part extends past the file's end.
    """
    path = Path(path)
    with _open(path) as file:
        rate, whole = file.samplerate, None if file.frames < UNKNOWN_LENGTH else _read_to_end(path)
        length = file.frames if whole is None else len(whole)
        first = round(start * rate)
        count = length - first if duration is None else round(duration * rate)
        if first < 0 or count <= 0 or first + count > length:
            raise InputError(
                f"has {length / rate:.3f} s of audio, but {start:.3f} s + {count / rate:.3f} s were requested; "
                "the manifest does not match the file: rerun asr prepare",
                path,
            )
        samples = _read(file, path, first, count) if whole is None else whole[first : first + count]
    return samples if rate == sample_rate else resampled(samples, rate, sample_rate)


def _open(path: Path) -> "soundfile.SoundFile":
    import soundfile

    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise InputError("is a folder, not an audio file", path)
        if not stat.S_ISREG(status.st_mode):
            raise InputError("is a pipe or a device, not an audio file; save the audio in a file first", path)
        if status.st_size == 0:
            raise InputError("is an empty file; copy it again from its source", path)
        check_complete(path)
        file = soundfile.SoundFile(os.fsencode(path))  # soundfile cannot encode names that are not UTF-8
    except FileNotFoundError as error:
        link = "is a link to a file that does not exist" if path.is_symlink() else "no such audio file; check the path"
        raise InputError(link, path) from error
    except OSError as error:
        raise InputError(f"cannot read: {error.strerror}", path) from error
    except soundfile.LibsndfileError as error:
        reason = str(error.error_string).rstrip(".")
        raise InputError(
            f"not an audio file that can be read ({reason}); expected WAV, FLAC, Ogg, MP3 or NIST SPHERE", path
        ) from error
    if not LOWEST_RATE <= file.samplerate <= HIGHEST_RATE:
        file.close()
        raise InputError(f"has a sample rate of {file.samplerate} Hz in its header; re-export the file", path)
    if file.frames <= 0:
        file.close()
        raise InputError("has no audio samples; record or copy it again", path)
    return file


def _read(file: "soundfile.SoundFile", path: Path, first: int, count: int) -> NDArray[np.float32]:
    with _errors_named(path):
        if first:
            file.seek(first)
        samples: NDArray[Any] = file.read(count, dtype="float32")
    if len(samples) < count:
        raise InputError(f"is truncated: {len(samples)} of {count} samples are present; copy it again", path)
    return _mono(samples, path)


def _read_to_end(path: Path) -> NDArray[np.float32]:
    """All samples of a file whose header has no length."""
    import soundfile

    class Stream(soundfile.SoundFile):
        def seekable(self) -> bool:  # or soundfile seeks to the end after the last block, which fails
            return False

    with _errors_named(path), Stream(os.fsencode(path)) as file:
        blocks = []
        while len(block := file.read(BLOCK, dtype="float32")):
            blocks.append(_mono(block, path))
        if not blocks:
            raise InputError("has no audio samples; record or copy it again", path)
        return np.concatenate(blocks)


@contextmanager
def _errors_named(path: Path) -> Iterator[None]:
    import soundfile

    try:
        yield
    except soundfile.LibsndfileError as error:
        raise InputError(f"broken audio ({error.error_string}); copy it again from its source", path) from error
    except MemoryError as error:
        raise InputError("does not fit in memory; split it into parts", path) from error


def _mono(samples: NDArray[np.float32], path: Path) -> NDArray[np.float32]:
    """The mean of the channels. Raises InputError for samples that are not audio."""
    low, high = samples.min(), samples.max()  # NaN if a sample is
    if not (low >= -LOUDEST and high <= LOUDEST):
        worst = low if not low >= -LOUDEST else high
        raise InputError(f"has samples that are not audio: {worst:g} where full scale is 1; re-export the file", path)
    return samples if samples.ndim == 1 else samples.mean(axis=1, dtype=np.float32)


def resampled(samples: NDArray[np.float32], rate: int, sample_rate: int) -> NDArray[np.float32]:
    """Samples [S] at `rate` Hz -> samples [S'] at `sample_rate` Hz."""
    import soxr

    return np.asarray(soxr.resample(samples, rate, sample_rate, quality="HQ"), dtype=np.float32)
