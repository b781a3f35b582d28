"""Batch transcription: many recordings in, JSON Lines and the chosen formats out; an interrupted one resumes."""

from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path

from asr.acoustics.digests import bundle_digest
from asr.acoustics.loading import device_for
from asr.engines.engine import Engine
from asr.engines.threads import Threads
from asr.errors import InputError
from asr.formats.transcript import Transcript, read_transcripts
from asr.recognizer import Recognizer
from asr.recordings.batch import Summary, process
from asr.recordings.export import PLAIN, Exports, View
from asr.recordings.results import Row
from asr.recordings.resume import set_aside
from asr.recordings.sources import Found, Source
from asr.recordings.together import READ_TOGETHER, transcribe_together
from asr.recordings.work import OTHER_MODEL, Read, Work, one_by_one
from asr.storage.output_folder import output_folder
from asr.storage.run_layout import TRANSCRIPTS

MARK = "model.json"
"""Says which model made a folder's transcripts."""


def transcribe(
    recognizer: Recognizer,
    found: Found,
    out_dir: Path,
    formats: Collection[str] = ("textgrid",),
    view: View = PLAIN,
    nbest: int = 0,
    engine: Engine = Threads(),  # noqa: B008 - it is frozen
) -> Summary:
    """Writes `out_dir`/transcripts.jsonl, one line an utterance with the model's phones in the order of the sources,
    and exports it to `formats`; the workers of an engine elsewhere open the model themselves.

    The lines have `nbest` hypotheses if it is not 0; a line that was written with fewer is made again. A file that
    fails, whatever the reason, is a line in the log and in `out_dir`/errors.jsonl, and the rest continues. Called again
    with the same bundle, it does the files that are not done yet or whose content has changed; results of another
    bundle are moved into a folder `previous-...` first. Raises OutputError where nothing can be written (what was
    written stays), and InputError where the folder holds files of something else, or a view wants scores of a model
    that gives none.
    """
    if view.min_score > 0 and not recognizer.decoder.scoring:
        message = "its recipe has decoding.confidences: false, so phones have no scores; leave --min-score out"
        raise InputError(message, recognizer.bundle.folder)
    output = out_dir / TRANSCRIPTS
    with output_folder(out_dir, "transcribe", "--out") as folder:
        bundle = recognizer.bundle
        digest = bundle_digest(bundle.folder)
        set_aside(folder, out_dir / MARK, {"model": digest})
        phone_set = bundle.config.targets.phone_set
        on_gpu = engine.device != "cpu" if engine.elsewhere else recognizer.on_gpu
        opened = partial(_opened, bundle.folder.resolve(), digest) if engine.elsewhere else lambda device: recognizer
        return process(
            found,
            output,
            partial(_start, opened, nbest),
            recognizer.sample_rate,
            lambda row, source: not nbest or len(row.get("nbest", ())) >= nbest,
            lambda failed: Exports(folder, output, formats, view, phone_set, failed=failed),
            engine,
            "transcribing",
            READ_TOGETHER if on_gpu else 1,
        )


def find_transcript(out_dir: Path, source: Source) -> Transcript:
    """The transcript of a file that `transcribe` has written. Raises InputError where there is none."""
    output = out_dir / TRANSCRIPTS
    for transcript in read_transcripts(output):
        if transcript.utterance == source.utterance:
            return transcript
    raise InputError(f"has no transcript of {source.utterance}", output)


def _start(opened: Callable[[str], Recognizer], nbest: int, device: str) -> Work:
    recognizer = opened(device)
    if recognizer.on_gpu:
        return partial(transcribe_together, recognizer, nbest)
    return one_by_one(partial(_transcribed, recognizer, nbest))


def _opened(model: Path, digest: str, device: str) -> Recognizer:
    """The model in another process. Raises InputError where it is missing there or is another."""
    recognizer = Recognizer(model, device_for(model, device))
    if bundle_digest(model) != digest:
        raise InputError(OTHER_MODEL, model)
    return recognizer


def _transcribed(recognizer: Recognizer, nbest: int, source: Source, read: Read) -> tuple[Transcript, Row]:
    return recognizer.recognize_blocks(read(), source.utterance, str(source.path), nbest), {}
