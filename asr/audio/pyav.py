"""Decodes with PyAV."""

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from asr.audio.decoder import block_length, part
from asr.errors import InputError

FULL_SCALE = {"u8": 2.0**7, "s16": 2.0**15, "s32": 2.0**31, "flt": 1.0, "dbl": 1.0}
"""The sample formats that PyAV turns into arrays, interleaved; u8 is centred on 128."""

MISSING = 0.5
"""Seconds; where a file's audio is shorter than its header says by more than this, it is truncated."""


class PyavDecoder:
    """The first audio stream of a container."""

    def __init__(self, path: Path, formats: str) -> None:
        """Raises InputError where the file is not audio that can be read."""
        self.path = path
        self.samples: int | None = None
        self.warnings: list[str] = []
        # The file is already open, so no protocol is needed: whatever it refers to cannot be opened.
        options = {"format_whitelist": formats, "protocol_whitelist": "none"}
        with ExitStack() as opened:
            file = opened.enter_context(open(path, "rb"))
            try:
                self._container = opened.enter_context(
                    av.open(file, container_options=options, metadata_errors="replace")
                )
                if not self._container.streams.audio:
                    raise InputError("has no audio stream", path)
                self._stream = self._container.streams.audio[0]
                self._frames = self._container.decode(self._stream)
                self._first = next(self._frames, None)
            except av.FFmpegError as error:
                raise InputError(
                    f"not an audio file that can be read ({error.strerror}); play it to see what it is, and convert it "
                    "to FLAC",
                    path,
                ) from error
            if self._first is None:
                raise InputError("has no audio samples; record or copy it again", path)
            if (kind := self._first.format.packed.name) not in FULL_SCALE:
                raise InputError(f"has samples of the format {kind}, which cannot be read; convert it to FLAC", path)
            self.sample_rate, self.channels = _kind(self._first)
            self._opened = opened.pop_all()

    def __enter__(self) -> "PyavDecoder":
        return self

    def __exit__(self, *error: Any) -> None:
        self._opened.close()

    def blocks(self, first: int, count: int | None) -> Iterator[NDArray[np.float32]]:
        """See `Decoder.blocks`."""
        yield from part(self._all(), first, count, block_length(self.sample_rate, self.channels))

    def _all(self) -> Iterator[NDArray[np.float32]]:
        samples = 0
        try:
            for frame in chain([self._first], self._frames):
                if _kind(frame) != (self.sample_rate, self.channels):
                    raise InputError("changes its sample rate or channels in the middle; convert it to FLAC", self.path)
                samples += frame.samples
                yield _samples(frame)
        except av.FFmpegError as error:
            raise InputError(f"broken audio ({error.strerror}); copy it again from its source", self.path) from error
        self._check_complete(samples / self.sample_rate)

    def _check_complete(self, seconds: float) -> None:
        """Raises InputError for a truncated file of a format that says how long its audio is (others are estimates)."""
        expected = 0.0
        if "mp4" in self._container.format.name and self._stream.duration:
            expected = float(self._stream.duration * self._stream.time_base)
        elif "matroska" in self._container.format.name and len(self._container.streams) == 1:
            expected = (self._container.duration or 0) / av.time_base
        if seconds < expected - MISSING:
            raise InputError(
                f"is truncated: {seconds:.1f} of {expected:.1f} s are present; copy it again from its source", self.path
            )


def _kind(frame: "av.AudioFrame") -> tuple[int, int]:
    return frame.sample_rate, len(frame.layout.channels)


def _samples(frame: "av.AudioFrame") -> NDArray[np.float32]:
    """Samples [S, C] in [-1, 1]."""
    values = frame.to_ndarray()
    rows = values.T if frame.format.is_planar else values.reshape(-1, len(frame.layout.channels))
    kind = frame.format.packed.name
    floats = rows.astype(np.float32)
    return (floats - (FULL_SCALE["u8"] if kind == "u8" else 0)) / np.float32(FULL_SCALE[kind])
