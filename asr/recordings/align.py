"""Batch alignment: many recordings and their transcripts in, JSON Lines and the chosen formats out."""

import hashlib
import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from asr.acoustics.digests import acoustic_digest
from asr.acoustics.loading import device_for
from asr.alignment.aligner import Aligner, AligningModel
from asr.alignment.spoken import Spoken, spoken_phones, spoken_words
from asr.audio import audio_info
from asr.engines.engine import Engine
from asr.engines.threads import Threads
from asr.errors import InputError
from asr.formats.transcript import Transcript
from asr.phones.lexicon import Lexicon
from asr.phones.phone_set import AnyPhoneSet
from asr.phones.words import Spell
from asr.recordings.batch import Summary, process
from asr.recordings.export import PLAIN, Exports, View
from asr.recordings.failures import place
from asr.recordings.results import Row
from asr.recordings.resume import set_aside
from asr.recordings.sources import Found, Source
from asr.recordings.transcripts import Transcripts, divided
from asr.recordings.work import OTHER_MODEL, Read, Work, one_by_one
from asr.storage.output_folder import output_folder
from asr.storage.run_layout import ALIGNMENTS

MARK = "models.json"
"""Says which models made a folder's alignments."""

TEXTGRIDS, SPEAKERS = "textgrid", "speakers"
"""Formats: a TextGrid of each utterance, and of each recording."""


def align_files(
    aligner: Aligner,
    found: Found,
    transcripts: Transcripts,
    lexicon: Lexicon | None,
    out_dir: Path,
    formats: Collection[str],
    view: View = PLAIN,
    engine: Engine = Threads(),  # noqa: B008 - it is frozen
    spell: Spell | None = None,
) -> Summary:
    """Writes `out_dir`/alignments.jsonl, one line an utterance in the order of the sources, and exports it to
    `formats`; aligns words with a lexicon, where `spell` spells numbers. The workers of an engine elsewhere open the
    models themselves.

    A recording whose transcript has the utterances of several speakers has a line for each of these and, where
    `formats` has TextGrids, one TextGrid with the tiers of all speakers.

    A file that cannot be aligned (not readable, too short, without a transcript, with an unknown phone or word) is a
    line in the log and in `out_dir`/errors.jsonl, as is an alignment that a format cannot hold, and the rest continues.
    Called again with the same models and lexicon, it aligns the files that are not done yet, or whose content or
    transcript has changed, and updates formats that were written before; results of other models are moved into a
    folder `previous-...` first. Raises OutputError where nothing can be written, and InputError where the folder holds
    files of something else.
    """
    found = divided(found, transcripts)
    output = out_dir / ALIGNMENTS
    with output_folder(out_dir, "align", "--out") as folder:
        made_with = _made_with(aligner, lexicon)
        set_aside(folder, out_dir / MARK, made_with)
        several = len(aligner.models) > 1
        shown = _with_speakers(formats, found.sources)
        folders = [model.bundle.folder.resolve() for model in aligner.models]
        opened = partial(_opened, folders, made_with["models"]) if engine.elsewhere else lambda device: aligner
        return process(
            found,
            output,
            partial(_start, opened, lexicon, spell),
            aligner.sample_rate,
            partial(_is_current, transcripts),
            lambda failed: Exports(folder, output, shown, view, aligner.phone_set, several, failed),
            engine,
            "aligning",
            completed=lambda source: replace(source, text=transcripts.of(source)),
        )


def _with_speakers(formats: Collection[str], sources: Sequence[Source]) -> set[str]:
    """The formats, with TextGrids of recordings where some have several speakers, and in place of those of utterances
    where all have."""
    divided = [source.speaker is not None for source in sources]
    if TEXTGRIDS not in formats or not any(divided):
        return set(formats)
    return {*formats, SPEAKERS} - ({TEXTGRIDS} if all(divided) else set())


def _is_current(transcripts: Transcripts, row: Row, source: Source) -> bool:
    """Whether a line was aligned with the transcript of today."""
    try:
        return bool(row.get("said") == transcripts.of(source))
    except Exception:
        return False  # it fails again when it is aligned


def _start(opened: Callable[[str], Aligner], lexicon: Lexicon | None, spell: Spell | None, device: str) -> Work:
    return one_by_one(partial(_aligned, opened(device), lexicon, spell))


def _opened(models: Sequence[Path], digests: Sequence[str], device: str) -> Aligner:
    """The models in another process. Raises InputError where one is missing there or is another."""
    aligner = Aligner([AligningModel(path, device_for(path, device)) for path in models])
    for path, digest in zip(models, digests, strict=True):
        if acoustic_digest(path) != digest:
            raise InputError(OTHER_MODEL, path)
    return aligner


def _aligned(
    aligner: Aligner, lexicon: Lexicon | None, spell: Spell | None, source: Source, read: Read
) -> tuple[Transcript, Row]:
    text = source.text or ""
    try:
        spoken = _spoken(text, lexicon, aligner.phone_set, spell)
        aligned = aligner.align_blocks(read, spoken, source.utterance, str(source.path))
    except InputError as error:
        if source.speaker is None or _is_of_file(error, source.path):
            raise
        what = str(error).removeprefix(place(source.path))
        raise InputError(f"{source.utterance} (at {source.start:.2f} s): {what}") from error
    return aligned if source.speaker is None else replace(aligned, speaker=source.speaker), {"said": text}


def _is_of_file(error: InputError, path: Path) -> bool:
    """Whether an utterance's error is that its file cannot be read at all."""
    try:
        audio_info(path)
    except InputError:
        return str(error).startswith(place(path))
    return False


def _spoken(text: str, lexicon: Lexicon | None, phone_set: AnyPhoneSet, spell: Spell | None) -> Spoken:
    if lexicon is None:
        try:
            return spoken_phones(text.split(), phone_set)
        except InputError as error:
            raise InputError(f"{error}; correct it or, if it has words, use --lexicon cmudict or a file") from error
    return spoken_words(text, lexicon, phone_set, spell)


def _made_with(aligner: Aligner, lexicon: Lexicon | None) -> dict[str, Any]:
    """What alignments depend on besides the audio and the transcript."""
    words = None if lexicon is None else hashlib.sha256(json.dumps(lexicon, sort_keys=True).encode()).hexdigest()
    return {"models": [acoustic_digest(model.bundle.folder) for model in aligner.models], "lexicon": words}
