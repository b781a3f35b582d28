"""Reference and hypothesis as tiers: each pair of an edit alignment with the times of its two phones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from asr.formats.transcript import PhoneSegment, Transcript
from asr.phones.phone_set import PhoneSet
from asr.scoring.edit_alignment import EditPair
from asr.scoring.scored_segments import scored_segments
from asr.scoring.timing import right_boundaries

UNTIMED = 0.03
"""Seconds that a phone is drawn wide when neither it nor its partner has times."""

Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class TimedPair:
    """A pair of an edit alignment: its phones, where each is drawn (s), and the hypothesis's score.

    A side that has no phone has no span.
    """

    reference: str | None
    hypothesis: str | None
    reference_span: Span | None
    hypothesis_span: Span | None
    score: float | None

    def to_json(self) -> list[Any]:
        """Times in whole milliseconds."""
        times = [
            None if span is None else round(1000 * time)
            for span in (self.reference_span, self.hypothesis_span)
            for time in (span or (0.0, 0.0))
        ]
        return [self.reference, self.hypothesis, *times, self.score]


def timed_pairs(
    pairs: Sequence[EditPair], reference: Transcript, hypothesis: Transcript, phone_set: PhoneSet
) -> list[TimedPair]:
    """The pairs of an alignment with silence counted, with the times and scores of both transcripts.

    A phone without times is drawn where its partner is, otherwise after its neighbour.
    """
    spoken = iter(scored_segments([first for first, _ in pairs if first is not None], reference, phone_set))
    heard = iter(scored_segments([second for _, second in pairs if second is not None], hypothesis, phone_set))
    timed, reached = [], 0.0
    for first, second in pairs:
        said = next(spoken) if first is not None else None
        given = next(heard) if second is not None else None
        known = _span(said) or _span(given) or (reached, reached + UNTIMED)
        spans = [None if side is None else _span(side) or known for side in (said, given)]
        timed.append(TimedPair(first, second, spans[0], spans[1], None if given is None else given.score))
        reached = max(reached, known[1])
    return timed


def boundary_errors(
    pairs: Sequence[EditPair], reference: Transcript, hypothesis: Transcript, phone_set: PhoneSet
) -> list[tuple[int | None, int | None] | None]:
    """How late (ms) the phone of each pair that is right begins and ends; None for a boundary that `asr.scoring.timing`
    does not count. Empty where a side has no times, or the pronunciations of a lexicon."""
    sides = [
        scored_segments([pair[side] or "" for pair in pairs if pair[side] is not None], transcript, phone_set)
        for side, transcript in enumerate((reference, hypothesis))
    ]
    if reference.pronunciations or any(_span(segment) is None for side in sides for segment in side):
        return []
    late: list[tuple[int | None, int | None] | None] = [None] * len(pairs)
    for place, errors, counted in zip(*(each.tolist() for each in right_boundaries(pairs, *sides)), strict=True):
        begin, end = (round(error) if counts else None for error, counts in zip(errors, counted, strict=True))
        late[place] = begin, end
    return late


def spans_at(
    segments: Sequence[PhoneSegment], spans: Sequence[tuple[Span, Span]]
) -> tuple[Mapping[float, Span], Mapping[float, Span]]:
    """The first of each segment's spans by the time (s) at which it begins, and the second by that at which it ends."""
    timed = [(each.start, each.end, *both) for each, both in zip(segments, spans, strict=True)]
    return (
        {start: first for start, _, first, _ in timed if start is not None},
        {end: second for _, end, _, second in timed if end is not None},
    )


def _span(segment: PhoneSegment | None) -> Span | None:
    if segment is None or segment.start is None or segment.end is None:
        return None
    return segment.start, segment.end
