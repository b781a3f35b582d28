"""Pruning by relative entropy: against the divergence added up directly, another implementation, and real phones."""

import itertools
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from support.decoding.exact_search import sentence_cost

from asr.decoding.graph.grammar import grammar
from asr.decoding.search.phone_prior import phone_prior
from asr.lm.arpa import read_arpa, write_arpa
from asr.lm.backoff import Ngrams
from asr.lm.ngram import estimate, perplexity
from asr.lm.pruning import prune
from asr.phones.folding import fold
from asr.phones.phone_set import load_phone_set

PHONES = ("aa", "b", "sil", "zh")
SYMBOLS = (*PHONES, "</s>")
SENTENCES = st.lists(st.lists(st.sampled_from(PHONES[:3]), max_size=12), min_size=1, max_size=12)
FULL_SENTENCES = st.lists(st.lists(st.sampled_from(PHONES), max_size=12), min_size=8, max_size=30)
THRESHOLDS = st.sampled_from([1e-6, 1e-4, 1e-3, 1e-2, 0.1, 1.0])


def random_sentences(seed, phones=PHONES[:3]):
    """Sentences of a first-order Markov chain."""
    random = np.random.default_rng(seed)
    following = random.dirichlet([0.5] * len(phones), len(phones))
    sentences = []
    for length in random.integers(1, 12, 40):
        state, sentence = 0, []
        for _ in range(length):
            state = random.choice(len(phones), p=following[state])
            sentence.append(phones[state])
        sentences.append(sentence)
    return sentences


def probability(ngrams, history, symbol):
    return math.exp(ngrams.log_probability(history, symbol))


def histories(length):
    """Every history of that length, also those that begin a sentence."""
    return [
        history
        for first in ("<s>", *PHONES)
        for rest in itertools.product(PHONES, repeat=length - 1)
        for history in [(first, *rest)]
    ]


def history_probability(ngrams, history):
    symbols = ["</s>" if symbol == "<s>" else symbol for symbol in history]
    return math.prod(probability(ngrams, history[:place], symbol) for place, symbol in enumerate(symbols))


def divergence(ngrams, other, length):
    """D(p||p') = sum of p(h, w) [log p(w|h) - log p'(w|h)] over the symbols w and the histories h of that length."""
    return math.fsum(
        history_probability(ngrams, history)
        * probability(ngrams, history, symbol)
        * (ngrams.log_probability(history, symbol) - other.log_probability(history, symbol))
        for history in histories(length)
        for symbol in SYMBOLS
    )


def without(ngrams, ngram):
    """The model without one n-gram: its history's back-off weight is what makes all symbols sum to one."""
    history = ngram[:-1]
    probabilities = {key: value for key, value in ngrams.probabilities.items() if key != ngram}
    listed = [symbol for symbol in SYMBOLS if (*history, symbol) in probabilities]
    left = 1 - math.fsum(probability(ngrams, history, symbol) for symbol in listed)
    shorter = 1 - math.fsum(probability(ngrams, history[1:], symbol) for symbol in listed)
    return Ngrams(ngrams.order, probabilities, ngrams.backoffs | {history: math.log(left / shorter)})


def rises(ngrams):
    """By how much the perplexity rises without each n-gram above order 1."""
    return {
        ngram: math.expm1(divergence(ngrams, without(ngrams, ngram), len(ngram) - 1))
        for ngram in ngrams.probabilities
        if len(ngram) > 1
    }


def assert_proper(ngrams):
    for history in {ngram[:-1] for ngram in ngrams.probabilities} | {("<s>",), ("aa", "b", "zh", "sil")}:
        following = [probability(ngrams, history, symbol) for symbol in SYMBOLS]
        assert min(following) > 0
        assert sum(following) == pytest.approx(1, abs=1e-9)
    extended = {ngram[:-1] for ngram in ngrams.probabilities}
    assert set(ngrams.backoffs) == extended - {()}
    assert extended - {()} <= set(ngrams.probabilities)
    assert ngrams.probabilities[("<s>",)] == -math.inf


@settings(max_examples=60)
@given(sentences=SENTENCES | FULL_SENTENCES, order=st.integers(1, 6), threshold=THRESHOLDS)
def test_next_phones_sum_to_one_and_kept_ngrams_stay_as_they_were(sentences, order, threshold):
    ngrams = estimate(sentences, order, PHONES)
    pruned = prune(ngrams, threshold)
    assert_proper(pruned)
    assert pruned.probabilities.items() <= ngrams.probabilities.items()
    assert pruned.order == max(map(len, pruned.probabilities))


@settings(max_examples=20)
@given(sentences=SENTENCES | FULL_SENTENCES, order=st.integers(1, 6))
def test_zero_prunes_nothing_and_a_huge_threshold_all_but_the_unigrams(sentences, order):
    ngrams = estimate(sentences, order, PHONES)
    assert prune(ngrams, 0.0) == ngrams
    assert prune(ngrams, 1e9) == Ngrams(
        1, {key: ngrams.probabilities[key] for key in [("<s>",), *zip(SYMBOLS, strict=True)]}
    )


@settings(max_examples=20)
@given(sentences=SENTENCES, order=st.integers(2, 3), threshold=THRESHOLDS)
def test_what_goes_is_what_the_divergence_added_up_directly_says(sentences, order, threshold):
    ngrams = estimate(sentences, order, PHONES)
    rise = rises(ngrams)
    assume(all(abs(value - threshold) > 1e-12 for value in rise.values()))
    kept = set()
    for ngram in sorted(rise, key=len, reverse=True):
        if rise[ngram] >= threshold or any(longer[:-1] == ngram for longer in kept):
            kept.add(ngram)
    assert {ngram for ngram in prune(ngrams, threshold).probabilities if len(ngram) > 1} == kept


def test_a_bigram_by_hand():
    half, quarter = math.log(0.5), math.log(0.25)
    unigrams = {("<s>",): -math.inf, ("aa",): half, ("b",): quarter, ("</s>",): quarter}
    # after aa, 0.25 is left to aa and b, which have 0.75: the back-off weight is 1/3, and 1 without the bigram
    ngrams = Ngrams(2, unigrams | {("aa", "</s>"): math.log(0.75)}, {("aa",): math.log(1 / 3)})
    rise = math.expm1(0.5 * (0.75 * math.log(0.75 / 0.25) + 0.25 * math.log(1 / 3)))
    assert prune(ngrams, rise * 1.0001) == Ngrams(1, unigrams)
    kept = prune(ngrams, rise * 0.9999)
    assert kept.probabilities == ngrams.probabilities
    assert kept.backoffs == pytest.approx(ngrams.backoffs)


def test_a_history_with_every_symbol_gives_up_one_bigram_for_nothing():
    """Each alone could go, for the back-off weight would make up for it; together they cannot."""
    shares = {"aa": 0.2, "b": 0.5, "</s>": 0.3}
    unigrams = {("<s>",): -math.inf} | {(symbol,): math.log(1 / 3) for symbol in shares}
    bigrams = {("b", symbol): math.log(share) for symbol, share in shares.items()}
    pruned = prune(Ngrams(2, unigrams | bigrams, {("b",): math.log(0.1)}), 1e-4)
    assert set(pruned.probabilities) == set(unigrams) | {("b", "b"), ("b", "</s>")}
    assert probability(pruned, ("b",), "aa") == pytest.approx(0.2)


def test_the_history_of_a_kept_trigram_stays():
    """aa b is as probable as its back-off says, but what follows it is not."""
    third = math.log(1 / 3)
    unigrams = {("<s>",): -math.inf, ("aa",): third, ("b",): third, ("</s>",): third}
    ngrams = Ngrams(
        3,
        unigrams | {("aa", "b"): third, ("b", "aa"): third, ("aa", "b", "b"): math.log(0.9)},
        {("aa",): 0.0, ("b",): 0.0, ("aa", "b"): math.log(0.1 / (2 / 3))},
    )
    pruned = prune(ngrams, 1e-3)
    assert set(pruned.probabilities) == {*unigrams, ("aa", "b"), ("aa", "b", "b")}
    assert pruned.backoffs == pytest.approx({("aa",): 0.0, ("aa", "b"): math.log(0.15)}, abs=1e-12)


def test_an_impossible_phone_stays_impossible():
    ngrams = estimate(random_sentences(0), 3, PHONES)
    ngrams.probabilities[("zh",)] = -math.inf
    assert prune(ngrams, 0.01).log_probability(("aa",), "zh") == -math.inf


def relative_frequencies(sentences):
    """A bigram of relative frequencies that lists the most frequent follower of each history."""
    pairs = Counter(pair for sentence in sentences for pair in itertools.pairwise(["<s>", *sentence, "</s>"]))
    unigrams, firsts = Counter(), Counter()
    for (first, second), count in pairs.items():
        unigrams[second] += count
        firsts[first] += count
    ngrams = Ngrams(2, {(symbol,): math.log(count / unigrams.total()) for symbol, count in unigrams.items()})
    ngrams.probabilities[("<s>",)] = -math.inf
    for first in firsts:
        second = max(SYMBOLS, key=lambda symbol: pairs[first, symbol])
        own = pairs[first, second] / firsts[first]
        ngrams.probabilities[(first, second)] = math.log(own)
        ngrams.backoffs[(first,)] = math.log((1 - own) / (1 - probability(ngrams, (), second)))
    return ngrams


@pytest.mark.parametrize("seed", range(4))
def test_the_perplexity_of_training_text_rises_as_promised(seed):
    """Exactly so for relative frequencies, where the model's expectation is the text's mean."""
    sentences = random_sentences(seed, PHONES)
    ngrams = relative_frequencies(sentences)
    rise = rises(ngrams)
    pruned = prune(ngrams, sum(sorted(rise.values())[2:4]) / 2)
    removed = ngrams.probabilities.keys() - pruned.probabilities.keys()
    assert len(removed) == 3
    expected = perplexity(ngrams, sentences) * math.prod(1 + rise[ngram] for ngram in removed)
    assert perplexity(pruned, sentences) == pytest.approx(expected, rel=1e-9)


@settings(max_examples=20)
@given(sentences=SENTENCES | FULL_SENTENCES, order=st.integers(1, 4), threshold=THRESHOLDS)
def test_arpa_round_trip(tmp_path_factory, sentences, order, threshold):
    path = tmp_path_factory.mktemp("lm") / "lm.arpa"
    pruned = prune(estimate(sentences, order, PHONES), threshold)
    write_arpa(path, pruned)
    read = read_arpa(path).unpacked()
    assert read.order == pruned.order
    assert read.probabilities == pytest.approx(pruned.probabilities, abs=1e-6)
    assert read.backoffs == pytest.approx(pruned.backoffs, abs=1e-6)
    assert prune(read, 1e9).probabilities.keys() == {("<s>",), *zip(SYMBOLS, strict=True)}


@settings(max_examples=20)
@given(seed=st.integers(0, 10**6), order=st.integers(1, 4), threshold=THRESHOLDS)
def test_searches_take_pruned_models(seed, order, threshold):
    pruned = prune(estimate(random_sentences(seed), order, PHONES), threshold)
    sentence = ("aa", "b", "b", "sil", "zh", "aa")
    model = [pruned.log_probability(("<s>", *sentence)[: place + 1], symbol) for place, symbol in enumerate(sentence)]
    end = pruned.log_probability(("<s>", *sentence), "</s>")
    assert len(grammar(pruned, PHONES).last_phone) == len({ngram[:-1] for ngram in pruned.probabilities} | {("<s>",)})
    assert sentence_cost(pruned, sentence) <= -sum(model) - end + 1e-9
    prior = phone_prior(pruned.packed(), PHONES)
    state, added = prior.start, []
    for phone in map(PHONES.index, sentence):
        added.append(prior.added[state, phone])
        state = prior.histories[state, phone]
    assert added == pytest.approx(model)
    assert prior.ends[state] == pytest.approx(end)


@pytest.fixture(scope="module")
def timit_transcripts(timit_sample):
    return [
        fold([line.split()[2] for line in file.read_text().splitlines()], "timit48")
        for file in sorted(timit_sample.glob("*/s[ix]*.phn"))
    ]


@pytest.mark.corpora
@pytest.mark.parametrize("threshold", [1e-5, 1e-3])
def test_real_phones_are_pruned_as_by_kaldingram(timit_transcripts, tmp_path, capfd, threshold):
    theirs = pytest.importorskip("kaldingram.prune")
    ngrams = estimate(timit_transcripts, 3, load_phone_set("timit48"))
    write_arpa(tmp_path / "lm.arpa", ngrams)
    model = theirs.ArpaParser().loadf(tmp_path / "lm.arpa")[0]
    theirs.prune(model, threshold, 1)
    theirs.ArpaParser().dumpf(model, tmp_path / "pruned.arpa")
    kept = read_arpa(tmp_path / "pruned.arpa").unpacked().probabilities.keys()
    pruned = prune(read_arpa(tmp_path / "lm.arpa").unpacked(), threshold)
    different = kept ^ pruned.probabilities.keys()
    assert {ngram[:-1] for ngram in different} <= {
        ("<s>",)
    }  # to it the start alone is impossible, not a sentence's end
    assert len(kept) < 0.95 * len(ngrams.probabilities)


@pytest.mark.corpora
def test_most_of_a_real_five_gram_goes_for_little(timit_transcripts):
    training, held_out = timit_transcripts[:96], timit_transcripts[96:]
    ngrams = estimate(training, 5, load_phone_set("timit48"))
    pruned = prune(ngrams, 1e-5)
    assert len(pruned.probabilities) < 0.4 * len(ngrams.probabilities)
    assert perplexity(pruned, held_out) == pytest.approx(perplexity(ngrams, held_out), rel=0.01)
