"""Minibatches hold each frame once, with its neighbours, and the gathering thread changes nothing."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from asr.config import DnnConfig, TrainingConfig
from asr.errors import InputError
from asr.models import AcousticModel, build
from asr.phones.classes import UNLABELLED
from asr.training.data.batching import FrameBatching, UtteranceBatching, batches, draws_frames
from asr.training.data.speech import PhoneCounts, Speech

CPU = torch.device("cpu")


def make_speech(lengths: list[int], edge: int) -> Speech:
    """Frame t of utterance u is [u, t]; its label is t; every third frame has none."""
    rows, labels, starts = [], [], []
    for number, length in enumerate(lengths):
        starts.append(len(rows) + edge)
        frames = [[number, min(max(t, 0), length - 1)] for t in range(-edge, length + edge)]
        inside = [t if t % 3 else UNLABELLED for t in range(length)]
        rows += frames
        labels += [UNLABELLED] * edge + inside + [UNLABELLED] * edge
    return Speech(
        rows=torch.tensor(rows, dtype=torch.float32),
        labels=torch.tensor(labels),
        starts=torch.tensor(starts),
        lengths=torch.tensor(lengths),
        utterances=[f"u{number}" for number in range(len(lengths))],
        edge=edge,
        resident=True,
    )


speeches = st.builds(make_speech, st.lists(st.integers(2, 40), min_size=1, max_size=8), st.integers(0, 3))


@given(speeches, st.integers(1, 50), st.booleans())
def test_every_labelled_frame_once_with_its_neighbours(speech: Speech, size: int, shuffled: bool) -> None:
    batching = FrameBatching(speech)
    seen = []
    for members in batching.plan(size, shuffled):
        batch = batching.batch(members)
        assert len(batch.labels) <= size
        for window, label in zip(batch.inputs, batch.labels.tolist(), strict=True):
            number, last = int(window[0, 0]), int(speech.lengths[int(window[0, 0])]) - 1
            expected = [min(max(label + offset, 0), last) for offset in range(-speech.edge, speech.edge + 1)]
            assert window[:, 0].unique().tolist() == [number]
            assert window[:, 1].tolist() == expected
            seen.append((number, label))
    lengths = speech.lengths.tolist()
    assert sorted(seen) == [(u, t) for u, length in enumerate(lengths) for t in range(length) if t % 3]


@given(speeches, st.integers(1, 120), st.booleans())
def test_every_utterance_once_within_the_budget(speech: Speech, size: int, shuffled: bool) -> None:
    batching = UtteranceBatching(speech)
    seen = []
    for members in batching.plan(size, shuffled):
        batch = batching.batch(members)
        assert batch.lengths is not None
        assert batch.labels.numel() <= size or len(members) == 1
        for number, length, frames, labels in zip(
            members.tolist(), batch.lengths.tolist(), batch.inputs, batch.labels, strict=True
        ):
            assert frames[:length, 1].tolist() == list(range(length))
            assert frames[:, 0].unique().tolist() == [number]
            assert labels[length:].unique().tolist() in ([], [UNLABELLED])
            assert labels[:length].tolist() == [t if t % 3 else UNLABELLED for t in range(length)]
            seen.append(number)
    assert sorted(seen) == list(range(len(speech.utterances)))


def shares_of_padding(batching: UtteranceBatching, plan: list[Tensor]) -> list[float]:
    lengths = [batching.lengths[members] for members in plan]
    return [1 - float(each.sum() / (len(each) * each.max())) for each in lengths]


def test_a_plan_in_order_has_the_least_padding() -> None:
    batching = UtteranceBatching(make_speech(list(range(299, 99, -1)), edge=0))
    plan = batching.plan(3000, shuffled=False)
    assert torch.cat([batching.lengths[members] for members in plan]).tolist() == list(range(100, 300))
    assert max(shares_of_padding(batching, plan)) < 0.1


def test_shuffled_utterances_meet_others_of_about_their_length() -> None:
    torch.manual_seed(0)
    batching = UtteranceBatching(make_speech(list(range(100, 300)), edge=0))
    plans = [batching.plan(3000, shuffled=True) for _ in range(2)]
    for plan in plans:
        assert max(shares_of_padding(batching, plan)) < 0.25
        assert sum(shares_of_padding(batching, plan)) / len(plan) < 0.15
    first, second = ({frozenset(members.tolist()) for members in plan} for plan in plans)
    assert not first & second
    means = torch.stack([batching.lengths[members].float().mean() for members in plans[0]])
    in_order = torch.corrcoef(torch.stack([means, torch.arange(len(means))]))[0, 1]
    assert abs(in_order) < 0.8


@pytest.mark.parametrize("kind", [FrameBatching, UtteranceBatching])
def test_memory_mapped_minibatches_are_those_of_memory(kind: type) -> None:
    speech = make_speech([30, 7, 22, 9], edge=2)
    plan = kind(speech).plan(16, shuffled=True)
    resident = [batch.gathered() for batch in batches(kind(speech), plan, CPU)]
    mapped = [batch.gathered() for batch in batches(kind(replace(speech, resident=False)), plan, CPU)]
    assert len(resident) == len(mapped) == len(plan)
    for one, other in zip(resident, mapped, strict=True):
        assert torch.equal(one.inputs, other.inputs)
        assert torch.equal(one.labels, other.labels)


@pytest.mark.parametrize("kind", [FrameBatching, UtteranceBatching])
def test_a_minibatch_names_its_utterances(kind: type) -> None:
    batching = kind(make_speech([5, 6, 7], edge=1))
    names = [name for members in batching.plan(1, shuffled=False) for name in batching.utterances(members)]
    assert sorted(set(names)) == ["u0", "u1", "u2"]


def test_batching_suits_the_model() -> None:
    windowed, whole = build(DnnConfig(layers=0), 2, 2), AcousticModel()
    assert draws_frames(TrainingConfig(), windowed)
    assert not draws_frames(TrainingConfig(), whole)
    assert not draws_frames(TrainingConfig(batching="utterances"), windowed)
    with pytest.raises(InputError, match=r"training\.batching"):
        draws_frames(TrainingConfig(batching="frames"), whole)


lengths_to_pad_to = st.lists(st.integers(2, 45), max_size=3, unique=True).map(sorted)


@given(speeches, st.sampled_from(["frames", "utterances", "ctc"]), lengths_to_pad_to, st.integers(1, 60), st.data())
def test_minibatches_of_one_shape_to_a_process_are_so_to_all(
    speech: Speech, kind: str, padded: list[int], size: int, data: st.DataObject
) -> None:
    """Processes record a step together, or not at all."""
    if kind == "ctc":
        counts = torch.tensor([data.draw(st.integers(1, int(length))) for length in speech.lengths])
        phones = PhoneCounts(counts, counts.numpy(), {})
        speech = replace(speech, phones=phones, labels=torch.ones(int(counts.sum()), dtype=torch.long))
    world = data.draw(st.integers(1, 4))
    batching = FrameBatching(speech) if kind == "frames" else UtteranceBatching(speech, padded)
    plan = batching.plan(size, shuffled=True)
    shapes = [[batch.shape for batch in batches(batching, plan, CPU, rank, world)] for rank in range(world)]
    firsts = [[of_one.index(shape) for shape in of_one] for of_one in shapes]
    assert firsts == [firsts[0]] * world
