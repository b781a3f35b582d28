"""The reports of NIST's sclite: `.pra`, every alignment, and `.dtl`, the error rates and what was confused with what.

Their layout, to the byte, is that of SCTK 2.4, with silence counted and phones called words.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path

from asr.scoring.edit_alignment import MARKS, Counts, EditPair, outcome_of
from asr.scoring.results import ScoreResult, confusions
from asr.scoring.utterance import UtteranceScore
from asr.storage.files import complete_file

WRONG_NOTE = (
    "* NOTE: The 'Substitution' words are those reference words",
    "        for which the recognizer supplied an incorrect word.",
    "",
)
FALSE_NOTE = (
    "* NOTE: The 'Falsely Recognized' words are those hypothesis words",
    "        which the recognizer incorrectly substituted for a reference word.",
)


def write_sclite_reports(result: ScoreResult, folder: Path, name: str) -> list[Path]:
    """Writes `folder`/sclite.pra and sclite.dtl about the system `name`; returns their paths."""
    paths = []
    for path, lines in (
        (folder / "sclite.pra", alignments(result, name)),
        (folder / "sclite.dtl", details(result, name)),
    ):
        with complete_file(path) as file:
            file.writelines(f"{line}\n" for line in lines)
        paths.append(path)
    return paths


def alignments(result: ScoreResult, name: str) -> Iterator[str]:
    """The lines of a `.pra`."""
    yield from ("", "", "\t\tDUMP OF SYSTEM ALIGNMENT STRUCTURE", "", f"System name:   {name}", "", "Speakers: ")
    speakers = list(result.by_speaker)
    yield from (f"{number:5}:  {speaker}" for number, speaker in enumerate(speakers))
    yield ""
    times = Counter(result.utterances.speakers)
    for number, (speaker, items) in enumerate(groupby(result.utterances, lambda item: item.speaker)):
        yield f"Speaker sentences {number:3}:  {speaker}   #utts: {times[speaker]}"
        for item in items:
            yield from _utterance(item)
    yield ""


def _utterance(item: UtteranceScore) -> Iterator[str]:
    counts = item.counts["counted"]
    scores = _right(counts), counts.substitutions, counts.deletions, counts.insertions
    lines = ["REF:  ", "HYP:  ", "Eval: "]
    for pair in item.alignments["counted"]:
        reference, hypothesis = pair
        width = max(len(reference or ""), len(hypothesis or ""))
        wrong = reference != hypothesis
        for place, phone in enumerate((reference, hypothesis)):
            written = "*" * width if phone is None else phone.upper() if wrong else phone
            lines[place] += f"{written:{width}} "
        lines[2] += f"{MARKS[outcome_of(pair)]:{width}} "
    yield from (f"id: ({item.utterance})", f"Scores: (#C #S #D #I) {' '.join(map(str, scores))}", *lines, "")


def details(result: ScoreResult, name: str) -> Iterator[str]:
    """The lines of a `.dtl`."""
    counts = result.treatments["counted"].counts
    yield from (f"DETAILED OVERALL REPORT FOR THE SYSTEM: {name}", "", *_sentences(result), "", "")
    yield from (*_words(counts), "")
    pairs = confusions(result.utterances)
    wrong = {pair: times for pair, times in pairs.items() if None not in pair and pair[0] != pair[1]}
    missed = {pair: times for pair, times in pairs.items() if pair[1] is None}
    added = {pair: times for pair, times in pairs.items() if pair[0] is None}
    tables = (
        ("CONFUSION PAIRS", _summed(wrong, lambda pair: f"{pair[0]} ==> {pair[1]}"), ()),
        ("INSERTIONS", _summed(added, lambda pair: str(pair[1])), ()),
        ("DELETIONS", _summed(missed, lambda pair: str(pair[0])), ()),
        ("SUBSTITUTIONS", _summed(wrong, lambda pair: str(pair[0])), WRONG_NOTE),
        ("FALSELY RECOGNIZED", _summed(wrong, lambda pair: str(pair[1])), FALSE_NOTE),
    )
    for title, seen, note in tables:
        yield from (*_table(title, seen), "", "", *note, "")


def _summed(pairs: dict[EditPair, int], described: Callable[[EditPair], str]) -> Counter[str]:
    seen: Counter[str] = Counter()
    for pair, times in pairs.items():
        seen[described(pair)] += times
    return seen


def _sentences(result: ScoreResult) -> Iterator[str]:
    counts = [item.counts["counted"] for item in result.utterances]
    total = len(counts)
    yield from ("SENTENCE RECOGNITION PERFORMANCE", "", f" sentences{total:44}")
    rows = (
        ("errors", [each.errors for each in counts], " "),
        ("substitions", [each.substitutions for each in counts], "   "),  # as sclite spells it
        ("deletions", [each.deletions for each in counts], "   "),
        ("insertions", [each.insertions for each in counts], "   "),
    )
    for kind, numbers, indent in rows:
        having = sum(map(bool, numbers))
        yield f"{f'{indent}with {kind}':38} {100 * having / total:6.1f}%   ({having:4})"
        if kind == "errors":
            yield ""


def _words(counts: Counts) -> Iterator[str]:
    phones, right = counts.reference_phones, _right(counts)
    yield from ("WORD RECOGNITION PERFORMANCE", "")
    for label, number, gap in (
        ("Total Error", counts.errors, True),
        ("Correct", right, True),
        ("Substitution", counts.substitutions, False),
        ("Deletions", counts.deletions, False),
        ("Insertions", counts.insertions, False),
    ):
        yield f"{f'Percent {label}':25} = {100 * number / phones:6.1f}%   ({number:4})"
        if gap:
            yield ""
    yield from (f"{'Percent Word Accuracy':25} = {100 * (phones - counts.errors) / phones:6.1f}%", "", "")
    heard = right + counts.substitutions + counts.insertions
    for label, number in (("Ref.", phones), ("Hyp.", heard), ("Aligned", phones + counts.insertions)):
        yield f"{f'{label} words':25} = {'':10}({number:4})"


def _table(title: str, seen: Counter[str]) -> Iterator[str]:
    """Most frequent first, then by name."""
    yield f"{title:32} Total{'':17}({len(seen)})"
    yield f"{'':32} With >=  1 occurrences ({len(seen)})"
    yield ""
    for number, (text, times) in enumerate(sorted(seen.items(), key=lambda item: (-item[1], item[0])), 1):
        yield f"{number:4}: {times:4}  ->  {text}"
    yield from ("     -------", f"{seen.total():10}")


def _right(counts: Counts) -> int:
    return counts.reference_phones - counts.substitutions - counts.deletions
