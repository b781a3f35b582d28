"""What happens when one recording fails: one line in the log and in errors.jsonl, for all of its utterances that fail
alike one after the other; the others are still done."""

import json
import logging
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from asr.errors import InputError, OutputError, gpu_failure, is_interrupt, is_out_of_memory
from asr.storage.files import growing_file, remove

log = logging.getLogger(__name__)

ERRORS = "errors.jsonl"
"""In an output folder: what failed in the last run."""

LONGEST_REASON = 300


class Failures:
    """Logs each failure of a run and writes it to a file, `{"path": ..., "what": ..., "fix": ...}`.

    Utterances of a recording that fail alike, one after the other, are one failure, which says how many they are.
    Without failures there is no file: that of the previous run is removed.
    """

    def __init__(self, path: Path) -> None:
        """Raises InputError where `path` is a file of the user's in an output folder."""
        if not remove(path):
            raise InputError("was not written by asr, or was changed since; move it away", path)
        self.path = path
        self.failed = 0
        self._last: _Failure | None = None
        self._open = ExitStack()
        self._lines: IO[str] | None = None

    def __enter__(self) -> "Failures":
        return self

    def __exit__(self, *error: object) -> None:
        with self._open:
            self.settle()

    def add(self, error: Exception, path: Path, consequence: str = "") -> None:
        """Adds a recording that has failed; with a `consequence`, it has a result, but something less is missing.

        Raises the error again if it concerns all, as `log_failure`.
        """
        _refuse_what_concerns_all(error)
        failure = _Failure(_message(error, path), path, consequence, error)
        if self._last is not None and self._last == failure:
            self._last.utterances += 1
            return
        self.settle()
        self._last = failure
        self.failed += not consequence

    def settle(self) -> None:
        """Logs and writes the last failure, of which no more utterances come."""
        if (last := self._last) is None:
            return
        self._last = None
        several = f" ({last.utterances} utterances)" if last.utterances > 1 else ""
        consequence = several + last.consequence
        log_failure(last.error, last.path, consequence)
        if self._lines is None:
            self._lines = self._open.enter_context(growing_file(self.path))
        what, _, fix = last.message.removeprefix(place(last.path)).rpartition("; ")
        row = {"path": str(last.path), "what": (what or fix) + consequence, "fix": fix if what else ""}
        self._lines.write(json.dumps(row, ensure_ascii=False) + "\n")
        self._lines.flush()


@dataclass
class _Failure:
    """Why a recording failed, and how many of its utterances did."""

    message: str
    path: Path
    consequence: str
    error: Exception = field(compare=False)
    utterances: int = field(default=1, compare=False)


def log_failure(error: Exception, path: Path, consequence: str = "") -> None:
    """Logs in one line why a recording failed. Raises the error again if it concerns all: a full disk, Ctrl-C, or a GPU
    that failed."""
    _refuse_what_concerns_all(error)
    log.error("%s%s", _message(error, path), consequence, exc_info=error)


def _refuse_what_concerns_all(error: Exception) -> None:
    if _concerns_all(error) or (isinstance(error, SystemError) and is_interrupt(error)):
        raise error


def place(path: Path) -> str:
    """How the message of an InputError begins that is about this file."""
    return str(InputError("", path))


def described(error: Exception, path: Path) -> Exception:
    """The error of a recording as an InputError that begins with its path; one that concerns all stays as it is."""
    if _concerns_all(error) or is_interrupt(error):
        return error
    if isinstance(error, InputError) and str(error).startswith(place(path)):
        return error
    found = InputError(str(error) if isinstance(error, InputError) else _reason(error), path)
    found.__cause__ = error
    return found


def _concerns_all(error: Exception) -> bool:
    return isinstance(error, OutputError) or gpu_failure(error) is not None


def _message(error: Exception, path: Path) -> str:
    return str(error) if isinstance(error, InputError) else f"{place(path)}{_reason(error)}"


def _reason(error: Exception) -> str:
    if is_out_of_memory(error):
        return "does not fit in memory; split it into parts, or choose another --device"
    return f"{type(error).__name__}: {' '.join(str(error).split())[:LONGEST_REASON]}"
