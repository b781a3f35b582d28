"""The recordings that a user gives: found, given unique utterance names, and read."""

import glob
import logging
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeVar

from asr.audio import AUDIO_SUFFIXES, OTHER_SUFFIXES, audio_info, read_audio, read_blocks
from asr.audio.waveform import Waveform
from asr.corpora.list_row import Listed
from asr.corpora.lists import is_list, read_list
from asr.errors import InputError, listed
from asr.features.pieces import WHOLE
from asr.storage.files import can_name_output

log = logging.getLogger(__name__)

STANDARD_INPUT = "-"
LONGEST_NAME = 220
"""Bytes of a file name; systems allow 255, and the TextGrid's suffix and temporary name need some of them."""

MOST_OVERSHOOT = 0.5
"""Seconds by which a part in a list may end after its file, where times were rounded; it is cut at the file's end."""

PART = ("start", "end", "channel")

KNOWN_SUFFIXES = AUDIO_SUFFIXES | OTHER_SUFFIXES

Channels = Literal["mix", "each"] | int
"""The mean of all channels, each channel as an utterance of its own, or one channel (from 0)."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Source:
    """One utterance to process: a file, or the part of it from `start` on for `duration` seconds (None: to its end).

    `utterance` is its name in a list, or the file's path below the folder it was found in, without the suffix.
    `channel` counts from 0; None is the mean of all. `text` is its transcript, where a list has one. `speaker` is
    who of several says it (`asr.recordings.speakers`).
    """

    utterance: str
    file: Path | str  # kept as text: a Path takes three times the memory, and there may be a million
    start: float = 0.0
    duration: float | None = None
    channel: int | None = None
    text: str | None = None
    speaker: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "file", str(self.file))

    @property
    def path(self) -> Path:
        """The path of the file."""
        return Path(self.file)

    @property
    def part(self) -> dict[str, float | int]:
        """Which part of the file it is, in the fields PART of its line in the results; nothing for a whole file."""
        part: dict[str, float | int] = {}
        if self.start or self.duration is not None:
            part["start"] = self.start
        if self.duration is not None:
            part["end"] = round(self.start + self.duration, 4)
        if self.channel is not None:
            part["channel"] = self.channel
        return part


@dataclass(frozen=True)
class Found:
    """What a user's inputs hold, and the folders that could not be read, each with the reason."""

    sources: list[Source]
    unreadable: list[tuple[Path, InputError]]


def find_sources(inputs: Sequence[Path], channels: Channels = "mix") -> Found:
    """The recordings among the inputs, in their order; those below a folder sorted by name.

    An input is an audio file, a folder, a pattern such as `**/*.wav`, a list (see `asr.corpora.lists`), or `-` for
    paths on standard input, one a line or separated by NUL. Where several files would have the same utterance name,
    they keep their suffix; if that is not enough, their whole path. Hidden files are left out. Raises InputError when
    there is no audio file, when a list is broken, and when none of the inputs exists; a missing one among others fails
    when it is read.
    """
    search = _Search()
    given = list(_paths(inputs))
    if not given:
        raise InputError("has no paths; give one per line", "standard input")
    if not any(os.path.lexists(path) for path in given):
        raise InputError("no such file or folder", given[0])
    for path in given:
        for item in search.below(path):
            for each in _channels(item, channels):
                search.add(each)
    items = search.found()
    if not items:
        missing = InputError(f"no audio file; known suffixes: {' '.join(sorted(AUDIO_SUFFIXES))}", inputs[0])
        raise next((error for _, error in search.unreadable), missing)
    names = distinct_names(items, Listed.name, Listed.MOST_NAMES)
    items.reverse()  # each is freed when it is named
    return Found([_source(name, items.pop()) for name in names], search.unreadable)


def _source(name: str, item: Listed) -> Source:
    return Source(name, item.path, item.start, item.duration, item.channel, item.text)


def _paths(inputs: Iterable[Path]) -> Iterator[Path]:
    """The inputs, with the matches of patterns and the paths on standard input in their places."""
    for given in inputs:
        if str(given) == STANDARD_INPUT:
            data = sys.stdin.buffer.read()
            lines = data.split(b"\0") if b"\0" in data else data.splitlines()
            yield from (Path(os.fsdecode(line)) for line in lines if line.strip())
        elif glob.has_magic(str(given)) and not os.path.lexists(given):
            matches = sorted(glob.glob(str(given), recursive=True))  # noqa: PTH207 - Path.glob takes no absolute pattern
            if not matches:
                raise InputError("no file matches this pattern", given)
            yield from map(Path, matches)
        else:
            yield given


class _Search:
    """Looks through inputs, and keeps what it finds and what it passes over."""

    def __init__(self) -> None:
        self.links: list[str] = []
        self.empty: list[str] = []
        self.unreadable: list[tuple[Path, InputError]] = []
        self._found: dict[object, Listed] = {}
        self._texts: dict[str, None] = {}  # files with more than one transcript

    def below(self, given: Path) -> Iterator[Listed]:
        """What one input holds."""
        item = None
        for item in self._below(given):
            yield item
        if item is None:
            self.empty.append(str(given))

    def add(self, item: Listed) -> None:
        """Adds a recording, unless it is there already; one that has no transcript yet gets the item's."""
        first = self._found.setdefault(item.identity, item)
        if first.text is None and item.text is not None:
            self._found[item.identity] = replace(first, text=item.text)
        elif item.text not in (None, first.text):
            self._texts[item.path] = None

    def found(self) -> list[Listed]:
        """What was added, in order; warns of what was passed over."""
        found = list(self._found.values())
        self._found.clear()
        if self.links:
            log.warning("linked folders are not searched: %s; name them to search them", listed(self.links))
        if self.empty and found:
            log.warning("no audio file in %s", listed(self.empty))
        if self._texts:
            log.warning("more than one transcript, of which the first is used: %s", listed(self._texts))
        return found

    def _below(self, given: Path) -> Iterator[Listed]:
        if is_list(given):
            yield from (item for _, item in read_list(given))
        elif os.path.isdir(given):  # noqa: PTH112 - Path.is_dir raises where a folder above cannot be read
            for path in self._audio_below(given):
                yield Listed(_absolute(path), label=os.path.relpath(path, given))
        else:
            yield Listed(_absolute(str(given)), label=given.name)

    def _audio_below(self, folder: Path) -> list[str]:
        """The files that have a suffix of audio; links to nowhere are among them, and fail when they are read."""
        paths = []
        for root, folders, names in os.walk(folder, onerror=self._fail):
            self.links += [path for name in folders if os.path.islink(path := os.path.join(root, name))]  # noqa: PTH114, PTH118
            paths += [
                os.path.join(root, name)  # noqa: PTH118 - a Path for each of a million files takes seconds
                for name in names
                if not name.startswith(".") and _suffix(name) in KNOWN_SUFFIXES
            ]
        return sorted(paths, key=lambda path: path.split(os.sep))  # noqa: PTH206

    def _fail(self, error: OSError) -> None:
        path = Path(str(error.filename))
        self.unreadable.append((path, InputError(f"cannot read the folder: {error.strerror}", path)))


def _suffix(name: str) -> str:
    return os.path.splitext(name)[1].lower()  # noqa: PTH122


def _absolute(path: str) -> str:
    return os.path.abspath(path)  # noqa: PTH100 - links are kept as the user wrote them


def _channels(item: Listed, channels: Channels) -> list[Listed]:
    """The item with the channel that is asked for, or once for each channel; a list's own channel comes first.

    A file that cannot be read stays as it is, and fails when it is read.
    """
    if channels == "mix" or item.channel is not None:
        return [item]
    if channels != "each":
        return [replace(item, channel=channels)]
    try:
        number = audio_info(item.path).channels
    except InputError:
        return [item]
    return [item] if number == 1 else [replace(item, channel=channel, split=True) for channel in range(number)]


def distinct_names(items: Sequence[T], name: Callable[[T, int], str], most: int) -> list[str]:
    """A name for each item: the first of its `most` names that no other has. Raises InputError where there is none."""
    chosen = [0] * len(items)
    names = [name(item, 0) for item in items]
    while True:
        counts = Counter(names)
        if len(counts) == len(names):
            return names
        clashes = [number for number, each in enumerate(names) if counts[each] > 1]
        if all(chosen[number] + 1 == most for number in clashes):
            raise InputError(f"two recordings have the name {names[clashes[0]]!r}; rename one")
        for number in clashes:
            if chosen[number] + 1 < most:
                chosen[number] += 1
                names[number] = name(items[number], chosen[number])


def read_source(source: Source, sample_rate: int, warnings: list[str] | None = None) -> Iterator[Waveform]:
    """The samples of an utterance, in blocks of `asr.features.pieces.WHOLE` seconds.

    Appends to `warnings` what is odd about the recording, as `read_audio` does. Raises InputError as `read_audio`, and
    for a name that is too long or cannot be that of an output.
    """
    if len(os.fsencode(source.path.name)) > LONGEST_NAME:
        raise InputError(f"its name has more than {LONGEST_NAME} bytes; shorten it", source.path)
    if not can_name_output(source.utterance):
        raise InputError(
            f"utterance {source.utterance[:80]!r} cannot be the name of an output file; rename it", source.path
        )
    if not source.start and source.duration is None:
        yield from read_blocks(source.path, sample_rate, WHOLE, source.channel, warnings)
        return
    info = audio_info(source.path)
    end = info.samples / info.sample_rate
    wanted = end if source.duration is None else source.start + source.duration
    if not 0 <= source.start < min(wanted, end) or wanted > end + MOST_OVERSHOOT:
        raise InputError(
            f"{source.utterance} is from {source.start:g} to {wanted:g} s, but the file has {end:g} s; "
            "correct these times in the list or TextGrid",
            source.path,
        )
    duration = min(wanted, end) - source.start
    samples = read_audio(source.path, sample_rate, source.start, duration, source.channel, warnings)
    length = round(WHOLE * sample_rate)
    yield from (samples[first : first + length] for first in range(0, len(samples), length))
