"""Writing files so that a file has its final name only when it is complete, and nothing of the user's is replaced."""

import errno
import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, Any, Protocol

from asr.errors import InputError, OutputError

PARTIAL_SUFFIX = ".asr-part"
"""The end of the name of a file that is not complete yet; one that is left over is from a process that was killed."""

_BAD_NAME = (errno.ENAMETOOLONG, errno.ENOTDIR, errno.EEXIST, errno.ELOOP, errno.EILSEQ)
"""Errors of a single output's name: others can still be written."""

_PARTIAL_NAME = re.compile(rf"\..*\.\d+{re.escape(PARTIAL_SUFFIX)}")


class Owner(Protocol):
    """Knows which files below a folder are asr's own: see `asr.storage.output_folder`."""

    folder: Path
    """Absolute."""

    def require_replaceable(self, path: Path, replacement: Path | None = None) -> None:
        """Raises InputError where `path` is not asr's own."""

    def record(self, path: Path, content: Path, grows: bool = False) -> None:
        """Lists a file as asr's own."""

    def record_move(self, source: Path, target: Path) -> None:
        """Lists files under their new names."""

    def record_gone(self, path: Path) -> None:
        """Lists that files have left their names."""

    def remove(self, path: Path) -> bool:
        """Deletes what is asr's own at or below a path; returns whether nothing is left."""

    def foreign(self, path: Path) -> Path | None:
        """A file at or below a path that is not asr's own."""

    def recorded(self, below: Path) -> list[Path]:
        """The files below a folder that are listed and there."""


_owners: list[Owner] = []


@contextmanager
def owned_by(owner: Owner) -> Iterator[None]:
    """Inside the `with`, files written below the owner's folder are recorded there and replace only asr's own."""
    _owners.append(owner)
    try:
        yield
    finally:
        _owners.remove(owner)


def owner_of(path: Path) -> Owner | None:
    """The innermost owner of a path; None where nobody owns it (a library that writes where its caller says)."""
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 - links are kept
    owners = [owner for owner in _owners if absolute.is_relative_to(owner.folder)]
    return max(owners, key=lambda owner: len(owner.folder.parts), default=None)


def is_partial(name: str) -> bool:
    """Whether a name is that of an incomplete file, or of a process's share of the outputs."""
    return _PARTIAL_NAME.fullmatch(name) is not None


def share_folder(folder: Path, number: int) -> Path:
    """Where process `number` of several puts its share of what will be in a folder, until it is joined."""
    return folder / f".share.{number}{PARTIAL_SUFFIX}"


def output_path(folder: Path, name: str) -> Path:
    """The path of an output by a name that came from a file or a user, such as an utterance: always below `folder`.

    Raises InputError for a name that leads out of the folder, or that is no file name on some system.
    """
    if not can_name_output(name):
        raise InputError(f"{name[:80]!r} cannot be the name of an output file; rename the utterance", folder)
    return folder.joinpath(*PurePosixPath(name).parts)


def can_name_output(name: str) -> bool:
    """Whether a name stays below the folder that it is put in, and is a file name on every system."""
    unsafe = "\0" in name or "\\" in name or PureWindowsPath(name).drive or name.endswith("/")
    path = PurePosixPath(name)
    return bool(
        path.parts
        and not unsafe
        and not path.is_absolute()
        and not any(part in ("..", ".") for part in name.split("/"))
    )


@contextmanager
def complete_file(path: Path | str, mode: str = "w") -> Iterator[IO[Any]]:
    """Opens a file next to `path` for writing; at the end it is fsynced and renamed to `path`, or removed on an error.

    Raises OutputError when the disk is full or the folder cannot be written, and InputError where `path` is a file of
    the user's in an output folder.
    """
    path = Path(path)
    partial = path.with_name(f".{path.name}.{os.getpid()}{PARTIAL_SUFFIX}")
    try:
        make_folder(path.parent)
        # A file name that is not UTF-8 becomes an escape that JSON reads back to the same name.
        encoding, errors = (None, None) if "b" in mode else ("utf-8", "backslashreplace")
        with open(partial, mode, encoding=encoding, errors=errors) as file:
            yield file
            file.flush()
            if _each_synced:
                os.fsync(file.fileno())
        if (owner := owner_of(path)) is not None:
            owner.require_replaceable(path, partial)
            owner.record(path, partial)
        partial.replace(path)
        if _each_synced:
            sync_folder(path.parent)
    except OSError as error:
        if error.filename is not None and str(error.filename) not in (str(partial), str(path)):
            raise
        raise cannot_write(path, error) from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


_each_synced = True


@contextmanager
def synced_together() -> Iterator[None]:
    """Inside the `with`, complete files are not fsynced one by one: for many small ones that can be made again.

    `sync` brings them to the disk. A power failure may leave some of them empty.
    """
    global _each_synced
    before, _each_synced = _each_synced, False
    try:
        yield
    finally:
        _each_synced = before


def sync() -> None:
    """Brings everything that was written to the disk, where the system can."""
    if hasattr(os, "sync"):
        os.sync()


@contextmanager
def growing_file(path: Path) -> Iterator[IO[str]]:
    """Opens a text file to add lines to; what was in it before stays. Raises OutputError and InputError as
    `complete_file`."""
    owner = owner_of(path)
    try:
        make_folder(path.parent)
        if owner is not None:
            owner.require_replaceable(path)
        with open(path, "a", encoding="utf-8", errors="backslashreplace") as file:
            if owner is not None:
                owner.record(path, path, grows=True)
            try:
                yield file
            finally:
                file.flush()
                os.fsync(file.fileno())
                if owner is not None:
                    owner.record(path, path, grows=True)
        sync_folder(path.parent)
    except OSError as error:
        if error.filename is not None and str(error.filename) != str(path):
            raise
        raise cannot_write(path, error) from error


def rename(source: Path, target: Path) -> None:
    """Renames a file or a folder; what was asr's own stays so under its new name."""
    owner = owner_of(source)
    if owner is not None:
        owner.record_move(source, target)
    source.rename(target)
    if owner is not None:
        owner.record_gone(source)


def adopt(path: Path) -> None:
    """Lists a file as asr's own that a library has just written for it, and may still add to."""
    if (owner := owner_of(path)) is not None:
        owner.record(path, path, grows=True)


def remove(path: Path) -> bool:
    """Deletes a file or a folder of asr's own; in an output folder, files of the user's in it stay.

    Returns whether nothing is left at `path`.
    """
    if (owner := owner_of(path)) is not None:
        return owner.remove(path)
    if path.is_dir() and not path.is_symlink():
        for child in list(path.iterdir()):
            remove(child)
        path.rmdir()
    else:
        path.unlink(missing_ok=True)
    return True


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder survive a power failure, where the system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Makes a folder and those above it. Raises OutputError or InputError as `cannot_write`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _error_type(error)(f"cannot make the folder: {error.strerror}; choose another", folder) from error


def cannot_write(path: Path, error: OSError) -> InputError:
    """What to tell the user where writing failed: an OutputError, or an InputError if it is due to this name alone."""
    kind = _error_type(error)
    fix = "free disk space or choose another folder" if kind is OutputError else "choose another folder"
    return kind(f"cannot write: {error.strerror or error}; {fix}", path)


def _error_type(error: OSError) -> type[InputError]:
    return InputError if error.errno in _BAD_NAME else OutputError


def write_text(path: Path | str, text: str) -> None:
    """Writes a whole text file at once, complete or not at all."""
    with complete_file(path) as file:
        file.write(text)


def write_bytes(path: Path | str, content: bytes) -> None:
    """Writes a whole file at once, complete or not at all."""
    with complete_file(path, "wb") as file:
        file.write(content)


def files_below(folder: Path) -> Iterator[Path]:
    """The files below a folder, sorted within each; links to nowhere are among them, hidden files and folders are not.

    Links to folders are followed, each folder once.
    """
    seen: set[tuple[int, int]] = set()
    for here, folders, names in os.walk(folder, followlinks=True):
        status = Path(here).stat()
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(here, name) for name in sorted(names) if not name.startswith("."))


def file_digest(path: Path) -> str:
    """SHA-256 of a file's content. Raises InputError when it cannot be read."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"cannot read: {error.strerror}", path) from error
