"""A recording as a list gives it."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from asr.corpora.file_names import find_file
from asr.errors import InputError


@dataclass(frozen=True, slots=True)
class Listed:
    """A recording as it is given, before it has a name: the absolute path of its file, and the part of it.

    `label` is what names it: its path as it was given, or below a folder; a list may give its `utterance`. `split` says
    that its name has its channel. `phones`, their `times` (s), `speaker`, `gender` and `subset` (train, dev or test)
    are for corpora.
    """

    path: str
    start: float = 0.0
    duration: float | None = None
    channel: int | None = None
    text: str | None = None
    utterance: str | None = None
    label: str = ""
    split: bool = False
    phones: tuple[str, ...] = ()
    times: tuple[tuple[float, float], ...] = ()
    speaker: str | None = None
    gender: str | None = None
    subset: str | None = None

    MOST_NAMES: ClassVar[int] = 3

    @property
    def identity(self) -> object:
        """Equal for what is the same part of the same file under the same name."""
        if self.utterance is None and self.channel is None and not self.start and self.duration is None:
            return self.path
        return self.path, self.start, self.duration, self.channel, self.utterance

    def name(self, choice: int) -> str:
        """Names from short to long: without the suffix, with it, and with the whole path."""
        if self.utterance is not None and choice < 2:
            name = self.utterance
        elif choice < 2:
            name = _without_suffix(self.label) if choice == 0 else self.label
            if self.start or self.duration is not None:
                end = "end" if self.duration is None else f"{self.start + self.duration:.3f}"
                name += f"-{self.start:.3f}-{end}"
        else:
            part = () if self.start == 0 and self.duration is None else (f"{self.start}", f"{self.duration}")
            name = "-".join([self.path[1:], *part, *([self.utterance] if self.utterance else [])])
        return f"{name}-channel{self.channel}" if self.split or (choice == 2 and self.channel is not None) else name


def _without_suffix(name: str) -> str:
    path = Path(name)
    return str(path.with_suffix("")) if path.stem.strip(".") else name  # `..wav` would become the folder `.`


Rows = Iterator[tuple[int, str, Callable[[], Listed]]]
"""The line of each recording, its name if that is known, and a function that reads it, which may raise InputError."""


def read_seconds(value: object, name: str, path: Path, line: int) -> float | None:
    """A number of seconds from 0 on; None for None. Raises InputError for anything else."""
    if value is None:
        return None
    try:
        seconds = float(str(value).replace(",", "."))
        if not 0 <= seconds < 1e9:
            raise ValueError
    except ValueError:
        raise InputError(f"{name} {value!r} is not a number of seconds from 0 on; correct it", path, line) from None
    return seconds


def label_of(given: str) -> str:
    """The label of a path as a list gives it: a relative one as it is, of an absolute one the file's name."""
    return os.path.basename(given) if os.path.isabs(given) else os.path.normpath(given)  # noqa: PTH117, PTH119


def located(name: str, path: Path) -> str:
    """The absolute path of a file in a list; the one next to the list where there is none."""
    return find_file(name, (path.parent, Path()))
