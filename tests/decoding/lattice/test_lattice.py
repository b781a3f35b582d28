"""Posteriors, lattices and n-best lists against the enumeration of all paths."""

import math
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.decoding.exact_search import all_paths
from support.decoding.random_graphs import PHONES, random_case

from asr.decoding.graph.flat_graph import flatten
from asr.decoding.graph.grammar import grammar
from asr.decoding.graph.topology import ctc, hmm
from asr.decoding.lattice import posteriors
from asr.decoding.lattice.lattice import STEPS, lattice
from asr.decoding.lattice.nbest import n_best
from asr.decoding.lattice.phone_arcs import phone_arcs
from asr.decoding.lattice.posteriors import class_posteriors
from asr.decoding.search.beam import BeamSearch
from asr.errors import InputError
from asr.lm.ngram import estimate

CASES = st.integers(0, 10**6), st.integers(1, 3), st.sampled_from(["hmm 1", "hmm 2", "ctc"])


def small_case(seed, order, topology):
    """A graph and four frames of scores for it."""
    random, ngrams, _, graph = random_case(seed, order, 2 if topology == "hmm 2" else 1)
    if topology == "ctc":
        graph = ctc(grammar(ngrams, PHONES), len(PHONES))
    return graph, random.normal(0, 2, (4, graph.classes)).astype(np.float32)


@settings(max_examples=30, deadline=None)
@given(*CASES, st.floats(0.2, 1.5))
def test_posteriors_are_the_shares_of_all_paths(seed, order, topology, posterior_scale):
    graph, scores = small_case(seed, order, topology)
    expected = np.zeros(scores.shape)
    for classes, _, cost in all_paths(graph, 0.7 * scores, penalty=0.5):
        expected[np.arange(len(scores)), list(classes)] += math.exp(-posterior_scale * cost)
    expected /= expected.sum(axis=1, keepdims=True)
    flat = flatten(graph, 0.5)
    assert class_posteriors(flat, scores, 0.7, posterior_scale) == pytest.approx(expected, abs=1e-5)


def test_posteriors_do_not_depend_on_where_blocks_end(monkeypatch):
    graph, _ = small_case(1, 2, "hmm 2")
    scores = np.random.default_rng(0).normal(0, 2, (1300, graph.classes)).astype(np.float32)
    whole = class_posteriors(flatten(graph), scores)
    assert len(scores) > 2 * posteriors.BLOCK
    assert whole.sum(axis=1) == pytest.approx(1.0, abs=1e-5)
    near_the_end = class_posteriors(flatten(graph), scores[1000:])
    assert whole[1100:] == pytest.approx(near_the_end[100:], abs=1e-4)
    assert class_posteriors(flatten(graph), scores, beam=25.0) == pytest.approx(whole, abs=1e-4)


def test_scores_that_leave_no_path_a_probability_are_reported():
    """The first frame is, all but surely, of a state that no phone begins with."""
    graph, scores = small_case(0, 2, "hmm 2")
    scores[0, 1] = 2000.0
    with pytest.raises(InputError, match="check the audio"):
        class_posteriors(flatten(graph), scores)


def test_posteriors_of_too_few_frames_are_those_of_beginnings():
    graph, scores = small_case(0, 2, "hmm 2")
    found = class_posteriors(flatten(graph), scores[:1])
    assert found.sum() == pytest.approx(1.0)
    assert class_posteriors(flatten(graph), scores[:0]).shape == (0, graph.classes)


def distinct(paths):
    """The least cost of each phone sequence."""
    best = defaultdict(lambda: math.inf)
    for _, entered, cost in paths:
        phones = tuple(phone for phone, _ in entered)
        best[phones] = min(best[phones], cost)
    return best


@settings(max_examples=20, deadline=None)
@given(*CASES, st.sampled_from([1.0, 4.0, 200.0]))
def test_a_lattice_holds_every_sequence_within_the_beam_at_its_cost(seed, order, topology, beam):
    graph, scores = small_case(seed, order, topology)
    expected = distinct(all_paths(graph, 0.7 * scores, penalty=0.5))
    best = min(expected.values())
    paths = lattice(flatten(graph, 0.5), scores, 0.7, beam)
    found = n_best(paths, 10_000)
    costs = [hypothesis.cost for hypothesis in found]
    assert costs == pytest.approx(sorted(costs))
    named = {tuple(span.phone for span in hypothesis.phones): hypothesis.cost for hypothesis in found}
    assert len(named) == len(found)
    within = {phones: cost for phones, cost in expected.items() if cost < best + beam - 1e-6}
    assert {phones: named[phones] for phones in within} == pytest.approx(within, abs=1e-5)
    assert all(named[phones] >= expected[phones] - 1e-5 for phones in named)


@settings(max_examples=30, deadline=None)
@given(*CASES, st.integers(1, 12))
def test_a_short_list_is_the_beginning_of_a_long_one(seed, order, topology, count):
    graph, scores = small_case(seed, order, topology)
    paths = lattice(flatten(graph), scores, 0.2, 8.0)
    costs = [hypothesis.cost for hypothesis in n_best(paths, count)]
    assert costs == pytest.approx([hypothesis.cost for hypothesis in n_best(paths, 10_000)][:count])


@pytest.mark.parametrize("density", [5.0, 40.0])
def test_a_model_that_has_learned_nothing_gets_a_lattice_of_bounded_size(density):
    """Any phone may be anywhere, and the beam asked for leaves far more arcs."""
    graph = hmm(grammar(estimate([list(PHONES)] * 3, 3, PHONES), PHONES), 3, np.full(9, 0.5))
    scores = np.random.default_rng(0).normal(0, 0.2, (150, 9)).astype(np.float32)
    paths = lattice(flatten(graph, -2.0), scores, 1.0, 8.0, density)
    assert 0.4 * density * len(scores) < len(paths.phones) <= density * len(scores)
    assert paths.costs_to_end()[0] == pytest.approx(BeamSearch(graph, np.inf, -2.0).best_path(scores).cost)
    costs = [hypothesis.cost for hypothesis in n_best(paths, 100)]
    assert len(costs) == 100
    assert costs == sorted(costs)


def frame_classes(paths, arc):
    """The class of each frame of an arc."""
    runs = slice(paths.offsets[arc], paths.offsets[arc + 1])
    return np.repeat(paths.classes[runs], paths.lengths[runs])


def long_silence(frames, noise=0.3):
    """A graph of three states a phone, and scores of silence that is all but certain."""
    phones = ("sil", "aa", "b")
    ngrams = estimate([["sil", "aa", "b", "aa", "sil"], ["sil", "b", "sil"]] * 3, 2, phones)
    scores = np.random.default_rng(0).normal(0, noise, (frames, 9)).astype(np.float32)
    scores[:, :3] += 6
    return hmm(grammar(ngrams, phones), 3, np.full(9, 0.9)), scores


def test_what_a_long_silence_takes_is_bounded_by_the_arcs_not_by_their_frames():
    graph, scores = long_silence(600)
    paths = lattice(flatten(graph), scores, 0.5, 8.0)
    frames = paths.frames[paths.targets] - paths.frames[paths.sources]
    assert frames.mean() > 100
    assert len(paths.classes) <= 3 * len(paths.phones)
    assert [len(frame_classes(paths, arc)) for arc in range(len(paths.phones))] == frames.tolist()


def test_steps_through_an_even_silence_are_bounded_as_arcs_are(monkeypatch):
    """One more phone may begin in any frame, but no second one: from each frame tokens pass through all that follow."""
    taken = []

    def counted(*args):
        found = phone_arcs(*args)
        taken.append(found[3])
        return found

    monkeypatch.setattr("asr.decoding.lattice.lattice.phone_arcs", counted)
    graph, scores = long_silence(1000, noise=0.0)
    flat = flatten(graph, -2.0)
    whole = lattice(flat, scores, 1.0, 8.0)
    assert len(whole.phones) < 3 * len(scores)
    assert taken.pop() > 1000 * len(scores)
    narrowed = lattice(flat, scores, 1.0, 8.0, density=3.0)
    assert len(taken) > 1
    assert sum(taken) < STEPS * 3 * len(scores)
    assert n_best(narrowed, 1) == n_best(whole, 1)


def test_equally_good_paths_are_all_kept_however_many_arcs_they_have():
    graph = hmm(grammar(estimate([["aa"]], 1, PHONES), PHONES).weighted(0.0), 1, np.full(3, 0.5))
    paths = lattice(flatten(graph), np.zeros((4, 3), np.float32), 1.0, 8.0, density=0.5)
    assert len(n_best(paths, 1000)) == sum(3**length for length in range(1, 5))


def test_a_short_list_of_countless_equally_good_sequences_is_found_at_once():
    graph = hmm(grammar(estimate([["aa"]], 1, PHONES), PHONES).weighted(0.0), 1, np.full(3, 0.5))
    paths = lattice(flatten(graph), np.zeros((40, 3), np.float32), 1.0, 8.0, density=0.5)
    found = n_best(paths, 20)  # of 3 + 9 + ... + 3^40
    assert len({tuple(span.phone for span in hypothesis.phones) for hypothesis in found}) == 20
    assert {round(hypothesis.cost, 6) for hypothesis in found} == {round(40 * math.log(2), 6)}


@settings(max_examples=20, deadline=None)
@given(*CASES)
def test_arcs_add_up_to_paths_and_carry_their_alignment(seed, order, topology):
    """Each arc's costs are those of its own classes; and no arc lies on a path beyond the beam."""
    graph, scores = small_case(seed, order, topology)
    beam = 3.0
    paths = lattice(flatten(graph), scores, 0.7, beam)
    for arc in range(len(paths.phones)):
        classes = frame_classes(paths, arc)
        frames = np.arange(paths.frames[paths.sources[arc]], paths.frames[paths.targets[arc]])
        assert len(classes) == len(frames)
        assert paths.acoustic[arc] == pytest.approx(-scores[frames, classes].sum(dtype=np.float64), abs=1e-5)
    behind = paths.costs_to_end()
    before = np.full(len(behind), np.inf)
    before[0] = 0.0
    for source, target, cost in zip(paths.sources, paths.targets, paths.costs, strict=True):
        before[target] = min(before[target], before[source] + cost)
    through = before[paths.sources] + paths.costs + behind[paths.targets]
    assert through.max() <= behind[0] + beam + 1e-6
    assert behind[0] == pytest.approx(BeamSearch(graph, np.inf).best_path(scores, 0.7).cost, abs=1e-6)


def test_times_of_the_best_hypothesis_are_those_of_the_search():
    random, _, self_loops, graph = random_case(7, 3, 3)
    scores = random.normal(0, 3, (60, len(self_loops))).astype(np.float32)
    first, *others = n_best(lattice(flatten(graph), scores, 1.0, 6.0), 20)
    path = BeamSearch(graph, np.inf).best_path(scores)
    assert first.phones == path.phones
    assert first.cost == pytest.approx(path.cost)
    assert len(others) == 19
    for hypothesis in others:
        assert [span.first for span in hypothesis.phones] == [0, *(span.end for span in hypothesis.phones)][:-1]
        assert hypothesis.phones[-1].end == 60


def test_a_long_recording_whose_tokens_are_dropped_on_the_way_keeps_its_best_path():
    random, _, self_loops, graph = random_case(11, 3, 3)
    scores = random.normal(0, 2, (10_000, len(self_loops))).astype(np.float32)
    path = BeamSearch(graph, np.inf).best_path(scores)
    assert graph.states * len(scores) > 2 * 65_536  # far more tokens than there is room for at first
    (best,) = n_best(lattice(flatten(graph), scores, 1.0, 1e-6), 1)
    assert path.cost == pytest.approx(best.cost, rel=1e-12)
    assert path.phones == best.phones


def test_no_frames_and_too_few():
    graph, scores = small_case(0, 2, "hmm 2")
    (hypothesis,) = n_best(lattice(flatten(graph), scores[:0], 1.0, 8.0), 5)
    assert hypothesis.phones == []
    nothing = lattice(flatten(graph), scores[:1], 1.0, 8.0)
    assert len(nothing.phones) == 0
    assert n_best(nothing, 5) == []


def test_ctc_blanks_before_the_first_phone_are_part_of_the_lattice():
    graph = ctc(grammar(estimate([["aa", "b"]] * 3, 2, PHONES), PHONES), len(PHONES))
    scores = np.full((6, graph.classes), -20.0, np.float32)
    scores[[0, 1, 4, 5], 0] = scores[2, 1] = scores[3, 2] = 0.0
    first = n_best(lattice(flatten(graph), scores, 1.0, 5.0), 1)[0]
    assert [(span.phone, span.first) for span in first.phones] == [(0, 2), (1, 3)]
