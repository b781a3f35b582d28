"""Batch alignment: many audio files and their transcripts in, JSON Lines and the chosen formats out."""

import hashlib
import json
import logging
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from asr.acoustics.bundle import acoustic_digest
from asr.alignment.aligner import Aligner
from asr.alignment.spoken import Spoken, spoken_phones, spoken_words
from asr.errors import InputError
from asr.formats.registry import WRITERS, writer
from asr.formats.transcript import Transcript, read_transcripts
from asr.phones.lexicon import Lexicon
from asr.phones.phone_set import AnyPhoneSet
from asr.progress import track
from asr.recordings.digests import DIGESTS, AudioDigests
from asr.recordings.failures import ERRORS, Failures, log_failure
from asr.recordings.results import Results, Row
from asr.recordings.resume import Summary, set_aside
from asr.recordings.sources import Found, Source, read_source
from asr.recordings.transcripts import Transcripts
from asr.recordings.workers import in_order
from asr.storage.output_folder import OutputFolder, output_folder
from asr.storage.run_layout import ALIGNMENTS

log = logging.getLogger(__name__)

MARK = "models.json"
"""Says which models made a folder's alignments."""


def align_files(
    aligner: Aligner,
    found: Found,
    transcripts: Transcripts,
    lexicon: Lexicon | None,
    out_dir: Path,
    formats: Collection[str],
    jobs: int = 1,
) -> Summary:
    """Writes `out_dir`/alignments.jsonl, one line an utterance in the order of the sources, and converts it to
    `formats`; aligns words with a lexicon; `jobs` threads work.

    A file that cannot be aligned (not readable, too short, without a transcript, with an unknown phone or word) is a
    line in the log and in `out_dir`/errors.jsonl, as is an alignment that a format cannot hold, and the rest continues.
    Called again with the same models and lexicon, it aligns the files that are not done yet, or whose content or
    transcript has changed, and updates formats that were written before; results of other models are moved into a
    folder `previous-...` first. Raises OutputError where nothing can be written, and InputError where the folder holds
    files of something else.
    """
    output = out_dir / ALIGNMENTS
    with output_folder(out_dir, "align", "--out") as folder:
        set_aside(folder, out_dir / MARK, _made_with(aligner, lexicon))
        former = [name for name in WRITERS if _was_written(folder, name)]
        for path in (output, out_dir / DIGESTS, out_dir / ERRORS):
            folder.require_replaceable(path)
        digests = AudioDigests(out_dir / DIGESTS)
        with Failures(out_dir / ERRORS) as failures:
            for place, error in found.unreadable:
                failures.add(error, place)

            def is_current(row: Row, source: Source) -> bool:
                try:
                    return bool(row.get("said") == transcripts.of(source))
                except Exception:
                    return False  # it fails again when it is aligned

            results = Results(output, found.sources, digests, failures, is_current)
            results.append(_rows(aligner, results, transcripts, lexicon, digests, failures, jobs))
        digests.write()
        unwritten = export(output, formats, former, with_intervals=len(aligner.models) > 1)
    return Summary(results.added, results.skipped, failures.count, unwritten)


def export(path: Path, formats: Collection[str], former: Collection[str] = (), with_intervals: bool = False) -> int:
    """Converts an alignments.jsonl to `formats` (names of WRITERS), next to it, and updates those in `former`.

    An alignment that cannot be written (as labels, where its audio is gone) is logged as an error. Returns how many.
    """
    folder, unwritten = path.parent, 0
    for name in sorted({*formats, *former}):
        alignments = _Alignments(path, with_intervals)
        if writer(name).per_utterance:
            groups: Iterable[Iterable[Transcript]] = ([alignment] for alignment in alignments)
        else:
            refused = {each.utterance for each in alignments if not _fits(each, name, path)}
            unwritten += len(refused)
            groups = [replace(alignments, without=frozenset(refused))]
        unwritten += sum(not _is_written(folder, name, group) for group in groups)
    return unwritten


@dataclass(frozen=True)
class _Alignments:
    """The alignments of a file, read again each time, `without` some utterances.

    `with_intervals` keeps the intervals of the boundaries.
    """

    path: Path
    with_intervals: bool
    without: frozenset[str] = frozenset()

    def __iter__(self) -> Iterator[Transcript]:
        for transcript in read_transcripts(self.path):
            if transcript.utterance not in self.without:
                yield transcript if self.with_intervals else replace(transcript, intervals=[])


def _fits(alignment: Transcript, name: str, path: Path) -> bool:
    """Whether a format can hold an alignment; logs an error if not."""
    try:
        writer(name).check(alignment)
    except InputError as error:
        log_failure(error, path, f"; it is left out of its {name}")
        return False
    return True


def _is_written(folder: Path, name: str, alignments: Iterable[Transcript]) -> bool:
    """Writes alignments in a format; returns False where that failed, which is logged as an error."""
    form = writer(name)
    try:
        form.write(folder, alignments)
    except Exception as error:
        place = next(iter(alignments)).utterance if form.per_utterance else form.files("")[0]
        log_failure(error, folder / place, f"; its {name} is not written")
        return False
    return True


def _rows(
    aligner: Aligner,
    results: Results,
    transcripts: Transcripts,
    lexicon: Lexicon | None,
    digests: AudioDigests,
    failures: Failures,
    jobs: int,
) -> Iterator[tuple[Source, Row]]:
    """The alignments of the waiting sources, in order; notes each failure."""
    done = in_order(partial(_aligned, aligner, transcripts, lexicon, digests), results.waiting(), jobs)
    for source, outcome in track(done, "aligning", results.remaining):
        try:
            row = outcome.result()
        except Exception as error:
            failures.add(error, source.path)
        else:
            yield source, row


def _aligned(
    aligner: Aligner, transcripts: Transcripts, lexicon: Lexicon | None, digests: AudioDigests, source: Source
) -> Row:
    """The alignment of a source, with its transcript and the digest of its file."""
    text = transcripts.of(source)
    digest = digests.of(source.path)
    waveform = read_source(source, aligner.sample_rate)
    digests.require_unchanged(source.path)
    try:
        spoken = _spoken(text, lexicon, aligner.phone_set)
        alignment = aligner.align(waveform, spoken, source.utterance, str(source.path))
    except InputError as error:
        raise InputError(str(error), source.path) from error
    return alignment.to_json() | {"said": text, "sha256": digest}


def _spoken(text: str, lexicon: Lexicon | None, phone_set: AnyPhoneSet) -> Spoken:
    return spoken_phones(text.split(), phone_set) if lexicon is None else spoken_words(text, lexicon, phone_set)


def _made_with(aligner: Aligner, lexicon: Lexicon | None) -> dict[str, Any]:
    """What alignments depend on besides the audio and the transcript."""
    words = None if lexicon is None else hashlib.sha256(json.dumps(lexicon, sort_keys=True).encode()).hexdigest()
    return {"models": [acoustic_digest(model.bundle.folder) for model in aligner.models], "lexicon": words}


def _was_written(folder: OutputFolder, name: str) -> bool:
    """Whether the alignments of a folder were written in a format before."""
    first = {PurePosixPath(file).parts[0] for file in writer(name).files("x")}
    return any(path.relative_to(folder.folder).parts[0] in first for path in folder.recorded(folder.folder))
