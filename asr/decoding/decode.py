"""From posteriors to hypotheses: phones with times and scores, for one utterance or a whole split."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from asr.acoustics.frame_times import FrameTimes
from asr.acoustics.posteriors import LogPosteriors
from asr.acoustics.priors import scaled_likelihoods
from asr.decoding.confidence import UNCHANGED, Recalibration, phone_confidences
from asr.decoding.graph.flat_graph import FlatGraph
from asr.decoding.search.beam import BeamSearch
from asr.decoding.search.forced_path import forced_path
from asr.decoding.search.path import BestPath, PathSearch, PhoneSpan, check_scores
from asr.errors import InputError
from asr.formats.ctm import write_ctm
from asr.formats.transcript import PhoneSegment, Transcript, read_transcripts, write_transcripts
from asr.storage.run_layout import HYPOTHESES
from asr.threads import in_threads

if TYPE_CHECKING:
    from asr.decoding.search.batch_viterbi import BatchViterbi


@dataclass(frozen=True, slots=True)
class Decoder:
    """All that turns posteriors into phones; `priors` [C] are probabilities, scaled by `prior_scale`.

    `search` finds the path of one utterance at a time, by default the `graph_search`. With `batch_viterbi`, which has
    the same graph, a split is searched exactly and in batches on its device. Confidences are those of the
    `confidence_graph`, by default that of `graph_search`; `posterior_scale` and `groups` [P] are those of
    `phone_confidences`, whose result `recalibration` maps; without groups each phone has its own. Without `scoring`,
    phones get no confidences.
    """

    graph_search: BeamSearch
    acoustic_scale: float
    priors: npt.NDArray[np.float64]
    phones: Sequence[str]
    times: FrameTimes
    prior_scale: float = 1.0
    posterior_scale: float = 1.0
    recalibration: Recalibration = UNCHANGED
    groups: npt.NDArray[np.int32] | None = None
    batch_viterbi: "BatchViterbi | None" = None
    search: PathSearch | None = None
    confidence_graph: FlatGraph | None = None
    scoring: bool = True

    def scores(self, log_posteriors: LogPosteriors) -> npt.NDArray[np.float32]:
        """Scaled likelihoods of log posteriors (natural), both [T, C]; of several models, [M, T, C]."""
        return scaled_likelihoods(log_posteriors, self.priors, self.prior_scale)

    def best_path(self, log_posteriors: LogPosteriors) -> BestPath:
        """The best path for log posteriors (natural) as in `scores`. Raises InputError where they are not finite."""
        return self._search(self.scores(log_posteriors))

    def best_paths(
        self, items: Iterable[tuple[Transcript, LogPosteriors]]
    ) -> Iterator[tuple[Transcript, LogPosteriors, BestPath]]:
        """Each utterance with the best path of its log posteriors, in order.

        Raises InputError that names the utterance whose posteriors are not finite.
        """
        scored = ((item, self._checked_scores(*item)) for item in items)
        if self.batch_viterbi is None:
            yield from in_threads(lambda each: (*each[0], self._search(each[1])), scored)
        else:
            from asr.decoding.search.batch_viterbi import Weights
            from asr.decoding.search.batches import batch_paths

            weights = Weights(self.acoustic_scale, self.graph_search.insertion_penalty)
            for item, path in batch_paths(scored, self.batch_viterbi, weights):
                yield *item, path

    def _search(self, scores: npt.NDArray[np.float32]) -> BestPath:
        return (self.search or self.graph_search).best_path(scores, self.acoustic_scale)

    def _checked_scores(self, utterance: Transcript, log_posteriors: LogPosteriors) -> npt.NDArray[np.float32]:
        try:
            scores = self.scores(log_posteriors)
            for each in scores if scores.ndim == 3 else [scores]:
                check_scores(each, len(self.priors))
            return scores
        except InputError as error:
            raise InputError(f"utterance {utterance.utterance}: {error}") from error

    def confidences(self, log_posteriors: LogPosteriors, path: BestPath) -> npt.NDArray[np.float64]:
        """The confidence, 0 to 1, of each of the N phones of the path that was found for `log_posteriors`: [N].

        For several models, that of the mean of their posteriors, each with its own times of the phones.
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
        graph = self.confidence_graph or self.graph_search.flat
        return phone_confidences(graph, scores, path, self.acoustic_scale, self.posterior_scale, groups)


@dataclass(slots=True)
class SplitSummary:
    """How the decoding of a split went; `incomplete` are the utterances for whose frames no whole path was found."""

    utterances: int = 0
    incomplete: list[str] = field(default_factory=list)


def decode_utterance(utterance: Transcript, log_posteriors: LogPosteriors, decoder: Decoder) -> Transcript:
    """The utterance with its recognised phones in place of its own, from log posteriors [T, C] (natural).

    Raises InputError where they are not finite.
    """
    return with_phones(utterance, log_posteriors, decoder.best_path(log_posteriors), decoder)


PathWriter = Callable[[Transcript, LogPosteriors, BestPath], None]
"""Writes more about an utterance than its best phones."""


def decode_split(
    items: Iterable[tuple[Transcript, LogPosteriors]],
    decoder: Decoder,
    out_dir: Path | str,
    write_more: PathWriter | None = None,
) -> SplitSummary:
    """Decodes utterances one after another and writes hypotheses.jsonl and hypotheses.ctm.

    `write_more` is called with each best path. A few utterances for each core, or one batch, are in memory. The phones
    that an item's utterance has are ignored. Raises InputError that names an utterance whose posteriors are not finite.
    """
    summary = SplitSummary()
    path = Path(out_dir) / HYPOTHESES
    write_transcripts(path, _hypotheses(items, decoder, summary, write_more))
    write_ctm(path.with_suffix(".ctm"), read_transcripts(path))
    return summary


def _hypotheses(
    items: Iterable[tuple[Transcript, LogPosteriors]],
    decoder: Decoder,
    summary: SplitSummary,
    write_more: PathWriter | None,
) -> Iterator[Transcript]:
    def scored(
        found: tuple[Transcript, LogPosteriors, BestPath],
    ) -> tuple[Transcript, LogPosteriors, BestPath, Transcript]:
        return *found, with_phones(*found, decoder)

    for utterance, log_posteriors, path, hypothesis in in_threads(scored, decoder.best_paths(items)):
        if write_more is not None:
            write_more(utterance, log_posteriors, path)
        summary.utterances += 1
        if not path.complete:
            summary.incomplete.append(utterance.utterance)
        yield hypothesis


def with_phones(utterance: Transcript, log_posteriors: LogPosteriors, path: BestPath, decoder: Decoder) -> Transcript:
    """The utterance with the phones of the path that was found for its log posteriors, and their confidences."""
    segments = phone_segments(path.phones, decoder, utterance.duration)
    if not decoder.scoring:
        return replace(utterance, phones=segments)
    scores = written_scores(decoder.confidences(log_posteriors, path))
    phones = [replace(segment, score=score) for segment, score in zip(segments, scores, strict=True)]
    return replace(utterance, phones=phones)


def written_scores(confidences: npt.NDArray[np.float64]) -> list[float]:
    """Confidences [N] to the four decimals with which they are written."""
    return [round(confidence, 4) for confidence in confidences.tolist()]


def phone_segments(spans: Iterable[PhoneSpan], decoder: Decoder, duration: float | None) -> list[PhoneSegment]:
    """The phones with their times in seconds, inside an audio of `duration` seconds."""
    return [
        PhoneSegment(
            decoder.phones[span.phone],
            _seconds(span.first, decoder.times, duration),
            _seconds(span.end, decoder.times, duration),
        )
        for span in spans
    ]


def _seconds(frame: int, times: FrameTimes, duration: float | None) -> float:
    """When a frame begins, to 0.1 ms, inside the audio."""
    seconds = max(times.offset + frame * times.shift, 0.0)
    return round(seconds if duration is None else min(seconds, duration), 4)
