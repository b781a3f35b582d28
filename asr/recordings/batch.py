"""Many recordings through one piece of work into an output folder: what `asr transcribe` and `asr align` share."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from asr.errors import InputError
from asr.formats.transcript import Transcript
from asr.progress import track
from asr.recordings.digests import DIGESTS, AudioDigests
from asr.recordings.export import Exports
from asr.recordings.failures import ERRORS, Failures, place
from asr.recordings.results import Results, Row
from asr.recordings.sources import Found, Samples, Source, read_source
from asr.recordings.workers import in_order

log = logging.getLogger(__name__)

Read = Callable[[], Iterator[Samples]]
"""Gives the samples of a recording in blocks, as often as it is called; see `read_source`."""

Outcome = tuple[Transcript, Row] | Exception
"""The transcript of an utterance and what its line has besides, or why there is none."""

Work = Callable[[Sequence[tuple[Source, Read]]], list[Outcome]]
"""Processes recordings; it may be called from several threads."""


@dataclass(frozen=True)
class Summary:
    """How many files were done now, were done before, and failed; and how many outputs in a format were not written."""

    done: int
    skipped: int
    failed: int
    unwritten: int

    def text(self, done: str) -> str:
        """The counts in words, where `done` is what was done to the files."""
        before = f", {self.skipped} already done" if self.skipped else ""
        lacking = f", {self.unwritten} missing in a format" if self.unwritten else ""
        return f"{self.done} {done}{before}, {self.failed} failed{lacking}"


def one_by_one(work: Callable[[Source, Read], tuple[Transcript, Row]]) -> Work:
    """The work that does this for each recording alone."""

    def outcome(source: Source, read: Read) -> Outcome:
        try:
            return work(source, read)
        except Exception as error:
            return error

    return lambda items: [outcome(*item) for item in items]


def process(
    found: Found,
    output: Path,
    work: Work,
    sample_rate: int,
    is_current: Callable[[Row, Source], bool],
    exports_of: Callable[[Callable[..., Any]], Exports],
    jobs: int,
    description: str,
    together: int = 1,
) -> Summary:
    """Appends a line to `output` for each source that has none yet, in the sources' order, and exports the results.

    `jobs` threads work, on `together` recordings at a time. A source whose reading or work fails, whatever the reason,
    is a line in the log and in errors.jsonl, and the rest continues. `is_current` says whether a line of the same
    content is up to date; `exports_of` makes the exports, given where their failures go. Raises OutputError where
    nothing can be written.
    """
    digests = AudioDigests(output.parent / DIGESTS)
    with Failures(output.parent / ERRORS) as failures:
        for place, error in found.unreadable:
            failures.add(error, place)
        exports = exports_of(failures.add)
        results = Results(output, found.sources, digests, failures, is_current)
        groups = _groups(results.waiting(), together)
        done = in_order(partial(_processed, work, digests, sample_rate), groups, jobs)
        each = (outcome for sources, group in done for outcome in zip(sources, group.result(), strict=True))

        def rows() -> Iterator[tuple[Source, Row]]:
            for source, outcome in track(each, description, results.remaining):
                if isinstance(outcome, Exception):
                    failures.add(outcome, source.path)
                else:
                    exports.add(outcome[0])
                    yield source, outcome[1]

        try:
            results.append(rows())
        finally:
            digests.write()
        unwritten = exports.finish()
    return Summary(results.added, results.skipped, failures.failed, unwritten)


def _groups(sources: Iterator[Source], size: int) -> Iterator[list[Source]]:
    return iter(lambda: list(islice(sources, size)), [])


def _processed(work: Work, digests: AudioDigests, sample_rate: int, sources: Sequence[Source]) -> list[Outcome]:
    """The transcript of each source, and its line."""
    found: list[Outcome] = []
    known: list[str | Exception] = [_digest(digests, source) for source in sources]
    odd: list[list[str]] = [[] for _ in sources]
    items = [
        (source, partial(read_source, source, sample_rate, warnings))
        for source, digest, warnings in zip(sources, known, odd, strict=True)
        if isinstance(digest, str)
    ]
    outcomes = iter(work(items))
    for source, digest, warnings in zip(sources, known, odd, strict=True):
        outcome = digest if isinstance(digest, Exception) else next(outcomes)
        finished = _finished(outcome, source, str(digest), digests)
        found.append(finished if isinstance(finished, Exception) else _warned(finished, source, warnings))
    return found


def _warned(finished: tuple[Transcript, Row], source: Source, warnings: list[str]) -> tuple[Transcript, Row]:
    """The outcome with the recording's warnings in its line; they are also logged."""
    if not warnings:
        return finished
    each = list(dict.fromkeys(warnings))  # a long recording may be read twice
    log.warning("%s: %s", source.path, "; ".join(each))
    transcript, row = finished
    return transcript, row | {"warnings": each}


def _digest(digests: AudioDigests, source: Source) -> str | Exception:
    try:
        return digests.of(source.path)
    except InputError as error:
        return error


def _finished(outcome: Outcome, source: Source, digest: str, digests: AudioDigests) -> Outcome:
    """The outcome with the whole line, or an error that names the file."""
    if isinstance(outcome, InputError) and not str(outcome).startswith(place(source.path)):
        return InputError(str(outcome), source.path)
    if isinstance(outcome, Exception):
        return outcome
    try:
        digests.require_unchanged(source.path)
    except InputError as error:
        return error
    transcript, more = outcome
    return transcript, transcript.to_json() | more | {"sha256": digest} | source.part
