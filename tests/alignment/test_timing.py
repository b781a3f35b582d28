"""Recognised phones get the times of the second output, whatever CTC says of them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.models.small_bundle import peaked, small_bundle

from asr.acoustics.bundle import Bundle
from asr.acoustics.pieces import ScoredPiece
from asr.acoustics.tables import ClassStatistics
from asr.alignment.aligner import Aligner, AligningModel
from asr.alignment.spoken import exact_phones
from asr.alignment.timing import PhoneTimer
from asr.features.pieces import Piece
from asr.formats.transcript import Alternative, PhoneSegment, Transcript
from asr.phones.phone_set import load_phone_set

NUMBERS = load_phone_set("timit39").numbers


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    training = {"loss": "ctc", "timing": {"states": 1}}
    made = small_bundle(tmp_path, targets={"phone_set": "timit39", "states": 1}, training=training)
    classes = len(made.config.timing_names)
    return replace(made, timing=ClassStatistics(np.full(classes, 1 / classes), np.full(classes, 0.9)))


def heard(*phones: tuple[str, int]) -> np.ndarray:
    """Posteriors of the second output for phones of so many frames of 10 ms."""
    return peaked([NUMBERS[phone] for phone, frames in phones for _ in range(frames)], len(NUMBERS))


def said(*phones: str) -> list[PhoneSegment]:
    """As CTC found them: spikes, far from where they are."""
    return [PhoneSegment(phone, 0.03 * place, 0.03 * place + 0.03, 0.5) for place, phone in enumerate(phones)]


def times(phones: list[PhoneSegment]) -> list[float]:
    return [time for phone in phones for time in (phone.start, phone.end) if time is not None]


def test_phones_are_where_the_second_output_has_them(bundle: Bundle) -> None:
    frames = heard(("sil", 20), ("s", 10), ("iy", 15), ("sil", 12), ("t", 5), ("sil", 8))
    found = PhoneTimer(bundle).timed(Transcript("u", duration=0.715, phones=said("s", "iy", "t")), frames)
    assert found.symbols == ["s", "iy", "t"]
    assert [phone.score for phone in found.phones] == [0.5] * 3
    assert times(found.phones) == pytest.approx([0.2, 0.3, 0.3, 0.45, 0.57, 0.62], abs=0.012)


def test_given_silences_stay_and_none_is_added_next_to_them(bundle: Bundle) -> None:
    frames = heard(("sil", 20), ("s", 10), ("sil", 10))
    found = PhoneTimer(bundle).timed(Transcript("u", duration=0.415, phones=said("sil", "s", "sil")), frames)
    assert times(found.phones) == pytest.approx([0.0, 0.2, 0.2, 0.3, 0.3, 0.415], abs=0.012)


def test_hypotheses_of_a_list_are_timed_too(bundle: Bundle) -> None:
    frames = heard(("s", 20), ("iy", 30))
    transcript = Transcript("u", duration=0.515, phones=said("s", "iy"), nbest=[Alternative(said("iy"), 0.1)])
    (alternative,) = PhoneTimer(bundle).timed(transcript, frames).nbest
    assert alternative.score == 0.1
    assert times(alternative.phones)[-1] == pytest.approx(0.515, abs=0.012)


def test_more_phones_than_frames_keep_their_times(bundle: Bundle) -> None:
    transcript = Transcript("u", duration=0.045, phones=said("s", "iy", "t", "s"))
    assert PhoneTimer(bundle).timed(transcript, heard(("s", 3))) == transcript
    nothing = Transcript("u", duration=0.045)
    assert PhoneTimer(bundle).timed(nothing, heard(("s", 3))) == nothing


def test_a_model_aligns_by_its_second_output(bundle: Bundle) -> None:
    aligner = Aligner([AligningModel(bundle)])
    assert aligner.models[0].step == 160
    frames = heard(("sil", 20), ("s", 10), ("iy", 15))
    transcript = Transcript("u", duration=0.465)
    aligned = aligner.align_scored(transcript, exact_phones(["sil", "s", "iy"], "timit39"), [frames])
    assert times(aligned.phones)[1::2] == pytest.approx([0.2, 0.3, 0.465], abs=0.012)
    assert len(aligned.intervals) == 2
    assert all(low < high for low, high in aligned.intervals)
    assert aligned.fit is not None
    assert aligned.fit > 0.9


@pytest.mark.parametrize("last", [False, True])
def test_pieces_have_the_frames_of_the_second_output(last: bool) -> None:
    samples = np.zeros(16_000, np.float32)
    piece = Piece(samples, first=4800, begin=9600, end=14_400, last=last)
    timing = np.zeros((98, 5), np.float32)
    scored = ScoredPiece(
        piece, np.zeros((33, 4), np.float32), first=10, begin=10, end=33 if last else 20, timing=timing
    )
    found = scored.of_timing(3)
    assert (found.first, found.begin, found.end) == (30, 30, 98 if last else 60)
    assert found.log_posteriors is timing
