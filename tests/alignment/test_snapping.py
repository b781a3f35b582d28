"""Boundaries that move to the largest change of the features."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from asr.acoustics.frame_times import FrameTimes
from asr.alignment.snapping import snap, spectral_change

FRAMES = FrameTimes(-0.005, 0.01)


def steady(*lengths: int) -> np.ndarray:
    """Features [T, 3] that stay the same for as many frames as each length says, and then change."""
    rows = np.array([[0, 5, 1], [9, 0, 2], [0, 0, 9], [4, 4, 0]], np.float32)
    return np.repeat(rows[np.arange(len(lengths)) % len(rows)], lengths, axis=0)


def test_the_change_is_that_of_the_means_of_two_frames() -> None:
    change = spectral_change(np.array([[0.0], [1.0], [3.0], [3.0], [10.0]], np.float32))
    assert_allclose(change, [0, 2, 2.5, 4.5, 7, 0])


def test_boundaries_move_to_where_features_change() -> None:
    edges = np.array([0.0, 0.115, 0.18, 0.4])
    snapped = snap(edges, spectral_change(steady(10, 10, 20)), FRAMES, 0.05)
    assert_allclose(snapped, [0, 0.095, 0.195, 0.4], atol=1e-9)


def test_a_boundary_stays_where_no_change_is_in_reach() -> None:
    edges = np.array([0.0, 0.2, 0.4])
    assert_array_equal(snap(edges, spectral_change(steady(10, 30)), FRAMES, 0.05), edges)
    assert_array_equal(snap(edges, spectral_change(steady(40)), FRAMES, 0.05), edges)


def test_a_far_change_must_be_larger() -> None:
    features = np.zeros((40, 1), np.float32)
    features[20:], features[24:] = 1.0, 2.5
    edges = np.array([0.0, 0.195, 0.4])
    assert snap(edges, spectral_change(features), FRAMES, 0.06)[1] == pytest.approx(0.195, abs=0.003)
    features[24:] = 9.0
    assert snap(edges, spectral_change(features), FRAMES, 0.06)[1] == pytest.approx(0.235, abs=0.003)


def test_between_frames_the_change_is_a_parabola() -> None:
    """A passage over one frame is in the middle of it."""
    features = np.concatenate([np.zeros(10), [1.0], np.full(10, 2.0)])[:, None].astype(np.float32)
    assert snap(np.array([0.0, 0.11, 0.2]), spectral_change(features), FRAMES, 0.05)[1] == pytest.approx(0.1)
    assert snap(np.array([0.0, 0.09, 0.2]), spectral_change(features), FRAMES, 0.006)[1] == pytest.approx(0.096)


def test_one_phone_has_no_boundary_to_move() -> None:
    assert_array_equal(snap(np.array([0.0, 0.3]), spectral_change(steady(10, 20)), FRAMES, 0.05), [0.0, 0.3])


@given(
    st.lists(st.integers(1, 12), min_size=1, max_size=12),
    st.lists(st.integers(0, 3), min_size=1, max_size=150),
    st.floats(0.001, 0.2),
)
def test_phones_keep_their_order_and_a_frame(lengths: list[int], values: list[int], within: float) -> None:
    """Whatever the features are, and where the audio ends before its phones do."""
    edges = np.cumsum([0, *lengths]) * 0.01
    change = spectral_change(np.array(values, np.float32)[:, None])
    snapped = snap(edges, change, FRAMES, within)
    assert_array_equal(snapped[[0, -1]], edges[[0, -1]])
    assert (np.diff(snapped) >= 0.01 - 1e-9).all()
    assert (abs(snapped - edges) <= within + 1e-9).all()
