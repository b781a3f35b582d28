"""Many recordings through one piece of work into an output folder: what `asr transcribe` and `asr align` share."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from asr.engines.engine import Engine
from asr.errors import InputError
from asr.progress import track
from asr.recordings.digests import DIGESTS, AudioDigests
from asr.recordings.export import Exports
from asr.recordings.failures import ERRORS, Failures, described
from asr.recordings.results import Results, Row
from asr.recordings.sources import Found, Source
from asr.recordings.work import Item, Processed, Work, start_processing


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


def process(
    found: Found,
    output: Path,
    start: Callable[[str], Work],
    sample_rate: int,
    is_current: Callable[[Row, Source], bool],
    exports_of: Callable[[Callable[..., Any]], Exports],
    engine: Engine,
    description: str,
    together: int = 1,
    completed: Callable[[Source], Source] = lambda source: source,
) -> Summary:
    """Appends a line to `output` for each source that has none yet, in the sources' order, and exports the results.

    The engine does the work that `start` makes for a device, on `together` recordings at a time, each `completed`
    first, in this thread, by what the work must know of it. A source that fails in any of this, whatever the reason,
    is a line in the log and in errors.jsonl, with others of its file that fail alike, and the rest continues.
    `is_current` says whether a line of the same content is up to date; `exports_of` makes the exports, given where
    their failures go. Raises OutputError where nothing can be written.
    """
    digests = AudioDigests(output.parent / DIGESTS)
    with Failures(output.parent / ERRORS) as failures:
        for place, error in found.unreadable:
            failures.add(error, place)
        exports = exports_of(failures.add)
        results = Results(output, found.sources, digests, failures, is_current)
        items = (_item(source, digests, completed) for source in results.waiting())
        worked = engine.map(partial(start_processing, start, sample_rate), _groups(items, together))

        def rows() -> Iterator[tuple[Source, Row]]:
            for item, result in track(worked, description, results.remaining):
                source = item.source
                identity, outcome = _without_worker(result, source) if isinstance(result, InputError) else result
                if identity is not None:
                    digests.add(source.path, identity)
                if isinstance(outcome, Exception):
                    failures.add(outcome, source.path)
                else:
                    failures.settle()
                    exports.add(outcome[0])
                    yield source, outcome[1]

        try:
            with closing(worked):
                results.append(rows())
        finally:
            digests.write()
        unwritten = exports.finish()
    return Summary(results.added, results.skipped, failures.failed, unwritten)


def _item(source: Source, digests: AudioDigests, completed: Callable[[Source], Source]) -> Item:
    known = digests.known(source.path)
    try:
        return Item(completed(source), known, None)
    except Exception as error:
        return Item(source, known, described(error, source.path))


def _without_worker(error: InputError, source: Source) -> Processed:
    """The outcome of a recording whose workers died."""
    return Processed(None, described(error, source.path))


def _groups(items: Iterator[Item], size: int) -> Iterator[list[Item]]:
    return iter(lambda: list(islice(items, size)), [])
