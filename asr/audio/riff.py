"""WAV files whose header has a wrong size, as recorders write them.

A recorder that streams, or is stopped, leaves a size of 0 or of the largest number: the length is unknown, and the
audio goes to the file's end. One that writes the size of the whole file counts the header as audio, so that at most as
many bytes are missing as come before the audio. Where more are missing, the file is truncated.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Literal

# A writer that cannot seek back (a pipe) leaves a size of at least this in a RIFF header.
UNKNOWN_RIFF_SIZE = 0x7FFFF000
LARGEST_FILE = 1 << 62
"""Bytes; a 64-bit size above it means that the length is unknown."""
LARGEST_RIFF_SIZE = 0xFFFFFFFF
MOST_CHUNKS = 1000

Order = Literal["big", "little"]


@dataclass(frozen=True)
class RiffData:
    """The data chunk of a WAV file: where its audio begins, and its `size` in bytes; None where that is unknown.

    `patch` is the size that the header should have, where libsndfile would not read the file with what is there.
    `warning` says what is wrong with the header.
    """

    start: int
    size: int | None
    patch: bytes = b""
    warning: str = ""


def is_riff(head: bytes) -> bool:
    return head[:4] in (b"RIFF", b"RIFX", b"RF64") and head[8:12] == b"WAVE"


def riff_data(file: IO[bytes], head: bytes, length: int) -> RiffData | None:
    """The data chunk of a WAV or RF64 file of `length` bytes (EBU Tech 3306 for RF64); None if it has none.

    `size` is as in the header, or what is there if only as many bytes are missing as the header has.
    """
    order: Order = "big" if head[:4] == b"RIFX" else "little"
    large, bytes_per_second = None, 0
    for kind, start, size in _chunks(file, 12, order):
        if kind == b"ds64":
            large = int.from_bytes(file.read(16)[8:], "little")
        elif kind == b"fmt ":
            bytes_per_second = int.from_bytes(file.read(12)[8:], order)
        elif kind == b"data":
            present = max(0, length - start)
            if size >= UNKNOWN_RIFF_SIZE:
                return RiffData(start, large if large and large <= LARGEST_FILE else None)
            if size == 0 and present and not _is_chunked(file, start, order, length):
                return RiffData(start, None, min(present, LARGEST_RIFF_SIZE).to_bytes(4, order))
            if 0 < size - present <= start < length and head[:4] != b"RF64":
                missing = f"{size - present} bytes of audio fewer than its header says"
                return RiffData(start, present, warning=f"has {missing}; what is there is read")
            return RiffData(start, size, warning=_uncounted(file, start + size, order, length, bytes_per_second))
    return None


def _chunks(file: IO[bytes], at: int, order: Order) -> Iterator[tuple[bytes, int, int]]:
    """The chunks from a place on: name, where the content begins, and its size in bytes."""
    for _ in range(MOST_CHUNKS):
        file.seek(at)
        if len(head := file.read(8)) < 8:
            return
        size = int.from_bytes(head[4:], order)
        yield head[:4], at + 8, size
        at += 8 + size + size % 2


def _is_chunked(file: IO[bytes], at: int, order: Order, length: int) -> bool:
    """Whether the rest of a file is chunks, to its end."""
    end = at
    for name, start, size in _chunks(file, at, order):
        end = start + size
        if not (name.isascii() and name.decode().isprintable()) or end > length:
            return False
    return length - end <= 1


def _uncounted(file: IO[bytes], at: int, order: Order, length: int, bytes_per_second: int) -> str:
    """What to say where a second or more of bytes comes after the audio that are not chunks."""
    at += at % 2
    rest = length - at
    if not 0 < bytes_per_second <= rest or _is_chunked(file, at, order, length):
        return ""
    return (
        f"has {rest} bytes after the audio that its header counts, which are not read; if they are audio, repair the "
        "header (sox --ignore-length)"
    )
