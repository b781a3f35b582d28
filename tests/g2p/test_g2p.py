"""G2P: the n-gram is that of asr.lm, words are cut as they must be, and a regular spelling is learnt."""

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asr.errors import InputError
from asr.g2p.model import train_g2p
from asr.g2p.ngram import estimate_ngram
from asr.g2p.pairing import PAIR_SHAPES, cut_words
from asr.g2p.search import best_pairs
from asr.lm.backoff import END, START
from asr.lm.ngram import estimate

SENTENCES = st.lists(st.lists(st.integers(0, 2), max_size=6), min_size=1, max_size=8)

SOUNDS = {"a": ["aa"], "b": ["b"], "k": ["k"], "x": ["k", "s"], "sh": ["sh"], "e": []}
"""What letters say in a made-up spelling; e is silent."""


def lexicon(words: list[str]) -> dict[str, list[tuple[str, ...]]]:
    def spoken(word: str) -> tuple[str, ...]:
        return tuple(phone for letter in word.replace("sh", "$") for phone in SOUNDS[{"$": "sh"}.get(letter, letter)])

    return {word: [spoken(word)] for word in words}


def words(longest: int) -> list[str]:
    made = ("".join(each) for size in range(1, longest + 1) for each in product(SOUNDS, repeat=size))
    return [word for word in made if "ssh" not in word and word.strip("e")]


@settings(max_examples=30, deadline=None)
@given(SENTENCES, st.integers(1, 4))
def test_the_ngram_is_that_of_the_language_models(sentences: list[list[int]], order: int) -> None:
    ours = estimate_ngram(sentences, 3, order)
    theirs = estimate([[str(symbol) for symbol in one] for one in sentences], order, ["0", "1", "2"])
    names = ["0", "1", "2", START, END]
    grams: list[tuple[str, ...]] = [()]
    for key in ours.keys.tolist():
        grams.append((*grams[key // 5], names[key % 5]))
    found = dict(zip(grams[1:], ours.log_probabilities[1:].tolist(), strict=True))
    assert found == pytest.approx(theirs.probabilities)
    backoffs = dict(zip(grams, ours.backoffs.tolist(), strict=True))
    assert {gram: backoffs[gram] for gram in theirs.backoffs} == pytest.approx(theirs.backoffs)


def test_words_are_cut_into_pairs_that_explain_all() -> None:
    letters = {"a": 0, "x": 1, "s": 2, "h": 3, "e": 4}
    phones = {"aa": 0, "k": 1, "s": 2, "sh": 3}
    made = {word: each[0] for word, each in lexicon(["ax", "xa", "sha", "ash", "ae", "axe", "aa", "shax"]).items()}
    cuts = cut_words([[letters[each] for each in word] for word in made], [[phones[p] for p in made[w]] for w in made])
    found = {
        word: [
            (word[at : at + PAIR_SHAPES[shape][0]], *spoken[place : place + PAIR_SHAPES[shape][1]])
            for shape, at, place in cut
        ]
        for (word, spoken), cut in zip(made.items(), cuts, strict=True)
    }
    assert found["axe"] == [("a", "aa"), ("x", "k", "s"), ("e",)]
    assert found["ash"] == [("a", "aa"), ("sh", "sh")]
    assert cut_words([[0], [0]], [[0, 1, 2], [0]])[0] == []  # three phones for one letter


def test_the_search_finds_the_most_probable_pairs() -> None:
    pairs = [(0, -1), (0, -1), (0, 1), (1, -1), (1, -1)]
    random = np.random.default_rng(0)
    sentences = [random.integers(0, 5, size=random.integers(1, 5)).tolist() for _ in range(60)]
    ngram = estimate_ngram(sentences, 5, 3)
    model = estimate([[str(each) for each in one] for one in sentences], 3, list("01234"))

    def log_probability(sequence: tuple[int, ...]) -> float:
        path = (START, *map(str, sequence), END)
        return sum(model.log_probability(path[:place], path[place]) for place in range(1, len(path)))

    for spelling in product(range(2), repeat=4):
        sequences = [
            each
            for size in range(1, 5)
            for each in product(range(5), repeat=size)
            if tuple(letter for pair in each for letter in pairs[pair] if letter >= 0) == spelling
        ]
        found = best_pairs(ngram, np.array(spelling), np.array(pairs), np.array([0, 3, 5]))
        best = max(sequences, key=log_probability)
        assert found[0][0] == pytest.approx(log_probability(best))
        assert found[0][1] == list(best)
        assert [score for score, _ in found] == sorted((score for score, _ in found), reverse=True)


def test_a_regular_spelling_is_learnt_from_some_words() -> None:
    known = lexicon(words(3))
    model = train_g2p(known)
    unknown = lexicon([word for word in words(4) if word not in known][::7])
    right = sum(model(word)[0] == spoken[0] for word, spoken in unknown.items())
    assert right / len(unknown) > 0.99


def test_a_word_may_have_several_pronunciations_and_unknown_letters_none() -> None:
    model = train_g2p({"ab": [("aa", "b")], "ba": [("b", "aa"), ("b", "k")], "a": [("aa",), ("k",)]})
    assert len(model("a")) == 2
    assert model("") == model("é") == []
    assert not math.isnan(model.ngram.log_probabilities.max())


def test_a_much_rarer_pronunciation_is_not_given() -> None:
    words = {f"a{letter}": [("aa", letter)] for letter in "bcdefghijk"}
    model = train_g2p(words | {"al": [("ow", "l")]}, order=1)
    assert model("ab") == [("aa", "b")]
    assert len(train_g2p(words | {"al": [("ow", "l"), ("aa", "l")]})("al")) == 2


@pytest.mark.parametrize("known", [{}, {"a": [("aa", "b", "k")]}])
def test_a_lexicon_that_teaches_nothing_is_refused(known: dict[str, list[tuple[str, ...]]]) -> None:
    with pytest.raises(InputError, match="no words from which spelling can be learnt"):
        train_g2p(known)
