"""Masks: as wide as allowed, inside the utterance, on filters with their deltas, and drawn again each time."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from asr.config import FeaturesConfig, SpecAugmentConfig
from asr.features.spec_augment import SpecAugment

BINS = 20


def spec_augment(deltas: int = 0, energy: bool = False, **changes: object) -> SpecAugment:
    features = FeaturesConfig(bins=BINS, deltas=deltas, energy=energy)  # type: ignore[arg-type]
    return SpecAugment(SpecAugmentConfig.model_validate(changes), features)


def runs(hidden: Tensor) -> list[int]:
    """Widths of the runs of true values of [N]."""
    text = "".join("x" if value else " " for value in hidden.tolist())
    return [len(run) for run in text.split()]


@given(st.integers(1, 12), st.floats(0.05, 1), st.lists(st.integers(1, 60), min_size=1, max_size=6))
def test_time_masks_lie_inside_the_utterance(width: int, share: float, sizes: list[int]) -> None:
    lengths = torch.tensor(sizes)
    masks = spec_augment(time_masks=1, time_width=width, time_share=share, frequency_masks=0)
    masked = masks(torch.ones(len(sizes), max(sizes) + 3, BINS), lengths)
    for row, length in zip(masked, sizes, strict=True):
        hidden = row[:, 0] == 0
        assert torch.equal(row, row[:, :1].expand(-1, BINS))  # all of a frame or nothing
        assert not hidden[length:].any()
        assert len(runs(hidden)) <= 1
        assert hidden.sum() <= min(width, int(torch.tensor(length) * share))


def test_widths_and_places_are_uniform() -> None:
    masks = spec_augment(time_masks=1, time_width=4, time_share=1.0, frequency_masks=1, frequency_width=3)
    masked = masks(torch.ones(20000, 6, BINS), torch.full((20000,), 6))
    frames = (masked == 0).all(dim=2)
    filters = (masked == 0).all(dim=1)
    for hidden, widest in ((frames, 4), (filters, 3)):
        share = torch.bincount(hidden.sum(dim=1), minlength=widest + 1) / len(hidden)
        assert len(share) == widest + 1
        assert share == pytest.approx(torch.full((widest + 1,), 1 / (widest + 1)), abs=0.02)
        assert hidden.any(dim=0).all()  # no frame and no filter is spared


def test_filters_are_hidden_with_their_deltas_and_energy_is_not() -> None:
    masks = spec_augment(deltas=2, energy=True, time_masks=0, frequency_masks=2, frequency_width=5)
    masked = masks(torch.ones(500, 4, 3 * (BINS + 1)))
    static, first, second = (masked == 0).split(BINS + 1, dim=2)
    assert torch.equal(static, first)
    assert torch.equal(static, second)
    assert not static[:, :, 0].any()
    assert static[:, :, 1:].any(dim=0).all()
    assert torch.equal(static, static[:, :1].expand(-1, 4, -1))  # in all frames
    assert static[:, 0].sum(dim=1).max() <= 10


def test_a_window_is_masked_as_a_short_utterance() -> None:
    masks = spec_augment(time_masks=1, time_width=20, time_share=0.2, frequency_masks=0)
    hidden = masks(torch.ones(2000, 15, BINS))[:, :, 0] == 0
    assert hidden.sum(dim=1).max() == 3


def test_drawn_from_the_global_generator() -> None:
    masks, inputs = spec_augment(), torch.ones(8, 100, BINS)
    torch.manual_seed(1)
    first = masks(inputs)
    second = masks(inputs)
    torch.manual_seed(1)
    assert torch.equal(masks(inputs), first)
    assert not torch.equal(first, second)
    assert inputs.all()  # a resident training set is not spoilt
