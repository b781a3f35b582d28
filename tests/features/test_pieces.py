"""Cutting recordings at pauses."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asr.audio.waveform import Waveform
from asr.features.pieces import LONGEST, MARGIN, SHORTEST, WHOLE, Piece, cut_at_pauses

RATE = 1000


def _noise(seconds: float, seed: int = 0) -> Waveform:
    return np.random.default_rng(seed).normal(0, 0.1, int(seconds * RATE)).astype(np.float32)


def _pieces(samples: Waveform, step: int = 1) -> list[Piece]:
    return list(cut_at_pauses([samples], RATE, step))


def test_a_recording_of_a_minute_stays_whole() -> None:
    samples = _noise(WHOLE)
    (piece,) = _pieces(samples)
    assert (piece.first, piece.begin, piece.end, piece.last) == (0, 0, len(samples), True)
    np.testing.assert_array_equal(piece.samples, samples)


def test_a_recording_without_samples_is_one_empty_piece() -> None:
    assert [len(piece.samples) for piece in cut_at_pauses([], RATE)] == [0]


@settings(max_examples=30)
@given(seconds=st.floats(0, 200), block=st.integers(1, 90_000), step=st.sampled_from([1, 10, 160]))
def test_pieces_cover_the_recording_once_whatever_its_blocks(seconds: float, block: int, step: int) -> None:
    samples = _noise(seconds)
    blocks = [samples[start : start + block] for start in range(0, len(samples), block)]
    pieces = list(cut_at_pauses(iter(blocks), RATE, step))
    assert [piece.last for piece in pieces] == [False] * (len(pieces) - 1) + [True]
    assert [piece.begin for piece in pieces] == [0, *(piece.end for piece in pieces[:-1])]
    assert pieces[-1].end == len(samples)
    for piece in pieces:
        assert piece.begin % step == piece.first % step == 0
        assert min(piece.begin, MARGIN * RATE) <= piece.begin - piece.first <= MARGIN * RATE + step
        np.testing.assert_array_equal(piece.samples, samples[piece.first : piece.first + len(piece.samples)])
        if not piece.last:
            assert SHORTEST * RATE - step <= piece.end - piece.begin <= LONGEST * RATE
            assert piece.first + len(piece.samples) - piece.end >= MARGIN * RATE
    whole = _pieces(samples, step)
    assert [(piece.begin, piece.end) for piece in pieces] == [(piece.begin, piece.end) for piece in whole]


@pytest.mark.parametrize("level", [0.0, 0.001])
def test_cuts_in_the_middle_of_the_longest_of_the_quietest_pauses(level: float) -> None:
    """Not in a short dip, and not in a louder pause; an offset does not hide them."""

    def hush(samples: npt.NDArray[np.float32], start: float, end: float, factor: float) -> None:
        samples[int(start * RATE) : int(end * RATE)] *= factor

    samples = _noise(70)
    hush(samples, 17, 20, 0.1)
    hush(samples, 21, 21.5, level)
    hush(samples, 25, 26, level)
    hush(samples, 28, 28.1, 0.0)
    first, *_ = _pieces(samples + np.float32(0.3))
    assert first.end == pytest.approx(25.5 * RATE, abs=0.05 * RATE)


def test_memory_does_not_grow_with_the_recording() -> None:
    """A piece holds no more than what its seconds need, and what was cut off is let go."""
    blocks = (_noise(1, seed) for seed in range(600))
    assert max(len(piece.samples) for piece in cut_at_pauses(blocks, RATE)) <= WHOLE * RATE + MARGIN * RATE
