"""Epochs of changed speech: the front end runs again for each, in the background, while the previous one trains."""

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from types import TracebackType

import numpy as np
import torch
from torch import Tensor

from asr.alignment.states import NO_ALIGNMENTS, Alignments
from asr.config import RecipeConfig
from asr.features import mel
from asr.features.augmentation.speed import speed_factor
from asr.features.cmvn import Statistics
from asr.features.dataset import Split
from asr.features.extract import BATCH_SECONDS, read_ahead
from asr.features.frontend import FrontEnd, StaticFeatures, build_front_end
from asr.features.normalize import smoothed, speech_weights
from asr.progress import track
from asr.training.batching import Batching
from asr.training.changed_waveforms import ChangedWaveforms
from asr.training.draws import Draws, draw
from asr.training.layout import Layout, Numbers, normalize_rows, on
from asr.training.memory import fits_in_memory
from asr.training.pauses import PlacedPauses
from asr.training.side_stream import SideStream
from asr.training.speech import Speech, row_storage
from asr.training.waveforms import SpeedTable, Waveforms


class EpochSpeech:
    """Makes each epoch's model input, and frame labels if there are any, of the training set on a device."""

    def __init__(
        self,
        config: RecipeConfig,
        clean: Speech,
        split: Split,
        device: torch.device,
        alignments: Alignments = NO_ALIGNMENTS,
    ) -> None:
        """Reads the audio of `clean`, the unchanged training set; labels come from `alignments` as in `load_speech`.

        Raises InputError as `read_audio` does.
        """
        self.config, self.features, self.device = config, config.features, device
        self.stopped = threading.Event()
        self.front_ends: dict[float, StaticFeatures] = {1.0: build_front_end(self.features, device)}
        self.choices = [speed_factor(factor) for factor in config.augmentation.speed]
        # Unchanged speed is always included, for utterances that would have too few frames at another.
        self.factors = sorted({*self.choices, speed_factor(1.0)})
        self.split, self.archive = split, split.archive
        resident, held = self._fitting()
        self.waveforms = Waveforms(self.features.sample_rate, device, held)
        self.changed = ChangedWaveforms(config, self.waveforms, self.factors)
        self.table = SpeedTable(config, self.factors, self.front_ends[1.0], alignments)
        self._read()
        place = device if resident else torch.device("cpu")
        self.table.close(place)
        paths = [None if resident else split.stem.with_name(f".train.{os.getpid()}.{turn}.rows") for turn in (0, 1)]
        empty = torch.empty(0, device=place)
        labels = empty if clean.phones is None else clean.labels.to(place)
        self.clean = replace(clean, rows=empty, labels=labels, starts=empty, lengths=empty, resident=resident)
        # Two, used in turn: one is filled while the other trains.
        self.rows = [row_storage((self._most_rows(), self.features.dim), path, place) for path in paths]

    def _most_rows(self) -> int:
        """At least the rows of any epoch of the recipe."""
        if self.config.augmentation.pauses is None:
            return Layout(self.table.frames.max(axis=1), self.clean.edge).rows
        return max(self._plan(epoch)[2].rows for epoch in range(self.config.training.epochs))

    def _fitting(self) -> tuple[bool, bool]:
        """Whether the rows of both epochs, and whether the audio, fit in the device's memory."""
        frames = len(self.archive.frames)
        longest = frames / float(self.factors[0])
        if (pauses := self.config.augmentation.pauses) is not None:
            mean = 3 * pauses.probability * sum(pauses.length) / 2
            longest += len(self.archive) * mean * 1000 / self.features.frame_shift
        rows = int(2 * 4 * longest * self.features.dim)
        audio = 2 * frames * mel.shift_samples(self.features)
        resident = self.config.training.resident
        if resident is None:
            resident = fits_in_memory(rows, self.device)
        return resident, fits_in_memory(audio + rows * resident, self.device)

    def _read(self) -> None:
        audio = read_ahead(self.split.cuts(), self.features.sample_rate)
        for cut, future in track(audio, "reading the audio of train", total=len(self.split)):
            samples = future.result()
            self.waveforms.add(cut, samples)
            self.table.add(cut, len(samples))

    @torch.no_grad()
    def __call__(self, epoch: int) -> Speech:
        """The speech of an epoch (counted from 0); overwritten two epochs later.

        Raises CancelledError once `stopped` is set.
        """
        draws, pauses, layout = self._plan(epoch)
        rows = self.rows[epoch % 2][: layout.rows]
        groups = self._groups(draws)
        own = self._fill(rows, layout, groups, draws, pauses)
        normalize_rows(rows, layout, groups, self._normalizing(own, draws), self.features)
        return replace(self._labelled(draws, pauses, layout), rows=rows)

    def labelled(self, epoch: int) -> Speech:
        """The labels of an epoch alone, without rows."""
        return self._labelled(*self._plan(epoch))

    def _plan(self, epoch: int) -> tuple[Draws, PlacedPauses | None, Layout]:
        draws = self.draws(epoch)
        lengths = self.table.frames[np.arange(len(draws.speed)), draws.speed]
        pauses = None if draws.pauses is None else self.table.place(draws.pauses, draws.speed)
        return draws, pauses, Layout(lengths if pauses is None else lengths + pauses.added, self.clean.edge)

    def _labelled(self, draws: Draws, pauses: PlacedPauses | None, layout: Layout) -> Speech:
        starts, lengths = (on(self.clean.rows.device, values) for values in (layout.starts, layout.lengths))
        labels = self.table.labels(draws.speed, layout, pauses) if self.clean.phones is None else self.clean.labels
        return replace(self.clean, labels=labels, starts=starts, lengths=lengths)

    def draws(self, epoch: int) -> Draws:
        """What is done to each utterance in an epoch; `speed` is an index into `factors`."""
        draws = draw(self.config.augmentation, self.config.seed, epoch, len(self.archive))
        speed = np.array([self.factors.index(factor) for factor in self.choices])[draws.speed]
        fewest = 1 if self.clean.phones is None else self.clean.phones.fewest
        few = self.table.frames[np.arange(len(speed)), speed] < fewest
        return replace(draws, speed=np.where(few, self.factors.index(speed_factor(1.0)), speed))

    def _groups(self, draws: Draws) -> list[Numbers]:
        """Groups of utterances of one speed and warp and similar length, with a limit on samples including padding."""
        limit = BATCH_SECONDS[self.device.type] * self.features.sample_rate
        lengths = self.waveforms.lengths
        groups: list[list[int]] = []
        current = None
        for number in np.lexsort((np.array(lengths), draws.warp, draws.speed)).tolist():
            kind = draws.speed[number], draws.warp[number]
            if kind != current or (len(groups[-1]) + 1) * lengths[number] > limit:
                groups.append([])
                current = kind
            groups[-1].append(number)
        return [np.array(group) for group in groups]

    def _fill(
        self, rows: Tensor, layout: Layout, groups: Sequence[Numbers], draws: Draws, pauses: PlacedPauses | None
    ) -> list[Statistics]:
        """Writes the static features into the first columns of `rows`; returns the statistics of each utterance."""
        dim = self.features.static_dim
        sums = torch.zeros(2, len(layout.lengths), dim, dtype=torch.float64, device=self.device)
        counts = torch.from_numpy(layout.lengths).double().to(self.device)
        for members in groups:
            if self.stopped.is_set():
                raise CancelledError
            features = self.static_features(members, draws, pauses)
            values, where = features.double(), on(self.device, members)
            if self.features.cmvn_frames == "speech":
                inside = torch.arange(features.shape[1])[None] < torch.from_numpy(layout.lengths[members])[:, None]
                weights = speech_weights(features, self.features, inside.to(self.device))
                counts[where] = weights.sum(dim=1)
                sums[:, where] = torch.einsum("bt,kbtd->kbd", weights, torch.stack([values, values.square()]))
            else:
                sums[:, where] = torch.stack([values.sum(dim=1), values.square().sum(dim=1)])
            number, frame, row = layout.frames(members)
            frames = features[on(self.device, number), on(self.device, frame)]
            rows[on(rows.device, row), :dim] = frames.to(rows.device)
        total, squares = sums.cpu().numpy()
        return [Statistics(n, one, two) for n, one, two in zip(counts.tolist(), total, squares, strict=True)]

    def static_features(self, members: Numbers, draws: Draws, pauses: PlacedPauses | None = None) -> Tensor:
        """Changed static features [B, T, static_dim] of some utterances, all with the speed and warp of the first."""
        waveforms, lengths = self.changed(members, draws, pauses)
        features, _ = self._front_end(float(draws.warp[members[0]]))(waveforms, torch.tensor(lengths))
        return features

    def _front_end(self, warp: float) -> StaticFeatures:
        if warp not in self.front_ends:
            plain = self.front_ends[1.0]
            assert isinstance(plain, FrontEnd)  # the recipe's schema allows warps only with this backend
            self.front_ends[warp] = plain.warped(warp)
        return self.front_ends[warp]

    def _normalizing(self, own: Sequence[Statistics], draws: Draws) -> Sequence[Statistics] | None:
        """The statistics that normalise each utterance: of the changed speech, except global ones, which stay those of
        the unchanged training set. None: no normalisation."""
        if self.features.cmvn == "none":
            return None
        if self.features.cmvn == "utterance":
            return [smoothed(each, self.split.cmvn.prior, self.features) for each in own]
        if self.features.cmvn == "global":
            return [self.split.cmvn.total()] * len(own)
        speakers: dict[str, Statistics] = {}
        for speaker, statistics, apart in zip(self.archive.speakers, own, draws.apart, strict=True):
            if not apart:
                speakers[speaker] = speakers[speaker] + statistics if speaker in speakers else statistics
        chosen = [
            one if by_itself else speakers[speaker]
            for one, by_itself, speaker in zip(own, draws.apart, self.archive.speakers, strict=True)
        ]
        return [smoothed(each, self.split.cmvn.prior, self.features) for each in chosen]


class AugmentedSets:
    """The training set of each epoch; a thread makes the next one during training, on a GPU in a stream of its own."""

    def __init__(self, speech: EpochSpeech, epochs: int, batching: Callable[[Speech], Batching]) -> None:
        self.speech, self.epochs, self.batching = speech, epochs, batching
        # One core: the front end's steps are too short to share, and training needs the others.
        self._thread = ThreadPoolExecutor(1, initializer=torch.set_num_threads, initargs=(1,))
        self._side_stream = SideStream(speech.device)
        self._waiting: dict[int, Future[Speech]] = {}

    def for_epoch(self, epoch: int) -> Batching:
        """The minibatches of an epoch, counted from 0."""
        speech = (self._waiting.pop(epoch, None) or self._submit(epoch)).result()
        if epoch + 1 < self.epochs:
            self._waiting[epoch + 1] = self._submit(epoch + 1)
        return self.batching(speech)

    def _submit(self, epoch: int) -> Future[Speech]:
        # The rows that it overwrites are those of the epoch before the one that trains now.
        return self._thread.submit(self._side_stream.after_now(partial(self.speech, epoch)))

    def __enter__(self) -> "AugmentedSets":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.speech.stopped.set()
        self._thread.shutdown()
