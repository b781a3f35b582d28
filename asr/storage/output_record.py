"""The record of an output folder, `.asr.jsonl`: which files in the folder are as asr wrote them.

The first line has the schema and the kind of work, and each further line a file with its size and SHA-256, added before
the file gets its name:

    {"schema": 1, "kind": "transcribe"}
    {"file": "textgrids/a.TextGrid", "size": 1423, "sha256": "9f86d08..."}
    {"file": "transcripts.jsonl", "size": 0, "sha256": "e3b0c44...", "grows": true}
    {"file": "textgrids/b.TextGrid", "gone": true}

In a file that grows, the part that was recorded must be unchanged. A file that asr deletes or renames is gone
afterwards; one that is missing otherwise is lost.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any, NamedTuple

from asr.errors import InputError
from asr.storage import files

RECORD = ".asr.jsonl"
SCHEMA = 1

_BLOCK = 1 << 20


class Written(NamedTuple):
    """A file as it was written: its size in bytes, its SHA-256, and whether it may have grown since."""

    size: int
    digest: bytes
    grows: bool


@contextmanager
def open_record(path: Path) -> Iterator[IO[str]]:
    """The record of an output folder, open for appending; a last line that was cut short is removed."""
    try:
        if path.exists():
            content = path.read_bytes()
            if not content.endswith(b"\n"):
                os.truncate(path, content.rfind(b"\n") + 1)
        with open(path, "a", encoding="ascii") as record:
            yield record
            record.flush()
            os.fsync(record.fileno())
    except OSError as error:
        if error.filename not in (None, str(path)):
            raise
        raise files.cannot_write(path, error) from error


def kind_of(folder: Path) -> str | None:
    """The kind of work that an output folder belongs to; None for a folder without a record.

    Raises InputError for a damaged record, and for one of another version.
    """
    try:
        head = next(_read_record(folder / RECORD), None)
    except FileNotFoundError:
        return None
    if head is None:
        return None
    if head.get("schema") != SCHEMA or not isinstance(head.get("kind"), str):
        raise InputError(f"is not a record of schema {SCHEMA}; choose another folder", folder / RECORD)
    return str(head["kind"])


def _read_record(path: Path) -> Iterator[dict[str, Any]]:
    with open(path, encoding="ascii", errors="replace") as lines:
        for number, line in enumerate(lines, 1):
            try:
                row = json.loads(line)
                if number > 1 and not (row.get("gone") and str(row["file"])):
                    int(row["size"]), bytes.fromhex(row["sha256"]), str(row["file"])
                yield dict(row)
            except (KeyError, TypeError, ValueError) as error:
                if line.endswith("\n"):
                    raise InputError("is damaged; choose another folder", path, number) from error


def read_written(record: Path) -> dict[str, list[Written]]:
    """The files that a record lists, by their names, each with what it may be: see `remember`.

    Raises InputError for a damaged record.
    """
    written: dict[str, list[Written]] = {}
    for number, row in enumerate(_read_record(record)):
        if number:
            remember(written, row)
    return written


def remember(written: dict[str, list[Written]], row: dict[str, Any]) -> None:
    """Adds one line of a record to the files that it lists."""
    name = str(row["file"])
    if row.get("gone"):
        written.pop(name, None)
        return
    last = Written(int(row["size"]), bytes.fromhex(row["sha256"]), bool(row.get("grows")))
    # A file that grows is listed when it is there; else either the last file of the name is there, or one before.
    written[name] = [last] if last.grows else [*written.get(name, ())[-1:], last]


def is_as_written(path: Path, known: list[Written]) -> bool:
    """Whether the content of a file is one of those that it may have."""
    size = path.stat().st_size
    fitting = {each for each in known if each.size == size or (each.grows and each.size < size)}
    digests = {size: _digest(path, size) for size in {each.size for each in fitting}}
    return any(digests[each.size] == each.digest for each in fitting)


def check_record(folder: Path) -> Iterator[tuple[Path, str | None]]:
    """Each file of an output folder's record, with what is wrong with it: None for a file that is as it was written.

    Hidden files and folders, where outputs are while they are made, are left out. Raises InputError for a damaged
    record.
    """
    for name, known in sorted(read_written(folder / RECORD).items()):
        path = folder / name
        if any(part.startswith(".") for part in PurePosixPath(name).parts):
            continue
        if not os.path.lexists(path):
            yield path, "is missing"
        elif path.is_symlink() or not path.is_file():
            yield path, "is not a file; asr wrote one of that name"
        else:
            yield path, None if is_as_written(path, known) else "was changed since asr wrote it, or is damaged"


def _digest(path: Path, size: int) -> bytes:
    """SHA-256 of the first `size` bytes of a file."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while size > 0 and (block := file.read(min(_BLOCK, size))):
            digest.update(block)
            size -= len(block)
    return digest.digest()
