"""Alignment by trained models: from audio and what was said in it to phones and words with times."""

import logging
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, groupby, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from asr.acoustics.frame_times import FrameTimes
from asr.acoustics.loading import audio_scorer, first_alone, read_model
from asr.acoustics.pieces import ScoredPiece
from asr.acoustics.posteriors import LogPosteriors
from asr.acoustics.tables import TrainedModel
from asr.alignment.aligned import Aligned, apart
from asr.alignment.anchors import Anchor, expected_phones, find_anchors
from asr.alignment.fit import UNFIT, FitMeasure, fit_of
from asr.alignment.forced_alignment import Classes, ForcedAlignment, boundary_seconds, force_align
from asr.alignment.graph import Item, Vector
from asr.alignment.spoken import Spoken, pauses
from asr.alignment.windows import PosteriorStream, align_windows
from asr.audio.waveform import Waveform
from asr.errors import InputError
from asr.features.mel import shift_samples
from asr.formats.transcript import PhoneSegment, Transcript, WordSegment
from asr.phones.phone_set import load_phone_set

if TYPE_CHECKING:
    import torch

    from asr.acoustics.scorer import AcousticScorer

log = logging.getLogger(__name__)


class AligningModel:
    """One trained model; of an ensemble, the one that the others were added to. A model with a second output, for the
    times of phones, aligns with that."""

    def __init__(self, bundle: TrainedModel | Path | str, device: "torch.device | str" = "cpu") -> None:
        """Raises InputError when the model is missing or damaged."""
        model = read_model(bundle, device) if isinstance(bundle, Path | str) else bundle
        self.bundle = first_alone(model)
        config = model.config
        self.phone_set = config.targets.phone_set
        self.classes = Classes.of(model)
        subsampling = model.subsampling if model.timing is None else 1
        self.times = FrameTimes.of(config.features, subsampling)
        self.sample_rate = config.features.sample_rate
        self.step = shift_samples(config.features) * subsampling
        """Samples from one frame of log posteriors to the next."""
        self.fit = FitMeasure(self.phone_set, self.classes.topology, self.classes.states, config.scoring.phone_set)
        self.audio_scorer = audio_scorer(self.bundle, device)

    @property
    def scorer(self) -> "AcousticScorer":
        """What scores a bundle's features. Raises InputError for an exported model, which has none."""
        from asr.acoustics.waveform_scorer import WaveformScorer

        if not isinstance(self.audio_scorer, WaveformScorer):
            raise InputError("is an exported model, which scores audio only; give its bundle", self.bundle.folder)
        if self.bundle.timing is None:
            return self.audio_scorer.acoustic
        from asr.acoustics.scorer import AcousticScorer

        return AcousticScorer(self.audio_scorer.bundle, self.audio_scorer.acoustic.device, timing=True)

    def pieces(self, blocks: Iterable[Waveform], step: int) -> Iterator[ScoredPiece]:
        """The pieces of a recording, cut at multiples of `step` samples, with their log posteriors."""
        pieces = self.audio_scorer.pieces(blocks, step)
        if self.bundle.timing is None:
            return pieces
        return (piece.of_timing(self.bundle.subsampling) for piece in pieces)

    def anchors(self, pieces: Iterable[ScoredPiece], items: Sequence[Item]) -> tuple[int, list[Anchor]]:
        """The samples of a recording, and the places where it and a transcript's items meet."""
        phones, frames, samples, first = [], [], 0, 0
        for piece in pieces:
            found, begins = self.classes.free_phones(piece.log_posteriors[piece.begin : piece.end])
            phones.append(found)
            frames.append(first + begins)
            first, samples = first + piece.end - piece.begin, piece.piece.end
        recognised = self.fit.spoken_groups(np.concatenate(phones), np.concatenate(frames))
        return samples, find_anchors(*recognised, *self.fit.spoken_groups(*expected_phones(items)))

    def align(self, log_posteriors: LogPosteriors, spoken: Spoken, open_from: int | None = None) -> ForcedAlignment:
        """Aligns to log posteriors [T, C]; `open_from` and errors as `force_align`."""
        return force_align(log_posteriors, spoken.items, self.classes, open_from)

    def boundaries(self, aligned: ForcedAlignment, duration: float) -> Vector:
        """As `boundary_seconds`, within an audio of `duration` seconds."""
        reaching = pauses(self.phone_set) if self.classes.topology == "ctc" else aligned.phones.tolist()
        return boundary_seconds(aligned, self.times, duration, reaching)


class Aligner:
    """Aligns with one model or with several of the same phones; with several, a boundary is the median of theirs
    (Kelley 2025, Confidence intervals for forced alignment boundaries using model ensembles)."""

    def __init__(self, models: Sequence[AligningModel]) -> None:
        """Raises InputError where the models differ in their phones or their sample rate."""
        self.models = models
        first, *others = models
        for other in others:
            if other.phone_set != first.phone_set:
                message = (
                    f"has the phones of {other.phone_set}, but {first.bundle.folder} has those of {first.phone_set}"
                )
                raise InputError(f"{message}; choose models of one phone set", other.bundle.folder)
            if other.sample_rate != first.sample_rate:
                raise InputError(f"is for audio of {other.sample_rate} Hz, but others are not", other.bundle.folder)
        self.phone_set, self.sample_rate = first.phone_set, first.sample_rate
        self.broad_ipa = first.bundle.config.corpus.broad_ipa

    def align_blocks(
        self, read: Callable[[], Iterable[Waveform]], spoken: Spoken, utterance: str = "audio", audio: str | None = None
    ) -> Transcript:
        """Aligns a recording; `read` gives its blocks of samples [S] in [-1, 1] at `sample_rate`, as often as it is
        called.

        The first model chooses among pronunciations and silences. The interval of a boundary has the quantiles
        `asr.alignment.posterior.INTERVAL` of its posterior; for several models, the outermost of theirs. A recording
        that is longer than `asr.features.pieces.WHOLE` seconds is recognised first, to find places that the transcript
        has too, and then aligned from one to another (`asr.alignment.windows`), in bounded memory. A transcript that
        does not fit is logged as a warning.

        Raises InputError for audio that is too short for what was said.
        """
        aligned = self._aligned(read, spoken, Transcript(utterance, audio=audio))
        if aligned.fit is not None and aligned.fit < UNFIT:
            log.warning(
                "%s: its transcript does not seem to fit (fit %.3f, below %g); "
                "check that it belongs to this recording and is complete",
                audio or utterance,
                aligned.fit,
                UNFIT,
            )
        return aligned

    def _aligned(self, read: Callable[[], Iterable[Waveform]], spoken: Spoken, said: Transcript) -> Transcript:
        first, *others = self.models
        step = math.lcm(*(model.step for model in self.models))
        pieces = first.pieces(read(), step)
        head = next(pieces)
        if head.piece.last:
            said = replace(said, duration=round(head.piece.end / self.sample_rate, 4))
            scored = [head, *(next(model.pieces(read(), step)) for model in others)]
            return self.align_scored(said, spoken, [each.log_posteriors for each in scored])
        samples, anchors = first.anchors(chain([head], pieces), spoken.items)
        posteriors = [PosteriorStream(model.pieces(read(), step), model.step) for model in self.models]
        found = align_windows(spoken.items, anchors, samples, self.sample_rate, posteriors, self._align_stretch)
        return self._transcript(replace(said, duration=round(samples / self.sample_rate, 4)), spoken, found)

    def align_scored(self, said: Transcript, spoken: Spoken, posteriors: Sequence[LogPosteriors]) -> Transcript:
        """Aligns an utterance, whose duration is that of `said`, to each model's log posteriors [T, C]."""
        return self._transcript(said, spoken, self._align_stretch(posteriors, spoken.items, said.duration or 0.0))

    def _align_stretch(
        self, posteriors: Sequence[LogPosteriors], items: list[Item], duration: float, open_from: int | None = None
    ) -> Aligned:
        """Aligns items to each model's log posteriors [T, C] of `duration` seconds; `open_from` as in `force_align`."""
        first = self.models[0].align(posteriors[0], Spoken(items, [None] * len(items)), open_from)
        chosen = Spoken(first.phones.tolist(), [None] * len(first.phones))
        others = [model.align(scored, chosen) for model, scored in zip(self.models[1:], posteriors[1:], strict=True)]
        aligned = [first, *others]
        each = [model.boundaries(one, duration) for model, one in zip(self.models, aligned, strict=True)]
        medians, lows, highs = np.stack(each, axis=1)
        return Aligned(
            first.phones,
            first.items,
            np.stack([np.median(medians, axis=0), lows.min(axis=0), highs.max(axis=0)]),
            np.mean([one.scores for one in aligned], axis=0),
            self.models[0].fit.evidence(posteriors[0], first),
        )

    def _transcript(self, said: Transcript, spoken: Spoken, aligned: Aligned) -> Transcript:
        middle, lows, highs = apart(aligned.times).tolist()
        symbols = load_phone_set(self.phone_set)
        phones = [
            PhoneSegment(symbols[phone], *span, score)
            for phone, span, score in zip(
                aligned.phones.tolist(), pairwise(middle), aligned.scores.round(4).tolist(), strict=True
            )
        ]
        return replace(
            said,
            phones=phones,
            words=_words(aligned.items.tolist(), spoken.words, middle),
            intervals=list(zip(lows, highs, strict=True))[1:-1],
            fit=fit_of(aligned.evidence),
        )


def _words(items: Sequence[int], labels: Sequence[str | None], times: Sequence[float]) -> list[WordSegment]:
    """The words of phones that come from `items` [N], with the phones' boundaries `times` [N + 1]."""
    words, first = [], 0
    for item, group in groupby(items):
        end = first + len(list(group))
        if (label := labels[item]) is not None:
            words.append(WordSegment(label, times[first], times[end]))
        first = end
    return words
