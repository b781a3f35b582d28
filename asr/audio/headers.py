"""What the headers of audio files promise about their length, which libsndfile does not check."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from asr.audio.ogg import ogg_is_ended, ogg_links
from asr.audio.riff import LARGEST_FILE, MOST_CHUNKS, Order, RiffData, is_riff, riff_data
from asr.errors import InputError

UNKNOWN_AIFF_SIZE = 0x7F000000
UNKNOWN_AU_SIZE = 0xFFFFFFFF
W64_GUID = b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00"
SPHERE_HEADER = 1024  # bytes
MOST_LINKS = 1000
"""Of a chained Ogg file."""

ID3_HEADER = 10
"""Bytes of the header of an ID3v2 tag; 7 bits of each of its last four are the size of the rest."""
MP3_FIRST_FRAME = 4096
"""Bytes that hold the first frame of an MP3 file, after an ID3v2 tag."""
XING_HAS_FRAMES, XING_HAS_BYTES = 1, 2
"""Flags of a Xing tag."""
MP3_TOLERANCE = 0.01
"""The share of its bytes that an MP3 file may lack by its Xing tag: some programs count them otherwise."""


@dataclass(frozen=True)
class Header:
    """How to read a file: a WAV file's audio, the recordings of a chained Ogg file (none if it is not chained)."""

    riff: RiffData | None = None
    links: list[tuple[int, int]] = field(default_factory=list)


def read_header(path: Path) -> Header:
    """Raises InputError for a file that is shorter than its header says: libsndfile would read what is there."""
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        head = file.read(24)
        if head[:4] == b"OggS":
            return Header(links=_links(file, size, path))
        riff = riff_data(file, head, size) if is_riff(head) else None
        expected = riff.start + riff.size if riff and riff.size is not None else _expected_size(file, head, size)
    if expected is not None and expected > size:
        repair = " (or, if this is all of it, repair its header: sox --ignore-length)" if riff else ""
        raise InputError(
            f"is truncated: {size} of {expected} bytes are present; copy it again from its source{repair}", path
        )
    return Header(riff)


def _links(file: IO[bytes], size: int, path: Path) -> list[tuple[int, int]]:
    if not ogg_is_ended(file, size):
        raise InputError("is truncated: its last Ogg page is missing; copy it again from its source", path)
    links = ogg_links(file, size)
    if len(links) > MOST_LINKS:
        raise InputError(f"holds {len(links)} recordings one after the other (a chained Ogg file); split it", path)
    return links if len(links) > 1 else []


def _expected_size(file: IO[bytes], head: bytes, size: int) -> int | None:
    """How many bytes a file of `size` bytes has at least, by its header; None if the header does not say."""
    if head[:4] == b"FORM":  # AIFF
        size = int.from_bytes(head[4:8], "big")
        return None if size >= UNKNOWN_AIFF_SIZE else 8 + size
    if head[:4] in (b".snd", b"dns."):  # AU
        order: Order = "big" if head[:4] == b".snd" else "little"
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
    if head[:3] == b"ID3" or head[:2] > b"\xff\xe0":  # the sync word of a frame
        return _mp3_size(file, size)
    return None


def is_shortened(path: Path) -> bool:
    """Whether a file is SPHERE whose audio is compressed by shorten, by its header."""
    with open(path, "rb") as file:
        head = file.read(SPHERE_HEADER)
    return head.startswith(b"NIST_1A\n") and b",embedded-shorten" in head


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


def mp3_says_length(path: Path) -> bool:
    """Whether a tag (Xing, Info) in the first frame says how many frames there are.

    Without one, libsndfile estimates the length from the first frames, and would leave out the end of a file of
    variable bit rate.
    """
    with open(path, "rb") as file:
        return XING_HAS_FRAMES in _xing(file)


def _mp3_size(file: IO[bytes], size: int) -> int | None:
    """The bytes of an MP3 file by the tag in its first frame; None without one, and where the file lacks so little that
    the tag may be wrong."""
    expected = _xing(file).get(XING_HAS_BYTES, 0)
    return expected if expected > size * (1 + MP3_TOLERANCE) else None


def _xing(file: IO[bytes]) -> dict[int, int]:
    """The numbers in the tag (Xing, Info) of an MP3 file's first frame, by their flags."""
    file.seek(0)
    head = file.read(ID3_HEADER)
    tag = sum((each & 0x7F) << shift for each, shift in zip(head[6:], (21, 14, 7, 0), strict=False))
    file.seek(ID3_HEADER + tag if head[:3] == b"ID3" else 0)
    frame = file.read(MP3_FIRST_FRAME)
    at = max(frame.find(b"Xing"), frame.find(b"Info"))
    if at < 0:
        return {}
    flags, *numbers = (int.from_bytes(frame[place : place + 4], "big") for place in range(at + 4, at + 16, 4))
    return dict(zip((flag for flag in (XING_HAS_FRAMES, XING_HAS_BYTES) if flags & flag), numbers, strict=False))
