"""Unpacks .zip and .tar archives; nothing in them can leave the folder."""

import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from asr.errors import InputError
from asr.progress import track
from asr.storage.files import cannot_write, make_folder, output_path

Member = tuple[str, Callable[[], IO[bytes]]]
"""The name of a file in an archive, and a function that opens it."""

_BROKEN = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
)
"""What reading a damaged archive raises; a RuntimeError where it is encrypted or compressed in an unknown way."""
_BLOCK = 1 << 20


def unpack(archive: Path, folder: Path) -> None:
    """Writes the files of an archive below `folder`.

    Raises InputError for what is not an archive, is broken, or has a name that leads out of the folder, a link or a
    device; OutputError where a file cannot be written.
    """
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as opened:
                _write(archive, folder, _zipped(opened))
        else:
            with tarfile.open(archive, errorlevel=2) as tar:
                _write(archive, folder, _tarred(tar, archive))
    except _BROKEN as error:
        raise InputError(
            f"is not a complete .zip or .tar archive ({error}); delete it and fetch it again", archive
        ) from error


def _write(archive: Path, folder: Path, members: Iterator[Member]) -> None:
    for name, opened in track(members, f"unpack {archive.name}"):
        try:
            path = output_path(folder, name.removeprefix("./"))
        except InputError as error:
            raise InputError(f"{name!r} in it leads out of its folder; do not use this archive", archive) from error
        make_folder(path.parent)
        with opened() as source:
            try:
                with open(path, "wb") as target:
                    target.writelines(_blocks(source))
            except OSError as error:
                raise cannot_write(path, error) from error


def _blocks(source: IO[bytes]) -> Iterator[bytes]:
    try:
        while block := source.read(_BLOCK):
            yield block
    except OSError as error:  # which is not one of writing
        raise tarfile.ReadError(str(error)) from error


def _zipped(archive: zipfile.ZipFile) -> Iterator[Member]:
    for member in archive.infolist():
        if not member.is_dir():
            yield member.filename, lambda member=member: archive.open(member)  # type: ignore[misc]


def _tarred(archive: tarfile.TarFile, path: Path) -> Iterator[Member]:
    for member in archive:
        if member.isdir():
            continue
        opened = archive.extractfile(member) if member.isreg() else None
        if opened is None:
            raise InputError(f"{member.name!r} in it is a link or a device; do not use this archive", path)
        yield member.name, lambda opened=opened: opened  # type: ignore[misc]
