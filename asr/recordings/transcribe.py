"""Batch transcription: many audio files in, JSON Lines and TextGrids out; an interrupted one resumes."""

import hashlib
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from asr.errors import InputError, OutputError
from asr.formats.registry import writer
from asr.formats.transcript import Transcript, read_transcripts
from asr.progress import track
from asr.recognizer import Recognizer
from asr.recordings.resume import Summary, append_rows, cut_last_line
from asr.recordings.sources import Source, check_name, read_ahead
from asr.storage.files import read_json, read_jsonl, write_json
from asr.storage.lock import locked
from asr.storage.run_layout import TRANSCRIPTS

log = logging.getLogger(__name__)


def transcribe(recognizer: Recognizer, sources: Sequence[Source], out_dir: Path) -> Summary:
    """Writes `out_dir`/transcripts.jsonl, one line a file, and `out_dir`/textgrids/NAME.TextGrid.

    A file that cannot be read is logged as an error, and the rest continues. Called again with the same bundle, it does
    the files that are not done yet; with another bundle it starts from scratch. Raises InputError where it cannot write
    (what was written stays), and where the folder holds files of something else.
    """
    output = out_dir / TRANSCRIPTS
    with locked(out_dir, "--out"):
        done = _resume(output, recognizer.bundle.folder)
        waiting = [source for source in sources if not _is_done(source, done, output)]
        transcribed = append_rows(output, _rows(recognizer, waiting, out_dir))
    return Summary(transcribed, len(sources) - len(waiting), len(waiting) - transcribed)


def find_transcript(out_dir: Path, source: Source) -> Transcript:
    """The transcript of a file that `transcribe` has written. Raises InputError where there is none."""
    output = out_dir / TRANSCRIPTS
    for transcript in read_transcripts(output):
        if transcript.utterance == source.utterance:
            return transcript
    raise InputError(f"has no transcript of {source.utterance}", output)


def _rows(recognizer: Recognizer, sources: Sequence[Source], out_dir: Path) -> Iterator[dict[str, Any]]:
    """The transcripts of the files that can be read, as they come; logs an error for each of the others."""
    for source, audio in track(read_ahead(sources, recognizer.sample_rate), "transcribing", len(sources)):
        try:
            check_name(source)
            transcript = recognizer.recognize(audio.result(), source.utterance, str(source.path))
            writer("textgrid").write(out_dir, [transcript])
        except OutputError:
            raise
        except InputError as error:
            log.error("%s", error, exc_info=True)
        else:
            yield transcript.to_json()


def _resume(output: Path, bundle: Path) -> dict[str, str | None]:
    """The utterances already in `output` by the same bundle, with their audio; removes an incomplete last line."""
    mark = output.with_name("bundle.json")
    files = (path for path in sorted(bundle.rglob("*")) if path.is_file())
    digest = {str(path.relative_to(bundle)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    if output.exists() and not mark.is_file():
        raise InputError("was not written by asr transcribe; choose another folder with --out", output)
    if not (mark.is_file() and read_json(mark) == digest):
        output.unlink(missing_ok=True)
        write_json(mark, digest)
    if not output.is_file():
        return {}
    cut_last_line(output)
    return {str(row.get("utterance")): row.get("audio") for row in read_jsonl(output)}


def _is_done(source: Source, done: dict[str, str | None], output: Path) -> bool:
    """Raises InputError where another file of the same name is done: its TextGrid would be overwritten."""
    if source.utterance not in done:
        return False
    if done[source.utterance] != str(source.path):
        raise InputError(
            f"the folder already has a transcript of {done[source.utterance]} named {source.utterance}; "
            "choose another with --out",
            output,
        )
    return True
