"""Output folders: which files in a folder are asr's own, and so may be replaced or deleted. All others are the user's.

An output folder belongs to one command; its record (`asr.storage.output_record`) says to which, and what that has
written. A file that is not listed there, or that has changed since, is not touched.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import IO, Any

from asr.errors import InputError, OutputError
from asr.storage import files
from asr.storage.lock import LOCK, locked
from asr.storage.output_record import (
    RECORD,
    SCHEMA,
    Written,
    is_as_written,
    kind_of,
    open_record,
    read_written,
    remember,
)

_LARGE = 1 << 20
_MOST_NAMED = 3


@contextmanager
def output_folder(folder: Path, kind: str, option: str) -> Iterator["OutputFolder"]:
    """Makes or opens the output folder of one kind of work and keeps other processes out of it.

    What is then written below it by `asr.storage.files` is recorded, and nothing of the user's is replaced or deleted.
    `option` is how the command's user names the folder. Raises InputError for a folder that holds files but has no
    record, that belongs to another kind of work, or that another process uses.
    """
    _require_ours(folder, kind, option)
    with locked(folder, option):
        _require_ours(folder, kind, option)
        with open_record(folder / RECORD) as record:
            opened = OutputFolder(folder, kind, record)
            opened.sweep()
            with files.owned_by(opened):
                yield opened


class OutputFolder:
    """The files in an output folder that are asr's own. `output_folder` makes one."""

    def __init__(self, folder: Path, kind: str, record: IO[str]) -> None:
        self.folder, self.kind, self._record = _absolute(folder), kind, record
        self._written = read_written(folder / RECORD)
        self._large: dict[str, tuple[int, ...]] = {}  # large files of this process, which need no second reading
        if not (folder / RECORD).stat().st_size:
            self._append({"schema": SCHEMA, "kind": kind})

    def owns(self, path: Path) -> bool:
        """Whether a file is there, was written by asr into this folder, and is unchanged. Links are not followed."""
        known = self._written.get(self._name(path))
        if not known or self._link_above(path) or path.is_symlink() or not path.is_file():
            return False
        status = path.stat()
        if self._large.get(self._name(path)) == _identity(status):
            return True
        return is_as_written(path, known)

    def require_replaceable(self, path: Path, replacement: Path | None = None) -> None:
        """Raises InputError where writing `path` would replace something that is not asr's own.

        Replacing a file by a `replacement` with the same content is no loss, whoever owns it; nor is replacing an empty
        file, which is what a power failure may leave of one.
        """
        if link := self._link_above(path):
            raise InputError("is a link; asr writes only into folders of its own", link)
        if not os.path.lexists(path) or self.owns(path):
            return
        if path.is_dir():
            raise InputError("is a folder in the place of an output file; move it away", path)
        if path.is_file() and not path.is_symlink() and not path.stat().st_size:
            return
        if replacement is not None and path.is_file() and _whole(path) == _whole(replacement):
            return
        raise InputError(f"was not written by asr {self.kind}, or was changed since; move it away", path)

    def record(self, path: Path, content: Path, grows: bool = False) -> None:
        """Lists `path` as asr's own, with what is now in the file `content`."""
        self._list(self._name(path), Written(*_whole(content), grows))
        if (status := content.stat()).st_size >= _LARGE:
            self._large[self._name(path)] = _identity(status)

    def record_move(self, source: Path, target: Path) -> None:
        """Lists asr's files at or below `source` under the names that they get when it is renamed to `target`."""
        before, after = self._name(source), self._name(target)
        for name in self._listed(source):
            for written in self._written[name]:
                self._list(after + name.removeprefix(before), written)

    def record_gone(self, path: Path) -> None:
        """Lists that nothing is left at or below a path: after a rename."""
        for name in self._listed(path):
            self._append_gone(name)

    def remove(self, path: Path) -> bool:
        """Deletes a file of asr's own, or all of them below a folder, with the folders that are empty then.

        All other files stay, and links are not followed. Returns whether nothing is left.
        """
        if path.is_symlink() or not path.is_dir():
            if self.owns(path):
                path.unlink()
                self._append_gone(self._name(path))
            return not os.path.lexists(path)
        for child in list(path.iterdir()):
            self.remove(child)
        with suppress(OSError):
            path.rmdir()
        return not path.exists()

    def clear(self) -> None:
        """Deletes all files of asr's own. Raises InputError, before it deletes any, where one was changed since."""
        recorded = self.recorded(self.folder)
        for path in recorded:
            if not self.owns(path):
                raise InputError(f"was changed since asr {self.kind} wrote it; move it away", path)
        for path in recorded:
            path.unlink()
            self._append_gone(self._name(path))

    def foreign(self, path: Path) -> Path | None:
        """A file at or below `path` that is not asr's own; None where there is none."""
        if path.is_dir() and not path.is_symlink():
            return next((found for child in sorted(path.iterdir()) if (found := self.foreign(child))), None)
        return path if os.path.lexists(path) and not self.owns(path) else None

    def recorded(self, below: Path) -> list[Path]:
        """The files below a folder that are listed and there, sorted; they may have changed since."""
        prefix = "" if (name := self._name(below)) == "." else f"{name}/"
        inside = (name.removeprefix(prefix) for name in self._written if name.startswith(prefix))
        return sorted(path for name in inside if (path := below / name).is_file())

    def sweep(self) -> None:
        """Deletes incomplete files that a killed command left, but not in output folders below this one."""
        for root, folders, names in os.walk(self.folder):
            folders[:] = [name for name in folders if not Path(root, name, RECORD).exists()]
            for name in filter(files.is_partial, folders):
                shutil.rmtree(Path(root, name), ignore_errors=True)
            for name in names:
                if files.is_partial(name):
                    Path(root, name).unlink(missing_ok=True)

    def _name(self, path: Path) -> str:
        return _absolute(path).relative_to(self.folder).as_posix()

    def _listed(self, path: Path) -> list[str]:
        """The listed names at or below a path; only for a folder are all names looked through."""
        name = self._name(path)
        if name in self._written and not path.is_dir():
            return [name]
        return [below for below in self._written if below == name or below.startswith(f"{name}/")]

    def _link_above(self, path: Path) -> Path | None:
        """A folder between this one and `path` that is a link."""
        parents = PurePosixPath(self._name(path)).parents
        below = (self.folder / parent for parent in parents if parent != PurePosixPath())
        return next((parent for parent in below if parent.is_symlink()), None)

    def _list(self, name: str, written: Written) -> None:
        if self._written.get(name, ())[-1:] == [written]:
            return
        row = {"file": name, "size": written.size, "sha256": written.digest.hex()}
        row |= {"grows": True} if written.grows else {}
        self._append(row)
        remember(self._written, row)

    def _append_gone(self, name: str) -> None:
        row = {"file": name, "gone": True}
        self._append(row)
        remember(self._written, row)

    def _append(self, row: dict[str, Any]) -> None:
        try:
            self._record.write(json.dumps(row) + "\n")  # in ASCII: a name that is not UTF-8 becomes an escape
            self._record.flush()
        except OSError as error:
            raise files.cannot_write(self.folder / RECORD, error) from error


def _require_ours(folder: Path, kind: str, option: str) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise InputError(f"is not a folder; choose another with {option}", folder)
    owner = kind_of(folder)
    if owner not in (None, kind):
        raise InputError(f"holds the output of asr {owner}; choose another folder with {option}", folder)
    if owner is None:
        try:
            names = sorted(path.name for path in folder.iterdir() if path.name not in (LOCK, RECORD))
        except OSError as error:
            raise OutputError(f"cannot read: {error.strerror}; choose another folder with {option}", folder) from error
        if names:
            named = ", ".join(names[:_MOST_NAMED]) + (", ..." if len(names) > _MOST_NAMED else "")
            raise InputError(
                f"holds files that asr {kind} did not write ({named}); choose a new or empty folder with {option}",
                folder,
            )


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100 - links are kept


def _identity(status: os.stat_result) -> tuple[int, ...]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _whole(path: Path) -> tuple[int, bytes]:
    """The number of bytes that were read of a file, which may be growing, and their SHA-256."""
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").digest()
        return file.tell(), digest
