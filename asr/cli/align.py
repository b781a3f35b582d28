"""`asr align`: when the phones and words of a transcript are spoken in your recordings."""

import logging
from contextlib import nullcontext
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from asr.cli.engine import EngineChoice, EngineName, cluster, device_here
from asr.cli.options import ChannelChoice, Device, Formats, Inputs, Jobs, Model, Phones, channels_of
from asr.threads import available_cores, one_blas_thread

log = logging.getLogger(__name__)


class Tier(StrEnum):
    """What the transcripts consist of."""

    phones = "phones"
    words = "words"


def align_command(
    model: Model,
    inputs: Inputs = [],  # noqa: B006 - typer reads it and never changes it
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for alignments.jsonl and the other formats.")
    ] = None,
    transcripts: Annotated[
        Path | None,
        typer.Option(
            help="JSON Lines with the transcripts, or a folder with a file (.TextGrid, .phn or .wrd, .lab, .txt) for "
            "each audio file.",
            show_default="such files next to the audio",
        ),
    ] = None,
    text: Annotated[str | None, typer.Option(help="The transcript of a single audio file.")] = None,
    tier: Annotated[
        Tier | None,
        typer.Option(help="What the transcripts consist of.", show_default="words with --lexicon, else phones"),
    ] = None,
    lexicon: Annotated[
        str | None,
        typer.Option(help="Pronunciations of words: cmudict, or a file as Kaldi's or MFA's."),
    ] = None,
    spell_numbers: Annotated[
        bool, typer.Option("--spell-numbers", help="Spell numbers that the lexicon does not have.")
    ] = False,
    language: Annotated[str, typer.Option(help="Language of the spelled numbers, a code of num2words.")] = "en",
    formats: Formats = ["textgrid"],  # noqa: B006
    phones: Phones = "model",
    models: Annotated[
        list[Path], typer.Option("--model", help="Another model; boundaries are the median over all. Repeatable.")
    ] = [],  # noqa: B006
    evaluate: Annotated[
        bool, typer.Option("--evaluate", help="Align the run's own test sets and print the distance from the labels.")
    ] = False,
    channels: ChannelChoice = "mix",
    jobs: Jobs = None,
    device: Device = "auto",
    engine: EngineChoice = EngineName.threads,
) -> None:
    """Forced alignment: from audio and its transcript to phones and words with times and scores.

    Writes JSON Lines and the formats of your choice. A file that cannot be aligned gives a message and a line in
    errors.jsonl, and the others are still aligned. Rerun the command to resume: what has the same content and
    transcript is not done again. With --evaluate and no audio: the accuracy of boundaries on speakers that the run's
    models were not trained on.

    Exit status: 0 if all is done, 1 if a file failed or nothing could be done, 2 for an unknown option or a value out
    of range.
    """
    one_blas_thread()
    from asr.acoustics.loading import device_for
    from asr.alignment.aligner import Aligner, AligningModel
    from asr.alignment.spoken import lexicon_phones
    from asr.engines.threads import Threads
    from asr.errors import InputError
    from asr.formats.registry import writer
    from asr.phones.numbers import number_speller
    from asr.phones.pronounce import load_pronouncer
    from asr.recordings.align import align_files
    from asr.recordings.export import View
    from asr.recordings.sources import find_sources
    from asr.recordings.transcripts import GivenText, find_transcripts
    from asr.storage.run_layout import ALIGNMENTS

    if evaluate:
        from asr.alignment.evaluate import evaluate_runs
        from asr.device import choose_device
        from asr.storage.output_folder import output_folder

        if inputs:
            raise InputError("--evaluate aligns the run's own test sets; leave the audio out")
        with nullcontext() if out is None else output_folder(out, "evaluate", "--out"):
            print(evaluate_runs([model, *models], choose_device(device), out))
        return
    if not inputs or out is None:
        raise InputError("give audio files or folders, and a folder to write into with --out")
    spoken = Tier.phones if lexicon is None else Tier.words
    if (tier or spoken) != spoken:
        raise InputError("--tier words needs --lexicon, and --tier phones does not take one")
    if spell_numbers and lexicon is None:
        raise InputError("--spell-numbers needs --lexicon")
    spell = number_speller(language) if spell_numbers else None
    for name in formats:
        writer(name)
    found = find_sources(inputs, channels_of(channels))
    sources = found.sources
    if text is not None and (len(sources) != 1 or transcripts is not None):
        raise InputError("--text is for one audio file, without --transcripts")
    said = GivenText(text) if text is not None else find_transcripts(transcripts, spoken.value)
    here = device_here(engine, device)
    aligner = Aligner([AligningModel(path, device_for(path, here)) for path in [model, *models]])
    phones_of_words, broad = lexicon_phones(aligner.phone_set), aligner.broad_ipa
    known = None if lexicon is None else load_pronouncer([lexicon], phones_of_words, broad_ipa=broad).lexicon
    with cluster(engine, jobs, device) as ray:
        workers = ray or Threads(jobs or available_cores())
        summary = align_files(aligner, found, said, known, out, formats, View(phones), workers, spell)
    log.info("%s: %s", summary.text("aligned"), out / ALIGNMENTS)
    if summary.failed or summary.unwritten:
        raise typer.Exit(1)
