"""Decodes what libsndfile supports."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asr.audio.decoder import Decoder, block_length
from asr.audio.headers import check_complete
from asr.errors import InputError

LOWEST_RATE, HIGHEST_RATE = 1000, 768_000
"""Hz; a header with another rate is damaged."""

UNKNOWN_LENGTH = 2**62
"""Samples; libsndfile reports more where the header has no length, as in a FLAC file that was written to a pipe."""


class SndfileDecoder:
    """An open file of libsndfile."""

    def __init__(self, path: Path) -> None:
        """Raises soundfile.LibsndfileError."""
        import soundfile

        self.path = path
        self._file = soundfile.SoundFile(os.fsencode(path))  # soundfile cannot encode names that are not UTF-8
        self.sample_rate: int = self._file.samplerate
        self.channels: int = self._file.channels
        self.samples: int | None = self._file.frames if self._file.frames < UNKNOWN_LENGTH else None
        self.warnings: list[str] = []

    def __enter__(self) -> "SndfileDecoder":
        return self

    def __exit__(self, *error: Any) -> None:
        self._file.close()

    def blocks(self, first: int, count: int | None) -> Iterator[NDArray[np.float32]]:
        if self.samples is None:
            yield from self._to_end(first, count)
            return
        with _errors_named(self.path):
            if first:
                self._file.seek(first)
        wanted = self.samples - first if count is None else count
        size = block_length(self.sample_rate, self.channels)
        for done in range(0, wanted, size):
            block = self._read(min(size, wanted - done))
            if len(block) < min(size, wanted - done):
                present = first + done + len(block)
                raise InputError(
                    f"is truncated: {present} of {self.samples} samples are present; copy it again", self.path
                )
            yield block

    def _to_end(self, first: int, count: int | None) -> Iterator[NDArray[np.float32]]:
        """A part of a file whose header has no length: it cannot seek."""
        self._file.seekable = lambda: False  # or soundfile seeks to the end after the last block, which fails
        size, at, end = block_length(self.sample_rate, self.channels), 0, None if count is None else first + count
        while end is None or at < end:
            block = self._read(size if end is None else min(size, end - at))
            if not len(block):
                break
            at += len(block)
            if at > first:
                yield block[max(0, first - (at - len(block))) :]
        if at == 0:
            raise InputError("has no audio samples; record or copy it again", self.path)

    def _read(self, count: int) -> NDArray[np.float32]:
        with _errors_named(self.path):
            block: NDArray[np.float32] = self._file.read(count, dtype="float32", always_2d=True)
        return block


def open_audio(path: Path) -> Decoder:
    """Raises InputError when the file is missing, a folder, empty, not audio, truncated or of an impossible rate."""
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
        decoder = SndfileDecoder(path)
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
    with _closed_on_error(decoder):
        if not LOWEST_RATE <= decoder.sample_rate <= HIGHEST_RATE:
            raise InputError(f"has a sample rate of {decoder.sample_rate} Hz in its header; re-export the file", path)
        if decoder.samples is not None and decoder.samples <= 0:
            raise InputError("has no audio samples; record or copy it again", path)
    return decoder


@contextmanager
def _closed_on_error(decoder: Decoder) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        decoder.__exit__(type(error), error, None)
        raise


@contextmanager
def _errors_named(path: Path) -> Iterator[None]:
    import soundfile

    try:
        yield
    except soundfile.LibsndfileError as error:
        raise InputError(f"broken audio ({error.error_string}); copy it again from its source", path) from error
    except MemoryError as error:
        raise InputError("does not fit in memory; split it into parts", path) from error
