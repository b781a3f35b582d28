"""What becomes of one recording: its file is identified and read, the work is done, and its line is made.

This runs in the workers of an engine, which may be other processes: what they get and give is small and plain.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

from asr.audio.waveform import Waveform
from asr.errors import InputError
from asr.formats.transcript import Transcript
from asr.recordings.digests import Identity, identity, require_unchanged
from asr.recordings.failures import described
from asr.recordings.results import Row
from asr.recordings.sources import Source, read_source

log = logging.getLogger(__name__)

OTHER_MODEL = "is another model on this node; put it on a disk that all nodes see, or the same files on each"

Read = Callable[[], Iterator[Waveform]]
"""Gives the samples of a recording in blocks, as often as it is called; see `read_source`."""

Outcome = tuple[Transcript, Row] | Exception
"""The transcript of an utterance and what its line has besides, or why there is none."""

Work = Callable[[Sequence[tuple[Source, Read]]], list[Outcome]]
"""Processes recordings; it may be called from several threads."""


class Item(NamedTuple):
    """A recording to process, what its file was when it was last read, and why it cannot be processed."""

    source: Source
    known: Identity | None
    error: Exception | None


class Processed(NamedTuple):
    """What a recording's file was when it was read, if it could be, and what became of it."""

    identity: Identity | None
    outcome: Outcome


def one_by_one(work: Callable[[Source, Read], tuple[Transcript, Row]]) -> Work:
    """The work that does this for each recording alone."""

    def outcome(source: Source, read: Read) -> Outcome:
        try:
            return work(source, read)
        except Exception as error:
            return error

    return lambda items: [outcome(*item) for item in items]


def start_processing(
    start: Callable[[str], Work], sample_rate: int, device: str
) -> Callable[[Sequence[Item]], list[Processed]]:
    """Makes what processes recordings on a device, by the work that `start` makes."""
    return partial(_processed, start(device), sample_rate)


def _processed(work: Work, sample_rate: int, items: Sequence[Item]) -> list[Processed]:
    known = [_identity(item) for item in items]
    odd: list[list[str]] = [[] for _ in items]
    reads = [
        (item.source, partial(read_source, item.source, sample_rate, warnings))
        for item, file, warnings in zip(items, known, odd, strict=True)
        if isinstance(file, Identity) and item.error is None
    ]
    outcomes = iter(work(reads))
    found = []
    for item, file, warnings in zip(items, known, odd, strict=True):
        if not isinstance(file, Identity):
            found.append(Processed(None, file))
        elif item.error is not None:
            found.append(Processed(file, item.error))
        else:
            found.append(Processed(file, _finished(next(outcomes), item.source, file, warnings)))
    return found


def _identity(item: Item) -> Identity | InputError:
    try:
        return identity(item.source.path, item.known)
    except InputError as error:
        return error


def _finished(outcome: Outcome, source: Source, file: Identity, warnings: list[str]) -> Outcome:
    """The outcome with the whole line, or an error that names the file; the recording's warnings are also logged."""
    if isinstance(outcome, Exception):
        return described(outcome, source.path)
    try:
        require_unchanged(source.path, file)
    except InputError as error:
        return error
    transcript, more = outcome
    row = transcript.to_json() | more | {"sha256": file.digest.hex()} | source.part
    if not warnings:
        return transcript, row
    each = list(dict.fromkeys(warnings))  # a long recording may be read twice
    log.warning("%s: %s", source.path, "; ".join(each))
    return transcript, row | {"warnings": each}
