"""Opens an audio file with the decoder that can read it."""

import os
import stat
from pathlib import Path

from asr.audio.containers import OTHER_SUFFIXES, has_container_decoder, open_container
from asr.audio.decoder import Decoder
from asr.audio.headers import is_shortened, read_header
from asr.audio.sndfile import open_sndfile
from asr.errors import InputError

LOWEST_RATE, HIGHEST_RATE = 1000, 768_000
"""Hz; a header with another rate is damaged."""

_LFS_POINTER = b"version https://git-lfs"
"""What begins the file that Git has in the place of a large one."""


def audio_status(path: Path) -> os.stat_result:
    """Raises InputError when the file is missing, a folder, a pipe or a device, or empty."""
    try:
        status = path.stat()
    except OSError as error:
        if not isinstance(error, FileNotFoundError):
            raise InputError(f"cannot read: {error.strerror}", path) from error
        link = "is a link to a file that does not exist; restore the file, or remove the link"
        raise InputError(link if path.is_symlink() else "no such audio file; check the path", path) from error
    except ValueError as error:
        raise InputError("is not the name of a file; correct the path", path) from error
    if stat.S_ISDIR(status.st_mode):
        raise InputError("is a folder, not an audio file", path)
    if not stat.S_ISREG(status.st_mode):
        raise InputError("is a pipe or a device, not an audio file; save the audio in a file first", path)
    if status.st_size == 0:
        raise InputError("is an empty file; copy it again from its source", path)
    return status


def open_audio(path: Path) -> Decoder:
    """Raises InputError as `audio_status`, and when the file is not audio, truncated or of an impossible rate."""
    audio_status(path)
    try:
        decoder = _open(path)
    except OSError as error:
        raise InputError(f"cannot read: {error.strerror}", path) from error
    try:
        _check(decoder, path)
    except BaseException as error:
        decoder.__exit__(type(error), error, None)
        raise
    return decoder


def _open(path: Path) -> Decoder:
    import soundfile

    try:
        return open_sndfile(path, read_header(path))
    except soundfile.LibsndfileError as error:
        with path.open("rb") as file:
            if file.read(len(_LFS_POINTER)) == _LFS_POINTER:
                raise InputError(
                    "is a pointer of Git LFS, not the audio itself; run git lfs pull there", path
                ) from error
        if has_container_decoder():
            return _open_container(path)
        if is_shortened(path):
            raise _shortened(path) from error
        reason = str(error.error_string).rstrip(".")
        if path.suffix.lower() in OTHER_SUFFIXES:
            raise InputError(
                f"reading {path.suffix} needs PyAV (pip install 'asr-phones[av]') or ffmpeg; install one, or convert "
                "the file to FLAC",
                path,
            ) from error
        raise InputError(
            f"not an audio file that can be read ({reason}); expected WAV, FLAC, Ogg, MP3 or NIST SPHERE", path
        ) from error


def _open_container(path: Path) -> Decoder:
    try:
        return open_container(path)
    except InputError as error:
        if is_shortened(path):
            raise _shortened(path) from error
        raise


def _shortened(path: Path) -> InputError:
    return InputError(
        "is SPHERE compressed by shorten, which cannot be read; decompress it (sph2pipe -p IN.sph OUT.sph)", path
    )


def _check(decoder: Decoder, path: Path) -> None:
    if not LOWEST_RATE <= decoder.sample_rate <= HIGHEST_RATE:
        raise InputError(f"has a sample rate of {decoder.sample_rate} Hz in its header; re-export the file", path)
    if decoder.samples is not None and decoder.samples <= 0:
        raise InputError("has no audio samples; record or copy it again", path)
