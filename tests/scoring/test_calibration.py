"""Confidences against what was right."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.errors import InputError
from asr.formats.transcript import PhoneSegment, Transcript, write_transcripts
from asr.scoring.calibration import (
    calibrate,
    calibrate_files,
    judge,
    normalized_cross_entropy,
)


def spoken(*symbols):
    return Transcript("u", [PhoneSegment(symbol) for symbol in symbols])


def heard(*scored):
    return Transcript("u", [PhoneSegment(symbol, 0.0, 1.0, score) for symbol, score in scored])


def test_calibration_by_hand():
    confidences = np.array([0.95, 0.91, 0.55, 0.52, 0.5, 1.0])
    correct = np.array([True, True, True, False, False, True])
    result = calibrate(confidences, correct)
    assert result.phones == 6
    assert result.accuracy == pytest.approx(4 / 6)
    first, second = result.bins
    assert (first.low, first.high, first.phones) == (0.5, 0.6, 3)
    assert (second.low, second.high, second.phones) == (0.9, 1.0, 3)
    assert first.accuracy == pytest.approx(1 / 3)
    assert first.confidence == pytest.approx((0.55 + 0.52 + 0.5) / 3)
    expected = (3 * abs(first.confidence - 1 / 3) + 3 * abs(second.confidence - 1)) / 6
    assert result.expected_calibration_error == pytest.approx(expected)


def test_entropy_of_knowing_all_nothing_and_the_wrong_way_round():
    correct = np.array([True] * 3 + [False])
    assert normalized_cross_entropy(correct.astype(float), correct) == pytest.approx(1.0, abs=1e-3)
    assert normalized_cross_entropy(np.full(4, 0.75), correct) == pytest.approx(0.0)
    assert normalized_cross_entropy(1 - correct.astype(float), correct) < -10
    to_tell = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    gained = (3 * math.log(0.9) + math.log(0.4)) / 4
    assert normalized_cross_entropy(np.array([0.9, 0.9, 0.9, 0.6]), correct) == pytest.approx(1 + gained / to_tell)
    assert normalized_cross_entropy(np.array([0.3]), np.array([True])) is None


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=50))
def test_bins_divide_the_phones_and_the_error_is_that_of_shares(pairs):
    confidences, correct = np.array([pair[0] for pair in pairs]), np.array([pair[1] for pair in pairs])
    result = calibrate(confidences, correct)
    assert sum(each.phones for each in result.bins) == len(pairs)
    assert sum(each.phones * each.accuracy for each in result.bins) == pytest.approx(correct.sum())
    assert all(each.low - 1e-9 <= each.confidence <= each.high + 1e-9 for each in result.bins)
    assert abs(result.confidence - result.accuracy) <= result.expected_calibration_error + 1e-9 <= 1 + 1e-9


def test_phones_are_judged_folded_and_by_their_alignment():
    pairs = [(spoken("h#", "ix", "bcl", "b", "q", "h#"), heard(("sil", 0.9), ("ih", 0.8), ("d", 0.3), ("sil", 0.7)))]
    confidences, correct = judge(pairs)
    assert confidences.tolist() == [0.9, 0.8, 0.3, 0.7]
    assert correct.tolist() == [True, True, False, True]


def test_silence_is_not_judged_where_none_is_transcribed():
    confidences, correct = judge([(spoken("aa"), heard(("sil", 0.2), ("aa", 0.9)))], "cmu39")
    assert (confidences.tolist(), correct.tolist()) == ([0.9], [True])


def test_files(tmp_path):
    write_transcripts(tmp_path / "references.jsonl", [spoken("aa", "b")])
    write_transcripts(tmp_path / "hypotheses.jsonl", [heard(("aa", 0.9), ("d", 0.2))])
    calibrate_files(tmp_path / "references.jsonl", tmp_path / "hypotheses.jsonl", tmp_path / "out", "timit39")
    written = json.loads((tmp_path / "out" / "calibration.json").read_text())
    assert written["phones"] == 2
    assert written["expected_calibration_error"] == pytest.approx(0.15)
    assert len(written["bins"]) == 2


def test_phones_without_scores_leave_no_calibration_of_before(tmp_path):
    test_files(tmp_path)
    write_transcripts(tmp_path / "hypotheses.jsonl", [spoken("aa", "d")])
    calibrate_files(tmp_path / "references.jsonl", tmp_path / "hypotheses.jsonl", tmp_path / "out", "timit39")
    assert not (tmp_path / "out" / "calibration.json").exists()


def test_phones_without_scores_write_nothing(tmp_path):
    write_transcripts(tmp_path / "both.jsonl", [spoken("aa", "b")])
    calibrate_files(tmp_path / "both.jsonl", tmp_path / "both.jsonl", tmp_path / "out", "timit39")
    assert not (tmp_path / "out").exists()
    with pytest.raises(InputError, match="no recognised phone has a score"):
        calibrate(np.zeros(0), np.zeros(0, bool))
