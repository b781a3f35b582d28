"""The race of tuning's points."""

import numpy as np
import pytest

from asr.decoding.race import BLOCK, race


def run(errors):
    """What `race` returns for errors [candidates, tasks], and how many of them it asked for."""
    asked = 0

    def some(candidates, tasks):
        nonlocal asked
        asked += len(candidates) * len(tasks)
        return errors[np.ix_(candidates, tasks)]

    return race(some, *errors.shape, "racing"), asked


def noisy(means, tasks, seed=0):
    """Errors of candidates in tasks that are hard or easy for all of them alike."""
    random = np.random.default_rng(seed)
    return random.poisson(np.asarray(means)[:, None] + random.integers(0, 10, tasks)[None])


def test_the_best_stays_and_most_of_the_work_is_spared():
    for seed in range(20):
        errors = noisy([10, 9, 8, 8.5, *np.linspace(11, 30, 30)], 300, seed)
        found, asked = run(errors)
        totals = errors.sum(axis=1)
        assert totals.argmin() in found
        assert found == {number: totals[number] for number in found}
        assert asked < errors.size / 3


def test_few_tasks_spare_nobody():
    errors = noisy(range(20), BLOCK)
    found, asked = run(errors)
    assert list(found) == list(range(20))
    assert asked == errors.size


def test_equals_stay_together():
    errors = np.repeat(noisy([3], 200), 3, axis=0)
    assert list(run(errors)[0]) == [0, 1, 2]


def test_a_race_is_always_the_same():
    errors = noisy(np.linspace(5, 9, 12), 200)
    assert run(errors) == run(errors)


def test_candidates_that_are_worse_by_chance_alone_are_not_given_up():
    """Each is a tenth of an error better than the next: a hundred tasks cannot tell them apart."""
    found, _ = run(noisy([5, 5.1, 5.2], 100))
    assert list(found) == [0, 1, 2]


def test_the_order_of_the_tasks_decides_nothing():
    """The second is far behind in the first half, and better in all."""
    halves = np.repeat([0, 10], 100)
    found, _ = run(np.stack([halves, np.full(200, 4)]) + noisy([3, 3], 200))
    assert 1 in found


def test_shows_how_far_it_is(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    monkeypatch.setattr("asr.progress.SECONDS_BETWEEN_LOG_LINES", 0)
    with caplog.at_level("INFO", "asr"):
        run(noisy([5, 6], 2 * BLOCK + 1))
    assert caplog.messages == ["racing: 0 of 3", "racing: 1 of 3", "racing: 2 of 3"]
