"""The training set's audio, and its frame counts and labels at every speed: the input of epochs of changed speech."""

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import groupby

import numpy as np
import torch
from lhotse import MonoCut
from numpy.typing import NDArray
from torch import Tensor

from asr.alignment.states import NO_ALIGNMENTS, Alignments
from asr.audio.waveform import Waveform
from asr.config import RecipeConfig
from asr.corpora.recorded import Recorded, recorded
from asr.errors import InputError
from asr.features.augmentation.rows import joined
from asr.features.augmentation.speed import perturbed_length
from asr.features.extract import read_ahead
from asr.features.framing import FULL_SCALE
from asr.features.frontend import StaticFeatures
from asr.phones.classes import UNLABELLED
from asr.training.data.draws import Pauses
from asr.training.data.layout import Layout, Numbers, on
from asr.training.data.pauses import InnerPlaces, PlacedPauses, silence_labels, silent_classes
from asr.training.data.targets import cut_labels

AT_ONCE = 1000
"""Utterances that are labelled at a time, which bounds the memory."""


class Waveforms:
    """Utterances in the order they were added: held in the device's memory, or read from disk each time.

    Samples are rounded to 16 bits in either case, so that the results are the same.
    """

    def __init__(self, sample_rate: int, device: torch.device, held: bool) -> None:
        self.sample_rate, self.device, self.held = sample_rate, device, held
        self.lengths: list[int] = []
        self._held: list[Tensor] = []
        self._recorded: list[Recorded] = []

    def added(self, cuts: Iterable[MonoCut]) -> Iterator[tuple[MonoCut, int]]:
        """Adds utterances, and yields each with its length (samples).

        Where they are not held, it is the manifest's if that has their sample rate. Raises InputError as `read_audio`.
        """
        for rate, run in groupby(cuts, lambda cut: cut.recording.sampling_rate):
            if rate == self.sample_rate and not self.held:
                for cut in run:
                    yield cut, self._place(cut, round(cut.duration * rate))
            else:
                for cut, samples in read_ahead(run, self.sample_rate):
                    yield cut, self.add(cut, samples.result())

    def add(self, cut: MonoCut, samples: Waveform) -> int:
        """Adds an utterance whose audio has been read; returns its length."""
        if self.held:
            self._held.append(_sixteen_bits(samples).to(self.device))
        return self._place(cut, len(samples))

    def _place(self, cut: MonoCut, length: int) -> int:
        self.lengths.append(length)
        if not self.held:
            self._recorded.append(recorded(cut))
        return length

    def padded(self, members: Sequence[int]) -> Tensor:
        """Samples [B, S] in [-1, 1] of some utterances, zero after their lengths."""
        return joined([[self.samples(number)] for number in members]).float() / FULL_SCALE

    def samples(self, number: int) -> Tensor:
        """Samples [S] of 16 bits of one utterance.

        Raises InputError for a file that is not as long as it was, or as its manifest says.
        """
        if self.held:
            return self._held[number]
        samples = self._recorded[number].samples(self.sample_rate)
        if len(samples) != self.lengths[number]:
            message = f"has {len(samples)} samples and not {self.lengths[number]}; rerun asr prepare and asr features"
            raise InputError(message, self._recorded[number].path)
        return _sixteen_bits(samples).to(self.device)


def _sixteen_bits(samples: Waveform) -> Tensor:
    scaled = (torch.from_numpy(samples) * FULL_SCALE).round_()
    return scaled.clamp_(-FULL_SCALE, FULL_SCALE - 1).to(torch.int16)


class SpeedTable:
    """How many frames each utterance has at each speed, and their labels if labels are per frame."""

    def __init__(
        self,
        config: RecipeConfig,
        factors: Sequence[Fraction],
        front_end: StaticFeatures,
        alignments: Alignments = NO_ALIGNMENTS,
    ) -> None:
        """Labels come from `alignments` as in `load_speech`."""
        self.config, self.factors, self.front_end, self.alignments = config, factors, front_end, alignments
        self._frames: list[list[int]] = []
        self._labels: list[NDArray[np.int16]] = []

    def add(self, cut: MonoCut, samples: int) -> None:
        counts = [self.front_end.frame_count(perturbed_length(samples, factor)) for factor in self.factors]
        self._frames.append(counts)
        if self.config.frame_targets is None:
            return
        for factor, count in zip(self.factors, counts, strict=True):
            labels = cut_labels(cut, count, self.config, self.alignments, float(factor))
            self._labels.append(labels.astype(np.int16))

    def close(self, device: torch.device) -> None:
        """Call it after the last `add`: makes `frames` [U, factors], and the labels on `device`."""
        self.frames = np.array(self._frames, dtype=np.int64)
        ends = np.cumsum(self.frames.ravel()).reshape(self.frames.shape)
        self._starts = ends - self.frames
        flat = np.concatenate([*self._labels, np.empty(0, np.int16)])
        self._flat = torch.from_numpy(flat).to(device)
        self._labels.clear()
        self._frames.clear()
        self._silent, self._inner = np.zeros(0, dtype=bool), None
        if self.config.augmentation.pauses is not None and self.config.frame_targets is not None:
            self._silent = np.isin(flat, silent_classes(self.config.frame_targets))
            self._inner = InnerPlaces(self._silent, self._starts.ravel(), self.frames.ravel())

    def place(self, pauses: Pauses, speed: Numbers) -> PlacedPauses:
        """Where drawn pauses come into the utterances, each at its own speed (index of the factor, [U])."""
        columns = np.arange(len(speed)) * len(self.factors) + speed
        return PlacedPauses.of(pauses, self._inner, columns, self.config.features)

    def labels(self, speed: Numbers, layout: Layout, pauses: PlacedPauses | None = None) -> Tensor:
        """Labels [R] of all utterances, each at its own speed (index of the factor, [U]), with their pauses."""
        lengths = self.frames[np.arange(len(speed)), speed]
        labels = torch.full((layout.rows,), UNLABELLED, device=self._flat.device)
        for first in range(0, len(speed), AT_ONCE):
            members = np.arange(first, min(first + AT_ONCE, len(speed)))
            place, frame, row = layout.frames(members)
            self._label(labels, members[place], frame, row, lengths, speed, pauses)
        return labels

    def _label(
        self,
        labels: Tensor,
        utterance: Numbers,
        frame: Numbers,
        row: Numbers,
        lengths: Numbers,
        speed: Numbers,
        pauses: PlacedPauses | None,
    ) -> None:
        """Writes the labels of frames [N] of utterances [N] into their rows [N] of `labels` [R]."""
        device = labels.device
        source = frame if pauses is None else pauses.source_frames(utterance, frame, lengths)
        source = self._starts[utterance, speed[utterance]] + source
        labels[on(device, row)] = self._flat[on(device, source)].long()
        if pauses is not None:
            # An utterance that begins or ends without a silence gets one.
            of_pause, many = pauses.at_edges(utterance, frame, lengths)
            bare = (of_pause >= 0) & ~self._silent[source]
            assert self.config.frame_targets is not None
            added = silence_labels(of_pause[bare], many[bare], self.config.frame_targets)
            labels[on(device, row[bare])] = on(device, added)
