"""Class statistics are those of the labels that a model's output frames have, utterance by utterance."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from asr.config import CrdnnConfig
from asr.models import build
from asr.phones.classes import UNLABELLED
from asr.training.data.batching import UtteranceBatching
from asr.training.data.speech import Speech
from asr.training.data.targets import output_labels
from asr.training.statistics import class_statistics
from asr.training.trainer import scores

CLASSES = 4
utterances = st.lists(st.lists(st.integers(UNLABELLED, CLASSES - 1), min_size=1, max_size=20), min_size=1, max_size=6)


def make_speech(labels: list[list[int]], edge: int) -> Speech:
    lengths = torch.tensor([len(each) for each in labels])
    border = [UNLABELLED] * edge
    flat = [label for each in labels for label in border + each + border]
    return Speech(
        rows=torch.zeros(len(flat), 2),
        labels=torch.tensor(flat),
        starts=torch.cumsum(lengths + 2 * edge, 0) - lengths - edge,
        lengths=lengths,
        utterances=[str(number) for number in range(len(labels))],
        edge=edge,
        resident=True,
    )


@given(utterances, st.integers(0, 2), st.sampled_from([1, 2, 4]))
def test_counts_by_hand(labels: list[list[int]], edge: int, subsampling: int) -> None:
    frames, loops = np.zeros(CLASSES), np.zeros(CLASSES)
    for each in labels:
        middles = [
            each[first + subsampling // 2] if first + subsampling // 2 < len(each) else UNLABELLED
            for first in range(0, len(each), subsampling)
        ]
        assert output_labels(torch.tensor(each), subsampling).tolist() == middles
        for label in middles:
            frames[label] += label != UNLABELLED
        for before, label in pairwise(middles):
            loops[label] += before == label != UNLABELLED
    statistics = class_statistics(make_speech(labels, edge), CLASSES, subsampling)
    frames = np.maximum(frames, 1)
    assert statistics.priors == pytest.approx(frames / frames.sum())
    assert statistics.self_loops == pytest.approx(np.clip(loops / frames, 0.01, 0.99))


def test_half_the_frame_rate_leaves_half_the_frames_of_a_phone() -> None:
    speech = make_speech([[0] * 8 + [1] * 8], edge=0)
    assert class_statistics(speech, 2, 1).self_loops == pytest.approx([7 / 8, 7 / 8])
    assert class_statistics(speech, 2, 2).self_loops == pytest.approx([3 / 4, 3 / 4])
    assert class_statistics(speech, 2, 4).self_loops == pytest.approx([1 / 2, 1 / 2])


@pytest.mark.parametrize("subsampling", [1, 2, 3, 4])
def test_they_are_the_labels_that_training_sees(subsampling: int) -> None:
    speech = make_speech([[0, 0, 1, 1, 2, 2, 3], [1] * 9, [3, 2, 0]], edge=0)
    batching = UtteranceBatching(speech)
    config = CrdnnConfig(
        filters=[2], recurrent_layers=1, recurrent_width=2, width=2, layers=1, frequency_pooling=1,
        subsampling=subsampling,
    )  # fmt: skip
    model = build(config, 2, CLASSES)
    (members,) = batching.plan(1000, shuffled=False)
    batch = batching.batch(members)
    logits = scores(model, batch).logits
    labels = output_labels(batch.labels, subsampling).flatten()
    assert len(logits.flatten(0, 1)) == len(labels)
    counts = torch.bincount(labels[labels != UNLABELLED], minlength=CLASSES).clamp(min=1).double()
    assert class_statistics(speech, CLASSES, subsampling).priors == pytest.approx((counts / counts.sum()).numpy())
