"""Which audio files, and which of their channels, have the same content, under any name and in any lossless format."""

import hashlib
import os
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from itertools import chain
from pathlib import Path

import numpy as np
from lhotse import Recording

from asr.audio.opening import open_audio
from asr.errors import InputError
from asr.progress import track
from asr.storage.files import file_digest
from asr.threads import in_threads

PIECE = 0.05
"""Seconds, from the middle of files of equal length, that are compared before all of their samples are."""

STEPS = 2**15
"""Samples are compared at 16 bits, as one of two copies may have no more."""


Sound = tuple[str, int | None]
"""The path of a file, and one of its channels (from 0), or None for all of it."""


def sounds(recording: Recording) -> list[Sound]:
    """The file of a recording and, where the recording has several channels, each of them."""
    source = recording.sources[0]
    channels = range(len(source.channels)) if len(source.channels) > 1 else ()
    return [(source.source, None), *((source.source, channel) for channel in channels)]


def contents(recordings: Iterable[Recording]) -> dict[Sound, str]:
    """For the sounds of each recording a text that is the same for files with the same bytes, and for sounds with the
    same samples: a channel may have been saved as a file of its own.

    Channels that are all the same count once. Only files of equal size, or of equal rate and length by their
    recordings, are read, and links once. Raises InputError for a file that is not there.
    """
    files = {sound: recording for recording in recordings for sound in sounds(recording)}
    found = _by_bytes(dict.fromkeys(path for path, _ in files))
    names = {(path, channel): _name(found[path], channel) for path, channel in files}
    same = _by_samples({name: (files[sound], sound[1]) for sound, name in names.items()})
    return {sound: same.get(name, name) for sound, name in names.items()}


def _name(content: str, channel: int | None) -> str:
    return content if channel is None else f"channel {channel} of {content}"


def _by_bytes(paths: Iterable[str]) -> dict[str, str]:
    files: dict[tuple[int, int], list[str]] = defaultdict(list)
    sizes: dict[int, set[tuple[int, int]]] = defaultdict(set)
    for path in paths:
        try:
            status = os.stat(path)  # noqa: PTH116 - a Path for each of a million files takes seconds
        except OSError as error:
            raise InputError(f"cannot read: {error.strerror}", path) from error
        identity = status.st_dev, status.st_ino
        files[identity].append(path)
        sizes[status.st_size].add(identity)
    found = {}
    for size, alike in sizes.items():
        for identity in alike:
            names = files[identity]
            content = file_digest(Path(names[0])) if len(alike) > 1 else f"the only one of {size} bytes"
            found.update(dict.fromkeys(names, content))
    return found


def _by_samples(named: Mapping[str, tuple[Recording, int | None]]) -> dict[str, str]:
    """Of files and channels, by names that differ, those with the samples of an earlier one, each with that one's
    name."""

    def length(name: str) -> tuple[int, int]:
        recording, _ = named[name]
        return recording.sampling_rate, recording.num_samples

    def digests(names: Iterable[str], only_piece: bool) -> dict[str, str | None]:
        """Each file is opened once for all its channels."""
        files: dict[tuple[str, int, int], list[str]] = defaultdict(list)
        for name in names:
            files[named[name][0].sources[0].source, *length(name)].append(name)

        def of_file(file: tuple[str, int, int]) -> dict[int | None, str]:
            path, rate, samples = file
            first = samples // 2 if only_piece else 0
            count = max(1, min(round(PIECE * rate), samples - first)) if only_piece else None
            return _samples(Path(path), {named[name][1] for name in files[file]}, first, count)

        found = in_threads(of_file, track(list(files), "compare audio"))
        each = zip(files.values(), found, strict=True)
        return {name: by_channel.get(named[name][1]) for names, by_channel in each for name in names}

    groups = _alike([list(named)], {name: length(name) for name in named})
    for only_piece in (True, False):
        groups = _alike(groups, digests(chain.from_iterable(groups), only_piece))
    return {name: names[0] for names in groups for name in names[1:]}


def _alike(groups: Iterable[list[str]], keys: Mapping[str, Hashable]) -> list[list[str]]:
    """Those of each group that share a key, which is not None."""
    found: dict[Hashable, list[str]] = defaultdict(list)
    for number, names in enumerate(groups):
        for name in names:
            found[number, name if keys[name] is None else (keys[name],)].append(name)
    return [alike for alike in found.values() if len(alike) > 1]


def _samples(path: Path, wanted: Iterable[int | None], first: int, count: int | None) -> dict[int | None, str]:
    """A digest of the samples of a part, for each channel that is wanted (None: all together) and is there; nothing
    where they cannot be read, which is said where they are used."""
    try:
        with open_audio(path) as decoder, np.errstate(all="ignore"):
            digests = {each: hashlib.sha256() for each in wanted if each is None or each < decoder.channels}
            for block in decoder.blocks(first, count):
                for channel, digest in digests.items():
                    alone = block[:, :1] if channel is None else block[:, channel, None]
                    channels = block if channel is None and (block != alone).any() else alone
                    digest.update(np.round(channels * STEPS).astype(np.int32).tobytes())
    except InputError:
        return {}
    return {channel: digest.hexdigest() for channel, digest in digests.items()}
