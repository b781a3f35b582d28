"""Random language models and the graphs that are built from them."""

import numpy as np

from asr.decoding.graph.grammar import grammar
from asr.decoding.graph.topology import hmm
from asr.lm.ngram import estimate

PHONES = ("aa", "b", "zh")


def random_case(seed, order, states):
    """A language model that never saw `zh`, a graph, and self-loops."""
    random = np.random.default_rng(seed)
    sentences = [[PHONES[phone] for phone in random.integers(0, 2, random.integers(0, 6))] for _ in range(5)]
    ngrams = estimate(sentences, order, PHONES)
    self_loops = random.uniform(0.1, 0.9, len(PHONES) * states)
    return random, ngrams, self_loops, hmm(grammar(ngrams, PHONES), states, self_loops)


def spans(path):
    return [(span.phone, span.first, span.end) for span in path.phones]
