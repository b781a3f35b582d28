"""The two tiers of a transcript, phones and words, for formats that write each into files of its own."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import IO

from asr.errors import InputError
from asr.formats.format import Format
from asr.formats.transcript import PhoneSegment, Transcript
from asr.storage.files import complete_file, output_path, write_text

TIERS = ("phones", "words")

Writer = Callable[[IO[str], str, Transcript], None]
"""Writes to a file, for a tier, the labels of a transcript: its `phones`."""


def tiers(transcript: Transcript) -> Iterator[tuple[str, Transcript]]:
    """Each tier with a transcript that has its labels as `phones`; the words only where there are words."""
    yield "phones", transcript
    if transcript.words:
        words = [PhoneSegment(word.word, word.start, word.end) for word in transcript.words]
        yield "words", replace(transcript, phones=words, words=[], intervals=[])


def all_in_one(
    suffix: str,
    write: Writer,
    check: Callable[[Transcript], None],
    head: Callable[[str], str] = lambda tier: "",
) -> Format:
    """A format of one file for all utterances, phones`suffix`, and words`suffix` where there are words.

    Each begins with the `head` of its tier. The transcripts are written as they come.
    """
    names = tuple(f"{tier}{suffix}" for tier in TIERS)

    def write_all(folder: Path, transcripts: Iterable[Transcript]) -> list[Path]:
        opened: dict[str, IO[str]] = {}
        with ExitStack() as files:

            def file_of(tier: str) -> IO[str]:
                if tier not in opened:
                    opened[tier] = files.enter_context(complete_file(folder / f"{tier}{suffix}"))
                    opened[tier].write(head(tier))
                return opened[tier]

            file_of("phones")
            for transcript in transcripts:
                for tier, labels in tiers(transcript):
                    write(file_of(tier), tier, labels)
        return [folder / f"{tier}{suffix}" for tier in opened]

    return Format(False, lambda utterance: names, write_all, check)


def one_each(folder_name: str, suffix: str, text: Callable[[Transcript], str]) -> Format:
    """A format of one file for each tier of an utterance: `folder_name`/phones/NAME`suffix`, and so for words."""

    def write_all(folder: Path, transcripts: Iterable[Transcript]) -> list[Path]:
        written = []
        for transcript in transcripts:
            for tier, labels in tiers(transcript):
                path = output_path(folder / folder_name / tier, transcript.utterance + suffix)
                write_text(path, text(labels))
                written.append(path)
        return written

    def files(utterance: str) -> tuple[str, ...]:
        return tuple(f"{folder_name}/{tier}/{utterance}{suffix}" for tier in TIERS)

    return Format(True, files, write_all)


def one_file(folder_name: str, suffix: str, write: Callable[[Path, Transcript], None]) -> Format:
    """A format of one file for an utterance, with both tiers: `folder_name`/NAME`suffix`."""

    def write_all(folder: Path, transcripts: Iterable[Transcript]) -> list[Path]:
        written = []
        for transcript in transcripts:
            path = output_path(folder / folder_name, transcript.utterance + suffix)
            write(path, transcript)
            written.append(path)
        return written

    return Format(True, lambda utterance: (f"{folder_name}/{utterance}{suffix}",), write_all)


def require_no_spaces(transcript: Transcript, form: str, where: Path | str | None = None) -> None:
    """Raises InputError for an utterance, phone or word that would break a line of fields with spaces between them.

    The message has the name of the format, `form`, and of a file: `where`, by default the audio.
    """
    where, utterance = where or transcript.audio, transcript.utterance
    if len(utterance.split()) != 1:
        raise InputError(f"utterance {utterance[:80]!r}: {form} allows no spaces in names; rename it", where)
    if utterance.startswith(";;"):
        raise InputError(f"utterance {utterance[:80]!r}: {form} takes lines with ';;' for comments; rename it", where)
    labels = [*transcript.symbols, *(word.word for word in transcript.words)]
    if bad := next((label for label in labels if len(label.split()) != 1), None):
        raise InputError(f"utterance {utterance}: {bad[:80]!r}: {form} allows no spaces in labels", where)


def require_times(transcript: Transcript, form: str, where: Path | str | None = None) -> None:
    """Raises InputError for a phone without times, which a format needs.

    The message has the name of the format, `form`, and of a file: `where`, by default the audio.
    """
    if untimed := next((each for each in transcript.phones if each.start is None or each.end is None), None):
        raise InputError(
            f"utterance {transcript.utterance}: phone {untimed.phone!r} has no times, which {form} needs",
            where or transcript.audio,
        )


def timed(transcript: Transcript, form: str) -> Iterator[tuple[float, float, PhoneSegment]]:
    """Each label with its start and end in seconds. Raises InputError as `require_times`."""
    require_times(transcript, form)
    for segment in transcript.phones:
        yield segment.start or 0.0, segment.end or 0.0, segment


def on_one_line(label: str) -> str:
    """The label with each run of white space as one space: for formats whose lines and columns it would break."""
    return " ".join(label.split())
