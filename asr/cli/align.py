"""`asr align`: where in your recordings the phones or words lie that were said."""

import logging
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from asr.cli.options import Device
from asr.formats.registry import WRITERS, writer

log = logging.getLogger(__name__)


class Tier(StrEnum):
    """What the transcripts are of."""

    phones = "phones"
    words = "words"


def align_command(
    model: Annotated[Path, typer.Argument(help="A model bundle, or the folder of a finished run.")],
    inputs: Annotated[list[Path] | None, typer.Argument(help="Audio files, and folders to search for them.")] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder for alignments.jsonl and the rest.")] = None,
    transcripts: Annotated[
        Path | None,
        typer.Option(
            help="JSON Lines with the transcripts, or a folder with a file for each audio file; "
            "without it, the files beside the audio: .TextGrid, .phn or .wrd, .lab, .txt."
        ),
    ] = None,
    text: Annotated[str | None, typer.Option(help="What was said, for a single audio file.")] = None,
    tier: Annotated[Tier, typer.Option(help="What the transcripts are of.")] = Tier.phones,
    lexicon: Annotated[
        Path | None, typer.Option(help="Pronunciations of the words, as in the CMU dictionary; for --tier words.")
    ] = None,
    formats: Annotated[
        list[str],
        typer.Option("--format", help=f"What to write beside alignments.jsonl: {', '.join(WRITERS)}. May be repeated."),
    ] = ["textgrid"],  # noqa: B006 - typer reads it and never changes it
    models: Annotated[
        list[Path], typer.Option("--model", help="One more model; boundaries are the median of all. May be repeated.")
    ] = [],  # noqa: B006
    evaluate: Annotated[
        bool, typer.Option("--evaluate", help="Align the run's own test sets and print how far from the labels it is.")
    ] = False,
    device: Device = "auto",
) -> None:
    """Forced alignment: phones, and words, with times, scores and intervals, from audio and its transcript.

    Writes JSON Lines, TextGrid, CTM, and label files as TIMIT's. A file that cannot be aligned is one line of error;
    the rest goes on, and the exit status is 1. With --evaluate instead, and no audio, the accuracy of boundaries on the
    speakers that a run's models have not seen.
    """
    from asr.alignment.aligner import Aligner, AligningModel
    from asr.device import choose_device
    from asr.errors import InputError
    from asr.phones.lexicon import read_lexicon
    from asr.recordings.align import align_files
    from asr.recordings.sources import find_sources
    from asr.recordings.transcripts import GivenText, find_transcripts

    if evaluate:
        from asr.alignment.evaluate import evaluate_runs

        if inputs:
            raise InputError("--evaluate aligns the run's own test sets; leave the audio out")
        print(evaluate_runs([model, *models], choose_device(device), out))
        return
    if not inputs or out is None:
        raise InputError("name audio files or folders, and with --out a folder to write into")
    if (tier == Tier.words) != (lexicon is not None):
        raise InputError("--tier words needs a --lexicon, and --tier phones has none")
    sources = find_sources(inputs)
    if text is not None and (len(sources) != 1 or transcripts is not None):
        raise InputError("--text is for one audio file, without --transcripts")
    said = GivenText(text) if text is not None else find_transcripts(transcripts, tier.value)
    pronunciations = None if lexicon is None else read_lexicon(lexicon)
    aligner = Aligner([AligningModel(path, choose_device(device)) for path in [model, *models]])
    for name in formats:
        writer(name)
    summary = align_files(aligner, sources, said, pronunciations, out, formats)
    done = f"{summary.done} aligned" + (f", {summary.skipped} already done" if summary.skipped else "")
    log.info("%s, %d failed: %s", done, summary.failed, out / "alignments.jsonl")
    if summary.failed:
        raise typer.Exit(1)
