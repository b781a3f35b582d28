"""The audio files that a user gives: found, given unique utterance names, and read ahead."""

import logging
import os
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from asr.audio import AUDIO_SUFFIXES, OTHER_SUFFIXES, read_audio
from asr.errors import InputError, listed

log = logging.getLogger(__name__)

FILES_READ_AHEAD = 4
LONGEST_NAME = 220
"""Bytes of a file name; systems allow 255, and the TextGrid's suffix and temporary name need some of them."""

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Source:
    """One audio file; `utterance` is its path below the folder it was found in, without the suffix."""

    utterance: str
    path: Path


@dataclass(frozen=True)
class Found:
    """The audio files among a user's inputs, and how many folders could not be read."""

    sources: list[Source]
    unreadable: int


def find_sources(inputs: Sequence[Path]) -> Found:
    """The audio files among the inputs and below their folders, each folder's sorted by name.

    Where several would have the same utterance name, they keep their suffix; if that is not enough, their whole path.
    Hidden files are left out. Folders that cannot be read are logged as errors, and how many files have a suffix of
    audio or video that cannot be read as a warning. Raises InputError when there is no audio file, and when none of the
    inputs exists; a missing one among others fails when it is read.
    """
    if not any(os.path.lexists(given) for given in inputs):
        raise InputError("no such file or folder", inputs[0])
    found: dict[Path, Path] = {}
    passed = _Passed()
    for given in inputs:
        if os.path.isdir(given):  # noqa: PTH112 - Path.is_dir raises where a folder above cannot be read
            found |= {_absolute(path): path.relative_to(given) for path in _audio_below(given, passed)}
        else:
            found[_absolute(given)] = Path(given.name)
    passed.log()
    if not found:
        raise InputError(f"no audio file; known suffixes: {' '.join(sorted(AUDIO_SUFFIXES))}", inputs[0])
    names = distinct_names([(_without_suffix(name), str(name), str(path)[1:]) for path, name in found.items()])
    return Found([Source(name, path) for name, path in zip(names, found, strict=True)], passed.unreadable)


class _Passed:
    """What is passed over in folders."""

    def __init__(self) -> None:
        self.suffixes: Counter[str] = Counter()
        self.links: list[str] = []
        self.unreadable = 0

    def fail(self, error: OSError) -> None:
        """Counts a folder that cannot be read."""
        log.error("%s: cannot read the folder: %s", error.filename, error.strerror)
        self.unreadable += 1

    def log(self) -> None:
        if self.suffixes:
            each = ", ".join(f"{suffix} ({number})" for suffix, number in self.suffixes.most_common())
            files = "file" if self.suffixes.total() == 1 else "files"
            log.warning(
                "%d %s with suffixes that cannot be read: %s; convert them to FLAC", self.suffixes.total(), files, each
            )
        if self.links:
            log.warning("linked folders are not searched: %s; name them to search them", listed(self.links))


def _without_suffix(name: Path) -> str:
    return str(name.with_suffix("")) if name.stem.strip(".") else str(name)  # `..wav` would become the folder `.`


def _audio_below(folder: Path, passed: _Passed) -> list[Path]:
    """The files that have a suffix of audio; links to nowhere are among them, and fail when they are read."""
    paths = []
    for root, folders, names in os.walk(folder, onerror=passed.fail):
        passed.links += [str(path) for path in (Path(root, name) for name in folders) if path.is_symlink()]
        for path in (Path(root, name) for name in names if not name.startswith(".")):
            if (suffix := path.suffix.lower()) in AUDIO_SUFFIXES:
                paths.append(path)
            elif suffix in OTHER_SUFFIXES:
                passed.suffixes[suffix] += 1
    return sorted(paths)


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100 - links are kept as the user wrote them


def distinct_names(choices: Sequence[tuple[str, ...]]) -> list[str]:
    """A name for each file: the first of its choices that no other file has; the last choices must all differ."""
    chosen = [0] * len(choices)
    while True:
        names = [names[number] for names, number in zip(choices, chosen, strict=True)]
        counts = Counter(names)
        if len(counts) == len(names):
            return names
        chosen = [
            min(number + (counts[name] > 1), len(choices[0]) - 1) for name, number in zip(names, chosen, strict=True)
        ]


def check_name(source: Source) -> None:
    """Raises InputError for a file whose name is too long to add a suffix to."""
    if len(os.fsencode(source.path.name)) > LONGEST_NAME:
        raise InputError(f"its name has more than {LONGEST_NAME} bytes; shorten it", source.path)


def read_ahead(sources: Sequence[Source], sample_rate: int) -> Iterator[tuple[Source, "Future[Samples]"]]:
    """Reads a few files ahead in threads, so that recognition does not wait for the disk; memory stays flat."""
    with ThreadPoolExecutor(2) as pool:
        ahead: deque[tuple[Source, Future[Samples]]] = deque()
        try:
            for source in sources:
                ahead.append((source, pool.submit(read_audio, source.path, sample_rate)))
                if len(ahead) >= FILES_READ_AHEAD:
                    yield ahead.popleft()
            yield from ahead
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
