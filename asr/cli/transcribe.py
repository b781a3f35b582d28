"""`asr transcribe`: the phones of your own recordings."""

import logging
import sys
from pathlib import Path
from typing import Annotated

import typer

from asr.cli.messages import codecs_silenced
from asr.cli.options import ChannelChoice, Device, Inputs, Jobs, Model, channels_of

log = logging.getLogger(__name__)


def transcribe_command(
    model: Model,
    inputs: Inputs,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for transcripts.jsonl and textgrids/.")],
    channels: ChannelChoice = "mix",
    jobs: Jobs = None,
    device: Device = "auto",
) -> None:
    """Transcribe audio files into phones with times, as JSON Lines and TextGrid.

    Prints the phones too if there is a single file. A file that fails gives a message and a line in errors.jsonl, and
    the others are still transcribed. Rerun the command to resume: what has the same content is not done again.

    Exit status: 0 if all is done, 1 if a file failed or nothing could be done, 2 for a wrong option.
    """
    from asr.device import choose_device
    from asr.errors import printable
    from asr.recognizer import Recognizer
    from asr.recordings.sources import find_sources
    from asr.recordings.transcribe import find_transcript, transcribe
    from asr.recordings.workers import available_cores
    from asr.storage.run_layout import TRANSCRIPTS

    found = find_sources(inputs, channels_of(channels))
    sources = found.sources
    with codecs_silenced():
        summary = transcribe(Recognizer(model, choose_device(device)), found, out, jobs or available_cores())
    done = f"{summary.done} transcribed" + (f", {summary.skipped} already done" if summary.skipped else "")
    log.info("%s, %d failed: %s", done, summary.failed, out / TRANSCRIPTS)
    if summary.failed:
        raise typer.Exit(1)
    if len(sources) == 1:
        transcript = find_transcript(out, sources[0])
        line = f"{transcript.utterance}: {' '.join(segment.phone for segment in transcript.phones)}"
        # A file name may have characters that the terminal's encoding lacks.
        print(printable(line).encode(sys.stdout.encoding, "replace").decode(sys.stdout.encoding))
