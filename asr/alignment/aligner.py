"""Alignment by trained models: from audio and what was said in it to phones and words with times."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from asr.acoustics.frame_times import FrameTimes
from asr.acoustics.loading import audio_scorer, first_alone, read_model
from asr.acoustics.posteriors import LogPosteriors
from asr.acoustics.tables import TrainedModel
from asr.alignment.forced_alignment import Classes, ForcedAlignment, force_align
from asr.alignment.spoken import Spoken, pauses
from asr.errors import InputError
from asr.formats.transcript import PhoneSegment, Transcript, WordSegment
from asr.phones.phone_set import load_phone_set

if TYPE_CHECKING:
    import torch

    from asr.acoustics.scorer import AcousticScorer

Seconds = npt.NDArray[np.float64]

SHORTEST = 0.001
"""Seconds of a phone that is squeezed in at the end of the audio."""


class AligningModel:
    """One trained model; of an ensemble, the one that the others were added to."""

    def __init__(self, bundle: TrainedModel | Path | str, device: "torch.device | str" = "cpu") -> None:
        """Raises InputError when the model is missing or damaged."""
        model = read_model(bundle, device) if isinstance(bundle, Path | str) else bundle
        self.bundle = first_alone(model)
        config, statistics = model.config, model.statistics
        self.phone_set = config.targets.phone_set
        self.classes = Classes(config.topology, config.targets.states, statistics.priors, statistics.self_loops)
        self.times = FrameTimes.of(config.features, model.subsampling)
        self.sample_rate = config.features.sample_rate
        self.audio_scorer = audio_scorer(self.bundle, device)

    @property
    def scorer(self) -> "AcousticScorer":
        """What scores a bundle's features. Raises InputError for an exported model, which has none."""
        from asr.acoustics.waveform_scorer import WaveformScorer

        if not isinstance(self.audio_scorer, WaveformScorer):
            raise InputError("is an exported model, which scores audio only; give its bundle", self.bundle.folder)
        return self.audio_scorer.acoustic

    def log_posteriors(self, waveform: npt.NDArray[np.float32]) -> LogPosteriors:
        """Log posteriors [T, C] of samples [S] in [-1, 1] at `sample_rate`. Raises InputError when there are too
        few."""
        return self.audio_scorer.log_posteriors(waveform)

    def align(self, log_posteriors: LogPosteriors, spoken: Spoken) -> ForcedAlignment:
        """Aligns to log posteriors [T, C]. Raises InputError as `force_align`."""
        return force_align(log_posteriors, spoken.items, self.classes)

    def boundaries(self, aligned: ForcedAlignment, duration: float) -> Seconds:
        """The medians, lows and highs [3, N + 1] of the boundaries in seconds, within an audio of `duration` seconds.

        An HMM has a phone in every frame: the first and the last reach the ends of the audio. With CTC only silences
        do.
        """
        found = aligned.boundaries
        frames = np.stack([found.median, found.low, found.high])
        seconds = np.clip(self.times.offset + self.times.shift * frames, 0.0, duration)
        reaching = pauses(self.phone_set) if self.classes.topology == "ctc" else aligned.phones.tolist()
        if aligned.phones[0] in reaching:
            seconds[:, 0] = 0.0
        if aligned.phones[-1] in reaching:
            seconds[:, -1] = duration
        # The last frame may reach past the end of the audio; the phones in it still follow each other.
        latest = duration - SHORTEST * np.arange(len(aligned.phones), -1, -1)
        return np.asarray(np.maximum(np.minimum(seconds, latest), 0.0))


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

    def align(
        self, waveform: npt.NDArray[np.float32], spoken: Spoken, utterance: str = "audio", audio: str | None = None
    ) -> Transcript:
        """Aligns samples [S] in [-1, 1] at `sample_rate`. The first model chooses among pronunciations and silences.

        The interval of a boundary has the quantiles `asr.alignment.posterior.INTERVAL` of its posterior; for several
        models, the outermost of theirs.

        Raises InputError for audio that is too short for what was said.
        """
        said = Transcript(utterance, audio=audio, duration=round(len(waveform) / self.sample_rate, 4))
        return self.align_scored(said, spoken, [model.log_posteriors(waveform) for model in self.models])

    def align_scored(self, said: Transcript, spoken: Spoken, posteriors: Sequence[LogPosteriors]) -> Transcript:
        """Aligns an utterance, whose duration is that of `said`, to each model's log posteriors [T, C]."""
        first = self.models[0].align(posteriors[0], spoken)
        chosen = Spoken(first.phones.tolist(), [None] * len(first.phones))
        others = [model.align(scored, chosen) for model, scored in zip(self.models[1:], posteriors[1:], strict=True)]
        aligned = [first, *others]
        duration = said.duration or 0.0
        each = [model.boundaries(one, duration) for model, one in zip(self.models, aligned, strict=True)]
        medians, lows, highs = np.stack(each, axis=1)
        middle = np.median(medians, axis=0).round(4).tolist()
        scores = np.mean([one.scores for one in aligned], axis=0)
        symbols = load_phone_set(self.phone_set)
        phones = [
            PhoneSegment(symbols[phone], *span, score)
            for phone, span, score in zip(
                first.phones.tolist(), pairwise(middle), scores.round(4).tolist(), strict=True
            )
        ]
        intervals = zip(lows.min(axis=0).round(4).tolist(), highs.max(axis=0).round(4).tolist(), strict=True)
        return replace(
            said,
            phones=phones,
            words=_words(first.items.tolist(), spoken.words, middle),
            intervals=list(intervals)[1:-1],
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
