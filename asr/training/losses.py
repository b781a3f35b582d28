"""Losses and error counts: per frame for its class, or per phone sequence by CTC."""

from dataclasses import dataclass
from typing import Protocol

import kaldialign
import torch
from torch import Tensor
from torch.nn import functional

from asr.config import TrainingConfig
from asr.decoding.search.collapse import collapse
from asr.models.kernels.ctc import ctc
from asr.models.kernels.gpu import on_gpu
from asr.phones.classes import BLANK, UNLABELLED
from asr.training.batching import Batch
from asr.training.targets import output_labels


@dataclass(frozen=True)
class Sums:
    """Sums over a minibatch, each a scalar on its device: the loss over `labels` labels, which make up `frames` frames
    of speech, and the `errors` among the labels (NaN: not counted)."""

    loss: Tensor
    errors: Tensor
    labels: Tensor
    frames: Tensor

    def detached(self) -> Tensor:
        """All four [4]."""
        return torch.stack([each.detach().double() for each in (self.loss, self.errors, self.labels, self.frames)])


class Criterion(Protocol):
    """Compares a model's scores with the labels of a minibatch."""

    def __call__(self, logits: Tensor, lengths: Tensor | None, batch: Batch, *, training: bool) -> Sums:
        """Takes logits [B, C] of single frames, or [B, T', C] of utterances with `lengths` [B] output frames."""


class FrameCriterion:
    """The class of each frame; frames without a label are ignored."""

    def __init__(self, config: TrainingConfig, subsampling: int) -> None:
        self.config, self.subsampling = config, subsampling

    def __call__(self, logits: Tensor, lengths: Tensor | None, batch: Batch, *, training: bool) -> Sums:
        labels = batch.labels
        if lengths is not None:
            logits, labels = logits.flatten(0, 1), output_labels(labels, self.subsampling).flatten()
        labelled = labels != UNLABELLED
        wrong = (logits.detach().argmax(dim=1) != labels) & labelled
        count = labelled.sum()
        return Sums(frame_loss(self.config, logits, labels), wrong.sum(), count, count)


class CtcCriterion:
    """The phone sequence of each utterance; an utterance without a phone is ignored.

    The error is the edit distance between greedy decoding and the phones, counted only for the dev set, on the CPU.
    """

    def __call__(self, logits: Tensor, lengths: Tensor | None, batch: Batch, *, training: bool) -> Sums:
        assert lengths is not None  # minibatches are of utterances: `draws_frames`
        assert batch.lengths is not None
        labels, phones = batch.labels, (batch.labels != UNLABELLED).sum(dim=1)
        frames = torch.where(phones > 0, batch.lengths, 0).sum()
        errors = logits.new_full((), torch.nan if training else greedy_errors(logits, lengths, labels))
        return Sums(ctc_loss(logits, lengths, labels), errors, phones.sum(), frames)


def make_criterion(config: TrainingConfig, subsampling: int) -> Criterion:
    """The recipe's criterion, for a model that makes one output frame of `subsampling` frames."""
    return CtcCriterion() if config.loss == "ctc" else FrameCriterion(config, subsampling)


def frame_loss(config: TrainingConfig, logits: Tensor, labels: Tensor) -> Tensor:
    """The recipe's loss summed over the labelled frames of logits [N, C] and labels [N]."""
    if config.loss == "squared_error":
        return squared_error(logits, labels)
    return functional.cross_entropy(
        logits, labels, ignore_index=UNLABELLED, label_smoothing=config.label_smoothing, reduction="sum"
    )


def squared_error(logits: Tensor, labels: Tensor) -> Tensor:
    """Sum over frames and classes of (softmax - one-hot)^2."""
    labelled = labels != UNLABELLED
    posteriors = logits.softmax(dim=-1)
    right = posteriors.gather(-1, labels.clamp(min=0)[:, None])[:, 0]
    # |p - e_y|^2 = |p|^2 - 2 p_y + 1, without a one-hot matrix.
    errors = posteriors.square().sum(dim=-1) - 2 * right + 1
    return torch.where(labelled, errors, 0.0).sum()


def ctc_loss(logits: Tensor, lengths: Tensor, labels: Tensor) -> Tensor:
    """Sum over utterances of -log P(labels) by CTC (Graves et al. 2006, equation 8), for logits [B, T', C] of `lengths`
    [B] frames and labels [B, U], UNLABELLED after their end.

    Infinite for an utterance of fewer frames than `ctc_frames`, zero for one without a label.
    """
    phones = (labels != UNLABELLED).sum(dim=1)
    log_posteriors, targets = logits.log_softmax(dim=-1), labels.clamp(min=0)
    if on_gpu(logits):  # PyTorch's waits for the lengths, and its gradient adds in no fixed order
        losses = ctc(log_posteriors, lengths, targets, phones, BLANK)
    else:
        losses = functional.ctc_loss(
            log_posteriors.transpose(0, 1), targets, lengths, phones, blank=BLANK, reduction="none"
        )
    return torch.where(phones > 0, losses, 0.0).sum()


def greedy_errors(logits: Tensor, lengths: Tensor, labels: Tensor) -> float:
    """Substitutions, deletions and insertions of greedy decoding against the labels, as in `ctc_loss`."""
    best, ends = logits.argmax(dim=-1).cpu().numpy(), lengths.tolist()
    errors = 0
    for classes, end, row in zip(best, ends, labels.cpu().numpy(), strict=True):
        reference = row[row != UNLABELLED].tolist()
        if reference:
            hypothesis = [span.phone + 1 for span in collapse(classes[:end])]
            errors += kaldialign.edit_distance(reference, hypothesis)["total"]
    return float(errors)
