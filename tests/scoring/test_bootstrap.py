from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.scoring.bootstrap import MOST_BLOCKS, Counted, intervals, paired_interval


def interval(errors: Counted, phones: Counted, samples: int, seed: int) -> tuple[float, float]:
    """That of one system."""
    return intervals([errors], [phones], samples, seed)[0]


BLOCKS = st.lists(st.tuples(st.integers(0, 50), st.integers(1, 100)), min_size=1, max_size=12)


@given(BLOCKS)
def test_the_interval_lies_within_the_blocks_rates(blocks: list[tuple[int, int]]) -> None:
    errors, phones = zip(*blocks, strict=True)
    low, high = interval(errors, phones, 50, seed=0)
    rates = [100 * error / phone for error, phone in blocks]
    assert min(rates) - 1e-9 <= low <= high <= max(rates) + 1e-9


def test_equal_blocks_leave_no_doubt() -> None:
    assert interval([3] * 8, [10] * 8, 100, seed=0) == (30.0, 30.0)


def test_the_seed_fixes_it() -> None:
    errors, phones = list(range(30)), [40 + error for error in range(30)]
    assert interval(errors, phones, 2500, seed=1) == interval(errors, phones, 2500, seed=1)
    assert interval(errors, phones, 2500, seed=1) != interval(errors, phones, 2500, seed=2)


def test_it_covers_as_the_normal_approximation_does() -> None:
    generator = np.random.default_rng(0)
    errors = generator.binomial(100, 0.3, size=400)
    low, high = interval(errors.tolist(), [100] * 400, 10000, seed=0)
    rate, deviation = errors.mean(), errors.std() / 20
    np.testing.assert_allclose((low, high), (rate - 1.96 * deviation, rate + 1.96 * deviation), atol=0.02)


@given(BLOCKS)
def test_a_system_does_not_differ_from_itself(blocks: list[tuple[int, int]]) -> None:
    errors, phones = zip(*blocks, strict=True)
    assert paired_interval(errors, errors, phones, 50, seed=0) == ((0.0, 0.0), 0.5)


@given(BLOCKS, st.lists(st.integers(0, 50), min_size=12, max_size=12))
def test_the_order_of_two_systems_turns_the_difference_round(blocks: list[tuple[int, int]], other: list[int]) -> None:
    errors, phones = zip(*blocks, strict=True)
    second = other[: len(errors)]
    (low, high), improvement = paired_interval(errors, second, phones, 50, seed=0)
    (other_low, other_high), other_improvement = paired_interval(second, errors, phones, 50, seed=0)
    np.testing.assert_allclose((low, high, improvement), (-other_high, -other_low, 1 - other_improvement), atol=1e-9)


def test_what_is_hard_for_both_cancels_out() -> None:
    generator = np.random.default_rng(0)
    first = generator.integers(10, 60, size=30)
    second = first - generator.integers(0, 4, size=30)
    phones = [100] * 30
    (low, high), improvement = paired_interval(first.tolist(), second.tolist(), phones, 2000, seed=0)
    assert high < 0
    assert improvement == 1.0
    alone = interval(first.tolist(), phones, 2000, seed=0)
    assert high - low < (alone[1] - alone[0]) / 5


def test_the_paired_interval_is_that_of_every_possible_draw() -> None:
    first, second, phones = [3, 9, 4], [5, 6, 1], [10, 20, 30]
    rates = []
    for draw in product(range(3), repeat=3):
        errors = sum(second[block] - first[block] for block in draw)
        rates.append(100 * errors / sum(phones[block] for block in draw))
    exact = np.mean([(rate < 0) + 0.5 * (rate == 0) for rate in rates])
    (low, high), improvement = paired_interval(first, second, phones, 20000, seed=0)
    assert improvement == pytest.approx(exact, abs=0.01)
    assert (low, high) == pytest.approx((min(rates), max(rates)))  # 1 draw in 27 each: beyond 2.5 and 97.5%


@pytest.mark.parametrize("samples", [999, 1000, 1001, 2500])
def test_drawing_in_parts_draws_the_same_number_of_the_same(samples: int) -> None:
    errors, phones = [3, 9, 4, 0, 7], [10, 20, 30, 12, 9]
    draws = np.random.default_rng(3).multinomial(5, [0.2] * 5, size=samples)
    rates = 100 * (draws @ errors) / (draws @ phones)
    assert interval(errors, phones, samples, seed=3) == pytest.approx(tuple(np.quantile(rates, [0.025, 0.975])))


def test_several_systems_have_the_same_draws() -> None:
    errors, phones = list(range(30)), [40 + error for error in range(30)]
    both = intervals([errors, errors[::-1]], [phones, phones[::-1]], 2500, seed=1)
    assert both == [interval(errors, phones, 2500, seed=1), interval(errors[::-1], phones[::-1], 2500, seed=1)]


def test_many_blocks_are_resampled_in_groups_with_the_same_width() -> None:
    generator = np.random.default_rng(0)
    errors = generator.binomial(40, 0.3, size=MOST_BLOCKS + 1)
    phones = np.full(len(errors), 40)
    [(low, high)] = intervals([errors], [phones], 2000, seed=0)
    rate, deviation = errors.sum() / phones.sum(), errors.std() / 40 / np.sqrt(len(errors))
    np.testing.assert_allclose(
        (low, high), (100 * (rate - 1.96 * deviation), 100 * (rate + 1.96 * deviation)), atol=5e-3
    )
