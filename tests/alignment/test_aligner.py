"""Several models that align as one."""

from pathlib import Path

import numpy as np
import pytest
from support.models.small_bundle import peaked, small_bundle

from asr.alignment.aligner import Aligner, AligningModel
from asr.alignment.spoken import exact_phones
from asr.formats.transcript import Transcript
from asr.phones.phone_set import load_phone_set

SAID = ["sil", "aa", "s", "iy", "sil"]


def test_models_that_differ_give_the_median_boundary_and_the_outermost_interval(tmp_path: Path) -> None:
    """The second model hears each boundary four frames later or earlier than the first."""
    model = AligningModel(small_bundle(tmp_path, targets={"phone_set": "timit39", "states": 1}))
    phones = load_phone_set("timit39")
    labels = [phones.index(phone) for phone in SAID]
    lengths = [(20, 20, 20, 20, 20), (24, 12, 28, 12, 24)]
    posteriors = [peaked(np.repeat(labels, each).tolist(), len(phones)) for each in lengths]
    said, spoken = Transcript("u", duration=1.015), exact_phones(SAID, "timit39")
    alone = [Aligner([model]).align_scored(said, spoken, [each]) for each in posteriors]
    both = Aligner([model, model]).align_scored(said, spoken, posteriors)
    lows, highs = np.array([each.intervals for each in alone]).transpose(2, 0, 1)
    assert (lows[0] < lows[1]).tolist() == [True, False, True, False]
    assert (highs[0] < highs[1]).tolist() == [True, False, True, False]
    assert np.array(both.intervals) == pytest.approx(np.stack([lows.min(axis=0), highs.max(axis=0)], axis=1), abs=1e-4)
    ends = [[segment.end for segment in each.phones] for each in alone]
    assert [segment.end for segment in both.phones] == pytest.approx(np.mean(ends, axis=0), abs=1e-4)


def test_phones_beyond_the_end_of_the_audio_are_squeezed_in_before_it(tmp_path: Path) -> None:
    """Each keeps a millisecond, and all times have four decimals."""
    model = AligningModel(small_bundle(tmp_path, targets={"phone_set": "timit39", "states": 1}))
    phones = load_phone_set("timit39")
    labels = np.repeat([phones.index(phone) for phone in SAID], 20).tolist()
    said, spoken = Transcript("u", duration=0.3), exact_phones(SAID, "timit39")
    aligned = Aligner([model]).align_scored(said, spoken, [peaked(labels, len(phones))])
    ends = [segment.end for segment in aligned.phones]
    assert ends[1:] == [0.297, 0.298, 0.299, 0.3]
    numbers = [*ends, *(segment.score for segment in aligned.phones), *np.ravel(aligned.intervals).tolist()]
    assert numbers == [round(number or 0.0, 4) for number in numbers]
