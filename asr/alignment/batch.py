"""Aligning many audio files: JSON Lines of all, and TextGrids, CTM and TIMIT's label files as they are asked for."""

import hashlib
import json
import os
import sys
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from asr.alignment.aligner import Aligner, Alignment
from asr.alignment.spoken import Spoken, spoken_phones, spoken_words
from asr.alignment.transcripts import Transcripts
from asr.audio import audio_info
from asr.bundle import acoustic_digest
from asr.config import PhoneSetName
from asr.corpora.timit_labels import Label, format_labels
from asr.decoding.ctm import write_ctm
from asr.errors import InputError
from asr.files import cannot_write, read_json, read_jsonl, write_json, write_jsonl, write_text
from asr.lock import locked
from asr.phones.lexicon import Lexicon
from asr.progress import track
from asr.textgrid import write_textgrid
from asr.transcribe import Source, Summary, check_name, cut_last_line, read_ahead
from asr.transcript import PhoneSegment, Transcript, read_transcripts

Format = Literal["textgrid", "ctm", "phn"]
MARK, FORMATS = "models.json", "formats"
"""The record of what a folder's alignments are by, and in it the formats in which they were written."""


def align_files(
    aligner: Aligner,
    sources: Sequence[Source],
    transcripts: Transcripts,
    lexicon: Lexicon | None,
    out_dir: Path,
    formats: Collection[Format],
) -> Summary:
    """Writes `out_dir`/alignments.jsonl, one line a file, and from it the formats; words where there is a lexicon.

    A file that cannot be aligned (not readable, too short, without a transcript, of an unknown phone or word) is one
    line on standard error, and the rest goes on. Called again with the same models and lexicon, it aligns what is not
    done or has another transcript; with others it starts anew. What it wrote before in other formats is written anew
    with them, where the file is aligned again. Raises InputError where it cannot write, and where the folder holds
    another's work.
    """
    output = out_dir / "alignments.jsonl"
    with locked(out_dir, "--out"):
        said = dict(_said(sources, transcripts))
        former = _former_formats(output)
        mark = _mark(aligner, lexicon) | {FORMATS: sorted({*formats, *former})}
        done = _resume(output, mark, sources, said)
        waiting = [source for source in sources if source.utterance in said and source.utterance not in done]
        aligned = 0
        try:
            with open(output, "a", encoding="utf-8", errors="backslashreplace") as lines:
                for row in _rows(aligner, waiting, said, lexicon):
                    lines.write(json.dumps(row, ensure_ascii=False) + "\n")
                    lines.flush()
                    aligned += 1
                os.fsync(lines.fileno())
        except OSError as error:
            raise cannot_write(output, error) from error
        export(output, formats, former, with_intervals=len(aligner.models) > 1)
    return Summary(aligned, len(done), len(sources) - len(done) - aligned)


def read_alignments(path: Path) -> Iterator[Alignment]:
    """Yields the alignments of an alignments.jsonl. Raises InputError that names the line which is not one."""
    for number, (transcript, row) in enumerate(zip(read_transcripts(path), read_jsonl(path), strict=True), 1):
        try:
            yield Alignment.from_json(transcript, row)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError("not an alignment: its words or intervals are broken; align anew", path, number) from error


def export(
    path: Path, formats: Collection[Format], former: Collection[Format] = (), with_intervals: bool = False
) -> None:
    """Writes an alignments.jsonl in other formats, beside it, and anew in the `former` ones.

    textgrid: textgrids/NAME.TextGrid; phn: labels/NAME.phn, and .wrd of words, in samples of the audio file; ctm:
    phones.ctm, and words.ctm where there are words. Labels whose audio is gone stay as they are, with a line on
    standard error.
    """
    folder, formats = path.parent, {*formats, *former}
    for alignment in read_alignments(path):
        name = alignment.transcript.utterance
        words = [(word.word, word.start, word.end) for word in alignment.words]
        if "textgrid" in formats:
            intervals = alignment.intervals if with_intervals else ()
            write_textgrid(folder / "textgrids" / f"{name}.TextGrid", alignment.transcript, words, intervals)
        if "phn" in formats:
            try:
                audio = audio_info(alignment.transcript.audio or "")
            except InputError as error:
                print(f"asr: {error}; its labels are not written", file=sys.stderr)
                continue
            phones = [(phone.phone, phone.start or 0.0, phone.end or 0.0) for phone in alignment.transcript.phones]
            write_text(folder / "labels" / f"{name}.phn", _labels(phones, *audio, alignment.transcript.duration))
            if words:
                write_text(folder / "labels" / f"{name}.wrd", _labels(words, *audio, alignment.transcript.duration))
            elif "phn" in former:
                (folder / "labels" / f"{name}.wrd").unlink(missing_ok=True)
    if "ctm" in formats:
        write_ctm(folder / "phones.ctm", (alignment.transcript for alignment in read_alignments(path)))
        if any(alignment.words for alignment in read_alignments(path)):
            write_ctm(folder / "words.ctm", map(_as_phones, read_alignments(path)))
        elif "ctm" in former:
            (folder / "words.ctm").unlink(missing_ok=True)


def _labels(segments: Sequence[tuple[str, float, float]], rate: int, samples: int, duration: float | None) -> str:
    """TIMIT's label file of audio of so many samples; times are rounded, and `duration` (s) is that of all samples."""

    def sample(time: float) -> int:
        return samples if time == duration else min(round(time * rate), samples)

    return format_labels(
        Label(sample(start), sample(end), symbol, line) for line, (symbol, start, end) in enumerate(segments, 1)
    )


def _as_phones(alignment: Alignment) -> Transcript:
    words = [PhoneSegment(word.word, word.start, word.end) for word in alignment.words]
    return Transcript(alignment.transcript.utterance, words)


def _said(sources: Sequence[Source], transcripts: Transcripts) -> Iterator[tuple[str, str]]:
    """Each utterance with what was said in it; a line on standard error for those of which that is not known."""
    for source in sources:
        try:
            yield source.utterance, transcripts.of(source)
        except InputError as error:
            print(f"asr: {error}", file=sys.stderr)


def _rows(
    aligner: Aligner, sources: Sequence[Source], said: dict[str, str], lexicon: Lexicon | None
) -> Iterator[dict[str, Any]]:
    """The alignments of the files that can be aligned, as they come."""
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
            yield alignment.to_json() | {"said": text}
        except InputError as error:
            print(f"asr: {error}", file=sys.stderr)


def _spoken(text: str, lexicon: Lexicon | None, phone_set: PhoneSetName) -> Spoken:
    return spoken_phones(text.split(), phone_set) if lexicon is None else spoken_words(text, lexicon, phone_set)


def _mark(aligner: Aligner, lexicon: Lexicon | None) -> dict[str, Any]:
    """What alignments depend on beside the audio and the transcript."""
    words = None if lexicon is None else hashlib.sha256(json.dumps(lexicon, sort_keys=True).encode()).hexdigest()
    return {"models": [acoustic_digest(model.bundle.folder) for model in aligner.models], "lexicon": words}


def _former_formats(output: Path) -> list[Format]:
    """Those in which the alignments of a folder were written before."""
    known = output.with_name(MARK)
    mark = read_json(known) if known.is_file() else {}
    if not isinstance(mark, dict):
        raise InputError("is no record of alignments; delete it to align anew", known)
    return [name for name in get_args(Format) if name in mark.get(FORMATS, ())]


def _resume(output: Path, mark: dict[str, Any], sources: Sequence[Source], said: dict[str, str]) -> set[str]:
    """The utterances that are done; lines that are cut short, and those of another transcript, are taken out."""
    known = output.with_name(MARK)
    if output.exists() and not known.is_file():
        raise InputError("was not written by asr align; choose another folder with --out", output)
    if not (known.is_file() and read_json(known) | {FORMATS: mark[FORMATS]} == mark):
        output.unlink(missing_ok=True)
    write_json(known, mark)
    if not output.is_file():
        return set()
    cut_last_line(output)
    audio = {source.utterance: str(source.path) for source in sources}
    done: set[str] = set()

    def kept() -> Iterator[dict[str, Any]]:
        for row in read_jsonl(output):
            name = str(row.get("utterance"))
            if name in audio and row.get("audio") != audio[name]:
                message = f"the folder already holds an alignment of {row.get('audio')} by the name of {name}"
                raise InputError(f"{message}; choose another with --out", output)
            if name in audio and row.get("said") == said.get(name):
                done.add(name)
            if name not in audio or name in done:
                yield row

    write_jsonl(output, kept())
    return done
