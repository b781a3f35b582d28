"""Where a system errs: by phone class, by place in the word and the utterance, by duration, and in which contexts."""

from bisect import bisect
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asr.corpora.cuts import read_cuts
from asr.formats.transcript import PhoneSegment, read_transcripts
from asr.phones.manner import MANNERS, manner
from asr.phones.phone_set import PhoneSet
from asr.report.run_files import RunFiles
from asr.scoring.edit_alignment import EditPair, outcome_of
from asr.scoring.scored_segments import scored_segments
from asr.storage.run_layout import DECODE, PREPARE, REFERENCES, TEST, cuts_path

EDGE = "#"
"""The neighbour of an utterance's first and last phones."""
DURATIONS = (0.03, 0.05, 0.08, 0.12)
"""Seconds between two groups of durations."""
PLACES = ("first of the utterance", "last of the utterance", "first of a word", "later in a word")
CONTEXTS = 20

Context = tuple[str, str | None, str | None, str]
"""The reference phone before, the pair, and the reference phone after."""


@dataclass(frozen=True, slots=True)
class Tally:
    """The errors of a group of reference phones; `insertions` is None where they belong to no group."""

    name: str
    phones: int
    substitutions: int
    deletions: int
    insertions: int | None = None

    @property
    def per(self) -> float | None:
        errors = self.substitutions + self.deletions + (self.insertions or 0)
        return 100 * errors / self.phones if self.phones else None


def error_analysis(run_dir: Path, run: RunFiles) -> dict[str, Any]:
    """`classes`, `places` and `durations` as lists of Tally, and `contexts` with their counts; silence counted.

    Without times in the references there are no durations, and without words in the corpus only the places in the
    utterance. Silence has neither.
    """
    counted: Counter[EditPair] = Counter()
    places: Counter[tuple[str, str]] = Counter()
    durations: Counter[tuple[str, str]] = Counter()
    seen: Counter[Context] = Counter()
    class_of = {phone: manner(phone, run.phone_set) for phone in run.phone_set}
    for pairs, spoken, words in _utterances(run_dir, run):
        counted.update(pairs)
        seen.update(contexts(pairs))
        outcomes = [outcome_of(pair) for pair in pairs if pair[0] is not None]
        voiced = [place for place, segment in enumerate(spoken) if class_of[segment.phone] != "silence"]
        places.update(_by_place([(spoken[place], outcomes[place]) for place in voiced], words))
        for segment, outcome in ((spoken[place], outcomes[place]) for place in voiced):
            if segment.start is not None and segment.end is not None:
                durations[_duration(segment.end - segment.start), outcome] += 1
    return {
        "classes": classes(counted, run.phone_set),
        "places": _tallies(places, PLACES, False),
        "durations": _tallies(durations, [_duration(limit - 1e-6) for limit in (*DURATIONS, 10.0)], False),
        "contexts": sorted(seen.items(), key=lambda item: (-item[1], *map(str, item[0])))[:CONTEXTS],
    }


def classes(pairs: Counter[EditPair], phone_set: PhoneSet) -> list[Tally]:
    """The errors of each class of phones; an insertion is in that of what was inserted."""
    counts: Counter[tuple[str, str]] = Counter()
    for (first, second), times in pairs.items():
        counts[manner(first or second or "", phone_set), outcome_of((first, second))] += times
    return _tallies(counts, MANNERS, True)


def contexts(pairs: Sequence[EditPair]) -> Iterator[Context]:
    """Each error with the reference phones next to it; an insertion is between its neighbours."""
    references = [EDGE, *(first for first, _ in pairs if first is not None), EDGE]
    reached = 0
    for first, second in pairs:
        before = references[reached]
        reached += first is not None
        if first != second:
            yield before, first, second, references[reached + 1]


def _utterances(
    run_dir: Path, run: RunFiles
) -> Iterator[tuple[list[EditPair], list[PhoneSegment], list[float] | None]]:
    """Each utterance's alignment, its reference as it was scored, and the starts (s) of its words, if it has any."""
    for fold in run.folds:
        path, manifest = (
            run_dir / fold.name / DECODE / TEST / REFERENCES,
            cuts_path(run_dir / PREPARE / fold.name, TEST),
        )
        references = {each.utterance: each for each in read_transcripts(path)} if path.is_file() else {}
        words = {}
        if manifest.is_file():
            for cut in read_cuts(manifest):
                words[cut.id] = [word.start for word in (cut.supervisions[0].alignment or {}).get("word", ())]
        for item in fold.utterances:
            pairs = item.alignments["counted"]
            symbols = [first for first, _ in pairs if first is not None]
            reference = references.get(item.utterance)
            spoken = [PhoneSegment(symbol) for symbol in symbols]
            if reference is not None:
                spoken = scored_segments(symbols, reference, run.phone_set)
            yield pairs, spoken, words.get(item.utterance) or None


def _by_place(phones: Sequence[tuple[PhoneSegment, str]], words: list[float] | None) -> Iterator[tuple[str, str]]:
    """Each place of an utterance's phones without its silences, with the outcome of the phone in it."""
    if phones:
        yield PLACES[0], phones[0][1]
        yield PLACES[1], phones[-1][1]
    within = None
    for segment, outcome in phones:
        if words and segment.start is not None and segment.end is not None:
            word = bisect(words, (segment.start + segment.end) / 2)
            yield PLACES[3] if word == within else PLACES[2], outcome
            within = word


def _duration(seconds: float) -> str:
    """The name of the group of a duration."""
    bounds = [round(1000 * limit) for limit in DURATIONS]
    low = max((bound for bound in bounds if 1000 * seconds >= bound), default=None)
    high = min((bound for bound in bounds if 1000 * seconds < bound), default=None)
    return f"under {high} ms" if low is None else f"{low} ms and more" if high is None else f"{low} to {high} ms"


def _tallies(counts: Counter[tuple[str, str]], names: Sequence[str], insertions: bool) -> list[Tally]:
    """One for each group that has phones or errors, in the order of `names`."""
    found = {name for name, _ in counts}
    return [
        Tally(
            name,
            sum(counts[name, outcome] for outcome in ("right", "substituted", "deleted")),
            counts[name, "substituted"],
            counts[name, "deleted"],
            counts[name, "inserted"] if insertions else None,
        )
        for name in names
        if name in found
    ]
