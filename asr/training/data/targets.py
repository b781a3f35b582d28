"""The labels of an utterance: a class for each frame, from phone or state times; or a sequence of classes, for CTC."""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
from lhotse import MonoCut
from torch import Tensor
from torch.nn import functional

from asr.alignment.states import Alignments
from asr.config import FeaturesConfig, RecipeConfig, TargetsConfig
from asr.corpora.cuts import has_times, phone_segments
from asr.errors import InputError
from asr.formats.transcript import PhoneSegment
from asr.phones.classes import UNLABELLED
from asr.phones.folding import fold, fold_segments


def phone_labels(phones: Iterable[str], targets: TargetsConfig) -> npt.NDArray[np.int64]:
    """The class of each phone of an utterance [U] under CTC. Runs are not merged: the language model counts them."""
    index = targets.phone_set.numbers
    return np.array([index[phone] + 1 for phone in fold(phones, targets.phone_set)], dtype=np.int64)


def ctc_frames(labels: npt.NDArray[np.int64]) -> int:
    """The fewest frames that CTC can align to the labels [U]: one for each, and a blank between two that are equal."""
    return len(labels) + int((labels[1:] == labels[:-1]).sum())


def frame_labels(
    segments: Sequence[PhoneSegment], frames: int, targets: TargetsConfig, features: FeaturesConfig
) -> npt.NDArray[np.int64]:
    """The class of each frame [T], from the phone at the frame's centre; UNLABELLED if there is none.

    The frames of a phone are split evenly among its states: frame i of n belongs to state floor((i + 1/2) S / n).
    """
    index = targets.phone_set.numbers
    kept = fold_segments(segments, targets.phone_set)
    first = _frame_at([segment.start for segment in kept], features).clip(0, frames)
    end = _frame_at([segment.end for segment in kept], features).clip(0, frames)
    count = np.maximum(end - first, 0)
    total = int(count.sum())
    position = np.arange(total) - np.repeat(np.cumsum(count) - count, count)
    state = (2 * position + 1) * targets.states // (2 * np.repeat(count, count))
    phone = np.array([index[segment.phone] for segment in kept], dtype=np.int64)
    labels = np.full(frames, UNLABELLED, dtype=np.int64)
    labels[position + np.repeat(first, count)] = np.repeat(phone, count) * targets.states + state
    return labels


def state_labels(
    phones: Sequence[str],
    times: npt.NDArray[np.float64],
    frames: int,
    targets: TargetsConfig,
    features: FeaturesConfig,
) -> npt.NDArray[np.int64]:
    """The class of each frame [T], from the state at the frame's centre; UNLABELLED if there are no phones.

    `times` [N * S + 1], in seconds: where the states of the phones [N] begin, and where the last one ends. The first
    and the last state extend to the first and the last frame.
    """
    if not phones:
        return np.full(frames, UNLABELLED, dtype=np.int64)
    index = targets.phone_set.numbers
    first = np.array([index[phone] for phone in phones], dtype=np.int64) * targets.states
    edges = _frame_at(times, features).clip(0, frames)
    edges[0], edges[-1] = 0, frames
    return np.repeat((first[:, None] + np.arange(targets.states)).ravel(), np.diff(edges))


def cut_labels(
    cut: MonoCut, frames: int, config: RecipeConfig, alignments: Alignments, speed: float = 1.0
) -> npt.NDArray[np.int64]:
    """The class, of `config.frame_targets`, of each frame [T] of a cut played `speed` times as fast: from its alignment
    if it has one, else from the corpus's times.

    Raises InputError for a cut that has neither.
    """
    targets = config.frame_targets
    assert targets is not None
    if (aligned := alignments.get(cut.id)) is not None:
        return state_labels(aligned.phones, aligned.times / speed, frames, targets, config.features)
    if config.training.timing is not None and not has_times(cut):
        raise InputError(f"training.timing: utterance {cut.id} has no phones with times; set training.align_with")
    segments = [_at_speed(segment, speed) for segment in phone_segments(cut)]
    return frame_labels(segments, frames, targets, config.features)


def _at_speed(segment: PhoneSegment, speed: float) -> PhoneSegment:
    start = None if segment.start is None else segment.start / speed
    end = None if segment.end is None else segment.end / speed
    return PhoneSegment(segment.phone, start, end)


def output_labels(labels: Tensor, subsampling: int) -> Tensor:
    """Labels [..., T] of input frames -> labels [..., ceil(T / s)] of output frames, each of which covers s of them.

    An output frame has the label of its middle input frame (of two, the later); the last one is UNLABELLED if the
    utterance ends before that.
    """
    frames = -(-labels.shape[-1] // subsampling)
    padded = functional.pad(labels, (0, subsampling - 1), value=UNLABELLED)
    return padded[..., subsampling // 2 :: subsampling][..., :frames]


def _frame_at(times: Sequence[float | None] | npt.NDArray[np.float64], config: FeaturesConfig) -> npt.NDArray[np.int64]:
    """The first frame whose centre is not before each time (s)."""
    seconds = np.array(times, dtype=np.float64)
    centre = (seconds - config.frame_offset) / (config.frame_shift / 1000) - 0.5
    return np.ceil(np.round(centre, 6)).astype(np.int64)
