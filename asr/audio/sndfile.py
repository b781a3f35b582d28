"""Decodes what libsndfile supports."""

import math
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asr.audio.decoder import block_length, part
from asr.audio.headers import Header, mp3_says_length
from asr.audio.window import Window
from asr.errors import InputError

AUDIO_SUFFIXES = frozenset(
    {".wav", ".wave", ".rf64", ".w64", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".mp2", ".mpga", ".sph", ".nist"}
    | {".aif", ".aiff", ".aifc", ".au", ".snd", ".caf"}
)
"""Of files that libsndfile reads."""

UNKNOWN_LENGTH = 2**62
"""Samples; libsndfile reports more where the header has no length, as in a FLAC file that was written to a pipe."""

LONGER_MP3 = 64
"""Libsndfile estimates the length of an MP3 file from its first frames and its size, and reads no more; the highest bit
rate is 40 times the lowest."""

PLACE = 0.1
"""Seconds to which the place of an error in a file is found."""


class SndfileDecoder:
    """An open file of libsndfile; or a window, a part of one."""

    def __init__(
        self, path: Path, window: Window | None = None, warnings: tuple[str, ...] = (), estimated: bool = False
    ) -> None:
        """`estimated`: the length is unknown, whatever libsndfile says. A window is closed with the decoder.

        Raises soundfile.LibsndfileError.
        """
        import soundfile

        self.path, self._in_window = path, window is not None
        with ExitStack() as opened:
            # soundfile cannot encode names that are not UTF-8
            source = os.fsencode(path) if window is None else opened.enter_context(window)
            self._file = opened.enter_context(soundfile.SoundFile(source))
            self._opened = opened.pop_all()
        self.sample_rate: int = self._file.samplerate
        self.channels: int = self._file.channels
        self.is_mpeg: bool = self._file.subtype.startswith("MPEG")
        known = not estimated and self._file.frames < UNKNOWN_LENGTH
        self.samples: int | None = self._file.frames if known else None
        self.warnings = list(warnings)

    def __enter__(self) -> "SndfileDecoder":
        return self

    def __exit__(self, *error: Any) -> None:
        self._opened.close()

    def blocks(self, first: int, count: int | None) -> Iterator[NDArray[np.float32]]:
        """See `Decoder.blocks`."""
        if self.samples is None:
            yield from self._to_end(first, count)
            return
        if first:
            with _errors_named(self.path):
                self._file.seek(first)
        wanted = self.samples - first if count is None else count
        size = block_length(self.sample_rate, self.channels)
        for done in range(0, wanted, size):
            length = min(size, wanted - done)
            block = self._read(length)
            if len(block) < length:
                present = first + done + len(block)
                raise InputError(
                    f"is truncated: {present} of {self.samples} samples are present; copy it again", self.path
                )
            yield block

    def _to_end(self, first: int, count: int | None) -> Iterator[NDArray[np.float32]]:
        """A part of a file whose header has no length: it cannot seek."""
        self._file.seekable = lambda: False  # or soundfile seeks to the end after the last block, which fails
        size = block_length(self.sample_rate, self.channels)
        yield from part(self._all(size), first, count, size)

    def _all(self, size: int) -> Iterator[NDArray[np.float32]]:
        block = self._read(size)
        if not len(block):
            raise InputError("has no audio samples; record or copy it again", self.path)
        while len(block):
            yield block
            block = self._read(size)

    def _read(self, count: int) -> NDArray[np.float32]:
        with _errors_named(self.path, self._until_error):
            block: NDArray[np.float32] = self._file.read(count, dtype="float32", always_2d=True)
        return block

    def _until_error(self) -> str:
        """How much of the file comes before what cannot be read; nothing where its header does not say its length."""
        if self.samples is None or self._in_window:
            return ""
        import soundfile

        done, step = 0, math.ceil(PLACE * self.sample_rate)
        with suppress(soundfile.LibsndfileError), soundfile.SoundFile(os.fsencode(self.path)) as again:
            while read := len(again.read(step, dtype="float32")):
                done += read
        return f": only the first {done / self.sample_rate:.1f} of {self.samples / self.sample_rate:.1f} s can be read"


def open_sndfile(path: Path, header: Header) -> "SndfileDecoder | ChainDecoder":
    """Raises soundfile.LibsndfileError where libsndfile cannot read the file."""
    if header.links:
        return ChainDecoder(path, header.links)
    riff = header.riff
    patch = riff.patch if riff else b""
    window = Window(path, patch_at=riff.start - len(patch), patch=patch) if riff and patch else None
    decoder = SndfileDecoder(path, window, (riff.warning,) if riff and riff.warning else ())
    if decoder.is_mpeg and (riff or not mp3_says_length(path)):
        decoder.__exit__()
        return SndfileDecoder(path, None if riff else Window(path, longer=LONGER_MP3), estimated=True)
    return decoder


class ChainDecoder:
    """The recordings of a chained Ogg file, one after the other."""

    def __init__(self, path: Path, links: list[tuple[int, int]]) -> None:
        """Raises soundfile.LibsndfileError, and InputError where they differ in rate or channels."""
        self.path = path
        self.warnings: list[str] = []
        self._links = links
        self._lengths = []
        kinds = set()
        for link in links:
            with self._open(link) as recording:
                kinds.add((recording.sample_rate, recording.channels))
                self._lengths.append(recording.samples or 0)
        if len(kinds) > 1:
            raise InputError("changes its sample rate or channels in the middle; split it into parts", path)
        [(self.sample_rate, self.channels)] = kinds
        self.samples: int | None = sum(self._lengths)

    def __enter__(self) -> "ChainDecoder":
        return self

    def __exit__(self, *error: Any) -> None:
        pass

    def blocks(self, first: int, count: int | None) -> Iterator[NDArray[np.float32]]:
        """See `Decoder.blocks`."""
        left = sum(self._lengths) - first if count is None else count
        for link, length in zip(self._links, self._lengths, strict=True):
            wanted = min(length - first, left)
            if wanted > 0:
                with self._open(link) as recording:
                    yield from recording.blocks(first, wanted)
                left -= wanted
            first = max(0, first - length)

    def _open(self, link: tuple[int, int]) -> SndfileDecoder:
        return SndfileDecoder(self.path, Window(self.path, *link))


@contextmanager
def _errors_named(path: Path, until: Callable[[], str] = str) -> Iterator[None]:
    import soundfile

    try:
        yield
    except soundfile.LibsndfileError as error:
        reason = f"{until()} ({error.error_string.rstrip('.')})"
        raise InputError(f"broken audio{reason}; copy it again from its source", path) from error
    except MemoryError as error:
        raise InputError("does not fit in memory; split it into parts", path) from error
