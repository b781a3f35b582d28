"""What the headers of audio files promise about their length, which libsndfile does not check."""

import os
from pathlib import Path
from typing import IO, Literal

from asr.errors import InputError

# A writer that cannot seek back (a pipe) leaves a size of at least this in a RIFF header: the length is then unknown.
UNKNOWN_RIFF_SIZE = 0x7FFFF000
UNKNOWN_AU_SIZE = 0xFFFFFFFF
LARGEST_FILE = 1 << 62  # bytes; a 64-bit size above it means that the length is unknown
W64_GUID = b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00"
MOST_CHUNKS = 1000
SPHERE_HEADER = 1024  # bytes
OGG_PAGE_HEADER = 27  # bytes
MAX_OGG_PAGE = 65307  # bytes


def check_complete(path: Path) -> None:
    """Raises InputError for a file that is shorter than its header says, and for an Ogg file of several recordings.

    libsndfile would read the part that is there, or the first recording, in silence.
    """
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        head = file.read(24)
        if head[:4] == b"OggS":
            _check_ogg(file, size, path)
            return
        expected = _expected_size(file, head)
    if expected is not None and expected > size:
        raise InputError(f"is truncated: {size} of {expected} bytes are present; copy it again from its source", path)


def _expected_size(file: IO[bytes], head: bytes) -> int | None:
    """How many bytes a file has at least, by its header; None if the header does not say."""
    if head[:4] in (b"RIFF", b"RIFX", b"RF64") and head[8:12] == b"WAVE":
        return _riff_end(file, "big" if head[:4] == b"RIFX" else "little")
    if head[:4] == b"FORM":  # AIFF
        return 8 + int.from_bytes(head[4:8], "big")
    if head[:4] in (b".snd", b"dns."):  # AU
        order: Literal["big", "little"] = "big" if head[:4] == b".snd" else "little"
        start, size = int.from_bytes(head[4:8], order), int.from_bytes(head[8:12], order)
        return None if size == UNKNOWN_AU_SIZE else start + size
    if head[:16] == W64_GUID:
        size = int.from_bytes(head[16:24], "little")
        return None if size > LARGEST_FILE else size
    if head[:4] == b"caff":
        return _caf_end(file)
    if head[:8] == b"NIST_1A\n":
        file.seek(0)
        return _sphere_end(file.read(SPHERE_HEADER))
    return None


def _riff_end(file: IO[bytes], order: Literal["big", "little"]) -> int | None:
    """Where the data chunk of a WAV or RF64 file ends, in bytes from the file's start (EBU Tech 3306 for RF64)."""
    file.seek(12)
    large = None
    for _ in range(MOST_CHUNKS):
        if len(chunk := file.read(8)) < 8:
            break
        size = int.from_bytes(chunk[4:], order)
        if chunk[:4] == b"ds64":
            content = file.read(16)
            large = int.from_bytes(content[8:], "little")
            file.seek(size + size % 2 - len(content), os.SEEK_CUR)
        elif chunk[:4] == b"data":
            if size < UNKNOWN_RIFF_SIZE:
                return file.tell() + size
            return file.tell() + large if large and large <= LARGEST_FILE else None
        else:
            file.seek(size + size % 2, os.SEEK_CUR)
    return None


def _caf_end(file: IO[bytes]) -> int | None:
    """Where the data chunk of a CAF file ends, in bytes from the file's start."""
    file.seek(8)
    for _ in range(MOST_CHUNKS):
        if len(chunk := file.read(12)) < 12:
            break
        size = int.from_bytes(chunk[4:], "big")
        if size > LARGEST_FILE:  # -1: the data chunk of unknown length, which is the last
            return None
        if chunk[:4] == b"data":
            return file.tell() + size
        file.seek(size, os.SEEK_CUR)
    return None


def _check_ogg(file: IO[bytes], size: int, path: Path) -> None:
    if not _ogg_is_ended(file, size):
        raise InputError("is truncated: its last Ogg page is missing; copy it again from its source", path)
    if _ogg_is_chained(file):
        raise InputError(
            "holds several recordings one after the other (a chained Ogg file); split it, or convert it to FLAC", path
        )


def _ogg_is_chained(file: IO[bytes]) -> bool:
    """Whether a stream begins after another's first page with sound (RFC 3533, section 4)."""
    at, inside = 0, False
    while True:
        file.seek(at)
        header = file.read(OGG_PAGE_HEADER)
        if len(header) < OGG_PAGE_HEADER or header[:4] != b"OggS":
            return False
        begins = bool(header[5] & 2)
        if begins and inside:
            return True
        inside = inside or not begins
        at += OGG_PAGE_HEADER + header[26] + sum(file.read(header[26]))


def _ogg_is_ended(file: IO[bytes], size: int) -> bool:
    """Whether the last page of an Ogg file is complete and has the end-of-stream flag (RFC 3533, section 6)."""
    file.seek(max(0, size - MAX_OGG_PAGE))
    tail = file.read()
    at = tail.rfind(b"OggS")
    if at < 0 or len(tail) < at + OGG_PAGE_HEADER:
        return False
    start = at + OGG_PAGE_HEADER
    segments = tail[start : start + tail[at + 26]]
    return bool(tail[at + 5] & 4) and len(tail) >= start + len(segments) + sum(segments)


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
