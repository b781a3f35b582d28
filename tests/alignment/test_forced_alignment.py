"""Forced alignment against brute force, torchaudio's CTC aligner and kaldi_decoder."""

import itertools
import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.alignment.forced_alignment import Classes, force_align
from asr.alignment.graph import AlignmentGraph, Item, build_alignment_graph
from asr.alignment.posterior import boundary_posteriors
from asr.alignment.viterbi import best_path
from asr.errors import InputError

PHONES = 3
seeds = st.integers(0, 2**32 - 1)


def _scores(seed: int, frames: int, classes: int) -> npt.NDArray[np.float32]:
    logits = 3 * np.random.default_rng(seed).standard_normal((frames, classes))
    return (logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))).astype(np.float32)


def _loops(classes: int) -> npt.NDArray[np.float64]:
    return np.linspace(0.3, 0.8, classes)


def _moves(graph: AlignmentGraph) -> dict[tuple[int, int], float]:
    """The cost of each move from one state to another."""
    targets = np.repeat(np.arange(len(graph)), np.diff(graph.first)).tolist()
    return dict(zip(zip(graph.sources.tolist(), targets, strict=True), graph.costs.tolist(), strict=True))


def _paths(graph: AlignmentGraph, frames: int) -> list[tuple[int, ...]]:
    """Every path of so many frames through a graph, by trying all sequences of states."""
    allowed = _moves(graph)
    return [
        path
        for path in itertools.product(range(len(graph)), repeat=frames)
        if np.isfinite(graph.starts[path[0]])
        and np.isfinite(graph.finals[path[-1]])
        and all(step in allowed for step in itertools.pairwise(path))
    ]


def _score(path: tuple[int, ...], scores: npt.NDArray[np.float32], graph: AlignmentGraph) -> float:
    total = -graph.starts[path[0]] - graph.finals[path[-1]]
    total += sum(float(scores[frame, graph.classes[state]]) for frame, state in enumerate(path))
    total -= sum(_moves(graph)[move] for move in itertools.pairwise(path))
    return float(total)


GRAPHS: list[tuple[str, list[Item], str, int]] = [
    ("hmm of one state", [0, 1, 0], "hmm", 1),
    ("hmm of three states", [2, 2], "hmm", 3),
    ("optional phones", [[[0], []], 1, [[2], []]], "hmm", 1),
    ("pronunciations", [[[0, 1], [2]], [[0], [1, [[2], []]]]], "hmm", 1),
    ("ctc", [0, 1], "ctc", 1),
    ("ctc with a repeat", [1, 1], "ctc", 1),
    ("ctc with a choice", [[[0], []], [[1], [0]]], "ctc", 1),
]


def _graph(items: list[Item], topology: str, states: int) -> AlignmentGraph:
    classes = PHONES * states + (topology == "ctc")
    return build_alignment_graph(items, topology, states, _loops(classes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("items", "topology", "states"), [case[1:] for case in GRAPHS], ids=[case[0] for case in GRAPHS]
)
def test_best_path_is_the_best_of_all_paths(items: list[Item], topology: str, states: int) -> None:
    graph = _graph(items, topology, states)
    frames = 7 if len(graph) == 6 and states == 3 else 5
    paths = _paths(graph, frames)
    assert paths
    for seed in range(3):
        scores = _scores(seed, frames, PHONES * states + 1)
        found = best_path(scores, graph)
        everything = [_score(path, scores, graph) for path in paths]
        assert found.score == pytest.approx(max(everything), abs=1e-5)
        assert tuple(found.states) in paths
        assert _score(tuple(found.states), scores, graph) == pytest.approx(found.score, abs=1e-5)


def test_a_beam_that_keeps_many_states_finds_the_same_path() -> None:
    """Its back pointers outgrow their first array."""
    phones = np.random.default_rng(0).integers(0, 4, 80).tolist()
    graph = build_alignment_graph(phones, "hmm", 3, _loops(12))
    scores = _scores(0, 700, 12)
    whole, beamed = best_path(scores, graph), best_path(scores, graph, beam=1000)
    assert (beamed.states == whole.states).all()
    assert beamed.score == whole.score


@pytest.mark.parametrize(
    ("items", "topology", "states"), [([0, 1, 2], "hmm", 1), ([0, 1, 1], "ctc", 1), ([2, 0], "hmm", 1)]
)
def test_boundaries_are_quantiles_over_all_paths(items: list[Item], topology: str, states: int) -> None:
    """The median, and an interval of 95 %; a path weighs by a fifth of its acoustic score."""
    graph, frames = _graph(items, topology, states), 6
    scores = _scores(11, frames, PHONES * states + 1)
    paths = _paths(graph, frames)
    weights = np.exp([_score(path, (0.2 * scores).astype(np.float32), graph) for path in paths])
    weights /= weights.sum()
    units = graph.units[np.array(paths)]
    found = boundary_posteriors(scores, graph, _first_frames(scores, graph))
    assert len(found.median) == len(items) + 1
    for number in range(1, len(items)):
        # The probability that a frame is not yet past the end of one phone, and not yet in the next.
        within = [weights[[_last(path, number - 1) >= t for path in units]].sum() for t in range(frames)]
        before = [weights[[_first(path, number) > t for path in units]].sum() for t in range(frames)]
        for edges, quantile in ((found.median, 0.5), (found.low, 0.025), (found.high, 0.975)):
            expected = (_cross(within, 1 - quantile) + _cross(before, 1 - quantile)) / 2
            assert edges[number] == pytest.approx(expected, abs=1e-6)


def _first_frames(scores: npt.NDArray[np.float32], graph: AlignmentGraph) -> npt.NDArray[np.int64]:
    units = graph.units[best_path(scores, graph).states]
    return np.array([_first(units, unit) for unit in np.unique(units[units >= 0])])


def _last(units: npt.NDArray[np.int64], unit: int) -> int:
    return int(np.flatnonzero(units == unit)[-1])


def _first(units: npt.NDArray[np.int64], unit: int) -> int:
    return int(np.flatnonzero(units == unit)[0])


def _cross(remaining: list[float], level: float) -> float:
    values, times = [1.0, *remaining, 0.0], [t - 0.5 for t in range(len(remaining) + 2)]
    return float(np.interp(-level, -np.array(values), times))


@given(seed=seeds, frames=st.integers(8, 30), phones=st.lists(st.integers(0, 3), min_size=1, max_size=4))
def test_ctc_equals_torchaudio(seed: int, frames: int, phones: list[int]) -> None:
    import torch
    import torchaudio

    scores = _scores(seed, frames, 5)
    graph = build_alignment_graph(phones, "ctc", 1, np.full(5, 0.5))
    found = best_path(scores, graph)
    targets = torch.tensor([[phone + 1 for phone in phones]], dtype=torch.int32)
    labels, theirs = torchaudio.functional.forced_align(torch.from_numpy(scores)[None], targets, blank=0)
    assert found.score == pytest.approx(float(theirs.sum()), abs=1e-3)
    if graph.classes[found.states].tolist() != labels[0].tolist():  # two paths may score the same
        own = scores[np.arange(frames), graph.classes[found.states]].sum()
        assert own == pytest.approx(float(theirs.sum()), abs=1e-3)


@given(seed=seeds, frames=st.integers(9, 30), phones=st.lists(st.integers(0, 3), min_size=1, max_size=3))
def test_hmm_equals_kaldi_decoder(seed: int, frames: int, phones: list[int]) -> None:
    import kaldi_decoder
    import kaldifst

    loops, scores = _loops(12), _scores(seed, frames, 12)
    fst = kaldifst.StdVectorFst()
    fst.start = fst.add_state()
    leave, number = 0.0, 0
    for label in (3 * phone + state for phone in phones for state in range(3)):
        fst.add_state()
        fst.add_arc(number, kaldifst.StdArc(label + 1, 0, leave, number + 1))
        number += 1
        fst.add_arc(number, kaldifst.StdArc(label + 1, 0, -math.log(loops[label]), number))
        leave = -math.log1p(-loops[label])
    fst.set_final(number, leave)
    graph = kaldifst.StdConstFst(fst)  # the decoder keeps no reference to it
    decoder = kaldi_decoder.FasterDecoder(graph, kaldi_decoder.FasterDecoderOptions(beam=1e6))
    decoder.decode(kaldi_decoder.DecodableCtc(scores))
    _, lattice = decoder.get_best_path()
    _, labels, _, weight = kaldifst.get_linear_symbol_sequence(lattice)
    classes = Classes("hmm", 3, np.ones(12), loops)
    found = best_path(scores, classes.graph(phones))
    assert found.score == pytest.approx(-(weight.value1 + weight.value2), abs=1e-3)
    assert (force_align(scores, phones, classes).classes == np.array(labels) - 1).mean() > 0.9


def test_finds_what_was_put_into_the_scores() -> None:
    labels = np.repeat([0, 1, 2, 3, 4, 5, 0, 1, 2], [4, 3, 5, 2, 6, 3, 3, 4, 2])
    scores = np.full((len(labels), 9), np.log(0.01), np.float32)
    scores[np.arange(len(labels)), labels] = np.log(0.92)
    found = force_align(scores, [0, 1, 0], Classes("hmm", 3, np.full(9, 1 / 9), np.full(9, 0.7)))
    assert found.phones.tolist() == [0, 1, 0]
    assert found.classes.tolist() == labels.tolist()
    assert found.first_frames.tolist() == [0, 12, 23]
    assert found.boundaries.median == pytest.approx([0, 12, 23, 32], abs=0.3)
    assert found.scores == pytest.approx([0.92] * 3, abs=1e-4)


def test_ctc_boundaries_lie_halfway_between_the_phones() -> None:
    labels = np.repeat([0, 1, 0, 2, 0, 2, 0], [6, 1, 5, 2, 4, 1, 3])
    scores = np.full((len(labels), 3), np.log(1e-9), np.float32)
    scores[np.arange(len(labels)), labels] = np.log(1 - 2e-9)
    found = force_align(scores, [0, 1, 1], Classes("ctc", 1, np.full(3, 1 / 3), np.full(3, 0.5)))
    assert found.classes.tolist() == labels.tolist()
    assert found.first_frames.tolist() == [6, 12, 18]
    assert found.boundaries.median == pytest.approx([6, (7 + 12) / 2, (14 + 18) / 2, 19], abs=0.1)
    assert found.scores == pytest.approx([1, 1, 1], abs=1e-4)


def test_pronunciations_and_silences_are_chosen_by_the_audio() -> None:
    labels = np.repeat([2, 0, 1], 5)
    scores = np.full((15, 3), np.log(0.05), np.float32)
    scores[np.arange(15), labels] = np.log(0.9)
    classes = Classes("hmm", 1, np.full(3, 1 / 3), np.full(3, 0.8))
    silence = [[2], []]
    found = force_align(scores, [silence, [[1, 0], [0, 1]], silence], classes)
    assert found.phones.tolist() == [2, 0, 1]
    assert found.items.tolist() == [0, 1, 1]


@given(seed=seeds, phones=st.lists(st.integers(0, 3), min_size=1, max_size=5), topology=st.sampled_from(["hmm", "ctc"]))
def test_boundaries_are_in_order_and_inside(seed: int, phones: list[int], topology: str) -> None:
    scores = _scores(seed, 40, 13)
    states = 3 if topology == "hmm" else 1
    found = force_align(scores, phones, Classes(topology, states, np.full(13, 1 / 13), _loops(13)))  # type: ignore[arg-type]
    edges = found.boundaries
    assert found.phones.tolist() == phones
    for times in (edges.median, edges.low, edges.high):
        assert (np.diff(times) >= 0).all()
        assert times[0] >= 0
        assert times[-1] <= 40
    assert (edges.low[1:-1] <= edges.median[1:-1] + 1e-9).all()
    assert (edges.median[1:-1] <= edges.high[1:-1] + 1e-9).all()
    assert ((found.scores > 0) & (found.scores <= 1)).all()


@pytest.mark.parametrize(("topology", "states"), [("hmm", 3), ("hmm", 1), ("ctc", 1)])
def test_boundaries_do_not_depend_on_the_band(monkeypatch: pytest.MonkeyPatch, topology: str, states: int) -> None:
    phones = np.random.default_rng(1).integers(0, 4, 60).tolist()
    graph = build_alignment_graph(phones, topology, states, _loops(13))  # type: ignore[arg-type]
    scores = _scores(3, 400, 13)
    said = best_path(scores, graph).states
    scores[np.arange(400), graph.classes[said]] += 5  # as of speech, which is where it is said to be
    first_frames = _first_frames(scores, graph)
    monkeypatch.setattr("asr.alignment.posterior.BAND", 10**6)
    whole = boundary_posteriors(scores, graph, first_frames)
    monkeypatch.setattr("asr.alignment.posterior.BAND", len(graph) // 2)
    banded = boundary_posteriors(scores, graph, first_frames)
    for name in ("median", "low", "high"):
        assert getattr(banded, name) == pytest.approx(getattr(whole, name), abs=0.05)


def test_too_few_frames_and_bad_scores_are_named() -> None:
    classes = Classes("hmm", 3, np.full(9, 1 / 9), np.full(9, 0.5))
    with pytest.raises(InputError, match="5 frames are too few"):
        force_align(_scores(0, 5, 9), [0, 1], classes)
    with pytest.raises(InputError, match="too few"):
        force_align(_scores(0, 0, 9), [0], classes)
    with pytest.raises(InputError, match="2 frames are too few"):
        best_path(_scores(0, 2, 4), build_alignment_graph([1, 1], "ctc", 1, np.full(4, 0.5)))
    with pytest.raises(InputError, match="no phones"):
        force_align(_scores(0, 5, 9), [[[0], []][1:]], classes)
    broken = _scores(0, 9, 9)
    broken[4, 4] = np.nan
    with pytest.raises(InputError, match="not finite"):
        force_align(broken, [0], classes)
