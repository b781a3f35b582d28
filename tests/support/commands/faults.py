"""Commands that are killed, or whose disk fails, at a chosen operation on a file."""

import builtins
import errno
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.commands.forked import Ended, call, context

CHANGES = ("fsync", "rename", "replace", "unlink", "rmdir", "mkdir", "truncate")
"""The functions of `os` at which a command is killed."""

WRITES = ("fsync", "rename", "replace", "mkdir")
"""The functions of `os` that fail on a bad disk, besides opening and writing a file."""

ERRORS = {"ENOSPC": errno.ENOSPC, "EIO": errno.EIO, "EACCES": errno.EACCES}

EVERY = os.environ.get("ASR_FAULTS") == "all"
"""Whether every point is tried, and not a sample of them."""


class Faults:
    """Counts the operations on files below a folder, and lets one of them fail: 'kill', or the name of an error."""

    def __init__(self, folder: Path, kind: str, point: int) -> None:
        self.folder, self.kind, self.point, self.count = str(folder), kind, point, 0

    def happen(self, path: object) -> None:
        try:
            name = os.fspath(path) if not isinstance(path, int) else os.readlink(f"/proc/self/fd/{path}")  # noqa: PTH115
        except (TypeError, OSError):
            return
        if not os.path.abspath(os.fsdecode(name)).startswith(self.folder):  # noqa: PTH100
            return
        self.count += 1
        if self.count == self.point:
            if self.kind == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            raise OSError(ERRORS[self.kind], os.strerror(ERRORS[self.kind]), name)

    def install(self) -> None:
        for name in CHANGES if self.kind == "kill" else WRITES:
            setattr(os, name, self._wrapped(getattr(os, name)))
        if self.kind != "kill":
            builtins.open = self._open(builtins.open)

    def _wrapped(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(path: object, *args: Any, **kwargs: Any) -> Any:
            self.happen(path)
            return function(path, *args, **kwargs)

        return wrapper

    def _open(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
            if not set(mode) & set("wax+") or isinstance(file, int):
                return function(file, mode, *args, **kwargs)
            self.happen(file)
            return _Writing(function(file, mode, *args, **kwargs), lambda: self.happen(file))

        return wrapper


class _Writing:
    """A file whose writes are counted."""

    def __init__(self, file: Any, happen: Callable[[], None]) -> None:
        self._file, self._happen = file, happen

    def write(self, data: Any) -> Any:
        self._happen()
        return self._file.write(data)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> "_Writing":
        self._file.__enter__()
        return self

    def __exit__(self, *error: Any) -> Any:
        return self._file.__exit__(*error)

    def __iter__(self) -> Any:
        return iter(self._file)


def _call(arguments: list[str], folder: str, kind: str, point: int, log: str) -> None:
    faults = Faults(Path(folder), kind, point)
    faults.install()
    try:
        call(arguments, log)
    finally:
        if point == 0:
            Path(f"{log}.count").write_text(str(faults.count))


@dataclass(frozen=True)
class Case:
    """A command that writes into `out`; what it reads is not changed by it."""

    arguments: list[object]
    out: Path


class FaultyCommand:
    """Runs `asr` with a fault."""

    def __init__(self, logs: Path) -> None:
        self.context = context()
        self.log = logs / "log"

    def __call__(self, arguments: list[object], folder: Path, kind: str = "kill", point: int = -1) -> Ended:
        """`point` 1 is the first operation on a file below `folder`; -1 never comes."""
        given = [str(argument) for argument in arguments]
        process = self.context.Process(target=_call, args=(given, str(folder), kind, point, str(self.log)))
        process.start()
        process.join(300)
        assert process.exitcode is not None
        out, err = (Path(f"{self.log}.{name}").read_text() for name in ("out", "err"))
        return Ended(process.exitcode, out, err)

    def points(self, arguments: list[object], folder: Path, kind: str) -> int:
        """How many operations the whole command does."""
        ended = self(arguments, folder, kind, point=0)
        assert ended.status == 0, ended.err
        return int(Path(f"{self.log}.count").read_text())


def sample(points: int, most: int, every: bool) -> list[int]:
    """All points, or some that are spread evenly over them, the first and the last among them."""
    if every or points <= most:
        return list(range(1, points + 1))
    return sorted({1 + round(number * (points - 1) / (most - 1)) for number in range(most)})
