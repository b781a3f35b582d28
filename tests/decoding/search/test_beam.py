"""Graph and beam search against exact searches, and what a path says about the frames."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.decoding.exact_search import best_by_enumeration, best_by_full_search, sentence_cost
from support.decoding.random_graphs import PHONES, random_case, spans

from asr.decoding.graph.build import build_graph
from asr.decoding.graph.flat_graph import flatten
from asr.decoding.graph.grammar import grammar
from asr.decoding.graph.topology import hmm
from asr.decoding.search.beam import BeamSearch
from asr.decoding.search.token_passing import Arrivals, Frontier, pull, push
from asr.errors import InputError
from asr.lm.arpa import write_arpa
from asr.lm.backoff import Ngrams
from asr.lm.ngram import estimate, train_ngram

WIDE = 1000.0


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), order=st.integers(1, 4), states=st.sampled_from([1, 2, 3]), extra=st.integers(0, 3))
def test_the_best_path_is_that_of_enumeration(seed, order, states, extra):
    random, ngrams, self_loops, graph = random_case(seed, order, states)
    scores = random.normal(0, 3, (states + extra, len(self_loops))).astype(np.float32)
    penalty = float(random.normal())
    expected, expected_spans = best_by_enumeration(ngrams, PHONES, states, self_loops, scores, penalty)
    path = BeamSearch(graph, WIDE, penalty).best_path(scores)
    assert path.complete
    assert path.cost == pytest.approx(expected, abs=1e-3)
    if not any(first == second for (first, *_), (second, *_) in itertools.pairwise(expected_spans)):
        assert spans(path) == expected_spans  # where a phone repeats, its boundary may be a tie


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), order=st.integers(1, 4), states=st.sampled_from([1, 3]), frames=st.integers(0, 12))
def test_phones_alone_are_those_of_the_path(seed, order, states, frames):
    random, _, self_loops, graph = random_case(seed, order, states)
    scores = random.normal(0, 4, (frames, len(self_loops))).astype(np.float32)
    for beam in (2.0, WIDE):
        search = BeamSearch(graph, beam, float(random.normal()))
        assert search.best_phones(scores, 0.7).tolist() == [each.phone for each in search.best_path(scores, 0.7).phones]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), order=st.integers(1, 4), states=st.sampled_from([1, 3]))
def test_beam_search_is_exact_when_wide_and_never_better_when_narrow(seed, order, states):
    random, _, self_loops, graph = random_case(seed, order, states)
    scores = random.normal(0, 4, (12, len(self_loops))).astype(np.float32)
    exact = best_by_full_search(graph, scores)
    costs = [
        path.cost for beam in (2.0, 8.0, 16.0, WIDE) if (path := BeamSearch(graph, beam).best_path(scores)).complete
    ]
    assert costs[-1] == pytest.approx(exact, abs=1e-3)
    assert min(costs) >= exact - 1e-3


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), order=st.integers(1, 3), states=st.sampled_from([1, 3]), share=st.floats(0.05, 1.0))
def test_tokens_that_are_pushed_and_pulled_arrive_alike(seed, order, states, share):
    """Whole numbers as costs, so that there are ties."""
    random, _, _, graph = random_case(seed, order, states)
    flat = flatten(graph)
    flat = flat._replace(costs=random.integers(0, 3, len(flat.costs)).astype(np.float64))
    active = np.flatnonzero(random.random(flat.states) < share).astype(np.int32)
    if not len(active):
        active = np.array([flat.start], np.int32)
    costs = np.full(flat.states, np.inf)
    costs[active] = random.integers(0, 4, len(active))
    now = Frontier(costs, np.zeros(flat.states, np.int32), active)
    frame_costs = random.integers(0, 3, flat.classes).astype(np.float64)
    found = []
    for way in ("push", "pull"):
        none = np.full(flat.states, -1, np.int32)
        following = Frontier(np.full(flat.states, np.inf), none.copy(), none.copy())
        arrivals = Arrivals(none.copy(), none.copy())
        if way == "push":
            count, _ = push(flat, frame_costs, np.inf, now, len(active), following, arrivals)
        else:
            count, _ = pull(flat.entering, frame_costs, np.inf, now, following, arrivals)
        reached = np.sort(following.states[:count])
        found.append([values.tolist() for values in (following.costs, reached, *arrivals)])
    assert found[0] == found[1]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), frames=st.integers(1, 20), states=st.sampled_from([1, 3]))
def test_phones_are_contiguous_and_made_of_their_own_states(seed, frames, states):
    random, _, self_loops, graph = random_case(seed, 2, states)
    path = BeamSearch(graph, 16.0).best_path(random.normal(0, 4, (frames, len(self_loops))).astype(np.float32))
    assert [span.first for span in path.phones] == [0, *(span.end for span in path.phones)][:-1]
    assert path.phones[-1].end == frames == len(path.classes)
    for span in path.phones:
        own = path.classes[span.first : span.end]
        assert (own // states == span.phone).all()
        assert own[0] % states == 0
        assert (np.diff(own) >= 0).all()


def test_a_repeated_phone_of_one_state_is_two_phones():
    ngrams = estimate([["aa", "aa"]] * 20, 2, PHONES)
    graph = hmm(grammar(ngrams, PHONES), 1, np.full(3, 0.01))
    scores = np.array([[5.0, -5, -5]] * 2, np.float32)
    assert spans(BeamSearch(graph, 16.0).best_path(scores)) == [(0, 0, 1), (0, 1, 2)]


def test_an_unseen_phone_is_recognised_where_the_frames_say_so():
    _, _, _, graph = random_case(1, 3, 1)
    scores = np.full((6, 3), -30.0, np.float32)
    scores[:3, 0] = scores[3:, 2] = 0
    assert spans(BeamSearch(graph, 100.0).best_path(scores)) == [(0, 0, 3), (2, 3, 6)]


def test_a_higher_insertion_penalty_never_gives_more_phones():
    random, _, self_loops, graph = random_case(3, 2, 1)
    scores = random.normal(0, 3, (40, len(self_loops))).astype(np.float32)
    counts = [
        len(BeamSearch(graph, WIDE, penalty).best_path(scores).phones) for penalty in (-4.0, -1.0, 0.0, 2.0, 8.0, 30.0)
    ]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[-1]


def test_no_frames_give_no_phones():
    _, _, self_loops, graph = random_case(0, 2, 3)
    path = BeamSearch(graph, 16.0).best_path(np.zeros((0, len(self_loops)), np.float32))
    assert path.phones == []
    assert path.complete


def test_fewer_frames_than_states_give_the_best_beginning():
    _, _, self_loops, graph = random_case(0, 2, 3)
    scores = np.zeros((2, len(self_loops)), np.float32)
    scores[:, 3:5] = 10
    path = BeamSearch(graph, 16.0).best_path(scores)
    assert not path.complete
    assert spans(path) == [(1, 0, 2)]
    assert path.classes.tolist() == [3, 4] or path.classes.tolist() == [3, 3]


def test_one_search_serves_utterance_after_utterance():
    random, _, self_loops, graph = random_case(5, 2, 3)
    search = BeamSearch(graph, 16.0)
    utterances = [random.normal(0, 3, (frames, len(self_loops))).astype(np.float32) for frames in (30, 1, 0, 12)]
    once = [search.best_path(scores).cost for scores in utterances]
    assert once == [BeamSearch(graph, 16.0).best_path(scores).cost for scores in utterances]


def test_scores_that_do_not_fit_are_refused():
    _, _, self_loops, graph = random_case(0, 2, 1)
    search = BeamSearch(graph, 16.0)
    with pytest.raises(InputError, match="not finite"):
        search.best_path(np.full((3, len(self_loops)), np.nan, np.float32))
    with pytest.raises(ValueError, match="3 classes"):
        search.best_path(np.zeros((3, 2), np.float32))


def test_graph_of_a_file_has_even_self_loops_by_default(tmp_path):
    path = tmp_path / "lm.arpa"
    ngrams = train_ngram([["aa", "b"], ["b"]], 2, PHONES, path)
    scores = np.random.default_rng(0).normal(0, 3, (10, 9)).astype(np.float32)
    built = BeamSearch(build_graph(path, PHONES, 3), WIDE).best_path(scores)
    direct = BeamSearch(hmm(grammar(ngrams, PHONES), 3, np.full(9, 0.5)), WIDE).best_path(scores)
    assert built.cost == pytest.approx(direct.cost, abs=1e-4)


def test_a_language_model_of_another_phone_set_is_named(tmp_path):
    path = tmp_path / "lm.arpa"
    train_ngram([["aa"]], 2, ("aa", "b"), path)
    with pytest.raises(InputError, match=r"lm\.arpa.*'zh' has no unigram"):
        build_graph(path, PHONES, 1)
    with pytest.raises(InputError, match=r"lm\.arpa.*'b'.*not in the phone set"):
        build_graph(path, ("aa",), 1)


def acceptor_cost(fst, labels):
    """The cost of a label sequence in an acceptor."""
    import kaldifst

    linear = kaldifst.make_linear_acceptor(labels)
    best = kaldifst.shortest_path(kaldifst.compose(linear, fst))
    return kaldifst.get_linear_symbol_sequence(best)[3].value


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), order=st.integers(1, 4))
def test_grammar_costs_what_kaldis_compiler_says(tmp_path_factory, seed, order):
    kaldilm, kaldifst = pytest.importorskip("kaldilm"), pytest.importorskip("kaldifst")
    folder = tmp_path_factory.mktemp("lm")
    random, ngrams, _, _ = random_case(seed, order, 1)
    write_arpa(folder / "lm.arpa", ngrams)
    symbols = ["<eps>", *PHONES, "<s>", "</s>", "#0"]
    (folder / "symbols").write_text("".join(f"{symbol} {label}\n" for label, symbol in enumerate(symbols)))
    text = kaldilm.arpa2fst(
        str(folder / "lm.arpa"), disambig_symbol="#0", read_symbol_table=str(folder / "symbols"), max_arpa_warnings=0
    )
    rows = [line.split() for line in text.splitlines() if line.strip()]
    rows = [[*row[:2], "0", "0", *row[4:]] if row[2:3] == ["6"] else row for row in rows]
    theirs = kaldifst.compile("\n".join(" ".join(row) for row in rows))
    kaldifst.arcsort(theirs)
    sentence = random.integers(0, len(PHONES), 6)
    expected = sentence_cost(ngrams, [PHONES[phone] for phone in sentence])
    assert acceptor_cost(theirs, [int(phone) + 1 for phone in sentence]) == pytest.approx(expected, abs=1e-3)
    scores = np.full((len(sentence), len(PHONES)), -1000.0, np.float32)
    scores[np.arange(len(sentence)), sentence] = 0
    graph = hmm(grammar(ngrams, PHONES), 1, np.full(3, 1e-9))
    assert BeamSearch(graph, WIDE).best_path(scores).cost == pytest.approx(expected, abs=1e-3)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), order=st.integers(1, 4))
def test_a_path_costs_what_the_model_says_up_to_order_two_and_at_most_that_above(seed, order):
    random, ngrams, _, _ = random_case(seed, order, 1)
    sentence = [PHONES[phone] for phone in random.integers(0, len(PHONES), 6)]
    symbols = ("<s>", *sentence, "</s>")
    model = -sum(ngrams.log_probability(symbols[:place], symbols[place]) for place in range(1, len(symbols)))
    cost = sentence_cost(ngrams, sentence)
    assert cost == pytest.approx(model) if order <= 2 else cost <= model + 1e-9


def test_pruned_models_with_idle_back_offs_keep_their_weights():
    """A bigram's back-off weight counts even where no trigram extends it."""
    half = math.log(0.5)
    ngrams = Ngrams(
        3,
        {("<s>",): -math.inf, ("aa",): half, ("</s>",): half, ("<s>", "aa"): half, ("aa", "</s>"): half},
        {("<s>",): -10.0, ("aa",): -2.0, ("<s>", "aa"): -3.0},
    )
    graph = hmm(grammar(ngrams, ("aa",)), 1, np.full(1, 1e-9))
    path = BeamSearch(graph, WIDE).best_path(np.zeros((1, 1), np.float32))
    assert path.cost == pytest.approx(-half + 3.0 - half, abs=1e-5)


def test_a_phone_that_the_model_rules_out_is_never_recognised():
    ngrams = estimate([["aa", "b"]], 1, PHONES)
    ngrams.probabilities[("zh",)] = -math.inf
    graph = hmm(grammar(ngrams, PHONES), 1, np.full(3, 0.5))
    scores = np.zeros((8, 3), np.float32)
    scores[:, 2] = 10
    assert {span.phone for span in BeamSearch(graph, WIDE).best_path(scores).phones} <= {0, 1}
