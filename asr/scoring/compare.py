"""Whether one system is better than another on the same utterances."""

from dataclasses import dataclass

from asr.errors import InputError
from asr.scoring.bootstrap import paired_interval
from asr.scoring.results import ScoreResult
from asr.scoring.silence import TREATMENTS, Treatment
from asr.scoring.utterance import UtteranceScore


@dataclass(frozen=True, slots=True)
class Difference:
    """A second system's PER minus a first one's, in points: below zero the second is better.

    `interval` is the 95% interval; `improvement` is the probability, 0 to 1, that the second has fewer errors.
    """

    points: float
    interval: tuple[float, float]
    improvement: float

    @property
    def verdict(self) -> str:
        """better or worse where the whole interval is on one side of zero, otherwise no clear difference."""
        low, high = self.interval
        return "better" if high < 0 else "worse" if low > 0 else "no clear difference"


def difference(first: ScoreResult, second: ScoreResult, samples: int, seed: int) -> dict[Treatment, Difference]:
    """How `second` differs from `first` in each treatment of silence, by a paired bootstrap.

    It resamples the blocks of the first one's intervals. Raises InputError where the two are not scored on the same
    utterances, with the same references and phone set.
    """
    _require_same_references(first, second)
    return {treatment: _difference(first, second, treatment, samples, seed) for treatment in TREATMENTS}


def _difference(first: ScoreResult, second: ScoreResult, treatment: Treatment, samples: int, seed: int) -> Difference:
    before, after = ([block[treatment] for block in result.blocks] for result in (first, second))
    phones, others = ([counts.reference_phones for counts in side] for side in (before, after))
    interval, improvement = paired_interval(
        [counts.errors for counts in before],
        [counts.errors for counts in after],
        phones,
        samples,
        seed,
        None if phones == others else others,
    )
    was, now = (sum(counts.errors for counts in side) for side in (before, after))
    points = 100 * (now / sum(others) - was / sum(phones)) if phones != others else 100 * (now - was) / sum(phones)
    return Difference(points, interval, improvement)


def _require_same_references(first: ScoreResult, second: ScoreResult) -> None:
    if first.phone_set != second.phone_set:
        raise InputError(
            f"one is scored with {first.phone_set}, the other with {second.phone_set}; score both with the same"
        )
    ours, others = ({(item.utterance, item.speaker) for item in result.utterances} for result in (first, second))
    if ours != others:
        names = sorted(name for name, _ in ours ^ others)
        raise InputError(
            f"not the same test set: utterance {names[0]} and {len(names) - 1} more differ; compare what was tested "
            f"on the same utterances"
        )
    for one, other in zip(first.utterances, second.utterances, strict=True):
        if one.pronounced and other.pronounced:
            continue  # each is scored against the pronunciations that fit it best
        if _references(one) != _references(other):
            raise InputError(f"utterance {one.utterance} has different reference phones in the two")


def _references(item: UtteranceScore) -> list[str]:
    return [reference for reference, _ in item.alignments["optional"] if reference is not None]
