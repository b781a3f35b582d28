"""Forced alignment of a known transcript to an utterance's posteriors: phones with frames, boundaries and scores."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from asr.acoustics.frame_times import FrameTimes
from asr.acoustics.posteriors import LogPosteriors
from asr.acoustics.priors import scaled_likelihoods
from asr.acoustics.tables import TrainedModel
from asr.alignment.free_phones import free_ctc_phones, free_hmm_phones
from asr.alignment.graph import NO_PHONE, AlignmentGraph, Indices, Item, Vector, build_alignment_graph
from asr.alignment.posterior import Boundaries, boundary_posteriors
from asr.alignment.viterbi import best_path
from asr.phones.classes import Topology

SHORTEST = 0.001
"""Seconds of a phone that is squeezed in at the end of the audio."""


@dataclass(frozen=True)
class Classes:
    """The C classes of an acoustic model: their topology, HMM states of each phone, priors and self-loop probabilities
    (both [C])."""

    topology: Topology
    states: int
    priors: Vector
    self_loops: Vector

    @classmethod
    def of(cls, model: TrainedModel) -> "Classes":
        """Those that a model aligns with: of its second output if it has one."""
        config, states = model.config, model.config.targets.states
        if model.timing is not None and config.training.timing is not None:
            return cls("hmm", config.training.timing.states, model.timing.priors, model.timing.self_loops)
        return cls(config.topology, states, model.statistics.priors, model.statistics.self_loops)

    def graph(self, transcript: Sequence[Item]) -> AlignmentGraph:
        return build_alignment_graph(transcript, self.topology, self.states, self.self_loops)

    def free_phones(self, log_posteriors: LogPosteriors) -> tuple[Indices, Indices]:
        """The phones [N] that natural log posteriors [T, C] give without a transcript, and their first frames [N]."""
        if self.topology == "ctc":
            return free_ctc_phones(log_posteriors)
        return free_hmm_phones(scaled_likelihoods(log_posteriors, self.priors), self.states, self.self_loops)


@dataclass(frozen=True)
class ForcedAlignment:
    """The N phones of a transcript in T frames."""

    phones: Indices
    """[N]: indices in the model's phone set."""
    items: Indices
    """[N]: the transcript's item that each comes from."""
    boundaries: Boundaries
    """The beginning of each and the end of the last."""
    scores: Vector
    """[N]: the geometric mean, over a phone's frames, of the posteriors of their classes; 0 to 1."""
    first_frames: Indices
    """[N]: the frame in which each begins on the best path."""
    classes: Indices
    """[T]: the class of each frame on the best path."""


def force_align(
    log_posteriors: LogPosteriors, transcript: Sequence[Item], classes: Classes, open_from: int | None = None
) -> ForcedAlignment:
    """Aligns a transcript (see `asr.alignment.graph`) to natural log posteriors [T, C].

    The best path through the scaled likelihoods chooses among pronunciations and silences; the boundaries between the
    chosen phones are the medians of their posteriors (`asr.alignment.posterior`). With `open_from`, the audio may also
    end in any item from that number on.
    Raises InputError for a transcript without phones, and where the frames are too few for its phones.
    """
    scores = scaled_likelihoods(log_posteriors, classes.priors)
    graph = classes.graph(transcript)
    if open_from is not None:
        graph = replace(graph, finals=np.where(graph.items >= open_from, 0.0, graph.finals))
    path = best_path(scores, graph).states
    units, emitted = graph.units[path], graph.classes[path]
    inside = np.flatnonzero(units != NO_PHONE)
    _, begins, occurrence = np.unique(units[inside], return_index=True, return_inverse=True)
    first = inside[begins]
    phones = graph.phones[path[first]]
    on_path = log_posteriors[inside, emitted[inside]].astype(np.float64)
    means = np.bincount(occurrence, on_path) / np.bincount(occurrence)
    return ForcedAlignment(
        phones=phones,
        items=graph.items[path[first]],
        boundaries=boundary_posteriors(scores, classes.graph(phones.tolist()), first),
        scores=np.minimum(np.exp(means), 1.0),
        first_frames=first,
        classes=emitted,
    )


def boundary_seconds(aligned: ForcedAlignment, times: FrameTimes, duration: float, reaching: Collection[int]) -> Vector:
    """The medians, lows and highs [3, N + 1] of the boundaries in seconds, within an audio of `duration` seconds.

    The first and the last phone reach the ends of the audio if they are among `reaching`: an HMM has a phone in every
    frame; with CTC only silences do.
    """
    found = aligned.boundaries
    seconds = np.clip(times.offset + times.shift * np.stack([found.median, found.low, found.high]), 0.0, duration)
    if aligned.phones[0] in reaching:
        seconds[:, 0] = 0.0
    if aligned.phones[-1] in reaching:
        seconds[:, -1] = duration
    # The last frame may reach past the end of the audio; the phones in it still follow each other.
    latest = duration - SHORTEST * np.arange(len(aligned.phones), -1, -1)
    return np.asarray(np.maximum(np.minimum(seconds, latest), 0.0))
