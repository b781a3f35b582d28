"""Confidences under CTC: which frames they come from, and which model."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from support.models.small_bundle import peaked

from asr.acoustics.frame_times import FrameTimes
from asr.config import FeaturesConfig
from asr.decoding.decode import Decoder
from asr.decoding.graph.build import build_graph
from asr.decoding.search.beam import BeamSearch
from asr.decoding.search.phone_prior import phone_prior
from asr.decoding.search.prefix_beam import PrefixBeamSearch
from asr.lm.ngram import train_ngram

PHONES = ("aa", "b")
CLASSES = 1 + len(PHONES)
BLANK, AA, B = range(CLASSES)


@pytest.fixture
def decoder(tmp_path: Path) -> Decoder:
    ngrams = train_ngram([["aa", "b"], ["b", "aa"]], 2, PHONES, tmp_path / "lm.arpa")
    return Decoder(
        BeamSearch(build_graph(tmp_path / "lm.arpa", PHONES, topology="ctc"), np.inf),
        acoustic_scale=1.0,
        priors=np.full(CLASSES, 1 / CLASSES),
        phones=PHONES,
        times=FrameTimes.of(FeaturesConfig()),
        search=PrefixBeamSearch(phone_prior(ngrams.packed(), PHONES), beam=16),
    )


def confidences(decoder: Decoder, log_posteriors: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """The confidences of the phones aa and b, which are recognised."""
    path = decoder.best_path(log_posteriors)
    assert [PHONES[span.phone] for span in path.phones] == ["aa", "b"]
    return decoder.confidences(log_posteriors, path)


def test_blanks_after_a_phone_do_not_lower_its_confidence(decoder: Decoder) -> None:
    brief = confidences(decoder, peaked([AA, AA, B, B], CLASSES))
    before_blanks = confidences(decoder, peaked([BLANK, AA, AA, *4 * [BLANK], B, B, *4 * [BLANK]], CLASSES))
    assert brief.min() > 0.95
    assert before_blanks.min() > 0.95


def test_the_confidence_of_an_ensemble_is_the_mean_of_its_models_wherever_each_hears_a_phone(decoder: Decoder) -> None:
    """No frame has the same phone by both models, and the second is less sure."""
    first = peaked([AA, B, *8 * [BLANK]], CLASSES)
    second = peaked([*6 * [BLANK], AA, AA, B, B], CLASSES, peak=0.6)
    alone = [confidences(decoder, each) for each in (first, second)]
    assert alone[0].min() > alone[1].max() + 0.1
    assert alone[1].min() > 0.5
    for models in ([first, second], [second, first]):
        assert confidences(decoder, np.stack(models)) == pytest.approx(np.mean(alone, axis=0), abs=2e-3)
