"""`asr transcribe`: phones of your own recordings."""

import logging
import sys
from pathlib import Path
from typing import Annotated

import typer

from asr.cli.options import Device

log = logging.getLogger(__name__)


def transcribe_command(
    bundle: Annotated[Path, typer.Argument(help="A model bundle, or the folder of a finished run.")],
    inputs: Annotated[list[Path], typer.Argument(help="Audio files, and folders to search for them.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for transcripts.jsonl and textgrids/.")],
    device: Device = "auto",
) -> None:
    """Transcribe audio files into phones with times: JSON Lines and TextGrid.

    The phones of a single file are printed too. A file that cannot be read is one line of error; the rest goes on, and
    the exit status is 1.
    """
    from asr.device import choose_device
    from asr.recognizer import Recognizer
    from asr.recordings.sources import find_sources
    from asr.recordings.transcribe import find_transcript, transcribe

    sources = find_sources(inputs)
    summary = transcribe(Recognizer(bundle, choose_device(device)), sources, out)
    done = f"{summary.done} transcribed" + (f", {summary.skipped} already done" if summary.skipped else "")
    log.info("%s, %d failed: %s", done, summary.failed, out / "transcripts.jsonl")
    if summary.failed:
        raise typer.Exit(1)
    if len(sources) == 1:
        transcript = find_transcript(out, sources[0])
        line = f"{transcript.utterance}: {' '.join(segment.phone for segment in transcript.phones)}"
        # A file's name may hold what the terminal's encoding does not.
        print(line.encode(sys.stdout.encoding, "replace").decode(sys.stdout.encoding))
