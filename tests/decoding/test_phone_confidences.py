"""Confidences of an HMM's phones, and the recalibration that dev chooses."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.decoding.three_phones import PHONES, UNIFORM, noisy_dev, posteriors

from asr.acoustics.frame_times import FrameTimes
from asr.config import FeaturesConfig
from asr.decoding.confidence import POSTERIOR_SCALES as SCALES
from asr.decoding.confidence import UNCHANGED, Recalibration, fit_recalibration, phone_confidences
from asr.decoding.decode import Decoder, decode_utterance
from asr.decoding.graph.build import build_graph
from asr.decoding.lattice.posteriors import class_posteriors
from asr.decoding.search.beam import BeamSearch
from asr.decoding.tuning import tune_confidences
from asr.formats.transcript import PhoneSegment, Transcript
from asr.lm.ngram import train_ngram
from asr.scoring.calibration import judge, normalized_cross_entropy


def test_a_phone_that_the_frames_show_less_clearly_scores_lower(decoder):
    scores = posteriors(["sil", "aa", "sil"])
    scores[6:12] = posteriors(["aa"], peak=0.4)
    first, second, third = (segment.score for segment in decode_utterance(Transcript("u"), scores, decoder).phones)
    assert 0.9 < first <= 1
    assert 0 <= second < first
    assert third > second


def test_a_lower_posterior_scale_is_less_sure(decoder):
    scores = posteriors(["sil", "aa", "sil"], peak=0.5)
    sure, unsure = (
        decode_utterance(Transcript("u"), scores, replace(decoder, posterior_scale=scale)).phones[1].score
        for scale in (1.0, 0.1)
    )
    assert unsure < sure


def test_phones_that_scoring_folds_together_share_their_confidence(decoder):
    """The frames cannot tell aa from b: each has half of the posterior, both have all of it."""
    scores = posteriors(["sil", "aa", "sil"])
    scores[:, 3:6] = scores[:, :3] = np.maximum(scores[:, :3], scores[:, 3:6])
    alone = decode_utterance(Transcript("u"), scores, decoder).phones[1].score
    grouped = replace(decoder, groups=np.array([0, 0, 2], np.int32))
    together = decode_utterance(Transcript("u"), scores, grouped).phones[1].score
    assert alone < 0.6
    assert together > 0.95


def test_the_confidences_of_least_surprise_are_chosen(graph):
    """Confidences that are near 1 mislead where the frames are mostly wrong."""
    dev = [(Transcript("u", [PhoneSegment(p) for p in said]), scores) for said, scores in noisy_dev()]
    dev.append((Transcript("v", [PhoneSegment("b")]), posteriors(["aa"], peak=0.5)))
    decoder = Decoder(BeamSearch(graph, 16.0), 1.0, UNIFORM, PHONES, FrameTimes.of(FeaturesConfig()))
    chosen, recalibration = tune_confidences(dev, decoder)

    def judged(scale, recalibration=UNCHANGED):
        scaled = replace(decoder, posterior_scale=scale, recalibration=recalibration)
        return judge((said, decode_utterance(said, lp, scaled)) for said, lp in dev)

    informative = {
        scale: normalized_cross_entropy(*judged(scale, fit_recalibration(*judged(scale)))) for scale in SCALES
    }
    assert normalized_cross_entropy(*judged(chosen, recalibration)) == max(informative.values())
    assert max(informative.values()) > max(normalized_cross_entropy(*judged(scale)) for scale in SCALES)


def test_frames_that_are_far_too_sure_are_scaled_far_down(decoder):
    """Scores that favour the same wrong phone in all of its frames."""
    random = np.random.default_rng(0)
    dev = []
    for said in [["sil", "aa", "b", "sil"], ["sil", "b", "aa", "sil"]] * 5:
        misleading = np.repeat(random.normal(0, 3, (len(said), len(UNIFORM))), 6, axis=0).astype(np.float32)
        dev.append((Transcript("u", [PhoneSegment(phone) for phone in said]), posteriors(said) + misleading))
    scale, _ = tune_confidences(dev, decoder)
    assert scale <= 0.2


@settings(max_examples=20, deadline=None)
@given(slope=st.floats(0.3, 2), offset=st.floats(-1, 1), seed=st.integers(0, 10**6))
def test_a_recalibration_is_found_again(slope, offset, seed):
    random = np.random.default_rng(seed)
    shown = random.uniform(0.02, 0.98, 20000)
    true = Recalibration(slope, offset)
    found = fit_recalibration(shown, random.random(len(shown)) < true(shown))
    assert (found.slope, found.offset) == pytest.approx((slope, offset), abs=0.12)
    order = np.argsort(shown)
    assert (np.diff(found(shown)[order]) >= 0).all()


@pytest.mark.parametrize("correct", [True, False])
def test_a_recalibration_by_phones_that_are_all_alike_stays_bounded(correct):
    found = fit_recalibration(np.array([0.0, 0.4, 1.0]), np.full(3, correct))
    assert abs(found.slope) < 5
    assert abs(found.offset) < 5
    assert fit_recalibration(np.zeros(0), np.zeros(0, bool)) == UNCHANGED
    assert UNCHANGED(np.array([0.0, 0.3, 1.0])) == pytest.approx([0.0, 0.3, 1.0], abs=2e-3)


def test_a_recalibration_weighs_no_change_as_much_as_one_phone():
    """One phone that is right at even odds: offset o has the least log(1 + exp(-o)) + o * o / 2."""
    found = fit_recalibration(np.array([0.5]), np.array([True]))
    offsets = np.linspace(0, 1, 100_001)
    expected = offsets[np.argmin(np.log1p(np.exp(-offsets)) + np.square(offsets) / 2)]
    assert found == Recalibration(1.0, pytest.approx(expected, abs=1e-4))


@pytest.mark.parametrize(("below", "counts"), [(7.9, True), (8.1, False)])
def test_what_is_far_less_probable_is_left_out_of_a_confidence(tmp_path, below, counts):
    """A state below the best of its frame by a factor of more than exp(8), which four decimals hardly show."""
    train_ngram([["aa"], ["b"]], 2, ("aa", "b"), tmp_path / "lm.arpa")
    search = BeamSearch(build_graph(tmp_path / "lm.arpa", ("aa", "b")), 16.0)
    scores = np.array([[0.0, -below], [0.0, 0.0], [0.0, 0.0]], np.float32)
    path = search.best_path(scores)
    assert [span.phone for span in path.phones] == [0]
    (confidence,) = phone_confidences(search.flat, scores, path, 1.0, 1.0, np.arange(2, dtype=np.int32))
    with_all = class_posteriors(search.flat, scores)[:, 0].mean()
    assert confidence == pytest.approx(with_all, abs=1e-6 if counts else 1e-3)
    assert (confidence - with_all > 1e-5) is not counts
