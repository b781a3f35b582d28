"""The pages of Ogg files (RFC 3533)."""

from typing import IO

OGG_PAGE_HEADER = 27  # bytes
MAX_OGG_PAGE = 65307  # bytes
BEGINS, ENDS = 2, 4  # flags of a page


def ogg_links(file: IO[bytes], size: int) -> list[tuple[int, int]]:
    """Where each of the recordings of a chained file begins and ends, in bytes (section 4); one if it is not chained.

    A recording begins after another's first page with sound.
    """
    starts, at, inside = [0], 0, False
    while True:
        file.seek(at)
        header = file.read(OGG_PAGE_HEADER)
        if len(header) < OGG_PAGE_HEADER or header[:4] != b"OggS":
            return list(zip(starts, [*starts[1:], size], strict=True))
        begins = bool(header[5] & BEGINS)
        if begins and inside:
            starts.append(at)
        inside = not begins
        at += OGG_PAGE_HEADER + header[26] + sum(file.read(header[26]))


def ogg_is_ended(file: IO[bytes], size: int) -> bool:
    """Whether the last page is complete and has the end-of-stream flag (section 6)."""
    file.seek(max(0, size - MAX_OGG_PAGE))
    tail = file.read()
    at = tail.rfind(b"OggS")
    if at < 0 or len(tail) < at + OGG_PAGE_HEADER:
        return False
    start = at + OGG_PAGE_HEADER
    segments = tail[start : start + tail[at + 26]]
    return bool(tail[at + 5] & ENDS) and len(tail) >= start + len(segments) + sum(segments)
