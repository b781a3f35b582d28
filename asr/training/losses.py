"""Losses and error counts: per frame for its class, or per phone sequence by CTC."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import kaldialign
import torch
from torch import Tensor
from torch.nn import functional

from asr.config import TrainingConfig
from asr.decoding.search.collapse import collapse
from asr.models.kernels.ctc import ctc
from asr.models.kernels.gpu import on_gpu
from asr.phones.classes import BLANK, UNLABELLED
from asr.training.data.minibatch import Batch
from asr.training.data.targets import output_labels


@dataclass(frozen=True)
class Sums:
    """Sums over a minibatch, each a scalar on its device: the loss over `labels` labels, which make up `frames` frames
    of speech, and the `errors` among the labels (NaN under CTC: see `greedy_errors`). For a model with a second output
    `timing` has its sums, over the frames of features that have a label."""

    loss: Tensor
    errors: Tensor
    labels: Tensor
    frames: Tensor
    timing: "Sums | None" = None

    def detached(self) -> Tensor:
        """All four [4], and those of the second output after them [8]."""
        own = torch.stack([each.detach().double() for each in (self.loss, self.errors, self.labels, self.frames)])
        return own if self.timing is None else torch.cat([own, self.timing.detached()])


class Scores(NamedTuple):
    """The logits [B, C] of single frames, or [B, T', C] of utterances with their `lengths` [B] in output frames; and
    where there is a second output, its logits [B, T, F] for frames of features."""

    logits: Tensor
    lengths: Tensor | None
    timing: Tensor | None = None


class Criterion(Protocol):
    """Compares a model's scores with the labels of a minibatch."""

    def __call__(self, scores: Scores, batch: Batch) -> Sums: ...


class FrameCriterion:
    """The class of each frame; frames without a label are ignored."""

    def __init__(self, config: TrainingConfig, subsampling: int) -> None:
        self.config, self.subsampling = config, subsampling

    def __call__(self, scores: Scores, batch: Batch) -> Sums:
        logits, labels = scores.logits, batch.labels
        if scores.lengths is not None:
            logits, labels = logits.flatten(0, 1), output_labels(labels, self.subsampling).flatten()
        return frame_sums(self.config, logits, labels)


class CtcCriterion:
    """The phone sequence of each utterance; an utterance without a phone is ignored. Of a second output, the class of
    each frame of features."""

    def __init__(self, config: TrainingConfig) -> None:
        self.config = config

    def __call__(self, scores: Scores, batch: Batch) -> Sums:
        logits, lengths, timing = scores
        assert lengths is not None  # minibatches are of utterances: `draws_frames`
        assert batch.lengths is not None
        labels, phones = batch.labels, (batch.labels != UNLABELLED).sum(dim=1)
        frames = torch.where(phones > 0, batch.lengths, 0).sum()
        errors = logits.new_full((), torch.nan)
        of_timing = None
        if timing is not None and batch.timing is not None:
            of_timing = frame_sums(self.config, timing.flatten(0, 1), batch.timing.flatten())
        return Sums(ctc_loss(logits, lengths, labels), errors, phones.sum(), frames, of_timing)


def make_criterion(config: TrainingConfig, subsampling: int) -> Criterion:
    """The recipe's criterion, for a model that makes one output frame of `subsampling` frames."""
    return CtcCriterion(config) if config.loss == "ctc" else FrameCriterion(config, subsampling)


def frame_sums(config: TrainingConfig, logits: Tensor, labels: Tensor) -> Sums:
    """The sums over the labelled frames of logits [N, C] and labels [N]."""
    labelled = labels != UNLABELLED
    wrong = (logits.detach().argmax(dim=1) != labels) & labelled
    count = labelled.sum()
    return Sums(frame_loss(config, logits, labels), wrong.sum(), count, count)


def frame_loss(config: TrainingConfig, logits: Tensor, labels: Tensor) -> Tensor:
    """The recipe's loss summed over the labelled frames of logits [N, C] and labels [N].

    Label smoothing spreads a share of each label evenly over all classes (Szegedy et al. 2016, section 7).
    """
    if config.loss == "squared_error":
        return squared_error(logits, labels)
    return functional.cross_entropy(
        logits, labels, ignore_index=UNLABELLED, label_smoothing=config.label_smoothing, reduction="sum"
    )


def squared_error(logits: Tensor, labels: Tensor) -> Tensor:
    """Sum over labelled frames and classes of (softmax - one-hot)^2, for logits [N, C] and labels [N] (Brier 1950)."""
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


def best_classes(logits: Tensor, lengths: Tensor) -> Tensor:
    """The likeliest class of each frame of logits [B, T', C], and the blank after `lengths` [B]: [B, T']."""
    frame = torch.arange(logits.shape[1], device=logits.device)
    return logits.argmax(dim=-1).masked_fill(frame >= lengths[:, None], BLANK)


def greedy_errors(best: Tensor, labels: Tensor) -> int:
    """Substitutions, deletions and insertions of greedy decoding, from `best_classes` [B, T'], against the labels, as
    in `ctc_loss`. Counted on the CPU."""
    errors = 0
    for classes, row in zip(best.cpu().numpy(), labels.cpu().numpy(), strict=True):
        reference = row[row != UNLABELLED].tolist()
        if reference:
            hypothesis = [span.phone + 1 for span in collapse(classes)]
            errors += kaldialign.edit_distance(reference, hypothesis)["total"]
    return errors
