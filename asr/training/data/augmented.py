"""Epochs of changed speech: the front end runs again for each, in the background, while the previous one trains."""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from functools import partial
from types import TracebackType

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from asr.alignment.states import NO_ALIGNMENTS, Alignments
from asr.config import RecipeConfig
from asr.features import mel
from asr.features.augmentation.speed import speed_factor
from asr.features.cmvn import Statistics
from asr.features.dataset import Split
from asr.features.extract import BATCH_SECONDS
from asr.features.frontend import FrontEnd, StaticFeatures, build_front_end
from asr.features.normalize import smoothed, speech_weights
from asr.progress import track
from asr.threads import in_order
from asr.training.data.batching import Batching
from asr.training.data.changed_waveforms import ChangedWaveforms
from asr.training.data.draws import Draws, draw
from asr.training.data.layout import Layout, Numbers, normalize_rows, on
from asr.training.data.memory import fits_in_memory
from asr.training.data.pauses import PlacedPauses
from asr.training.data.side_stream import SideStream
from asr.training.data.speech import Speech, Use, row_storage, stays_resident
from asr.training.data.streams import AHEAD, ChangedRows, RowFile, StoredRows
from asr.training.data.waveforms import SpeedTable, Waveforms


class EpochSpeech:
    """Makes each epoch's model input, and frame labels if there are any, of the training set on a device."""

    def __init__(
        self,
        config: RecipeConfig,
        clean: Speech,
        split: Split,
        device: torch.device,
        alignments: Alignments = NO_ALIGNMENTS,
        use: Use = Use.FRAMES,
    ) -> None:
        """Reads the audio of `clean`, the unchanged training set; labels come from `alignments` as in `load_speech`.

        What does not fit in memory is made or read for each minibatch, if these are of whole utterances (`use`), else
        kept in a mapped file. Raises InputError as `read_audio` does.
        """
        self.config, self.features, self.device = config, config.features, device
        self.stopped = threading.Event()
        self.front_ends: dict[float, StaticFeatures] = {1.0: build_front_end(self.features, device)}
        self.choices = [speed_factor(factor) for factor in config.augmentation.speed]
        # Unchanged speed is always included, for utterances that would have too few frames at another.
        self.factors = sorted({*self.choices, speed_factor(1.0)})
        self.split, self.archive, self.cmvn = split, split.archive, split.cmvn
        resident, held = self._fitting()
        self.waveforms = Waveforms(self.features.sample_rate, device, held)
        self.changed = ChangedWaveforms(config, self.waveforms, self.factors)
        self.table = SpeedTable(config, self.factors, self.front_ends[1.0], alignments)
        self._read()
        place = device if resident else torch.device("cpu")
        self.table.close(place)
        empty = torch.empty(0, self.features.dim, device=place)
        labels = empty if clean.phones is None else clean.labels.to(place)
        unlabelled = replace(clean, rows=empty, labels=labels, starts=empty, lengths=empty, timing=None)
        self.clean = replace(unlabelled, resident=resident, stream=None)
        self._make_room(place, whole=use == Use.UTTERANCES and not resident and device.type == "cpu")

    def _make_room(self, place: torch.device, whole: bool) -> None:
        """What the epochs are kept in: two of each, used in turn, as one is filled while the other trains.

        Rows, in memory or mapped; or, for `whole` utterances, files where the statistics of speakers must be known
        first, and otherwise nothing.
        """
        paths = [self.split.stem.with_name(f".train.{os.getpid()}.{turn}.rows") for turn in (0, 1)]
        self.rows: list[Tensor] = []
        self.files: list[RowFile] = []
        if not whole:
            shape = self._most_rows(), self.features.dim
            self.rows = [row_storage(shape, None if self.clean.resident else path, place) for path in paths]
        elif self.features.cmvn == "speaker":
            self.files = [RowFile(path, self.features.static_dim) for path in paths]

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
        settings = self.config.training
        resident = stays_resident(rows, settings, self.device)
        return resident, fits_in_memory(audio + rows * resident, self.device, settings.memory)

    def _read(self) -> None:
        """Reads the audio, or only its lengths in the manifest where it is not held."""
        cuts = track(self.split.cuts(), "reading the audio of train", total=len(self.split))
        for cut, samples in self.waveforms.added(cuts):
            self.table.add(cut, samples)

    @torch.no_grad()
    def __call__(self, epoch: int) -> Speech:
        """The speech of an epoch (counted from 0); overwritten two epochs later.

        Raises CancelledError once `stopped` is set.
        """
        draws, pauses, layout = self._plan(epoch)
        labelled, groups = self._labelled(draws, pauses, layout), self._groups(draws)
        if self.rows:
            rows = self.rows[epoch % 2][: layout.rows]
            own = self._fill(partial(_keep, rows, layout), layout, groups, draws, pauses)
            normalize_rows(rows, layout, groups, self._normalizing(own, draws), self.features)
            return replace(labelled, rows=rows)
        if self.files:
            stored = StoredRows(self.files[epoch % 2], layout, self.features)
            own = self._fill(stored.store, layout, groups, draws, pauses)
            stored.statistics = self._normalizing(own, draws)
            return replace(labelled, stream=stored)
        longest = np.empty(len(layout.lengths), np.int64)
        for members in groups:
            longest[members] = layout.lengths[members].max()
        return replace(labelled, stream=ChangedRows(partial(self._one, draws, pauses, longest), self.features))

    @torch.no_grad()
    def _one(
        self, draws: Draws, pauses: PlacedPauses | None, longest: Numbers, number: int
    ) -> tuple[Tensor, Statistics | None]:
        """The static features [T, static_dim] of one utterance, and the statistics that normalise it."""
        features = self.static_features(np.array([number]), draws, pauses)
        if self.features.cmvn != "utterance":
            return features[0], None if self.features.cmvn == "none" else self.cmvn.total()
        # Padded as in its group, because the order of a sum depends on the number of frames.
        padded = pad(features, (0, 0, 0, int(longest[number]) - features.shape[1]))
        counts, sums = self._sums(padded, np.array([features.shape[1]]))
        own = Statistics(float(counts[0]), *sums[:, 0].numpy())
        return features[0], smoothed(own, self.cmvn.prior, self.features)

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
        placed = replace(self.clean, starts=starts, lengths=lengths)
        if self.config.frame_targets is None:
            return placed
        labels = self.table.labels(draws.speed, layout, pauses)
        return replace(placed, labels=labels) if self.clean.phones is None else replace(placed, timing=labels)

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
        self,
        keep: Callable[[Tensor, Numbers], None],
        layout: Layout,
        groups: Sequence[Numbers],
        draws: Draws,
        pauses: PlacedPauses | None,
    ) -> list[Statistics]:
        """Gives the static features of each group to `keep`; returns the statistics of each utterance."""
        sums = torch.zeros(2, len(layout.lengths), self.features.static_dim, dtype=torch.float64, device=self.device)
        counts = torch.zeros(len(layout.lengths), dtype=torch.float64, device=self.device)
        for members, features in self._computed(groups, draws, pauses):
            if self.stopped.is_set():
                raise CancelledError
            where = on(self.device, members)
            counts[where], sums[:, where] = self._sums(features, layout.lengths[members])
            keep(features, members)
        total, squares = sums.cpu().numpy()
        return [Statistics(n, one, two) for n, one, two in zip(counts.tolist(), total, squares, strict=True)]

    def _computed(
        self, groups: Sequence[Numbers], draws: Draws, pauses: PlacedPauses | None
    ) -> Iterator[tuple[Numbers, Tensor]]:
        """The static features of each group; where audio is read, that of the next group meanwhile."""
        compute = partial(self.static_features, draws=draws, pauses=pauses)
        if self.waveforms.held or self.device.type != "cpu":
            yield from ((members, compute(members)) for members in groups)
            return
        with closing(in_order(compute, groups, AHEAD, AHEAD + 1)) as done:
            yield from ((members, features.result()) for members, features in done)

    def _sums(self, features: Tensor, lengths: Numbers) -> tuple[Tensor, Tensor]:
        """The number of frames [B] that count of features [B, T, static_dim], and their sums and those of their
        squares [2, B, static_dim], in double precision."""
        values = features.double()
        if self.features.cmvn_frames != "speech":
            counts = torch.from_numpy(lengths).double().to(self.device)
            return counts, torch.stack([values.sum(dim=1), values.square().sum(dim=1)])
        inside = torch.arange(features.shape[1])[None] < torch.from_numpy(lengths)[:, None]
        weights = speech_weights(features, self.features, inside.to(self.device))
        squares = torch.stack([values, values.square()])
        return weights.sum(dim=1), torch.einsum("bt,kbtd->kbd", weights, squares)

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
            return [smoothed(each, self.cmvn.prior, self.features) for each in own]
        if self.features.cmvn == "global":
            return [self.cmvn.total()] * len(own)
        speakers: dict[str, Statistics] = {}
        for speaker, statistics, apart in zip(self.archive.speakers, own, draws.apart, strict=True):
            if not apart:
                speakers[speaker] = speakers[speaker] + statistics if speaker in speakers else statistics
        chosen = [
            one if by_itself else speakers[speaker]
            for one, by_itself, speaker in zip(own, draws.apart, self.archive.speakers, strict=True)
        ]
        return [smoothed(each, self.cmvn.prior, self.features) for each in chosen]


def _keep(rows: Tensor, layout: Layout, features: Tensor, members: Numbers) -> None:
    """Writes static features [B, T, static_dim] of some utterances into the first columns of `rows`."""
    number, frame, row = layout.frames(members)
    frames = features[on(features.device, number), on(features.device, frame)]
    rows[on(rows.device, row), : features.shape[2]] = frames.to(rows.device)


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
