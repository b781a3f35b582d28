"""Reads any audio file that libsndfile supports, as mono float samples at a given rate."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from asr.errors import InputError

if TYPE_CHECKING:
    import soundfile

# A writer that cannot seek back (a pipe) leaves a size of at least this in a RIFF header: the length is then unknown.
UNKNOWN_RIFF_SIZE = 0x7FFFF000
SPHERE_HEADER = 1024  # bytes
MAX_OGG_PAGE = 65307  # bytes


def audio_info(path: Path | str) -> tuple[int, int]:
    """Sample rate in Hz and samples per channel, from the header and the file's size.

    Raises InputError as `read_audio` does, except for errors that only the samples show.
    """
    path = Path(path)
    with _open(path) as file:
        return file.samplerate, file.frames


def read_audio(
    path: Path | str, sample_rate: int, start: float = 0.0, duration: float | None = None
) -> NDArray[np.float32]:
    """Samples [S] in [-1, 1], float32, channels averaged, resampled (soxr, high quality) to `sample_rate` Hz.

    `start` and `duration` (seconds) select a part of the file; None reads to its end. Raises InputError when the file
    is missing, a folder, empty, not audio, truncated, without samples, or has samples that are not finite numbers; and
    when the part extends past the file's end.
    """
    path = Path(path)
    with _open(path) as file:
        first = round(start * file.samplerate)
        count = file.frames - first if duration is None else round(duration * file.samplerate)
        if first < 0 or count <= 0 or first + count > file.frames:
            length = file.frames / file.samplerate
            raise InputError(
                f"has {length:.3f} s of audio, but {start:.3f} s + {count / file.samplerate:.3f} s were requested; "
                "the manifest does not match the file: rerun asr prepare",
                path,
            )
        samples, rate = _read(file, path, first, count), file.samplerate
    # The sum is finite exactly when all samples are, short of an overflow that audio never reaches.
    if not np.isfinite(samples.sum(dtype=np.float64)):
        raise InputError("has samples that are not finite numbers (NaN or infinity); re-export the file", path)
    return samples if rate == sample_rate else _resample(samples, rate, sample_rate)


def _open(path: Path) -> "soundfile.SoundFile":
    import soundfile

    if not path.exists():
        raise InputError("no such audio file; check the path", path)
    if path.is_dir():
        raise InputError("is a folder, not an audio file", path)
    try:
        if path.stat().st_size == 0:
            raise InputError("is an empty file; copy it again from its source", path)
        _check_complete(path)
        file = soundfile.SoundFile(os.fsencode(path))  # soundfile cannot encode names that are not UTF-8
    except OSError as error:
        raise InputError(f"cannot read: {error.strerror}", path) from error
    except soundfile.LibsndfileError as error:
        reason = str(error.error_string).rstrip(".")
        raise InputError(
            f"not an audio file that can be read ({reason}); expected WAV, FLAC, Ogg, MP3 or NIST SPHERE", path
        ) from error
    if file.frames <= 0:
        file.close()
        raise InputError("has no audio samples; record or copy it again", path)
    return file


def _read(file: "soundfile.SoundFile", path: Path, first: int, count: int) -> NDArray[np.float32]:
    import soundfile

    try:
        if first:
            file.seek(first)
        samples: NDArray[Any] = file.read(count, dtype="float32")
    except soundfile.LibsndfileError as error:
        raise InputError(f"broken audio ({error.error_string}); copy it again from its source", path) from error
    except MemoryError as error:
        raise InputError(f"has {count} samples, more than fit in memory; split it into parts", path) from error
    if len(samples) < count:
        raise InputError(f"is truncated: {len(samples)} of {count} samples are present; copy it again", path)
    return samples if samples.ndim == 1 else samples.mean(axis=1, dtype=np.float32)


def _resample(samples: NDArray[np.float32], rate: int, sample_rate: int) -> NDArray[np.float32]:
    import soxr

    return np.asarray(soxr.resample(samples, rate, sample_rate, quality="HQ"), dtype=np.float32)


def _check_complete(path: Path) -> None:
    """Raises InputError when a header announces more bytes than there are, which libsndfile silently ignores."""
    with open(path, "rb") as file:
        head = file.read(12)
        size = os.fstat(file.fileno()).st_size
        expected: int | None = None
        if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
            expected = _riff_end(file)
        elif head[:4] == b"FORM":  # AIFF
            expected = 8 + int.from_bytes(head[4:8], "big")
        elif head[:8] == b"NIST_1A\n":
            file.seek(0)
            expected = _sphere_end(file.read(SPHERE_HEADER))
        elif head[:4] == b"OggS" and not _ogg_is_ended(file, size):
            raise InputError("is truncated: its last Ogg page is missing; copy it again from its source", path)
    if expected is not None and expected > size:
        raise InputError(f"is truncated: {size} of {expected} bytes are present; copy it again from its source", path)


def _riff_end(file: Any) -> int | None:
    """Where the data chunk ends, in bytes from the file's start; None if the header does not say."""
    while len(chunk := file.read(8)) == 8:
        size = int.from_bytes(chunk[4:], "little")
        if chunk[:4] == b"data":
            return None if size >= UNKNOWN_RIFF_SIZE else file.tell() + size
        file.seek(size + size % 2, os.SEEK_CUR)
    return None


def _ogg_is_ended(file: Any, size: int) -> bool:
    """Whether the last page of an Ogg file is complete and has the end-of-stream flag (RFC 3533, section 6)."""
    file.seek(max(0, size - MAX_OGG_PAGE))
    tail = file.read()
    at = tail.rfind(b"OggS")
    if at < 0 or len(tail) < at + 27:
        return False
    segments = tail[at + 27 : at + 27 + tail[at + 26]]
    return bool(tail[at + 5] & 4) and len(tail) >= at + 27 + len(segments) + sum(segments)


def _sphere_end(header: bytes) -> int | None:
    """Where uncompressed SPHERE audio ends, in bytes from the file's start; None if the header does not say."""
    fields: dict[str, str] = {}
    lines = header.decode("ascii", "replace").splitlines()
    for line in lines[2:]:
        parts = line.split(None, 2)
        if parts[:1] == ["end_head"]:
            break
        if len(parts) == 3:
            fields[parts[0]] = parts[2].strip()
    if "," in fields.get("sample_coding", ""):  # "pcm,embedded-shorten-v2.00": compressed
        return None
    try:
        data = int(fields["sample_count"]) * int(fields.get("channel_count", "1")) * int(fields["sample_n_bytes"])
        return int(lines[1]) + data
    except (KeyError, ValueError, IndexError):
        return None
