"""The test utterances of a run for the error browser: scores, timed tiers, words, and what is known of the speaker."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lhotse import MonoCut

from asr.corpora.cuts import PHONES, WORDS, read_cuts
from asr.errors import InputError
from asr.formats.transcript import Transcript, read_transcripts
from asr.report.beside import Beside
from asr.report.run_files import RunFiles
from asr.report.tiers import TimedPair, timed_pairs
from asr.scoring.differing import differing
from asr.scoring.results import UtteranceScore
from asr.storage.run_layout import DECODE, HYPOTHESES, PREPARE, REFERENCES, TEST, cuts_path


@dataclass(frozen=True, slots=True)
class Recorded:
    """Where an utterance is recorded: a part of a file in seconds, None for the whole of it; its channels are mixed."""

    path: Path
    start: float = 0.0
    duration: float | None = None


@dataclass(frozen=True, slots=True)
class ShownUtterance:
    """An utterance of the error browser: what its page reads of it, and its recording where that is known."""

    name: str
    row: dict[str, Any]
    recorded: Recorded | None


def shown_utterances(run_dir: Path, run: RunFiles) -> Iterator[ShownUtterance]:
    """Every scored utterance, fold by fold. Raises InputError where the decode stage's transcripts are missing."""
    for fold in run.folds:
        decoded = run_dir / fold.name / DECODE / TEST
        references, hypotheses = (_by_name(decoded / name) for name in (REFERENCES, HYPOTHESES))
        manifest = cuts_path(run_dir / PREPARE / fold.name, TEST)
        cuts = {cut.id: cut for cut in read_cuts(manifest)} if manifest.is_file() else {}
        for item in fold.utterances:
            try:
                reference, hypothesis = references[item.utterance], hypotheses[item.utterance]
            except KeyError as error:
                raise InputError(f"utterance {error} was scored but is not here; rerun asr run", decoded) from error
            yield _shown(item, reference, hypothesis, cuts.get(item.utterance), run)


def both_shown(beside: Beside) -> Iterator[ShownUtterance]:
    """The utterances of two runs: each of the first, whose pairs then end with their Place, with `other`, the counts
    and pairs of the second. Raises InputError as `shown_utterances`."""
    others = {shown.name: shown.row for shown in shown_utterances(beside.folders[1], beside.runs[1])}
    for shown in shown_utterances(beside.folders[0], beside.runs[0]):
        other = others[shown.name]
        sides = [[(pair[0], pair[1]) for pair in row["pairs"]] for row in (shown.row, other)]
        ours, theirs = (
            [[*pair, int(place)] for pair, place in zip(row["pairs"], places, strict=True)]
            for row, places in zip((shown.row, other), differing(*sides), strict=True)
        )
        row = shown.row | {"pairs": ours, "other": {"counts": other["counts"], "pairs": theirs}}
        yield replace(shown, row=row)


def _by_name(path: Path) -> dict[str, Transcript]:
    if not path.is_file():
        raise InputError("is missing; the error browser shows what the decode stage wrote: rerun asr run", path)
    return {transcript.utterance: transcript for transcript in read_transcripts(path)}


def _shown(
    item: UtteranceScore, reference: Transcript, hypothesis: Transcript, cut: MonoCut | None, run: RunFiles
) -> ShownUtterance:
    counts = item.counts["counted"]
    pairs = timed_pairs(item.alignments["counted"], reference, hypothesis, run.phone_set)
    audio = hypothesis.audio or reference.audio
    recorded = Recorded(Path(audio)) if audio else None
    facts: dict[str, Any] = {}
    if cut is not None:
        facts = _facts(cut)
        recorded = Recorded(Path(cut.recording.sources[0].source), cut.start, cut.duration)
    row = {
        "name": item.utterance,
        "speaker": item.speaker,
        "seconds": hypothesis.duration or reference.duration or _end(pairs),
        "counts": [counts.substitutions, counts.deletions, counts.insertions, counts.reference_phones],
        "pairs": [pair.to_json() for pair in pairs],
        **facts,
    }
    return ShownUtterance(item.utterance, row, recorded)


def _end(pairs: list[TimedPair]) -> float:
    return max((span[1] for pair in pairs for span in (pair.reference_span, pair.hypothesis_span) if span), default=0.1)


def _facts(cut: MonoCut) -> dict[str, Any]:
    """The text, the words with their times in ms, and the groups (sex, dialect, ...) of a cut."""
    supervision = cut.supervisions[0]
    groups = {"sex": supervision.gender, **(supervision.custom or {})}
    words = (supervision.alignment or {}).get("word", ())
    return {
        "text": supervision.text or "",
        "words": [[word.symbol, round(1000 * word.start), round(1000 * word.end)] for word in words],
        "groups": {
            name: str(value)
            for name, value in groups.items()
            if name not in (PHONES, WORDS) and isinstance(value, str | int | float)
        },
    }
