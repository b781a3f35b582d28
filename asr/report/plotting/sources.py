"""What a figure shows of an utterance: the tiers of a run's, of a JSON Lines file's or of a TextGrid's."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from asr.corpora.recorded import Recorded
from asr.errors import InputError
from asr.formats.textgrid_reader import TextGrid
from asr.formats.transcript import Transcript, transcripts_with_rows
from asr.report.browser.utterances import ShownUtterance, shown_utterances
from asr.report.plotting.speech import Label, Tier
from asr.report.run_files import read_run
from asr.scoring.edit_alignment import MARKS, outcome_of

Spoken = tuple[Recorded | None, list[Tier]]
"""The recording, where it is known, and the tiers."""


def spoken(source: Path, utterance: str | None) -> Spoken:
    """The tiers of an utterance of a run (its reference and hypothesis), of a JSON Lines file or of a TextGrid.

    Without `utterance` it is the only one. Raises InputError where it is not there, or has no times.
    """
    if source.is_dir():
        return _of_run(source, utterance)
    if source.suffix.lower() == ".textgrid":
        return None, _of_textgrid(source)
    return _of_transcript(*_the_one(source, utterance), source)


def _of_run(folder: Path, utterance: str | None) -> Spoken:
    if utterance is None:
        raise InputError("is a run: say which of its test utterances with --utterance", folder)
    for shown in shown_utterances(folder, read_run(folder)):
        if shown.name == utterance:
            return shown.recorded, tiers_of(shown)
    raise InputError(f"has no test utterance {utterance}", folder)


def tiers_of(shown: ShownUtterance) -> list[Tier]:
    """The words, where there are any, the reference and the hypothesis of a run's utterance, with its errors."""
    words = [Label(word, start / 1000, end / 1000) for word, start, end in shown.row.get("words", ())]
    reference, hypothesis = [], []
    for first, second, start, end, other_start, other_end, _ in shown.row["pairs"]:
        mark = MARKS[outcome_of((first, second))]
        if first is not None:
            reference.append(Label(first, start / 1000, end / 1000, mark if second is None else ""))
        if second is not None:
            hypothesis.append(Label(second, other_start / 1000, other_end / 1000, mark))
    named = (("words", words), ("ref.", reference), ("hyp.", hypothesis))
    return [Tier(name, labels) for name, labels in named if labels]


def _of_textgrid(path: Path) -> list[Tier]:
    grid = TextGrid(path)
    tiers = [
        Tier(name, [Label(text, start, end) for start, end, text in grid.intervals(name) if text])
        for name in ("words", "phones")
        if grid.has(name)
    ]
    if not tiers:
        raise InputError("has no tier words or phones", path)
    return tiers


def _the_one(path: Path, utterance: str | None) -> tuple[int, dict[str, Any], Transcript]:
    found = [each for each in transcripts_with_rows(path) if utterance in (None, each[-1].utterance)]
    if not found:
        raise InputError(f"has no utterance {utterance}" if utterance else "has no utterance", path)
    if len(found) > 1:
        raise InputError(f"has {len(found)} utterances; choose one with --utterance", path)
    return found[0]


def _of_transcript(line: int, row: dict[str, Any], transcript: Transcript, path: Path) -> Spoken:
    if any(phone.start is None or phone.end is None for phone in transcript.phones):
        raise InputError(f"utterance {transcript.utterance} has phones without times", path)
    words = [Label(word.word, word.start, word.end) for word in transcript.words]
    phones = [Label(phone.phone, phone.start or 0.0, phone.end or 0.0) for phone in transcript.phones]
    tiers = [Tier("words", words)] if words else []
    recorded = _recorded(transcript.audio, row, path, line) if transcript.audio else None
    return recorded, [*tiers, Tier("phones", phones, _known(transcript.intervals))]


def _recorded(audio: str, row: dict[str, Any], path: Path, line: int) -> Recorded:
    """Where an utterance is recorded: the part and the channel of a file that its row of asr transcribe has.

    Raises InputError where these are no numbers.
    """
    start, end, channel = row.get("start", 0.0), row.get("end"), row.get("channel")
    if (
        not isinstance(start, int | float)
        or not isinstance(end or 0.0, int | float)
        or not isinstance(channel or 0, int)
    ):
        raise InputError("start, end or channel is not a number; make the file again", path, line)
    return Recorded(audio, channel=channel).part(start, end)


def _known(intervals: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    return [(low, high) for low, high in intervals if high > low]
