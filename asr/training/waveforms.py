"""The training set's audio, and its frame counts and labels at every speed: the input of epochs of changed speech."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import torch
from lhotse import MonoCut
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from asr.alignment.states import NO_ALIGNMENTS, Alignments
from asr.audio import read_audio
from asr.config import RecipeConfig
from asr.features.augmentation.speed import perturbed_length
from asr.features.extract import Samples
from asr.features.framing import FULL_SCALE
from asr.features.frontend import StaticFeatures
from asr.phones.classes import UNLABELLED
from asr.training.draws import Pauses
from asr.training.layout import Layout, Numbers, on
from asr.training.pauses import InnerPlaces, PlacedPauses, silence_labels, silent_classes
from asr.training.targets import cut_labels


class Waveforms:
    """Utterances in the order they were added: held in the device's memory, or read from disk each time.

    Samples are rounded to 16 bits in either case, so that the results are the same.
    """

    def __init__(self, sample_rate: int, device: torch.device, held: bool) -> None:
        self.sample_rate = sample_rate
        self.device = device
        self.lengths: list[int] = []
        self._held: list[Tensor] | None = [] if held else None
        self._places: list[tuple[str, float, float]] = []

    def add(self, cut: MonoCut, samples: Samples) -> None:
        self.lengths.append(len(samples))
        if self._held is not None:
            self._held.append(_sixteen_bits(samples).to(self.device))
        else:
            self._places.append((cut.recording.sources[0].source, cut.start, cut.duration))

    def padded(self, members: Sequence[int]) -> Tensor:
        """Samples [B, S] in [-1, 1] of some utterances, zero after their lengths."""
        return pad_sequence([self._samples(number) for number in members], batch_first=True).float() / FULL_SCALE

    def one(self, number: int) -> Tensor:
        """Samples [S] in [-1, 1] of one utterance."""
        return self._samples(number).float() / FULL_SCALE

    def _samples(self, number: int) -> Tensor:
        if self._held is not None:
            return self._held[number]
        return self._read(*self._places[number]).to(self.device)

    def _read(self, path: str, start: float, duration: float) -> Tensor:
        return _sixteen_bits(read_audio(path, self.sample_rate, start, duration))


def _sixteen_bits(samples: Samples) -> Tensor:
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
        if self.config.topology == "ctc":
            return  # its labels have no times
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
        if self.config.augmentation.pauses is not None and len(flat):
            self._silent = np.isin(flat, silent_classes(self.config.targets))
            self._inner = InnerPlaces(self._silent, self._starts.ravel(), self.frames.ravel())

    def place(self, pauses: Pauses, speed: Numbers) -> PlacedPauses:
        """Where drawn pauses come into the utterances, each at its own speed (index of the factor, [U])."""
        columns = np.arange(len(speed)) * len(self.factors) + speed
        return PlacedPauses.of(pauses, self._inner, columns, self.config.features)

    def labels(self, speed: Numbers, layout: Layout, pauses: PlacedPauses | None = None) -> Tensor:
        """Labels [R] of all utterances, each at its own speed (index of the factor, [U]), with their pauses."""
        everyone = np.arange(len(speed))
        utterance, frame, row = layout.frames(everyone)
        device, lengths = self._flat.device, self.frames[everyone, speed]
        source = frame if pauses is None else pauses.source_frames(utterance, frame, lengths)
        source = self._starts[everyone, speed][utterance] + source
        labels = torch.full((layout.rows,), UNLABELLED, device=device)
        labels[on(device, row)] = self._flat[on(device, source)].long()
        if pauses is not None:
            # An utterance that begins or ends without a silence gets one.
            of_pause, many = pauses.at_edges(utterance, frame, lengths)
            bare = (of_pause >= 0) & ~self._silent[source]
            added = silence_labels(of_pause[bare], many[bare], self.config.targets)
            labels[on(device, row[bare])] = on(device, added)
        return labels
