"""Deltas and splicing against their definitions."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from asr.features.deltas import add_deltas, filtered_by_sums
from asr.features.splicing import splice


def kaldi_deltas(features: np.ndarray, order: int) -> np.ndarray:
    """Kaldi's definition, one frame at a time: the order-n filter over the static frames, edges repeated."""
    slope = np.arange(-2, 3) / 10.0
    filters = [np.ones(1)]
    for _ in range(order):
        filters.append(np.convolve(filters[-1], slope))
    frames = len(features)
    rows = []
    for t in range(frames):
        parts = []
        for taps in filters:
            reach = len(taps) // 2
            around = [features[min(max(t + offset, 0), frames - 1)] for offset in range(-reach, reach + 1)]
            parts.append(sum(tap * frame for tap, frame in zip(taps, around, strict=True)))
        rows.append(np.concatenate(parts))
    return np.array(rows)


@given(frames=st.integers(1, 12), dim=st.integers(1, 4), order=st.integers(0, 2), seed=st.integers(0, 99))
@settings(deadline=None)
def test_deltas_are_kaldis(frames: int, dim: int, order: int, seed: int) -> None:
    features = np.random.default_rng(seed).standard_normal((frames, dim))
    computed = add_deltas(torch.from_numpy(features), order).numpy()
    assert computed.shape == (frames, dim * (1 + order))
    assert np.allclose(computed, kaldi_deltas(features, order))


def test_a_ramp_has_a_constant_slope() -> None:
    ramp = torch.arange(20.0)[:, None] * 3
    deltas = add_deltas(ramp, 2)
    assert torch.allclose(deltas[4:-4, 1], torch.tensor(3.0))
    assert torch.allclose(deltas[4:-4, 2], torch.tensor(0.0), atol=1e-5)


def test_deltas_of_a_batch() -> None:
    batch = torch.randn(3, 9, 4)
    assert torch.allclose(add_deltas(batch, 2)[1], add_deltas(batch[1], 2), atol=1e-6)
    assert add_deltas(torch.zeros(0, 4), 2).shape == (0, 12)


def test_on_a_gpu_sums_give_what_the_convolution_does() -> None:
    padded, taps = torch.randn(3, 1, 20, 4), np.random.default_rng(0).standard_normal(9)
    expected = torch.nn.functional.conv2d(padded.double(), torch.from_numpy(taps)[None, None, :, None])
    found = filtered_by_sums(padded, taps)
    assert found.dtype == padded.dtype
    torch.testing.assert_close(found, expected.float())
    assert torch.equal(found, filtered_by_sums(padded.double(), taps).float())


def test_on_a_gpu_there_is_no_convolution(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.nn.functional, "conv2d", None)
    assert add_deltas(torch.zeros(3, 9, 4, device="meta"), 2).shape == (3, 9, 12)


@given(frames=st.integers(1, 8), context=st.integers(0, 5))
@settings(deadline=None)
def test_splicing_joins_neighbours(frames: int, context: int) -> None:
    features = torch.randn(2, frames, 3)
    spliced = splice(features, context)
    assert spliced.shape == (2, frames, 3 * (2 * context + 1))
    for t in range(frames):
        for place, offset in enumerate(range(-context, context + 1)):
            neighbour = features[:, min(max(t + offset, 0), frames - 1)]
            assert torch.equal(spliced[:, t, 3 * place : 3 * place + 3], neighbour)
