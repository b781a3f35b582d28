"""Batch transcription: many recordings in, JSON Lines and TextGrids out; an interrupted one resumes."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from asr.acoustics.bundle import bundle_digest
from asr.errors import InputError
from asr.formats.registry import writer
from asr.formats.transcript import Transcript, read_transcripts
from asr.progress import track
from asr.recognizer import Recognizer
from asr.recordings.digests import DIGESTS, AudioDigests
from asr.recordings.failures import ERRORS, Failures
from asr.recordings.results import Results, Row
from asr.recordings.resume import Summary, set_aside
from asr.recordings.sources import Found, Source, read_source
from asr.recordings.workers import in_order
from asr.storage.output_folder import output_folder
from asr.storage.run_layout import TRANSCRIPTS

MARK = "model.json"
"""Says which model made a folder's transcripts."""


def transcribe(recognizer: Recognizer, found: Found, out_dir: Path, jobs: int = 1) -> Summary:
    """Writes `out_dir`/transcripts.jsonl, one line an utterance in the order of the sources, and
    `out_dir`/textgrids/NAME.TextGrid; `jobs` threads work.

    A file that fails, whatever the reason, is a line in the log and in `out_dir`/errors.jsonl, and the rest continues.
    Called again with the same bundle, it does the files that are not done yet or whose content has changed; results of
    another bundle are moved into a folder `previous-...` first. Raises OutputError where nothing can be written (what
    was written stays), and InputError where the folder holds files of something else.
    """
    output = out_dir / TRANSCRIPTS
    with output_folder(out_dir, "transcribe", "--out") as folder:
        set_aside(folder, out_dir / MARK, {"model": bundle_digest(recognizer.bundle.folder)})
        for path in (output, out_dir / DIGESTS, out_dir / ERRORS):
            folder.require_replaceable(path)
        digests = AudioDigests(out_dir / DIGESTS)
        with Failures(out_dir / ERRORS) as failures:
            for place, error in found.unreadable:
                failures.add(error, place)
            results = Results(output, found.sources, digests, failures)
            results.append(_rows(recognizer, results, digests, failures, jobs))
        digests.write()
    return Summary(results.added, results.skipped, failures.count)


def find_transcript(out_dir: Path, source: Source) -> Transcript:
    """The transcript of a file that `transcribe` has written. Raises InputError where there is none."""
    output = out_dir / TRANSCRIPTS
    for transcript in read_transcripts(output):
        if transcript.utterance == source.utterance:
            return transcript
    raise InputError(f"has no transcript of {source.utterance}", output)


def _rows(
    recognizer: Recognizer, results: Results, digests: AudioDigests, failures: Failures, jobs: int
) -> Iterator[tuple[Source, Row]]:
    """The transcripts of the waiting sources, in order; notes each failure."""
    done = in_order(partial(_transcribed, recognizer, digests), results.waiting(), jobs)
    for source, outcome in track(done, "transcribing", results.remaining):
        try:
            transcript, digest = outcome.result()
            writer("textgrid").write(results.path.parent, [transcript])
        except Exception as error:
            failures.add(error, source.path)
        else:
            yield source, transcript.to_json() | {"sha256": digest}


def _transcribed(recognizer: Recognizer, digests: AudioDigests, source: Source) -> tuple[Transcript, str]:
    """The transcript of a source, and the digest of its file."""
    digest = digests.of(source.path)
    waveform = read_source(source, recognizer.sample_rate)
    digests.require_unchanged(source.path)
    return recognizer.recognize(waveform, source.utterance, str(source.path)), digest
