"""From posteriors to hypotheses: phones with times and scores, an utterance or a whole split."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from asr.acoustics.frame_times import FrameTimes
from asr.acoustics.priors import scaled_likelihoods
from asr.acoustics.scorer import LogPosteriors
from asr.decoding.confidence import AS_THEY_ARE, Recalibration, phone_confidences
from asr.decoding.search.batch_viterbi import BatchViterbi, Weights
from asr.decoding.search.batches import batch_paths
from asr.decoding.search.beam import (
    Decoder,
    PathFinder,
    PhoneSpan,
    check_scores,
)
from asr.decoding.search.beam import Path as BestPath
from asr.decoding.search.forced_path import forced_path
from asr.errors import InputError
from asr.formats.ctm import write_ctm
from asr.formats.transcript import (
    PhoneSegment,
    Transcript,
    read_transcripts,
    write_transcripts,
)
from asr.storage.run_layout import HYPOTHESES


@dataclass(frozen=True, slots=True)
class Search:
    """All that decoding needs beside the posteriors; `priors` [C] are probabilities, scaled by `prior_scale`.

    `finder` searches an utterance at a time, by default the decoder. With `viterbi`, of the decoder's graph, a split is
    searched exactly and in batches on the device of that. Confidences are by the decoder's graph; `posterior_scale` and
    `groups` [P] are those of `phone_confidences`, which `recalibration` maps; without groups each phone is its own.
    """

    decoder: Decoder
    acoustic_scale: float
    priors: npt.NDArray[np.float64]
    phones: Sequence[str]
    times: FrameTimes
    prior_scale: float = 1.0
    posterior_scale: float = 1.0
    recalibration: Recalibration = AS_THEY_ARE
    groups: npt.NDArray[np.int32] | None = None
    viterbi: BatchViterbi | None = None
    finder: PathFinder | None = None

    def scores(self, log_posteriors: LogPosteriors) -> npt.NDArray[np.float32]:
        """Scaled likelihoods, of the same shape, of log posteriors (natural)."""
        return scaled_likelihoods(log_posteriors, self.priors, self.prior_scale)

    def best_path(self, log_posteriors: LogPosteriors) -> BestPath:
        """The best path for log posteriors (natural)."""
        return self._find(self.scores(log_posteriors))

    def best_paths(
        self, items: Iterable[tuple[Transcript, LogPosteriors]]
    ) -> Iterator[tuple[Transcript, LogPosteriors, BestPath]]:
        """Each utterance with the best path of its log posteriors, in order.

        Raises InputError that names the utterance whose posteriors are not numbers.
        """
        scored = ((item, self._checked(*item)) for item in items)
        if self.viterbi is None:
            for item, scores in scored:
                yield *item, self._find(scores)
        else:
            weights = Weights(self.acoustic_scale, self.decoder.insertion_penalty)
            for item, path in batch_paths(scored, self.viterbi, weights):
                yield *item, path

    def _find(self, scores: npt.NDArray[np.float32]) -> BestPath:
        return (self.finder or self.decoder).decode(scores, self.acoustic_scale)

    def _checked(self, utterance: Transcript, log_posteriors: LogPosteriors) -> npt.NDArray[np.float32]:
        try:
            scores = self.scores(log_posteriors)
            for each in scores if scores.ndim == 3 else [scores]:
                check_scores(each, len(self.priors))
            return scores
        except InputError as error:
            raise InputError(f"utterance {utterance.utterance}: {error}") from error

    def confidences(self, log_posteriors: LogPosteriors, path: BestPath) -> npt.NDArray[np.float64]:
        """The confidence, 0 to 1, of each phone of the path that was found for `log_posteriors`.

        Of several models it is by the mean of their posteriors, each in its own alignment.
        """
        scores = self.scores(log_posteriors)
        if scores.ndim == 2:
            return self.recalibration(self._posteriors(scores, path))
        phones = [span.phone for span in path.phones]
        return self.recalibration(
            np.mean([self._posteriors(each, forced_path(each, phones)) for each in scores], axis=0)
        )

    def _posteriors(self, scores: npt.NDArray[np.float32], path: BestPath) -> npt.NDArray[np.float64]:
        groups = np.arange(len(self.phones), dtype=np.int32) if self.groups is None else self.groups
        return phone_confidences(self.decoder.flat, scores, path, self.acoustic_scale, self.posterior_scale, groups)


@dataclass(slots=True)
class Decoded:
    """What a split's decoding did; `incomplete` names utterances for whose frames no whole path was found."""

    utterances: int = 0
    incomplete: list[str] = field(default_factory=list)


def decode_utterance(utterance: Transcript, log_posteriors: LogPosteriors, search: Search) -> Transcript:
    """The utterance with its recognised phones in place of its own, from log posteriors (natural)."""
    return recognized(utterance, log_posteriors, search.best_path(log_posteriors), search)


Also = Callable[[Transcript, LogPosteriors, BestPath], None]


def decode_split(
    items: Iterable[tuple[Transcript, LogPosteriors]], search: Search, out_dir: Path | str, also: Also | None = None
) -> Decoded:
    """Decodes utterances as they come and writes hypotheses.jsonl and hypotheses.ctm; `also` is given each best path.

    One utterance, or one batch, is in memory. Of an item the utterance's phones are ignored.
    Raises InputError that names the utterance whose posteriors are not numbers.
    """
    decoded = Decoded()
    path = Path(out_dir) / HYPOTHESES
    write_transcripts(path, _hypotheses(items, search, decoded, also))
    write_ctm(path.with_suffix(".ctm"), read_transcripts(path))
    return decoded


def _hypotheses(
    items: Iterable[tuple[Transcript, LogPosteriors]], search: Search, decoded: Decoded, also: Also | None
) -> Iterator[Transcript]:
    for utterance, log_posteriors, path in search.best_paths(items):
        if also is not None:
            also(utterance, log_posteriors, path)
        decoded.utterances += 1
        if not path.complete:
            decoded.incomplete.append(utterance.utterance)
        yield recognized(utterance, log_posteriors, path, search)


def recognized(utterance: Transcript, log_posteriors: LogPosteriors, path: BestPath, search: Search) -> Transcript:
    """The utterance with the phones of the path that was found for its log posteriors, and their confidences."""
    confidences = search.confidences(log_posteriors, path)
    segments = [
        PhoneSegment(
            search.phones[span.phone],
            *segment_times(span, search.times, utterance.duration),
            round(float(confidence), 4),
        )
        for span, confidence in zip(path.phones, confidences, strict=True)
    ]
    return replace(utterance, phones=segments)


def segment_times(span: PhoneSpan, times: FrameTimes, duration: float | None) -> tuple[float, float]:
    """Where a phone begins and ends, in seconds, inside the audio."""
    return _seconds(span.first, times, duration), _seconds(span.end, times, duration)


def _seconds(frame: int, times: FrameTimes, duration: float | None) -> float:
    """Where a frame begins, to 0.1 ms, inside the audio."""
    seconds = max(times.offset + frame * times.shift, 0.0)
    return round(seconds if duration is None else min(seconds, duration), 4)
