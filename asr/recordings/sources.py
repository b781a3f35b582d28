"""The audio files that a user gives: found, given unique utterance names, and read ahead."""

import os
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from asr.audio import read_audio
from asr.errors import InputError

AUDIO_SUFFIXES = frozenset(
    {".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".sph", ".aif", ".aiff", ".aifc", ".au", ".snd", ".caf", ".w64"}
    | {".rf64"}
)
FILES_READ_AHEAD = 4
LONGEST_NAME = 220
"""Bytes of a file name; systems allow 255, and the TextGrid's suffix and temporary name need some of them."""

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Source:
    """One audio file; `utterance` is its path below the folder it was found in, without the suffix."""

    utterance: str
    path: Path


def find_sources(inputs: Sequence[Path]) -> list[Source]:
    """The audio files among the inputs and below their folders, each folder's sorted by name.

    Where several would have the same utterance name, they keep their suffix; if that is not enough, their whole path.
    Hidden files are left out. Raises InputError for an input that does not exist, and when there is no audio file.
    """
    found: dict[Path, Path] = {}
    for given in inputs:
        if not given.exists():
            raise InputError("no such file or folder", given)
        if given.is_dir():
            found |= {_absolute(path): path.relative_to(given) for path in _audio_below(given)}
        else:
            found[_absolute(given)] = Path(given.name)
    if not found:
        raise InputError(f"no audio file; known suffixes: {' '.join(sorted(AUDIO_SUFFIXES))}", inputs[0])
    names = distinct_names([(_without_suffix(name), str(name), str(path)[1:]) for path, name in found.items()])
    return [Source(name, path) for name, path in zip(names, found, strict=True)]


def _without_suffix(name: Path) -> str:
    return str(name.with_suffix("")) if name.stem.strip(".") else str(name)  # `..wav` would become the folder `.`


def _audio_below(folder: Path) -> list[Path]:
    below = (path for path in folder.rglob("*") if path.suffix.lower() in AUDIO_SUFFIXES and path.is_file())
    return sorted(path for path in below if not path.name.startswith("."))


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
