"""Free recognition of phones, against brute force."""

import itertools

import numpy as np
import pytest

from asr.alignment.free_phones import INSERTION_COST, free_ctc_phones, free_hmm_phones

PHONES = 2


def _cost(path: tuple[int, ...], loops: np.ndarray, states: int) -> float:
    """The cost of a sequence of classes, and inf where it is not one of whole phones in any order."""
    total = 0.0
    for before, after in itertools.pairwise(path):
        last = before % states == states - 1
        if before == after:
            total -= np.log(loops[before])
        elif after == before + 1 and not last:
            total -= np.log1p(-loops[before])
        elif last and after % states == 0:
            total += INSERTION_COST - np.log1p(-loops[before])
        else:
            return float("inf")
    return total if path[0] % states == 0 and path[-1] % states == states - 1 else float("inf")


@pytest.mark.parametrize("states", [1, 2])
@pytest.mark.parametrize("seed", range(5))
def test_it_is_the_best_of_all_paths(states: int, seed: int) -> None:
    rng, classes, frames = np.random.default_rng(seed), PHONES * states, 6
    scores = rng.normal(0, 6, (frames, classes)).astype(np.float32)
    loops = rng.uniform(0.2, 0.8, classes)
    paths = itertools.product(range(classes), repeat=frames)
    gains = {
        path: sum(scores[frame, label] for frame, label in enumerate(path)) - _cost(path, loops, states)
        - np.log(1 / (1 - loops[path[-1]]))
        for path in paths
    }  # fmt: skip
    best = max(gains, key=lambda path: gains[path])
    changes = [
        0,
        *(frame for frame in range(1, frames) if best[frame] != best[frame - 1] and best[frame] % states == 0),
    ]
    phones, begins = free_hmm_phones(scores, states, loops)
    assert begins.tolist() == changes
    assert phones.tolist() == [best[frame] // states for frame in changes]


def test_no_frames_have_no_phones() -> None:
    assert [len(each) for each in free_hmm_phones(np.zeros((0, 4), np.float32), 2, np.full(4, 0.5))] == [0, 0]
    assert [len(each) for each in free_ctc_phones(np.zeros((0, 4), np.float32))] == [0, 0]


def test_ctc_phones_are_the_runs_between_blanks() -> None:
    scores = np.eye(4, dtype=np.float32)[[0, 1, 1, 0, 1, 3, 3, 0]]
    phones, begins = free_ctc_phones(scores)
    assert phones.tolist() == [0, 0, 2]
    assert begins.tolist() == [1, 4, 5]
