"""CTC without a graph, and its graph, against every sequence of classes that there is."""

import itertools
import math
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.decoding.exact_search import best_by_full_search, sentence_cost

from asr.decoding.graph.build import build_graph
from asr.decoding.graph.grammar import grammar
from asr.decoding.graph.topology import Graph, ctc
from asr.decoding.search.beam import BeamSearch
from asr.decoding.search.collapse import collapse
from asr.decoding.search.greedy import GreedySearch
from asr.decoding.search.path import PhoneSpan
from asr.lm.ngram import estimate, train_ngram

PHONES = ("aa", "b", "zh")
CLASSES = len(PHONES) + 1
WIDE = 1000.0


def random_case(seed: int, order: int):
    """A language model that never saw `zh`, and its graph."""
    random = np.random.default_rng(seed)
    sentences = [[PHONES[phone] for phone in random.integers(0, 2, random.integers(0, 6))] for _ in range(5)]
    ngrams = estimate(sentences, order, PHONES)
    return random, ngrams, ctc(grammar(ngrams, PHONES), len(PHONES))


def said(classes: tuple[int, ...]) -> list[str]:
    """The phones of a class for each frame, by the definition: runs are one, then blanks are dropped."""
    return [PHONES[label - 1] for label, _ in itertools.groupby(classes) if label]


def cost_of(graph: Graph, classes: tuple[int, ...]) -> float:
    """What the graph's own arcs cost along one alignment."""
    scores = np.full((len(classes), CLASSES), -1e6, np.float32)
    scores[range(len(classes)), classes] = 0
    return best_by_full_search(graph, scores)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_the_graph_has_each_alignment_at_the_cost_of_its_phones(order: int) -> None:
    _, ngrams, graph = random_case(order, order)
    for classes in itertools.product(range(CLASSES), repeat=4):
        assert cost_of(graph, classes) == pytest.approx(sentence_cost(ngrams, said(classes)), abs=1e-6)


def readings(classes: tuple[int, ...]) -> Iterator[list[str]]:
    """The phones of a class for each frame where a run of one class may be several phones."""
    runs = [(PHONES[label - 1], len(list(run))) for label, run in itertools.groupby(classes) if label]
    for times in itertools.product(*(range(1, length + 1) for _, length in runs)):
        yield [phone for (phone, _), count in zip(runs, times, strict=True) for _ in range(count)]


@pytest.mark.parametrize("order", [1, 2, 3])
def test_the_modified_graph_takes_the_cheapest_reading(order: int) -> None:
    _, ngrams, _ = random_case(order, order)
    graph = ctc(grammar(ngrams, PHONES), len(PHONES), modified=True)
    for classes in itertools.product(range(CLASSES), repeat=4):
        expected = min(sentence_cost(ngrams, phones) for phones in readings(classes))
        assert cost_of(graph, classes) == pytest.approx(expected, abs=1e-6)


def test_a_repeated_phone_needs_a_blank_but_in_the_modified_graph() -> None:
    ngrams = estimate([["aa", "aa"]] * 20, 2, PHONES)
    posteriors = np.full((4, CLASSES), -20.0, np.float32)
    posteriors[:, 1] = 0
    counts = [
        len(BeamSearch(ctc(grammar(ngrams, PHONES), len(PHONES), modified), WIDE, -5.0).best_path(posteriors).phones)
        for modified in (False, True)
    ]
    assert counts == [1, 4]


@settings(max_examples=40)
@given(seed=st.integers(0, 10**6), order=st.integers(1, 4), frames=st.integers(1, 4))
def test_the_best_path_is_that_of_enumeration(seed: int, order: int, frames: int) -> None:
    random, ngrams, graph = random_case(seed, order)
    scores = random.normal(0, 3, (frames, CLASSES)).astype(np.float32)
    penalty = float(random.normal())
    expected = min(
        sentence_cost(ngrams, said(classes))
        + penalty * len(said(classes))
        - sum(float(scores[frame, label]) for frame, label in enumerate(classes))
        for classes in itertools.product(range(CLASSES), repeat=frames)
    )
    path = BeamSearch(graph, WIDE, penalty).best_path(scores)
    assert path.complete
    assert path.cost == pytest.approx(expected, abs=1e-3)
    assert path.phones == collapse(path.classes)


def test_a_phone_that_the_model_rules_out_is_never_recognised() -> None:
    ngrams = estimate([["aa", "b"]], 1, PHONES)
    ngrams.probabilities[("zh",)] = -math.inf
    scores = np.zeros((8, CLASSES), np.float32)
    scores[:, 3] = 10
    path = BeamSearch(ctc(grammar(ngrams, PHONES), len(PHONES)), WIDE).best_path(scores)
    assert 2 not in {span.phone for span in path.phones}


def test_the_graph_of_a_file(tmp_path) -> None:
    ngrams = train_ngram([["aa", "b"], ["b"]], 2, PHONES, tmp_path / "lm.arpa")
    built = build_graph(tmp_path / "lm.arpa", PHONES, topology="ctc")
    direct = ctc(grammar(ngrams, PHONES), len(PHONES))
    assert built.classes == direct.classes == CLASSES
    for classes in ((0, 1, 2), (1, 1, 0), (0, 0, 0)):
        assert cost_of(built, classes) == pytest.approx(cost_of(direct, classes), abs=1e-4)


@given(st.lists(st.integers(0, 3), max_size=30))
def test_greedy_phones_are_those_of_the_definition(classes: list[int]) -> None:
    posteriors = np.full((len(classes), CLASSES), -9.0, np.float32)
    posteriors[range(len(classes)), classes] = -0.1
    spans = GreedySearch().best_path(posteriors).phones
    assert [PHONES[span.phone] for span in spans] == said(tuple(classes))
    for span, following in itertools.pairwise([*(span.first for span in spans), len(classes)]):
        assert span < following
    for span in spans:
        assert classes[span.first] == span.phone + 1
        assert set(classes[span.first : span.end]) <= {span.phone + 1, 0}


def test_greedy_with_only_blanks_says_nothing() -> None:
    assert GreedySearch().best_path(np.eye(CLASSES, dtype=np.float32)[[0] * 5]).phones == []


def test_greedy_search_as_a_decoder() -> None:
    scores = np.log(np.array([[0.1, 0.7, 0.1, 0.1], [0.6, 0.2, 0.1, 0.1], [0.1, 0.8, 0.05, 0.05]], np.float32))
    path = GreedySearch().best_path(scores, 2.0)
    assert path.phones == [PhoneSpan(0, 0, 2), PhoneSpan(0, 2, 3)]
    assert path.classes.tolist() == [1, 0, 1]
    assert path.cost == pytest.approx(-2 * math.log(0.7 * 0.6 * 0.8))
    assert GreedySearch().best_path(scores[:0]).phones == []
