"""Batch transcription: many audio files in, JSON Lines and TextGrids out; an interrupted one resumes."""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from asr.acoustics.bundle import bundle_digest
from asr.errors import InputError
from asr.formats.registry import writer
from asr.formats.transcript import Transcript, read_transcripts
from asr.progress import track
from asr.recognizer import Recognizer
from asr.recordings.failures import log_failure, taken
from asr.recordings.resume import Summary, append_rows, cut_last_line, set_aside
from asr.recordings.sources import Source, check_name, read_ahead
from asr.storage.files import read_jsonl
from asr.storage.output_folder import OutputFolder, output_folder
from asr.storage.run_layout import TRANSCRIPTS

log = logging.getLogger(__name__)

MARK = "model.json"
"""Says which model made a folder's transcripts."""


def transcribe(recognizer: Recognizer, sources: Sequence[Source], out_dir: Path) -> Summary:
    """Writes `out_dir`/transcripts.jsonl, one line a file, and `out_dir`/textgrids/NAME.TextGrid.

    A file that fails, whatever the reason, is logged as an error, and the rest continues. Called again with the same
    bundle, it does the files that are not done yet; results of another bundle are moved into a folder `previous-...`
    first. Raises OutputError where nothing can be written (what was written stays), and InputError where the folder
    holds files of something else.
    """
    output = out_dir / TRANSCRIPTS
    with output_folder(out_dir, "transcribe", "--out") as folder:
        set_aside(folder, out_dir / MARK, {"model": bundle_digest(recognizer.bundle.folder)})
        done = _resume(folder, output)
        _log_taken(sources, done, output)
        waiting = [source for source in sources if source.utterance not in done]
        skipped = sum(done.get(source.utterance) == str(source.path) for source in sources)
        transcribed = append_rows(output, _rows(recognizer, waiting, out_dir))
    return Summary(transcribed, skipped, len(sources) - skipped - transcribed)


def find_transcript(out_dir: Path, source: Source) -> Transcript:
    """The transcript of a file that `transcribe` has written. Raises InputError where there is none."""
    output = out_dir / TRANSCRIPTS
    for transcript in read_transcripts(output):
        if transcript.utterance == source.utterance:
            return transcript
    raise InputError(f"has no transcript of {source.utterance}", output)


def _rows(recognizer: Recognizer, sources: Sequence[Source], out_dir: Path) -> Iterator[dict[str, Any]]:
    """The transcripts of the files, as they come; logs an error for each that fails."""
    for source, audio in track(read_ahead(sources, recognizer.sample_rate), "transcribing", len(sources)):
        try:
            check_name(source)
            transcript = recognizer.recognize(audio.result(), source.utterance, str(source.path))
            writer("textgrid").write(out_dir, [transcript])
        except Exception as error:
            log_failure(error, source.path)
        else:
            yield transcript.to_json()


def _resume(folder: OutputFolder, output: Path) -> dict[str, str | None]:
    """The utterances already in `output`, with their audio; removes an incomplete last line.

    Raises InputError where the user changed the file.
    """
    folder.require_replaceable(output)
    if not output.is_file():
        return {}
    cut_last_line(output)
    return {str(row.get("utterance")): row.get("audio") for row in read_jsonl(output)}


def _log_taken(sources: Sequence[Source], done: dict[str, str | None], output: Path) -> None:
    """Logs an error for each file whose name another file has in the results: its TextGrid would be overwritten."""
    for source in sources:
        other = done.get(source.utterance, str(source.path))
        if other != str(source.path):
            log.error("%s: %s", source.path, taken(output, other, source.utterance))
