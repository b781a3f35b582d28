"""The best path of known phones through CTC's scores, against the search without a beam."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asr.alignment.graph import build_alignment_graph
from asr.alignment.viterbi import best_path
from asr.decoding.search.forced_path import forced_path
from asr.errors import InputError

CLASSES = 4


def random_scores(seed: int, frames: int, classes: int = CLASSES) -> np.ndarray:
    logits = np.random.default_rng(seed).normal(0, 2, (frames, classes))
    return (logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)).astype(np.float32)


@settings(max_examples=200, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    frames=st.integers(1, 30),
    phones=st.lists(st.integers(0, CLASSES - 2), min_size=1, max_size=12),
    beam=st.sampled_from([0.1, 1.0, 200.0, float("inf")]),
)
def test_it_is_the_path_of_the_exact_search(seed: int, frames: int, phones: list[int], beam: float) -> None:
    scores = random_scores(seed, frames)
    graph = build_alignment_graph(phones, "ctc", 1, np.zeros(0))
    if frames < len(phones) + sum(one == two for one, two in pairwise(phones)):
        with pytest.raises(InputError, match=f"{frames} frames are too few for its phones"):
            forced_path(scores, phones, beam)
        return
    exact = best_path(scores, graph)
    path = forced_path(scores, phones, beam)
    assert [span.phone for span in path.phones] == phones
    assert path.cost == pytest.approx(-scores[np.arange(frames), path.classes].sum(dtype=np.float64))
    if beam >= 200:
        np.testing.assert_array_equal(path.classes, graph.classes[exact.states])
    else:
        assert -path.cost <= exact.score + 1e-6


def test_of_equal_paths_it_is_the_one_that_moves_on_early() -> None:
    scores = np.zeros((5, CLASSES), np.float32)
    graph = build_alignment_graph([0, 1], "ctc", 1, np.zeros(0))
    assert forced_path(scores, [0, 1]).classes.tolist() == [1, 2, 2, 2, 2]
    assert graph.classes[best_path(scores, graph).states].tolist() == [1, 2, 2, 2, 2]


def test_no_phones_are_blanks_and_no_frames_nothing() -> None:
    assert forced_path(random_scores(0, 3), []).classes.tolist() == [0, 0, 0]
    assert forced_path(random_scores(0, 0), []).phones == []


def test_scores_that_leave_too_much_open_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asr.alignment.viterbi.MOST_BACK_POINTERS", 1000)
    even = np.full((200, CLASSES), np.log(1 / CLASSES), np.float32)
    assert forced_path(even, [0, 1]).complete
    with pytest.raises(InputError, match="200 frames and 21 states are too many to align at once; cut the audio"):
        forced_path(even, 5 * [0, 1])
    with pytest.raises(InputError, match="200 frames and 21 states are too many to align at once; cut the audio"):
        best_path(even, build_alignment_graph(5 * [0, 1], "ctc", 1, np.zeros(0)))


def test_a_beam_that_loses_every_path_is_widened() -> None:
    """The first phone is most probable in all frames, and the second must be there all the same."""
    scores = np.full((50, CLASSES), -400.0, np.float32)
    scores[:, 1] = 0.0
    assert [span.phone for span in forced_path(scores, [0, 1], beam=0.5).phones] == [0, 1]


def test_an_hour_needs_memory_for_few_of_its_states(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a beam each of its frames would need a byte for 45,001 states."""
    random = np.random.default_rng(0)
    frames = 180_000  # an hour of 20 ms
    classes = np.zeros(frames, np.int64)
    classes[::8] = 1 + random.integers(0, CLASSES - 1, len(classes[::8]))
    scores = np.full((frames, CLASSES), -9.0, np.float32)
    scores[np.arange(frames), classes] = -0.01
    monkeypatch.setattr("asr.alignment.viterbi.MOST_BACK_POINTERS", 100 * frames)
    path = forced_path(scores, (classes[::8] - 1).tolist())
    np.testing.assert_array_equal(path.classes, classes)
