"""Batch transcription: many audio files in, JSON Lines and the chosen formats out; an interrupted one resumes."""

import logging
from collections.abc import Collection, Iterator, Sequence, Set
from pathlib import Path
from typing import Any

from asr.acoustics.bundle import bundle_digest
from asr.errors import InputError
from asr.formats.transcript import Transcript, read_transcripts
from asr.progress import track
from asr.recognizer import Recognizer
from asr.recordings.export import PLAIN, Exports, View
from asr.recordings.failures import log_failure, taken
from asr.recordings.resume import Summary, append_rows, cut_last_line, set_aside
from asr.recordings.sources import Source, check_name, read_ahead
from asr.storage.files import read_jsonl, write_jsonl
from asr.storage.output_folder import OutputFolder, output_folder
from asr.storage.run_layout import TRANSCRIPTS

log = logging.getLogger(__name__)

MARK = "model.json"
"""Says which model made a folder's transcripts."""


def transcribe(
    recognizer: Recognizer,
    sources: Sequence[Source],
    out_dir: Path,
    formats: Collection[str] = ("textgrid",),
    view: View = PLAIN,
    nbest: int = 0,
) -> Summary:
    """Writes `out_dir`/transcripts.jsonl, one line a file with the model's phones, and exports it to `formats`.

    The lines have `nbest` hypotheses if it is not 0; a line that was written with fewer is made again. A file that
    fails, whatever the reason, is logged as an error, and the rest continues. Called again with the same
    bundle, it does the files that are not done yet; results of another bundle are moved into a folder `previous-...`
    first. Raises OutputError where nothing can be written (what was written stays), and InputError where the folder
    holds files of something else.
    """
    output = out_dir / TRANSCRIPTS
    with output_folder(out_dir, "transcribe", "--out") as folder:
        set_aside(folder, out_dir / MARK, {"model": bundle_digest(recognizer.bundle.folder)})
        exports = Exports(folder, output, formats, view, recognizer.bundle.config.targets.phone_set)
        done = _resume(folder, output, {source.utterance for source in sources}, nbest)
        _log_taken(sources, done, output)
        waiting = [source for source in sources if source.utterance not in done]
        skipped = sum(done.get(source.utterance) == str(source.path) for source in sources)
        transcribed = append_rows(output, _rows(recognizer, waiting, exports, nbest))
        unwritten = exports.finish()
    return Summary(transcribed, skipped, len(sources) - skipped - transcribed, unwritten)


def find_transcript(out_dir: Path, source: Source) -> Transcript:
    """The transcript of a file that `transcribe` has written. Raises InputError where there is none."""
    output = out_dir / TRANSCRIPTS
    for transcript in read_transcripts(output):
        if transcript.utterance == source.utterance:
            return transcript
    raise InputError(f"has no transcript of {source.utterance}", output)


def _rows(recognizer: Recognizer, sources: Sequence[Source], exports: Exports, nbest: int) -> Iterator[dict[str, Any]]:
    """The transcripts of the files, as they come; logs an error for each that fails."""
    for source, audio in track(read_ahead(sources, recognizer.sample_rate), "transcribing", len(sources)):
        try:
            check_name(source)
            transcript = recognizer.recognize(audio.result(), source.utterance, str(source.path), nbest)
            exports.add(transcript)
        except Exception as error:
            log_failure(error, source.path)
        else:
            yield transcript.to_json()


def _resume(folder: OutputFolder, output: Path, wanted: Set[str], nbest: int) -> dict[str, str | None]:
    """The utterances already in `output`, with their audio.

    Removes an incomplete last line, and those of `wanted` utterances with fewer than `nbest` hypotheses. Raises
    InputError where the user changed the file.
    """
    folder.require_replaceable(output)
    if not output.is_file():
        return {}
    cut_last_line(output)
    if nbest:

        def enough(row: dict[str, Any]) -> bool:
            return row.get("utterance") not in wanted or len(row.get("nbest", ())) >= nbest

        if not all(map(enough, read_jsonl(output))):
            write_jsonl(output, filter(enough, read_jsonl(output)))
    return {str(row.get("utterance")): row.get("audio") for row in read_jsonl(output)}


def _log_taken(sources: Sequence[Source], done: dict[str, str | None], output: Path) -> None:
    """Logs an error for each file whose name another file has in the results: its outputs would be overwritten."""
    for source in sources:
        other = done.get(source.utterance, str(source.path))
        if other != str(source.path):
            log.error("%s: %s", source.path, taken(output, other, source.utterance))
