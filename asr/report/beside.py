"""Two runs side by side: which is better, where they differ, and by how much for each speaker, class and confusion."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from asr.errors import count
from asr.phones.phone_set import PhoneSet
from asr.report.comparison import Compared, differences, names_of
from asr.report.comparison_tables import settings_table
from asr.report.confusions import Examples
from asr.report.error_analysis import classes
from asr.report.rendering import render
from asr.report.run_files import RunFiles, read_run
from asr.report.svg import pair_bar
from asr.scoring.compare import Difference
from asr.scoring.differing import Place, differing
from asr.scoring.edit_alignment import EditPair
from asr.scoring.matched_pairs import MatchedPairs, matched_pairs
from asr.scoring.results import ScoreResult, confusions, summarize
from asr.scoring.silence import TREATMENTS, Treatment

LIST_LENGTH = 20


@dataclass(frozen=True)
class Beside:
    """Two runs that were scored on the same references, and how the second differs from the first."""

    folders: tuple[Path, Path]
    names: tuple[str, str]
    runs: tuple[RunFiles, RunFiles]
    scores: tuple[ScoreResult, ScoreResult]
    difference: dict[Treatment, Difference]
    matched: MatchedPairs


def read_beside(first: Path, second: Path) -> Beside:
    """Reads two runs. Raises InputError where one is not finished, or they are not scored on the same references."""
    runs = read_run(first), read_run(second)
    names = names_of((first, second))
    scores = [summarize(run.utterances, run.config.scoring, run.config.seed) for run in runs]
    compared = [Compared(name, score) for name, score in zip(names, scores, strict=True)]
    ((_, difference),) = differences(compared)
    return Beside(
        (first, second), (names[0], names[1]), runs, (scores[0], scores[1]), difference, matched_pairs(*scores)
    )


def beside_page(beside: Beside, examples: Examples) -> str:
    """The page of the comparison; `examples` gives the addresses in the error browser."""
    first, second = beside.scores
    pairs = confusions(first.utterances), confusions(second.utterances)
    settings = settings_table(
        [
            Compared(name, score, run.config)
            for name, score, run in zip(beside.names, beside.scores, beside.runs, strict=True)
        ]
    )
    content = {
        "names": beside.names,
        "pers": [score.treatments["counted"].counts.per for score in beside.scores],
        "facts": [count(len(first.utterances), "utterance"), count(len(first.by_speaker), "speaker")],
        "resampled": first.resampled,
        "treatments": [_treatment(beside, name) for name in TREATMENTS],
        "difference": beside.difference["counted"],
        "matched": beside.matched,
        "places": _places(first, second),
        "speakers": _speakers(first, second),
        "classes": _classes(*pairs, beside.runs[0].phone_set),
        "confusions": _confusions(*pairs),
        "settings": settings,
        "examples": examples,
    }
    return render("beside.html.j2", content)


def _treatment(beside: Beside, name: Treatment) -> dict[str, Any]:
    return {
        "name": name,
        "pers": [score.treatments[name].counts.per for score in beside.scores],
        "difference": beside.difference[name],
    }


def _places(first: ScoreResult, second: ScoreResult) -> dict[str, int]:
    """How many errors of one the other has right, and how many of the first the second has in another way."""
    seen = {"first": 0, "second": 0, "neither": 0}
    for one, other in zip(first.utterances, second.utterances, strict=True):
        ours, others = differing(one.alignments["counted"], other.alignments["counted"])
        seen["first"] += others.count(Place.ONLY_OTHER_RIGHT)
        seen["second"] += ours.count(Place.ONLY_OTHER_RIGHT)
        seen["neither"] += ours.count(Place.NEITHER_RIGHT)
    return seen


def _rows(groups: Sequence[tuple[str, float | None, float | None, int]]) -> list[dict[str, Any]]:
    """Rows of (name, both PERs, phones), the largest difference first, drawn on the same axis."""
    known = [(name, one, other, phones) for name, one, other, phones in groups if one is not None and other is not None]
    axis = 0.0, max((max(one, other) for _, one, other, _ in known), default=0.0)
    rows = [
        {
            "name": name,
            "pers": [one, other],
            "points": other - one,
            "phones": phones,
            "bar": Markup(pair_bar((one, other), axis)),
        }
        for name, one, other, phones in known
    ]
    return sorted(rows, key=lambda row: (-abs(row["points"]), row["name"]))


def _speakers(first: ScoreResult, second: ScoreResult) -> list[dict[str, Any]]:
    groups = []
    for name, treatments in first.by_speaker.items():
        one, other = treatments["counted"], second.by_speaker[name]["counted"]
        groups.append((name, one.per, other.per, one.reference_phones))
    return _rows(groups)


def _classes(first: Counter[EditPair], second: Counter[EditPair], phone_set: PhoneSet) -> list[dict[str, Any]]:
    others = {tally.name: tally for tally in classes(second, phone_set)}
    mine = classes(first, phone_set)
    return _rows([(one.name, one.per, others[one.name].per, one.phones) for one in mine if one.name in others])


def _confusions(first: Counter[EditPair], second: Counter[EditPair]) -> list[dict[str, Any]]:
    """The errors whose numbers differ most."""
    changed = [(second[pair] - first[pair], pair) for pair in first | second if pair[0] != pair[1]]
    changed.sort(key=lambda each: (-abs(each[0]), *map(str, each[1])))
    return [
        {"reference": pair[0], "hypothesis": pair[1], "counts": [first[pair], second[pair]], "change": change}
        for change, pair in changed[:LIST_LENGTH]
        if change
    ]
