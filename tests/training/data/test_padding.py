"""Minibatches of few shapes: little padding, no utterance lost, a dozen graphs an epoch."""

from itertools import combinations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from asr.phones.classes import UNLABELLED
from asr.training.data.batching import UtteranceBatching
from asr.training.data.padding import SHAPES, padded_lengths
from asr.training.data.speech import PhoneCounts, Speech


def make_speech(lengths: list[int], phones: list[int] | None = None) -> Speech:
    """Frame t of utterance u is [u, t], with label t; or the phones of utterance u are all u."""
    frames = torch.cat([torch.arange(length) for length in lengths])
    numbers = torch.repeat_interleave(torch.arange(len(lengths)), torch.tensor(lengths))
    counts = None if phones is None else torch.tensor(phones)
    return Speech(
        rows=torch.stack([numbers, frames], dim=1).float(),
        labels=frames if counts is None else torch.repeat_interleave(torch.arange(len(lengths)), counts),
        starts=torch.tensor(lengths).cumsum(0) - torch.tensor(lengths),
        lengths=torch.tensor(lengths),
        utterances=[f"u{number}" for number in range(len(lengths))],
        edge=0,
        resident=True,
        phones=None if counts is None else PhoneCounts(counts, np.ones(len(lengths), dtype=np.int64), {}),
    )


def frames_padded_to(lengths: list[int], padded: list[int]) -> int:
    return sum(min(to for to in padded if to >= length) for length in lengths)


@given(st.lists(st.integers(1, 30), min_size=1, max_size=12), st.integers(1, 4))
def test_padded_lengths_take_the_fewest_frames(lengths: list[int], number: int) -> None:
    found = padded_lengths(np.array(lengths), number)
    different = sorted(set(lengths))
    size = min(number, len(different))
    fewest = min(
        frames_padded_to(lengths, [*others, different[-1]]) for others in combinations(different[:-1], size - 1)
    )
    assert found == sorted(set(found))
    assert len(found) <= number
    assert frames_padded_to(lengths, found) == fewest


@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=12),
    st.lists(st.integers(1, 40), max_size=4, unique=True).map(sorted),
    st.integers(1, 120),
    st.booleans(),
)
def test_every_utterance_once_within_the_budget(
    lengths: list[int], padded: list[int], size: int, shuffled: bool
) -> None:
    batching = UtteranceBatching(make_speech(lengths), padded)
    seen = []
    for members in batching.plan(size, shuffled):
        batch = batching.batch(members)
        assert batch.lengths is not None
        assert batch.labels.numel() <= size or len(members) == 1
        longest = max(lengths[number] for number in members.tolist())
        assert batch.labels.shape[1] in ([*padded, longest] if longest <= max(padded, default=0) else [longest])
        for number, frames, labels in zip(members.tolist(), batch.inputs, batch.labels, strict=True):
            inside = list(range(lengths[number]))
            assert frames[: lengths[number]].tolist() == [[number, t] for t in inside]
            assert labels.tolist() == inside + [UNLABELLED] * (len(labels) - len(inside))
            seen.append(number)
    assert sorted(seen) == list(range(len(lengths)))


def like_timit() -> list[int]:
    """The lengths of as many sentences as TIMIT's training set has: 1 to 8 s, 3 s on average."""
    drawn = np.random.default_rng(0).lognormal(np.log(298), 0.29, 3696)
    return drawn.clip(91, 778).astype(int).tolist()


@pytest.mark.parametrize("size", [2500, 20_000])
def test_an_epoch_of_timit_needs_a_dozen_shapes(size: int) -> None:
    lengths = like_timit()
    padded = padded_lengths(np.array(lengths))
    assert len(padded) == SHAPES
    batching = UtteranceBatching(make_speech(lengths, [length // 10 for length in lengths]), padded)
    torch.manual_seed(0)
    seen = set()
    for _ in range(4):
        shapes = [
            batch.inputs.shape[:2] + batch.labels.shape for batch in map(batching.batch, batching.plan(size, True))
        ]
        assert len(set(shapes)) <= SHAPES + 1  # what is left over may have its own
        assert sum(count * frames for count, frames, *_ in shapes) < 1.07 * sum(lengths)
        seen.update(shapes)
    assert len(seen) <= SHAPES + 4


def test_epochs_differ() -> None:
    lengths = like_timit()
    batching = UtteranceBatching(make_speech(lengths), padded_lengths(np.array(lengths)))
    first, second = ({frozenset(members.tolist()) for members in batching.plan(2500, shuffled=True)} for _ in range(2))
    assert len(first & second) < 3
    assert [part.tolist() for part in batching.plan(2500, False)] == [
        part.tolist() for part in batching.plan(2500, False)
    ]
