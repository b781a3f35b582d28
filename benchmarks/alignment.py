"""Ways to place a boundary finer than a frame, against hand labels on the test speakers of a finished run.

    python benchmarks/alignment.py runs/timit_sample/dnn

All begin from the same best path through the same scores:

- frames: the path's own boundaries, at whole frames.
- interpolated: where the scaled likelihoods of the two phones, taken as linear between the middles of the two frames
  around a boundary, are equal (Kelley, Perry & Tucker 2024, The Mason-Alberta Phonetic Segmenter, Phonetica 81(5); they
  do so with posteriors, which gives less here).
- 1 ms steps: each boundary moved within 10 ms to the best place on a grid of 1 ms, with features of windows that begin
  1 ms after each other (as the fine-tuning of the Montreal Forced Aligner).
- posterior median: what `asr align` does (`asr.alignment.posterior`).

The time is the processor's for placing the boundaries, where features and posteriors of the 1 ms windows count.
"""

import os

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from lhotse import MonoCut
from rich.console import Console
from rich.table import Table

from asr.acoustics.posteriors import LogPosteriors
from asr.acoustics.priors import scaled_likelihoods
from asr.acoustics.scored_split import scored_split
from asr.alignment.accuracy import TOLERANCES, boundary_accuracy, labelled_boundaries
from asr.alignment.aligner import AligningModel
from asr.alignment.graph import AlignmentGraph
from asr.alignment.posterior import boundary_posteriors
from asr.alignment.spoken import exact_phones
from asr.alignment.viterbi import best_path
from asr.audio import read_audio
from asr.corpora.cuts import phone_segments, phone_sequence
from asr.features.cmvn import Cmvn
from asr.features.dataset import Dataset
from asr.features.normalize import model_input
from asr.phones.folding import fold_segments

STEP = 0.001
REACH = 0.010
"""Seconds."""

Seconds = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Utterance:
    """One utterance on its best path; `frames` [N - 1] are the first frames of all its phones but the first."""

    model: AligningModel
    cut: MonoCut
    cmvn: Cmvn
    posteriors: LogPosteriors
    scores: npt.NDArray[np.float32]
    graph: AlignmentGraph
    frames: npt.NDArray[np.int64]

    def seconds(self, frames: npt.NDArray[np.floating]) -> Seconds:
        return np.asarray(self.model.times.offset + self.model.times.shift * frames)


def whole_frames(utterance: Utterance) -> Seconds:
    return utterance.seconds(utterance.frames.astype(np.float64))


def interpolated(utterance: Utterance) -> Seconds:
    states = utterance.model.classes.states
    by_phone = np.exp(utterance.posteriors).reshape(len(utterance.posteriors), -1, states).sum(axis=2)
    priors = utterance.model.classes.priors.reshape(-1, states).sum(axis=1)
    likelihoods = np.log(by_phone + 1e-10) - np.log(priors)
    phones = utterance.graph.phones[np.flatnonzero(np.diff(utterance.graph.units, prepend=-1))]
    after, before = utterance.frames, utterance.frames - 1
    lead = likelihoods[before, phones[:-1]] - likelihoods[before, phones[1:]]
    loss = likelihoods[after, phones[1:]] - likelihoods[after, phones[:-1]]
    crosses = (lead > 0) & (loss > 0)
    share = np.where(crosses, lead / np.where(crosses, lead + loss, 1.0), 0.5)
    return utterance.seconds(after - 0.5 + share)


def in_steps(utterance: Utterance) -> Seconds:
    model, config = utterance.model, utterance.model.bundle.config.features
    waveform = read_audio(utterance.cut.recording.sources[0].source, config.sample_rate)
    steps = round(model.times.shift / STEP)
    shifted = []
    for step in range(steps):
        static = model.audio_scorer.static_features(waveform[round(step * STEP * config.sample_rate) :])
        features = model_input(static, utterance.cut.supervisions[0].speaker, utterance.cmvn, config)
        shifted.append(scaled_likelihoods(model.scorer.log_posteriors(features), model.classes.priors))
    frames = min(map(len, shifted))
    scores = np.stack([one[:frames] for one in shifted], axis=1).reshape(frames * steps, -1)
    middles = model.times.offset + model.times.shift / 2 + STEP * np.arange(len(scores))
    entered = np.flatnonzero(np.diff(utterance.graph.units, prepend=-1))[1:]
    left, right = utterance.graph.classes[entered - 1], utterance.graph.classes[entered]
    placed = whole_frames(utterance)
    for number, boundary in enumerate(placed):
        first, end = np.searchsorted(middles, [boundary - REACH, boundary + REACH])
        gain = scores[first:end, left[number]] - scores[first:end, right[number]]
        total = np.concatenate([[0.0], np.cumsum(gain)])
        placed[number] = model.times.offset + model.times.shift / 2 + STEP * (first + int(total.argmax()) - 0.5)
    return placed


def posterior_median(utterance: Utterance) -> Seconds:
    first_frames = np.insert(utterance.frames, 0, 0)
    return utterance.seconds(boundary_posteriors(utterance.scores, utterance.graph, first_frames).median[1:-1])


SYSTEMS: dict[str, Callable[[Utterance], Seconds]] = {
    "frames": whole_frames,
    "interpolated": interpolated,
    "1 ms steps": in_steps,
    "posterior median": posterior_median,
}


@dataclass
class Outcome:
    """Signed errors in seconds, and the processor's seconds."""

    errors: list[Seconds] = field(default_factory=list)
    seconds: float = 0.0


def measure(run: Path, split: str) -> tuple[dict[str, Outcome], float, float]:
    """Each system's outcome over all folds, the seconds of the search before, and of the audio."""
    outcomes: dict[str, Outcome] = {name: Outcome() for name in SYSTEMS}
    search = audio = 0.0
    for bundle in sorted(run.glob("**/decode/bundle")):
        fold = bundle.parent.parent
        model = AligningModel(bundle)
        prepared = run / "prepare" / fold.relative_to(run)
        dataset = Dataset(prepared, fold / "features")
        cmvn = dataset.split(split, model.bundle.config.features).cmvn
        for cut, posteriors in scored_split(model.scorer, dataset, split):
            began = time.process_time()
            scores = scaled_likelihoods(posteriors, model.classes.priors)
            graph = model.classes.graph(exact_phones(phone_sequence(cut), model.phone_set).items)
            units = graph.units[best_path(scores, graph).states]
            frames = np.flatnonzero(np.diff(units)) + 1
            search += time.process_time() - began
            audio += cut.duration
            utterance = Utterance(model, cut, cmvn, posteriors, scores, graph, frames)
            counted, labels = labelled_boundaries(fold_segments(phone_segments(cut), model.phone_set))
            for name, system in SYSTEMS.items():
                began = time.process_time()
                placed = system(utterance)
                outcomes[name].seconds += time.process_time() - began
                outcomes[name].errors.append((placed - labels)[counted])
    return outcomes, search, audio


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("run", type=Path, help="the folder of a finished run with an HMM")
    parser.add_argument("--split", choices=("dev", "test"), default="test")
    arguments = parser.parse_args()
    outcomes, search, audio = measure(arguments.run, arguments.split)
    table = Table(*("system", *(f"<= {limit} ms" for limit in TOLERANCES), "mean, ms", "median, ms", "s"))
    for name, outcome in outcomes.items():
        found = boundary_accuracy(np.concatenate(outcome.errors))
        row = {"benchmark": "alignment", "system": name, "figure": round(found.mean, 2), "unit": "ms", "threads": 1}
        print(json.dumps(row | {"within": found.within, "median": round(found.median, 2), "seconds": outcome.seconds}))
        within = (f"{found.within[limit]:.1f}%" for limit in TOLERANCES)
        table.add_row(name, *within, f"{found.mean:.2f}", f"{found.median:.2f}", f"{outcome.seconds:.1f}")
    Console().print(table)
    print(f"search before: {search:.1f} s for {audio:.0f} s of audio, real-time factor {search / audio:.4f}")


if __name__ == "__main__":
    main()
