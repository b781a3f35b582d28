"""Batch alignment: many audio files and their transcripts in, JSON Lines and the chosen formats out."""

import hashlib
import json
import logging
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from asr.acoustics.bundle import acoustic_digest
from asr.alignment.aligner import Aligner
from asr.alignment.spoken import Spoken, spoken_phones, spoken_words
from asr.errors import InputError
from asr.phones.lexicon import Lexicon
from asr.phones.phone_set import AnyPhoneSet
from asr.progress import track
from asr.recordings.export import PLAIN, Exports, View
from asr.recordings.failures import log_failure, taken
from asr.recordings.resume import Summary, append_rows, cut_last_line, set_aside
from asr.recordings.sources import Source, check_name, read_ahead
from asr.recordings.transcripts import Transcripts
from asr.storage.files import read_jsonl, write_jsonl
from asr.storage.output_folder import output_folder
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
    view: View = PLAIN,
) -> Summary:
    """Writes `out_dir`/alignments.jsonl, one line per file, and exports it to `formats`; aligns words with a lexicon.

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
        folder.require_replaceable(output)
        exports = Exports(folder, output, formats, view, aligner.phone_set, with_intervals=len(aligner.models) > 1)
        done, others = _resume(output, sources, said)
        new = said.keys() - done - others
        waiting = [source for source in sources if source.utterance in new]
        aligned = append_rows(output, _rows(aligner, waiting, said, lexicon, exports))
        unwritten = exports.finish()
    return Summary(aligned, len(done), len(sources) - len(done) - aligned, unwritten)


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
    aligner: Aligner, sources: Sequence[Source], said: dict[str, str], lexicon: Lexicon | None, exports: Exports
) -> Iterator[dict[str, Any]]:
    """The alignments of the files that can be aligned, as they come; logs an error for each of the others."""
    for source, audio in track(read_ahead(sources, aligner.sample_rate), "aligning", len(sources)):
        text = said[source.utterance]
        try:
            check_name(source)
            waveform = audio.result()
            try:
                spoken = _spoken(text, lexicon, aligner.phone_set)
                alignment = aligner.align(waveform, spoken, source.utterance, str(source.path))
            except InputError as error:
                raise InputError(str(error), source.path) from error
            exports.add(alignment)
        except Exception as error:
            log_failure(error, source.path)
        else:
            yield alignment.to_json() | {"said": text}


def _spoken(text: str, lexicon: Lexicon | None, phone_set: AnyPhoneSet) -> Spoken:
    return spoken_phones(text.split(), phone_set) if lexicon is None else spoken_words(text, lexicon, phone_set)


def _made_with(aligner: Aligner, lexicon: Lexicon | None) -> dict[str, Any]:
    """What alignments depend on besides the audio and the transcript."""
    words = None if lexicon is None else hashlib.sha256(json.dumps(lexicon, sort_keys=True).encode()).hexdigest()
    return {"models": [acoustic_digest(model.bundle.folder) for model in aligner.models], "lexicon": words}


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
