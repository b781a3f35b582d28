"""Formats that libsndfile does not read (m4a, mp4, webm, ...): by PyAV where it is installed, else by ffmpeg.

A file may pretend to be a playlist, which would make FFmpeg open other files: only the formats below are opened, none
of which refers to others, and nothing but the file itself.
"""

import shutil
from importlib.util import find_spec
from pathlib import Path

from asr.audio.decoder import Decoder

FORMATS = (
    "mov,matroska,aac,loas,asf,xwma,amr,amrnb,amrwb,ape,wv,tta,shn,nistsphere,ac3,eac3,dts,dtshd,rm,avi,flv,mpeg,mpegts"
    ",ogg,wav,w64,caf,aiff,flac,mp3,voc"
)
"""FFmpeg's names of the formats that may be opened."""


OTHER_SUFFIXES = frozenset(
    {".m4a", ".m4b", ".m4r", ".aac", ".wma", ".amr", ".ape", ".wv", ".tta", ".shn", ".ac3", ".dts", ".ra", ".mka"}
    | {".mp4", ".m4v", ".webm", ".mkv", ".mov", ".avi", ".wmv", ".flv", ".mpg", ".mpeg", ".3gp", ".ogv", ".rm", ".asf"}
)
"""Audio and video that libsndfile does not read."""


def has_container_decoder() -> bool:
    return find_spec("av") is not None or shutil.which("ffmpeg") is not None


def open_container(path: Path) -> Decoder:
    """Raises InputError where the file is not audio that can be read."""
    if find_spec("av") is not None:
        from asr.audio.pyav import PyavDecoder

        return PyavDecoder(path, FORMATS)
    from asr.audio.ffmpeg import FfmpegDecoder

    return FfmpegDecoder(path, FORMATS)
