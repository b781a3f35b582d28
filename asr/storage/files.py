"""Files that get their final name only when they are complete."""

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from asr.errors import InputError, OutputError

PARTIAL_SUFFIX = ".part"
"""The suffix of a file that is not complete yet; a killed process may leave one."""


@contextmanager
def complete_file(path: Path | str, mode: str = "w") -> Iterator[IO[Any]]:
    """Opens a file beside `path` for writing; at the end fsyncs and renames it to `path`, or removes it on an error.

    Raises InputError when the disk is full or the folder cannot be written.
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
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        if error.filename is not None and str(error.filename) not in (str(partial), str(path)):
            raise
        raise cannot_write(path, error) from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def make_folder(folder: Path) -> None:
    """Makes a folder and those above it. Raises InputError where that fails."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder: {error.strerror}; choose another", folder) from error


def cannot_write(path: Path, error: OSError) -> OutputError:
    """The error for a write that failed."""
    return OutputError(f"cannot write: {error.strerror or error}; free disk space or choose another folder", path)


def write_text(path: Path | str, text: str) -> None:
    """Writes a whole text file at once, complete or not at all."""
    with complete_file(path) as file:
        file.write(text)


def write_json(path: Path | str, value: Any) -> None:
    """Writes indented JSON with a final newline, complete or not at all."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def write_jsonl(path: Path | str, rows: Iterable[dict[str, Any]]) -> int:
    """Writes one JSON object a line as the rows come; returns how many."""
    count = 0
    with complete_file(path) as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            count += 1
    return count


def read_json(path: Path | str) -> Any:
    """Reads a JSON file. Raises InputError when it is missing or is not JSON."""
    path = Path(path)
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read: {error.strerror}", path) from error
    except ValueError as error:
        raise InputError(f"not valid JSON: {error}", path) from error


def read_jsonl(path: Path | str) -> Iterator[dict[str, Any]]:
    """Yields one object a line. Raises InputError with the line number where a line is not a JSON object."""
    path = Path(path)
    try:
        with open(path, encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                try:
                    row = json.loads(line)
                except ValueError as error:
                    raise InputError(f"not valid JSON: {error}", path, number) from error
                if not isinstance(row, dict):
                    raise InputError("expected a JSON object", path, number)
                yield row
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a UTF-8 text file"
        raise InputError(f"cannot read: {reason}", path) from error
