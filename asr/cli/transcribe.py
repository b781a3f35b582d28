"""`asr transcribe`: the phones of your own recordings."""

import logging
import sys
from pathlib import Path
from typing import Annotated

import typer

from asr.cli.engine import EngineChoice, EngineName, cluster, device_here
from asr.cli.options import ChannelChoice, Device, Formats, Inputs, Jobs, Model, Phones, channels_of
from asr.threads import available_cores, one_blas_thread

log = logging.getLogger(__name__)


def transcribe_command(
    model: Model,
    inputs: Inputs,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for transcripts.jsonl and the other formats.")],
    formats: Formats = ["textgrid"],  # noqa: B006 - typer reads it and never changes it
    phones: Phones = "model",
    min_score: Annotated[
        float, typer.Option("--min-score", min=0, max=1, help="Leave phones with a lower score out of these formats.")
    ] = 0.0,
    nbest: Annotated[
        int, typer.Option("--nbest", min=0, max=10_000, help="Number of hypotheses to add to each JSON line.")
    ] = 0,
    channels: ChannelChoice = "mix",
    jobs: Jobs = None,
    device: Device = "auto",
    engine: EngineChoice = EngineName.threads,
) -> None:
    """Transcribe audio files into phones with times, as JSON Lines and in the formats of your choice.

    Prints the phones too if there is a single file. A file that fails gives a message and a line in errors.jsonl, and
    the others are still transcribed. Rerun the command to resume: what has the same content is not done again.

    Exit status: 0 if all is done, 1 if a file failed or nothing could be done, 2 for an unknown option or a value out
    of range.
    """
    one_blas_thread()
    from asr.acoustics.loading import device_for
    from asr.engines.threads import Threads
    from asr.errors import printable
    from asr.formats.registry import writer
    from asr.phones.conversion import conversion
    from asr.recognizer import Recognizer
    from asr.recordings.export import View
    from asr.recordings.sources import find_sources
    from asr.recordings.transcribe import find_transcript, transcribe
    from asr.storage.run_layout import TRANSCRIPTS

    for name in formats:
        writer(name)
    view = View(phones, min_score)
    with cluster(engine, jobs, device) as ray:
        found = find_sources(inputs, channels_of(channels))
        recognizer = Recognizer(model, device_for(model, device_here(engine, device)))
        workers = ray or Threads(jobs or available_cores())
        summary = transcribe(recognizer, found, out, formats, view, nbest, workers)
    log.info("%s: %s", summary.text("transcribed"), out / TRANSCRIPTS)
    if summary.failed or summary.unwritten:
        raise typer.Exit(1)
    if len(found.sources) == 1:
        phone_set = recognizer.bundle.config.targets.phone_set
        transcript = view.of(find_transcript(out, found.sources[0]), conversion(phones, phone_set))
        line = f"{transcript.utterance}: {' '.join(segment.phone for segment in transcript.phones)}"
        # A file name may have characters that the terminal's encoding lacks.
        print(printable(line).encode(sys.stdout.encoding, "replace").decode(sys.stdout.encoding))
