"""Prefix beam search against the sum over all alignments."""

import itertools
import math
from collections import defaultdict

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from asr.decoding.search.collapse import collapse
from asr.decoding.search.forced_path import forced_path
from asr.decoding.search.greedy import GreedySearch
from asr.decoding.search.phone_prior import phone_prior
from asr.decoding.search.prefix_beam import PrefixBeamSearch, prefix_beam_search
from asr.decoding.search.prefix_tree import _best
from asr.errors import InputError
from asr.lm.ngram import estimate

PHONES = ("aa", "b", "zh")


def random_posteriors(random, frames, sharpness=2.0):
    logits = random.normal(0, sharpness, (frames, 1 + len(PHONES)))
    return (logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))).astype(np.float32)


def summed(log_posteriors):
    """log P of each phone sequence: the sum over all class sequences that collapse to it."""
    totals = defaultdict(float)
    frames, classes = log_posteriors.shape
    for path in itertools.product(range(classes), repeat=frames):
        sequence = tuple(span.phone for span in collapse(np.array(path, np.int64)))
        totals[sequence] += math.exp(sum(float(log_posteriors[frame, label]) for frame, label in enumerate(path)))
    return {sequence: math.log(total) for sequence, total in totals.items()}


def language(ngrams, sequence):
    symbols = ("<s>", *(PHONES[phone] for phone in sequence), "</s>")
    return sum(ngrams.log_probability(symbols[:place], symbols[place]) for place in range(1, len(symbols)))


def random_ngrams(random, order):
    sentences = [[PHONES[phone] for phone in random.integers(0, 2, random.integers(0, 6))] for _ in range(5)]
    return estimate(sentences, order, PHONES)


@given(scores=st.lists(st.integers(0, 4), max_size=40), count=st.integers(1, 20))
def test_the_best_candidates_stay_in_order_and_of_equal_ones_the_first(scores, count):
    places = np.arange(100, 100 + len(scores), dtype=np.int32)
    best = np.sort(np.argsort(-np.array(scores), kind="stable")[:count])
    assert _best(np.array(scores, float), places, count).tolist() == places[best].tolist()


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), frames=st.integers(1, 5))
def test_a_wide_beam_sums_all_alignments(seed, frames):
    log_posteriors = random_posteriors(np.random.default_rng(seed), frames)
    expected = summed(log_posteriors)
    found = prefix_beam_search(log_posteriors, 5000, count=5000)
    assert {tuple(each.phones): each.score for each in found} == pytest.approx(expected, abs=1e-5)
    scores = [each.score for each in found]
    assert scores == sorted(scores, reverse=True)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    frames=st.integers(1, 5),
    order=st.integers(1, 4),
    weight=st.sampled_from([0.0, 0.5, 1.5]),
    penalty=st.sampled_from([-1.0, 0.0, 0.7]),
)
def test_the_prior_adds_the_weighted_n_gram(seed, frames, order, weight, penalty):
    random = np.random.default_rng(seed)
    ngrams = random_ngrams(random, order)
    log_posteriors = random_posteriors(random, frames)
    expected = {
        sequence: value + weight * language(ngrams, sequence) - penalty * len(sequence)
        for sequence, value in summed(log_posteriors).items()
    }
    prior = phone_prior(ngrams.packed(), PHONES).weighted(weight, penalty)
    found = prefix_beam_search(log_posteriors, 5000, prior, count=5000)
    assert {tuple(each.phones): each.score for each in found} == pytest.approx(expected, abs=1e-5)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), frames=st.integers(1, 4), models=st.integers(2, 3))
def test_several_models_count_by_the_mean_of_their_logs(seed, frames, models):
    random = np.random.default_rng(seed)
    each = np.stack([random_posteriors(random, frames) for _ in range(models)])
    ngrams = random_ngrams(random, 3)
    sums = [summed(log_posteriors) for log_posteriors in each]
    expected = {
        sequence: np.mean([values[sequence] for values in sums]) + language(ngrams, sequence) for sequence in sums[0]
    }
    found = prefix_beam_search(each, 5000, phone_prior(ngrams.packed(), PHONES), count=5000)
    assert {tuple(hypothesis.phones): hypothesis.score for hypothesis in found} == pytest.approx(expected, abs=1e-5)
    path = PrefixBeamSearch(phone_prior(ngrams.packed(), PHONES), 5000).best_path(each)
    assert [span.phone for span in path.phones] == found[0].phones
    assert path.cost == pytest.approx(-found[0].score)
    alone = forced_path(each[0], found[0].phones)
    assert (path.classes == alone.classes).all()
    assert -alone.cost <= sums[0][tuple(found[0].phones)] + 1e-5


def test_a_model_twice_keeps_the_prefixes_of_the_model_alone():
    """Also where the beam drops some: the language model then weighs as much beside two models as beside one."""
    for seed in range(10):
        random = np.random.default_rng(seed)
        scores, prior = random_posteriors(random, 20), phone_prior(random_ngrams(random, 3).packed(), PHONES)
        alone, twice = (prefix_beam_search(np.stack([scores] * models), 3, prior, count=3) for models in (1, 2))
        assert [found.phones for found in twice] == [found.phones for found in alone]
        assert [found.score for found in twice] == pytest.approx([found.score for found in alone])


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), beam=st.integers(1, 6))
def test_a_narrow_beam_claims_no_more_than_there_is(seed, beam):
    random = np.random.default_rng(seed)
    ngrams = random_ngrams(random, 3)
    log_posteriors = random_posteriors(random, 40, sharpness=1.0)
    found = prefix_beam_search(log_posteriors, beam, phone_prior(ngrams.packed(), PHONES).weighted(0.5, 0.0), count=10)
    assert 1 <= len(found) <= beam
    assert len({tuple(each.phones) for each in found}) == len(found)
    for each in found:
        assert each.score <= all_alignments(log_posteriors, each.phones) + 0.5 * language(ngrams, each.phones) + 1e-4


def all_alignments(log_posteriors, phones):
    """The log probability of a phone sequence by PyTorch's forward algorithm."""
    frames, labels = torch.from_numpy(log_posteriors)[:, None], torch.tensor([phones]) + 1
    lengths = torch.tensor([len(log_posteriors)]), torch.tensor([len(phones)])
    return -torch.nn.functional.ctc_loss(frames, labels, *lengths, reduction="sum").item()


def test_summing_beats_the_best_alignment():
    """Every frame's best class is the blank, and yet aa is more probable than nothing: 0.6 * 0.6 against 0.64."""
    log_posteriors = np.log(np.array([[0.6, 0.4, 1e-9, 1e-9]] * 2, np.float32))
    assert GreedySearch().best_path(log_posteriors).phones == []
    (best,) = prefix_beam_search(log_posteriors, 4)
    assert best.phones == [0]
    assert best.score == pytest.approx(math.log(0.64), abs=1e-5)


def test_a_long_utterance_outgrows_the_first_tree():
    random = np.random.default_rng(0)
    log_posteriors = random_posteriors(random, 1500, sharpness=0.3)
    found = prefix_beam_search(log_posteriors, 32, count=32)
    assert len({tuple(each.phones) for each in found}) == 32
    assert found == prefix_beam_search(log_posteriors, 32, count=32)


def test_more_prefixes_than_the_first_tree_twice_over():
    log_posteriors = random_posteriors(np.random.default_rng(0), 12, sharpness=0.1)
    for beam in (3000, 10_000):
        found = prefix_beam_search(log_posteriors, beam, count=beam)
        assert 2000 < len(found) <= beam
        assert found[0].score == pytest.approx(all_alignments(log_posteriors, found[0].phones), abs=1e-3)


def test_clear_posteriors_give_the_greedy_phones():
    classes = [0, 1, 1, 0, 1, 2, 2, 3, 0, 3]
    log_posteriors = np.full((len(classes), 4), -9.0, np.float32)
    log_posteriors[np.arange(len(classes)), classes] = -0.001
    (best,) = prefix_beam_search(log_posteriors, 8)
    assert best.phones == [span.phone for span in GreedySearch().best_path(log_posteriors).phones] == [0, 0, 1, 2, 2]


def test_no_frames_impossible_phones_and_what_is_refused():
    assert [each.phones for each in prefix_beam_search(np.zeros((0, 4), np.float32), 4)] == [[]]
    ruled_out = np.full((3, 4), -math.inf, np.float32)
    ruled_out[:, 2] = 0.0
    assert [each.phones for each in prefix_beam_search(ruled_out, 4, count=9)] == [[1]]
    with pytest.raises(InputError, match="not finite"):
        prefix_beam_search(np.full((2, 4), np.nan, np.float32), 4)
    with pytest.raises(ValueError, match="at least 1"):
        prefix_beam_search(np.zeros((2, 4), np.float32), 0)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    frames=st.integers(0, 6),
    scale=st.floats(0.3, 3.0),
    weight=st.floats(0.1, 2.0),
    penalty=st.floats(-1.0, 1.0),
)
def test_the_decoder_finds_the_best_phones_and_their_best_alignment(seed, frames, scale, weight, penalty):
    random = np.random.default_rng(seed)
    log_posteriors, ngrams = random_posteriors(random, frames), random_ngrams(random, 2)
    search = PrefixBeamSearch(phone_prior(ngrams.packed(), PHONES), 5000, weight, penalty)
    path = search.best_path(log_posteriors, scale)
    if frames == 0:
        assert (path.phones, path.cost) == ([], 0.0)
        return
    best = max(
        scale * score + weight * language(ngrams, sequence) - penalty * len(sequence)
        for sequence, score in summed(log_posteriors).items()
    )
    assert -path.cost == pytest.approx(best, abs=1e-4)
    phones = tuple(span.phone for span in path.phones)
    assert collapse(path.classes) == path.phones
    alignments = {
        each: sum(float(log_posteriors[frame, label]) for frame, label in enumerate(each))
        for each in itertools.product(range(1 + len(PHONES)), repeat=frames)
        if tuple(span.phone for span in collapse(np.array(each))) == phones
    }
    assert alignments[tuple(path.classes.tolist())] == pytest.approx(max(alignments.values()), abs=1e-5)


@pytest.mark.parametrize("frames", [0, 1, 12])
def test_phones_alone_are_those_of_the_path(frames):
    random = np.random.default_rng(frames)
    prior = phone_prior(random_ngrams(random, 3).packed(), PHONES)
    posteriors = random_posteriors(random, frames)
    for search in (PrefixBeamSearch(prior, 8, 0.8, -0.5), GreedySearch()):
        expected = [each.phone for each in search.best_path(posteriors, 0.6).phones]
        assert search.best_phones(posteriors, 0.6).tolist() == expected
