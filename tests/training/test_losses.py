"""Losses agree with their definitions and with numeric gradients, and skip what has no label."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch.nn import functional

from asr.config import GruConfig, TrainingConfig
from asr.models import build
from asr.models.kernels import gpu
from asr.phones.classes import UNLABELLED
from asr.training.data.minibatch import Batch
from asr.training.data.targets import ctc_frames
from asr.training.losses import Scores, best_classes, ctc_loss, frame_loss, greedy_errors, make_criterion
from asr.training.trainer import scores

LOSSES = [
    TrainingConfig(),
    TrainingConfig(label_smoothing=0.1),
    TrainingConfig(loss="squared_error"),
]


def example() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    return torch.randn(5, 4, dtype=torch.float64, requires_grad=True), torch.tensor([0, 3, UNLABELLED, 1, 1])


@pytest.mark.parametrize("config", LOSSES)
def test_gradient_is_numeric_gradient(config: TrainingConfig) -> None:
    logits, labels = example()
    assert torch.autograd.gradcheck(lambda x: frame_loss(config, x, labels), (logits,))


@pytest.mark.parametrize("config", LOSSES)
def test_frames_without_label_count_nothing(config: TrainingConfig) -> None:
    logits, labels = example()
    seen = labels != UNLABELLED
    alone = frame_loss(config, logits[seen], labels[seen])
    assert frame_loss(config, logits, labels).item() == pytest.approx(alone.item())


def test_squared_error_is_its_definition() -> None:
    logits, labels = example()
    seen = labels != UNLABELLED
    posteriors = logits[seen].softmax(-1)
    expected = (posteriors - functional.one_hot(labels[seen], 4)).square().sum()
    assert frame_loss(LOSSES[2], logits, labels).item() == pytest.approx(expected.item())


def test_smoothing_moves_a_share_of_each_label_to_all_classes() -> None:
    logits, labels = example()
    seen = labels != UNLABELLED
    log_posteriors = logits[seen].log_softmax(-1)
    target = 0.9 * functional.one_hot(labels[seen], 4) + 0.1 / 4  # Szegedy et al. 2016, section 7
    expected = -(target * log_posteriors).sum()
    assert frame_loss(TrainingConfig(label_smoothing=0.1), logits, labels).item() == pytest.approx(expected.item())


def ctc_example(lengths: list[int], phones: list[list[int]], classes: int = 3) -> tuple[torch.Tensor, ...]:
    """Logits, lengths and labels of a padded minibatch; the padding of the logits is large numbers."""
    torch.manual_seed(sum(lengths))
    logits = torch.randn(len(lengths), max(lengths), classes, dtype=torch.float64)
    for row, length in zip(logits, lengths, strict=True):
        row[length:] = 1e3
    labels = torch.full((len(phones), max(map(len, phones))), UNLABELLED)
    for row, each in zip(labels, phones, strict=True):
        row[: len(each)] = torch.tensor(each, dtype=torch.long)
    return logits.requires_grad_(), torch.tensor(lengths), labels


@pytest.fixture(params=["cpu", "gpu"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The CPU's way of computing, then a GPU's."""
    if request.param == "gpu":
        monkeypatch.setattr(gpu, "DEVICES", {"cpu"})


@pytest.mark.usefixtures("way")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, 5), st.lists(st.integers(1, 2), min_size=1, max_size=3))
def test_ctc_is_the_sum_over_all_alignments(frames: int, phones: list[int]) -> None:
    logits, lengths, labels = ctc_example([frames], [phones])
    posteriors = logits.detach()[0].softmax(-1)
    total = sum(
        float(torch.stack([posteriors[frame, label] for frame, label in enumerate(classes)]).prod())
        for classes in itertools.product(range(3), repeat=frames)
        if [label for label, _ in itertools.groupby(classes) if label] == phones
    )
    loss = ctc_loss(logits, lengths, labels).item()
    assert math.isinf(loss) == (frames < ctc_frames(np.array(phones)))
    assert math.exp(-loss) == pytest.approx(total, abs=1e-9)


@pytest.mark.usefixtures("way")
def test_ctc_counts_neither_padding_nor_utterances_without_a_phone() -> None:
    phones = [[1, 2], [2, 2, 1], [], []]
    logits, lengths, labels = ctc_example([4, 7, 5, 0], phones)
    alone = [ctc_loss(logits[n : n + 1, : lengths[n]], lengths[n : n + 1], torch.tensor([phones[n]])) for n in range(2)]
    together = ctc_loss(logits, lengths, labels)
    assert together.item() == pytest.approx(sum(alone).item())
    (gradient,) = torch.autograd.grad(together, logits)
    assert not gradient[0, 4:].any()
    assert not gradient[2:].any()
    assert gradient[:2].any()


@pytest.mark.usefixtures("way")
def test_ctc_sums_and_errors() -> None:
    logits, lengths, labels = ctc_example([4, 6], [[1, 2], [1, 1]])
    with torch.no_grad():
        logits.copy_(torch.nn.functional.one_hot(torch.tensor([[1, 1, 0, 2, 1, 2], [1, 1, 1, 2, 2, 0]]), 3) * 9.0)
    batch = Batch(torch.zeros(2, 6, 1), labels, lengths)
    sums = make_criterion(TrainingConfig(loss="ctc"), 1)(Scores(logits, lengths), batch)
    assert (sums.labels.item(), sums.frames.item()) == (4, 10)
    # The first utterance is right, as what follows its end does not count; the second says 1 2 for 1 1.
    assert greedy_errors(best_classes(logits, lengths), labels) == 1


def test_gradient_of_ctc_through_a_model_is_numeric_gradient() -> None:
    torch.manual_seed(0)
    model = build(GruConfig(layers=1, width=2, normalization="layer", dropout=0.0), 2, 3).double()
    features, lengths = torch.randn(2, 5, 2, dtype=torch.float64, requires_grad=True), torch.tensor([5, 3])
    batch = Batch(features, torch.tensor([[1, 1, 2], [2, UNLABELLED, UNLABELLED]]), lengths)
    criterion = make_criterion(TrainingConfig(loss="ctc"), 1)

    def loss(inputs: torch.Tensor, *weights: torch.Tensor) -> torch.Tensor:
        return criterion(scores(model, replace(batch, inputs=inputs)), batch).loss

    assert torch.autograd.gradcheck(loss, (features, *model.parameters()))
