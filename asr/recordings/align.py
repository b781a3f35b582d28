"""Batch alignment: many audio files and their transcripts in, JSON Lines and the chosen formats out."""

import hashlib
import json
import logging
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
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
from asr.phones.words import Spell
from asr.progress import track
from asr.recordings.failures import log_failure, taken
from asr.recordings.resume import Summary, append_rows, cut_last_line, set_aside
from asr.recordings.sources import Source, check_name, read_ahead
from asr.recordings.transcripts import Transcripts
from asr.storage.files import read_jsonl, write_jsonl
from asr.storage.output_folder import OutputFolder, output_folder
from asr.storage.run_layout import ALIGNMENTS

log = logging.getLogger(__name__)

MARK = "models.json"
"""Says which models made a folder's alignments."""


def align_files(
    aligner: Aligner,
    sources: Sequence[Source],
    transcripts: Transcripts,
    lexicon: Lexicon | None,
    out_dir: Path,
    formats: Collection[str],
    spell: Spell | None = None,
) -> Summary:
    """Writes `out_dir`/alignments.jsonl, one line per file, and converts it to `formats`; aligns words with a lexicon.
    `spell` spells numbers.

    A file that cannot be aligned (not readable, too short, without a transcript, with an unknown phone or word) is
    logged as an error, as is an alignment that a format cannot hold, and the rest continues. Called again with the same
    models and lexicon, it aligns the files that are not done yet or have another transcript, and updates formats that
    were written before; results of other models are moved into a folder `previous-...` first. Raises OutputError where
    nothing can be written, and InputError where the folder holds files of something else.
    """
    output = out_dir / ALIGNMENTS
    with output_folder(out_dir, "align", "--out") as folder:
        said = dict(_said(sources, transcripts))
        set_aside(folder, out_dir / MARK, _made_with(aligner, lexicon))
        former = [name for name in WRITERS if _was_written(folder, name)]
        folder.require_replaceable(output)
        done, others = _resume(output, sources, said)
        new = said.keys() - done - others
        waiting = [source for source in sources if source.utterance in new]
        aligned = append_rows(output, _rows(aligner, waiting, said, lexicon, spell))
        unwritten = export(output, formats, former, with_intervals=len(aligner.models) > 1)
    return Summary(aligned, len(done), len(sources) - len(done) - aligned, unwritten)


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


def _said(sources: Sequence[Source], transcripts: Transcripts) -> Iterator[tuple[str, str]]:
    """Each utterance with its transcript; logs an error for those without one."""
    for source in sources:
        try:
            text = transcripts.of(source)
        except Exception as error:
            log_failure(error, source.path)
        else:
            yield source.utterance, text


def _rows(
    aligner: Aligner, sources: Sequence[Source], said: dict[str, str], lexicon: Lexicon | None, spell: Spell | None
) -> Iterator[dict[str, Any]]:
    """The alignments of the files that can be aligned, as they come; logs an error for each of the others."""
    for source, audio in track(read_ahead(sources, aligner.sample_rate), "aligning", len(sources)):
        text = said[source.utterance]
        try:
            check_name(source)
            waveform = audio.result()
            try:
                spoken = _spoken(text, lexicon, aligner.phone_set, spell)
                alignment = aligner.align(waveform, spoken, source.utterance, str(source.path))
            except InputError as error:
                raise InputError(str(error), source.path) from error
        except Exception as error:
            log_failure(error, source.path)
        else:
            yield alignment.to_json() | {"said": text}


def _spoken(text: str, lexicon: Lexicon | None, phone_set: AnyPhoneSet, spell: Spell | None) -> Spoken:
    if lexicon is None:
        return spoken_phones(text.split(), phone_set)
    return spoken_words(text, lexicon, phone_set, spell)


def _made_with(aligner: Aligner, lexicon: Lexicon | None) -> dict[str, Any]:
    """What alignments depend on besides the audio and the transcript."""
    words = None if lexicon is None else hashlib.sha256(json.dumps(lexicon, sort_keys=True).encode()).hexdigest()
    return {"models": [acoustic_digest(model.bundle.folder) for model in aligner.models], "lexicon": words}


def _was_written(folder: OutputFolder, name: str) -> bool:
    """Whether the alignments of a folder were written in a format before."""
    first = {PurePosixPath(file).parts[0] for file in writer(name).files("x")}
    return any(path.relative_to(folder.folder).parts[0] in first for path in folder.recorded(folder.folder))


def _resume(output: Path, sources: Sequence[Source], said: dict[str, str]) -> tuple[set[str], set[str]]:
    """The utterances that are done, and those whose name another audio file has, logged as errors.

    Removes an incomplete last line, and lines with another transcript.
    """
    done: set[str] = set()
    others: set[str] = set()
    if not output.is_file():
        return done, others
    cut_last_line(output)
    audio = {source.utterance: str(source.path) for source in sources}

    def kept() -> Iterator[dict[str, Any]]:
        for row in read_jsonl(output):
            name = str(row.get("utterance"))
            if name in audio and row.get("audio") != audio[name]:
                log.error("%s: %s", audio[name], taken(output, row.get("audio"), name))
                others.add(name)
            elif name in audio and row.get("said") == said.get(name):
                done.add(name)
            if name not in audio or name in done or name in others:
                yield row

    write_jsonl(output, kept())
    return done, others
