"""A joint n-gram of letters and phones (Bisani & Ney 2008, Joint-sequence models for grapheme-to-phoneme conversion).

The words of a lexicon are cut into pairs of letters and phones (`asr.g2p.pairing`); an n-gram of the pairs then gives
the pronunciations of any word in the lexicon's letters. Training on the CMU dictionary takes a minute at most.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from asr.errors import InputError
from asr.g2p.ngram import NumberNgram, estimate_ngram
from asr.g2p.pairing import PAIR_SHAPES, cut_words
from asr.g2p.search import Numbers, best_pairs

ORDER = 6
"""On held-out words of the CMU dictionary, n-grams of a higher order are no better (benchmarks/g2p.py)."""
MOST = 3
"""The most pronunciations that a word is given."""
LEAST = 0.4
"""A further pronunciation has at least this share of the best one's probability."""

Pronunciation = tuple[str, ...]


@dataclass(frozen=True)
class G2p:
    """Pronounces words in the letters of its lexicon."""

    letters: Mapping[str, int]
    phones: list[Pronunciation]
    """The phones of each pair."""
    pair_letters: Numbers
    """[P, 2]: the letters of each pair, -1 for none."""
    first: Numbers
    """[letters + 1]: where the pairs of each first letter begin."""
    ngram: NumberNgram

    def __call__(self, word: str) -> list[Pronunciation]:
        """The pronunciations of a word, the best first; none where it has a letter that the lexicon does not have."""
        if not word or any(letter not in self.letters for letter in word):
            return []
        spelled = np.array([self.letters[letter] for letter in word])
        shares: dict[Pronunciation, float] = {}
        found = best_pairs(self.ngram, spelled, self.pair_letters, self.first)
        for score, pairs in found:
            spoken = tuple(phone for pair in pairs for phone in self.phones[pair])
            if spoken:
                shares[spoken] = shares.get(spoken, 0.0) + math.exp(score - found[0][0])
        ranked = sorted(shares, key=lambda spoken: -shares[spoken])
        return [spoken for spoken in ranked[:MOST] if shares[spoken] >= LEAST * shares[ranked[0]]]


def train_g2p(lexicon: Mapping[str, Sequence[Pronunciation]], order: int = ORDER) -> G2p:
    """A model of the words of a lexicon and all their pronunciations.

    Raises InputError where no word can be cut into pairs of letters and phones.
    """
    entries = [(word, spoken) for word, each in lexicon.items() if word for spoken in each if spoken]
    letters = {letter: number for number, letter in enumerate(sorted({each for word, _ in entries for each in word}))}
    numbers = {phone: number for number, phone in enumerate(sorted({each for _, spoken in entries for each in spoken}))}
    cuts = (
        cut_words(
            [[letters[letter] for letter in word] for word, _ in entries],
            [[numbers[phone] for phone in spoken] for _, spoken in entries],
        )
        if entries
        else []
    )
    sentences = [
        [
            (
                tuple(letters[letter] for letter in word[at : at + PAIR_SHAPES[shape][0]]),
                spoken[place : place + PAIR_SHAPES[shape][1]],
            )
            for shape, at, place in cut
        ]
        for (word, spoken), cut in zip(entries, cuts, strict=True)
        if cut
    ]
    pairs = sorted({pair for sentence in sentences for pair in sentence})
    if not pairs:
        raise InputError("the lexicon has no words from which spelling can be learnt")
    index = {pair: number for number, pair in enumerate(pairs)}
    spelled = np.array([(*each, -1)[:2] for each, _ in pairs], np.int64)
    return G2p(
        letters,
        [spoken for _, spoken in pairs],
        spelled,
        np.searchsorted(spelled[:, 0], np.arange(len(letters) + 1)),
        estimate_ngram([[index[pair] for pair in sentence] for sentence in sentences], len(pairs), order),
    )
