"""Pairs of an edit alignment with the times of their phones."""

from asr.config import ScoringConfig
from asr.formats.transcript import PhoneSegment, Transcript
from asr.phones.phone_set import load_phone_set
from asr.report.tiers import boundary_errors, timed_pairs
from asr.scoring.score import score

TIMIT39 = load_phone_set("timit39")


def transcript(*phones: tuple[object, ...]) -> Transcript:
    return Transcript("u", [PhoneSegment(*phone) for phone in phones])  # type: ignore[arg-type]


def rows(reference: Transcript, hypothesis: Transcript) -> list[list[object]]:
    pairs = score([reference], [hypothesis], ScoringConfig(bootstrap=100)).utterances[0].alignments["counted"]
    return [pair.to_json() for pair in timed_pairs(pairs, reference, hypothesis, TIMIT39)]


def test_each_side_has_its_own_times_and_the_hypothesis_its_score() -> None:
    found = rows(transcript(("s", 0.0, 0.1), ("iy", 0.1, 0.3)), transcript(("z", 0.0, 0.12, 0.4), ("iy", 0.12, 0.3)))
    assert found == [["s", "z", 0, 100, 0, 120, 0.4], ["iy", "iy", 100, 300, 120, 300, None]]


def test_deletions_and_insertions_have_times_on_one_side_only() -> None:
    found = rows(transcript(("s", 0.0, 0.1), ("iy", 0.1, 0.3)), transcript(("s", 0.0, 0.1, 1.0)))
    assert found[1] == ["iy", None, 100, 300, None, None, None]
    found = rows(transcript(("s", 0.0, 0.1)), transcript(("s", 0.0, 0.1, 1.0), ("iy", 0.1, 0.3, 0.2)))
    assert found[1] == [None, "iy", None, None, 100, 300, 0.2]


def test_folded_runs_of_silence_are_one_and_dropped_phones_leave_a_gap() -> None:
    spoken = transcript(("h#", 0.0, 0.1), ("pcl", 0.1, 0.2), ("p", 0.2, 0.3), ("q", 0.3, 0.4), ("iy", 0.4, 0.5))
    found = rows(spoken, transcript(("sil", 0.0, 0.2), ("p", 0.2, 0.3), ("iy", 0.3, 0.5)))
    assert [row[:4] for row in found] == [["sil", "sil", 0, 200], ["p", "p", 200, 300], ["iy", "iy", 400, 500]]


def test_phones_without_times_are_drawn_where_their_partner_is_or_after_it() -> None:
    found = rows(transcript(("s",), ("iy",)), transcript(("s", 0.2, 0.3, 1.0)))
    assert found == [["s", "s", 200, 300, 200, 300, 1.0], ["iy", None, 300, 330, None, None, None]]


def test_silence_that_was_not_scored_is_left_out() -> None:
    found = rows(transcript(("s", 0.1, 0.2)), transcript(("sil", 0.0, 0.1), ("s", 0.1, 0.2), ("sil", 0.2, 0.3)))
    assert [row[:2] for row in found] == [["s", "s"]]
    assert found[0][4:6] == [100, 200]


def test_a_phone_without_times_is_drawn_after_all_that_came_before() -> None:
    pairs = [("s", None), (None, "z"), ("iy", None)]
    found = timed_pairs(pairs, transcript(("s", 0.0, 0.5), ("iy",)), transcript(("z", 0.1, 0.2)), TIMIT39)
    assert found[2].reference_span == (0.5, 0.53)


def late(reference: Transcript, hypothesis: Transcript) -> list[object]:
    pairs = score([reference], [hypothesis], ScoringConfig(bootstrap=100)).utterances[0].alignments["counted"]
    return list(boundary_errors(pairs, reference, hypothesis, TIMIT39))


def test_boundary_errors_are_those_of_right_phones_and_a_shared_boundary_counts_once() -> None:
    spoken = transcript(("sil", 0.0, 0.1), ("s", 0.1, 0.2), ("iy", 0.2, 0.3), ("t", 0.3, 0.4), ("sil", 0.4, 0.5))
    found = transcript(("sil", 0.0, 0.13), ("s", 0.13, 0.19), ("iy", 0.19, 0.32), ("d", 0.32, 0.4), ("sil", 0.36, 0.5))
    assert late(spoken, found) == [(None, None), (30, None), (-10, 20), None, (-40, None)]


def test_without_times_on_both_sides_no_boundary_has_an_error() -> None:
    assert late(transcript(("s",), ("iy",)), transcript(("s", 0.0, 0.1), ("iy", 0.1, 0.2))) == []
    assert late(transcript(("s", 0.0, 0.1), ("iy", 0.1, 0.2)), transcript(("s",), ("iy",))) == []
