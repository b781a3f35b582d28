"""Classes, and the labels of an utterance: a class for each frame from phone or state times, or a sequence for CTC."""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
from torch import Tensor
from torch.nn import functional

from asr.config import FeaturesConfig, RecipeConfig, TargetsConfig
from asr.phones.phone_set import fold, fold_segments, load_phone_set
from asr.transcript import PhoneSegment

UNLABELLED = -1
BLANK_NAME = "<blank>"


def class_names(config: RecipeConfig) -> list[str]:
    """The name of every class of the recipe's model.

    HMM: class index = phone index * states + state. CTC: the blank, then the phones.
    """
    phones = load_phone_set(config.targets.phone_set)
    if config.topology == "ctc":
        return [BLANK_NAME, *phones]
    return [f"{phone}_{state}" for phone in phones for state in range(config.targets.states)]


def phone_labels(phones: Iterable[str], targets: TargetsConfig) -> npt.NDArray[np.int64]:
    """The class of each phone of an utterance [U] under CTC. Nothing is merged: the language model counts runs too."""
    index = {phone: number + 1 for number, phone in enumerate(load_phone_set(targets.phone_set))}
    return np.array([index[phone] for phone in fold(phones, targets.phone_set)], dtype=np.int64)


def ctc_frames(labels: npt.NDArray[np.int64]) -> int:
    """The fewest frames that CTC can align to the labels [U]: one for each, and a blank between two that are equal."""
    return len(labels) + int((labels[1:] == labels[:-1]).sum())


def frame_labels(
    segments: Sequence[PhoneSegment], frames: int, targets: TargetsConfig, features: FeaturesConfig
) -> npt.NDArray[np.int64]:
    """The class of each frame [T], from the phone at the frame's centre; UNLABELLED where there is none.

    The frames of a phone are split evenly among its states: frame i of n belongs to state floor((i + 1/2) S / n).
    """
    phones = load_phone_set(targets.phone_set)
    index = {phone: number for number, phone in enumerate(phones)}
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
    """The class of each frame [T], from the state at the frame's centre; UNLABELLED where there are no phones.

    `times` [N * S + 1], in seconds: where the states of the phones [N] begin, and where the last one ends. The first
    and the last state reach to the first and the last frame.
    """
    if not phones:
        return np.full(frames, UNLABELLED, dtype=np.int64)
    index = {phone: number for number, phone in enumerate(load_phone_set(targets.phone_set))}
    first = np.array([index[phone] for phone in phones], dtype=np.int64) * targets.states
    edges = _frame_at(times, features).clip(0, frames)
    edges[0], edges[-1] = 0, frames
    return np.repeat((first[:, None] + np.arange(targets.states)).ravel(), np.diff(edges))


def output_labels(labels: Tensor, subsampling: int) -> Tensor:
    """From the labels [..., T] of input frames those [..., ceil(T / s)] of output frames that stand for s of them each.

    An output frame has the label of its middle input frame (of two, the later); the last one is UNLABELLED where the
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
