from collections.abc import Sequence

import pytest

from asr.config import ScoringConfig
from asr.errors import InputError
from asr.formats.transcript import PhoneSegment, Transcript
from asr.scoring.compare import difference
from asr.scoring.results import ScoreResult
from asr.scoring.score import score
from asr.scoring.silence import TREATMENTS

SAID = "sil sh iy hh ae d sil"
SPEAKERS = [f"f{number}" for number in range(12)]


def scored(heard: Sequence[str], said: str = SAID, config: ScoringConfig | None = None) -> ScoreResult:
    """One utterance per speaker, recognised as given."""

    def transcripts(texts: Sequence[str]) -> list[Transcript]:
        return [
            Transcript(f"{speaker}-sx1", [PhoneSegment(phone) for phone in text.split()], speaker)
            for speaker, text in zip(SPEAKERS, texts, strict=False)
        ]

    return score(transcripts([said] * len(heard)), transcripts(heard), config or ScoringConfig(bootstrap=10))


def test_a_clear_difference_is_named_in_both_directions() -> None:
    good, bad = scored([SAID] * 12), scored(["sil sh ih hh ae d sil"] * 12)
    for first, second, points, verdict in ((bad, good, -100 / 7, "better"), (good, bad, 100 / 7, "worse")):
        found = difference(first, second, 200, seed=0)["counted"]
        assert found.points == pytest.approx(points)
        assert found.interval == pytest.approx((points, points))
        assert found.verdict == verdict


def test_one_speaker_of_twelve_is_no_clear_difference() -> None:
    found = difference(scored([SAID] * 12), scored(["sil sh ih", *[SAID] * 11]), 500, seed=0)["counted"]
    assert found.points > 0
    assert found.interval[0] <= 0 < found.interval[1]
    assert found.verdict == "no clear difference"
    assert 0 < found.improvement < 0.5


def test_every_treatment_has_its_own_difference() -> None:
    found = difference(scored([SAID] * 12), scored(["sh iy hh ae d"] * 12), 50, seed=0)
    assert {name: found[name].verdict for name in TREATMENTS} == {
        "counted": "worse",
        "optional": "no clear difference",
        "removed": "no clear difference",
    }


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (scored([SAID] * 11), "not the same test set: utterance f11-sx1 and 0 more"),
        (scored([SAID] * 12, said="sil sh iy sil"), "utterance f0-sx1 has different reference phones"),
        (scored([SAID] * 12, said=SAID.replace("iy", "ih")), "utterance f0-sx1 has different reference phones"),
        (scored([SAID] * 12, config=ScoringConfig(phone_set="timit48", bootstrap=10)), "with timit39, the other with"),
    ],
)
def test_scores_that_do_not_compare(second: ScoreResult, message: str) -> None:
    with pytest.raises(InputError, match=message):
        difference(scored([SAID] * 12), second, 10, seed=0)
