"""Word starts as symbols of the language model: what is marked, and that search and perplexity sum or choose right."""

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asr.decoding.graph.build import build_graph
from asr.decoding.search.beam import BeamSearch
from asr.decoding.search.phone_prior import phone_prior
from asr.decoding.search.prefix_beam import prefix_beam_search
from asr.lm.backoff import END, START
from asr.lm.ngram import estimate, perplexity, train_ngram
from asr.lm.pruning import prune
from asr.lm.word_starts import mark_word_starts, phone_of, symbols

PHONES = ("aa", "b", "sil")
WORDS = st.lists(st.lists(st.sampled_from(PHONES[:2]), min_size=1, max_size=3), max_size=4)
SENTENCES = st.lists(WORDS, min_size=1, max_size=8)


def marked(words):
    return [phone + "_B" * (number == 0) for word in words for number, phone in enumerate(word)]


def markings(sequence):
    return product(*([phone, phone + "_B"] for phone in sequence))


def log_probability(ngrams, sequence):
    path = (START, *sequence, END)
    return sum(
        ngrams.log_probability(path[max(0, place - ngrams.order + 1) : place], path[place])
        for place in range(1, len(path))
    )


@given(words=WORDS, pauses=st.lists(st.booleans(), min_size=13, max_size=13))
def test_marks_stand_at_word_starts_with_pauses_anywhere(words, pauses):
    phones, expected = [], []
    for symbol, pause in zip(marked(words), pauses, strict=False):
        phones += ["sil"] * pause + [phone_of(symbol)]
        expected += ["sil"] * pause + [symbol]
    assert mark_word_starts(phones, words, ("sil",)) == expected


@pytest.mark.parametrize("phones", [["aa"], ["aa", "b", "b"], ["aa", "aa"], []])
def test_phones_that_are_not_those_of_the_words_are_refused(phones):
    with pytest.raises(ValueError, match="not those of the words"):
        mark_word_starts(phones, [["aa", "b"]], ("sil",))


@settings(max_examples=20, deadline=None)
@given(sentences=SENTENCES, order=st.integers(2, 4), threshold=st.sampled_from([1e-4, 1e-2]))
def test_a_pruned_model_is_a_distribution_over_symbols(sentences, order, threshold):
    ngrams = prune(estimate([marked(words) for words in sentences], order, symbols(PHONES)), threshold)
    for history in {ngram[:-1] for ngram in ngrams.probabilities}:
        following = [math.exp(ngrams.log_probability(history, symbol)) for symbol in (*symbols(PHONES), END)]
        assert sum(following) == pytest.approx(1)


@settings(max_examples=30, deadline=None)
@given(sentences=SENTENCES, order=st.integers(1, 4), said=st.lists(st.sampled_from(PHONES), max_size=5))
def test_perplexity_sums_over_all_word_starts(sentences, order, said):
    ngrams = estimate([marked(words) for words in sentences], order, symbols(PHONES))
    total = np.logaddexp.reduce([log_probability(ngrams, each) for each in markings(said)])
    assert perplexity(ngrams, [said]) == pytest.approx(math.exp(-total / (len(said) + 1)))


@settings(max_examples=30, deadline=None)
@given(sentences=SENTENCES, order=st.integers(1, 3), seed=st.integers(0, 10**6), frames=st.integers(1, 4))
def test_prefixes_count_all_markings_of_their_phones(sentences, order, seed, frames):
    ngrams = estimate([marked(words) for words in sentences], order, symbols(PHONES))
    scores = np.random.default_rng(seed).normal(size=(frames, 1 + len(PHONES)))
    log_posteriors = (scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)).astype(np.float32)
    alone = prefix_beam_search(log_posteriors, 5000, count=5000)
    found = prefix_beam_search(log_posteriors, 50000, phone_prior(ngrams.packed(), PHONES), count=50000)
    expected = {
        tuple(each.phones): each.score
        + np.logaddexp.reduce([log_probability(ngrams, each) for each in markings([PHONES[i] for i in each.phones])])
        for each in alone
    }
    assert {tuple(each.phones): each.score for each in found} == pytest.approx(expected, abs=1e-4)


@settings(max_examples=30, deadline=None)
@given(
    sentences=SENTENCES, seed=st.integers(0, 10**6), frames=st.integers(1, 4), topology=st.sampled_from(["hmm", "ctc"])
)
def test_a_graph_takes_the_likelier_marking(tmp_path_factory, sentences, seed, frames, topology):
    path = tmp_path_factory.mktemp("lm") / "lm.arpa"
    ngrams = train_ngram([marked(words) for words in sentences], 2, symbols(PHONES), path)
    graph = build_graph(path, PHONES, topology=topology)
    classes = len(PHONES) + (topology == "ctc")
    scores = np.random.default_rng(seed).normal(size=(frames, classes)).astype(np.float32)
    found = BeamSearch(graph, np.inf).best_path(scores)
    best = math.inf
    for labels in product(range(classes), repeat=frames):
        acoustic = -sum(float(scores[frame, label]) for frame, label in enumerate(labels))
        for phones, cost in readings(labels, topology):
            best = min(best, *(acoustic + cost - log_probability(ngrams, each) for each in markings(phones)))
    assert found.cost == pytest.approx(best, abs=1e-4)


def readings(labels, topology):
    """The phone sequences that the classes of all frames may be, each with its cost of transitions, half for half."""
    if topology == "ctc":
        new = [label for place, label in enumerate(labels) if label and (place == 0 or labels[place - 1] != label)]
        return [([PHONES[label - 1] for label in new], 0.0)]
    found = []
    for cuts in product([False, True], repeat=len(labels) - 1):
        starts = [0, *(place for place, cut in enumerate(cuts, 1) if cut)]
        if all(starts.count(place) or labels[place] == labels[place - 1] for place in range(1, len(labels))):
            found.append(([PHONES[labels[start]] for start in starts], len(labels) * math.log(2)))
    return found
