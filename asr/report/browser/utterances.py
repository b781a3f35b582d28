"""The test utterances of a run for the error browser: scores, timed tiers, words, and what is known of the speaker."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lhotse import MonoCut

from asr.corpora.cuts import PHONES, WORDS, read_cuts
from asr.corpora.recorded import Recorded, recorded
from asr.errors import InputError
from asr.formats.transcript import PhoneSegment, Transcript, read_transcripts
from asr.report.beside import Beside
from asr.report.browser.intervals import Placed, Times
from asr.report.run_files import Fold, RunFiles
from asr.report.tiers import Span, TimedPair, boundary_errors, spans_at, timed_pairs
from asr.scoring.differing import differing
from asr.scoring.results import UtteranceScore
from asr.storage.run_layout import DECODE, HYPOTHESES, PREPARE, REFERENCES, TEST, cuts_path

BOUNDARIES = ("late", "intervals")
"""What a row may say of the boundaries of its pairs, for each pair."""
UNPLACED = Placed(None, None)


@dataclass(frozen=True, slots=True)
class ShownUtterance:
    """An utterance of the error browser: what its page reads of it, and its recording where that is known."""

    name: str
    row: dict[str, Any]
    recorded: Recorded | None


Symbols = Mapping[str, Sequence[str]]
Placing = Callable[[Path, str, Symbols, Symbols], Mapping[str, Placed]]
"""Aligns both sides of a fold, as `asr.report.browser.intervals.placed`."""


def shown_utterances(run_dir: Path, run: RunFiles, placing: Placing | None = None) -> Iterator[ShownUtterance]:
    """Every scored utterance, fold by fold, with the intervals of its boundaries where `placing` finds them.

    Raises InputError where the decode stage's transcripts are missing.
    """
    for fold in run.folds:
        decoded = run_dir / fold.name / DECODE / TEST
        references, hypotheses = (_by_name(decoded / name) for name in (REFERENCES, HYPOTHESES))
        manifest = cuts_path(run_dir / PREPARE / fold.name, TEST)
        cuts = {cut.id: cut for cut in read_cuts(manifest)} if manifest.is_file() else {}
        placed = placing(run_dir, fold.name, *_symbols(fold, references, hypotheses)) if placing else {}
        for item in fold.utterances:
            try:
                reference, hypothesis = references[item.utterance], hypotheses[item.utterance]
            except KeyError as error:
                raise InputError(f"utterance {error} was scored but is not here; rerun asr run", decoded) from error
            cut, times = cuts.get(item.utterance), placed.get(item.utterance, UNPLACED)
            yield _shown(item, reference, hypothesis, cut, run, times)


def _symbols(
    fold: Fold, references: Mapping[str, Transcript], hypotheses: Mapping[str, Transcript]
) -> tuple[Symbols, Symbols]:
    """The phones to align: of references, those that have no times, as they were scored."""
    untimed = {
        item.utterance: [symbol for symbol, _ in item.alignments["counted"] if symbol is not None]
        for item in fold.utterances
        if item.utterance in references and not _labelled(references[item.utterance])
    }
    return untimed, {name: hypothesis.symbols for name, hypothesis in hypotheses.items()}


def _labelled(reference: Transcript) -> bool:
    """Whether the phones of a reference have times."""
    return not reference.pronunciations and all(phone.start is not None for phone in reference.phones)


def both_shown(beside: Beside, placing: Placing | None = None) -> Iterator[ShownUtterance]:
    """The utterances of two runs: each of the first, whose pairs then end with their Place, with `other`, the counts
    and pairs of the second. Raises InputError as `shown_utterances`."""
    others = {shown.name: shown.row for shown in shown_utterances(beside.folders[1], beside.runs[1], placing)}
    for shown in shown_utterances(beside.folders[0], beside.runs[0], placing):
        other = others[shown.name]
        sides = [[(pair[0], pair[1]) for pair in row["pairs"]] for row in (shown.row, other)]
        ours, theirs = (
            [[*pair, int(place)] for pair, place in zip(row["pairs"], places, strict=True)]
            for row, places in zip((shown.row, other), differing(*sides), strict=True)
        )
        other = {key: other[key] for key in ("counts", *BOUNDARIES) if key in other}
        row = shown.row | {"pairs": ours, "other": other | {"pairs": theirs}}
        yield replace(shown, row=row)


def _by_name(path: Path) -> dict[str, Transcript]:
    if not path.is_file():
        raise InputError("is missing; the error browser shows what the decode stage wrote: rerun asr run", path)
    return {transcript.utterance: transcript for transcript in read_transcripts(path)}


def _shown(
    item: UtteranceScore,
    reference: Transcript,
    hypothesis: Transcript,
    cut: MonoCut | None,
    run: RunFiles,
    placed: Placed,
) -> ShownUtterance:
    counts, aligned = item.counts["counted"], item.alignments["counted"]
    boundaries: dict[str, Any] = {}
    if late := boundary_errors(aligned, reference, hypothesis, run.phone_set):
        boundaries["late"] = late
    if placed.reference is not None:
        said = [symbol for symbol, _ in aligned if symbol is not None]
        reference = _with_times(reference, said, placed.reference)
    pairs = timed_pairs(aligned, reference, hypothesis, run.phone_set)
    if placed is not UNPLACED:
        boundaries["intervals"] = _intervals(pairs, reference, hypothesis, placed)
    audio = hypothesis.audio or reference.audio
    place = Recorded(audio) if audio else None
    facts: dict[str, Any] = {}
    if cut is not None:
        facts = _facts(cut)
        place = recorded(cut)
    row = {
        "name": item.utterance,
        "speaker": item.speaker,
        "seconds": hypothesis.duration or reference.duration or _end(pairs),
        "counts": [counts.substitutions, counts.deletions, counts.insertions, counts.reference_phones],
        "pairs": [pair.to_json() for pair in pairs],
        **boundaries,
        **facts,
    }
    return ShownUtterance(item.utterance, row, place)


def _with_times(reference: Transcript, symbols: Sequence[str], times: Times) -> Transcript:
    """A reference as these phones, with the most probable times."""
    spans = zip(symbols, times[:, :, 0].tolist(), strict=True)
    return replace(reference, phones=[PhoneSegment(symbol, begin, end) for symbol, (begin, end) in spans])


def _intervals(
    pairs: Sequence[TimedPair], reference: Transcript, hypothesis: Transcript, placed: Placed
) -> list[list[list[int] | None]]:
    """The earliest and latest plausible time (ms) of each pair's boundaries: the reference's begin and end, and the
    hypothesis's; None where it is not known, as at the ends of the recording."""
    said, heard = _at(reference, placed.reference), _at(hypothesis, placed.hypothesis)
    found: list[list[list[int] | None]] = []
    for pair in pairs:
        sides = ((said, pair.reference_span), (heard, pair.hypothesis_span))
        at = [(known, time) for both, span in sides for known, time in zip(both, span or (-1.0, -1.0), strict=True)]
        found.append([_wide(known.get(time)) for known, time in at])
    return found


def _at(transcript: Transcript, times: Times | None) -> tuple[Mapping[float, Span], Mapping[float, Span]]:
    """The intervals of a transcript's phones by the times at which they begin, and at which they end."""
    if times is None:
        return {}, {}
    return spans_at(transcript.phones, [(tuple(begin), tuple(end)) for begin, end in times[:, :, 1:].tolist()])


def _wide(span: Span | None) -> list[int] | None:
    """A span in whole milliseconds; None for a moment, which is not known to be uncertain."""
    if span is None or span[0] == span[1]:
        return None
    return [round(1000 * time) for time in span]


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
