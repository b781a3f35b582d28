"""Many recordings through one piece of work into an output folder: what `asr transcribe` and `asr align` share."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from asr.errors import InputError
from asr.formats.transcript import Transcript
from asr.progress import track
from asr.recordings.digests import DIGESTS, AudioDigests
from asr.recordings.export import Exports
from asr.recordings.failures import ERRORS, Failures
from asr.recordings.results import Results, Row
from asr.recordings.resume import Summary
from asr.recordings.sources import Found, Samples, Source, read_source
from asr.recordings.workers import in_order

Work = Callable[[Source, Samples], tuple[Transcript, Row]]
"""The transcript of an utterance, and what its line has besides. It may be called from several threads."""


def process(
    found: Found,
    output: Path,
    work: Work,
    sample_rate: int,
    is_current: Callable[[Row, Source], bool],
    exports_of: Callable[[Callable[..., Any]], Exports],
    jobs: int,
    description: str,
) -> Summary:
    """Appends a line to `output` for each source that has none yet, in the sources' order, and exports the results.

    `jobs` threads work. A source whose reading or work fails, whatever the reason, is a line in the log and in
    errors.jsonl, and the rest continues. `is_current` says whether a line of the same content is up to date;
    `exports_of` makes the exports, given where their failures go. Raises OutputError where nothing can be written.
    """
    digests = AudioDigests(output.parent / DIGESTS)
    with Failures(output.parent / ERRORS) as failures:
        for place, error in found.unreadable:
            failures.add(error, place)
        exports = exports_of(failures.add)
        results = Results(output, found.sources, digests, failures, is_current)
        done = in_order(partial(_processed, work, digests, sample_rate), results.waiting(), jobs)

        def rows() -> Iterator[tuple[Source, Row]]:
            for source, outcome in track(done, description, results.remaining):
                try:
                    transcript, row = outcome.result()
                except Exception as error:
                    failures.add(error, source.path)
                else:
                    exports.add(transcript)
                    yield source, row

        results.append(rows())
        digests.write()
        unwritten = exports.finish()
    return Summary(results.added, results.skipped, failures.failed, unwritten)


def _processed(work: Work, digests: AudioDigests, sample_rate: int, source: Source) -> tuple[Transcript, Row]:
    """The transcript of a source, and its line."""
    digest = digests.of(source.path)
    samples = read_source(source, sample_rate)
    digests.require_unchanged(source.path)
    try:
        transcript, more = work(source, samples)
    except InputError as error:
        raise error if str(error).startswith(f"{source.path}: ") else InputError(str(error), source.path) from error
    return transcript, transcript.to_json() | more | {"sha256": digest} | source.part
