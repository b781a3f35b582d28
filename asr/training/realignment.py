"""Rounds of training, each on labels from the previous round's model.

A training with `training.realign: N` has N + 1 rounds, and each trains the recipe's model from scratch, with the same
seed. The labels of the first are the corpus's phone times, a flat start or an alignment by another model; those of each
later round are the states on the previous model's best path through the known phones of every utterance. This holds for
dev as for train, so that errors on dev are measured on labels of the same kind. Priors and self-loop probabilities are
estimated from the labels of each round.
"""

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from lhotse import MonoCut

from asr.acoustics.bundle import read_bundle
from asr.acoustics.frame_times import FrameTimes
from asr.acoustics.posteriors import LogPosteriors
from asr.acoustics.priors import scaled_likelihoods
from asr.acoustics.scored_split import scored_split
from asr.alignment.aligner import AligningModel
from asr.alignment.snapping import snap, spectral_change
from asr.alignment.spoken import Spoken
from asr.alignment.spoken_cut import spoken_in
from asr.alignment.states import (
    AlignedSplit,
    AlignmentRow,
    Alignments,
    StateAlignment,
    read_aligned_split,
    write_alignments,
)
from asr.alignment.viterbi import best_path
from asr.config import RecipeConfig, TargetsConfig
from asr.errors import InputError, listed
from asr.features.dataset import Dataset
from asr.storage.files import remove
from asr.storage.run_layout import alignments_path
from asr.training.flat_start import flat_alignments

log = logging.getLogger(__name__)

SPLITS = ("train", "dev")
APPLIED_LATER = {"deltas", "cmvn", "cmvn_variance"}
"""Settings of the features that are not in the archive, but applied as each model needs."""
FLAT = "flat start"

AlignedSplits = dict[str, AlignedSplit]
"""The alignments of train and of dev."""


def log_round(number: int, last: int) -> None:
    """Logs which round the next messages are of, where there are several."""
    if last:
        log.info("round %d of 0 to %d", number, last)


def forget_alignments(folder: Path) -> None:
    """Removes the alignments of a round that no longer has any."""
    for split in SPLITS:
        remove(alignments_path(folder, split))


def start_flat(config: RecipeConfig, dataset: Dataset, folder: Path) -> None:
    """Writes alignments of train and dev that spread the phones of each utterance evenly over its speech."""
    for split in SPLITS:
        rows = flat_alignments(config, dataset.split(split, config.features))
        write_alignments(alignments_path(folder, split), FLAT, rows)


def align(
    config: RecipeConfig,
    bundle_dir: Path,
    dataset: Dataset,
    folder: Path,
    source: str,
    former: AlignedSplits,
    device: torch.device,
) -> None:
    """Writes alignments of train and dev by a trained model, which `source` identifies.

    Files from the same source are left as they are. An utterance that cannot be aligned keeps its alignment in
    `former`. Raises InputError as `aligning_model` does, and when no utterance can be aligned.
    """
    if all(_is_from(alignments_path(folder, split), source) for split in SPLITS):
        return
    model = aligning_model(config, bundle_dir, device)
    for split in SPLITS:
        known = former[split].alignments if former else {}
        rows = _aligned(model, config, dataset, split, known)
        write_alignments(alignments_path(folder, split), source, rows)


def _is_from(path: Path, source: str) -> bool:
    try:
        return path.is_file() and read_aligned_split(path).source == source
    except InputError:
        return False


def aligning_model(config: RecipeConfig, bundle_dir: Path, device: torch.device) -> AligningModel:
    """A trained model that can align for the recipe. Raises InputError when its phones or features are different."""
    bundle = read_bundle(bundle_dir, device)
    trained, wanted = bundle.config.targets.phone_set, config.targets.phone_set
    if trained != wanted:
        raise InputError(
            f"training.align_with: has the phones of {trained}, not of targets.phone_set {wanted}", bundle_dir
        )
    theirs, ours = (each.features.model_dump(exclude=APPLIED_LATER) for each in (bundle.config, config))
    if others := [name for name, value in ours.items() if theirs[name] != value]:
        message = f"training.align_with: was trained with a different features.{others[0]} ({theirs[others[0]]})"
        raise InputError(message, bundle_dir)
    return AligningModel(bundle, device)


def _aligned(
    model: AligningModel,
    config: RecipeConfig,
    dataset: Dataset,
    split: str,
    former: Alignments,
) -> Iterator[AlignmentRow]:
    """Raises InputError when no utterance can be aligned: then the model is at fault, not the utterances."""
    any_aligned, reason = False, None
    archive = dataset.split(split, config.features).archive
    numbers = {utterance: number for number, utterance in enumerate(archive.utterances)}
    for cut, posteriors in scored_split(model.scorer, dataset, split):
        try:
            aligned = align_cut(model, posteriors, cut, config.frame_targets or config.targets)
        except InputError as error:
            reason = str(error)
            yield cut.id, former.get(cut.id, _unaligned(cut)), reason
        else:
            any_aligned = True
            if config.training.snap is not None:
                aligned = _snapped(aligned, archive[numbers[cut.id]], config.training.snap / 1000, config)
            yield cut.id, aligned, None
    if not any_aligned:
        raise InputError(f"no utterance of {split} can be aligned; the last: {reason}", model.bundle.folder)


def _snapped(
    aligned: StateAlignment, static: npt.NDArray[np.float32], within: float, config: RecipeConfig
) -> StateAlignment:
    """With boundaries where static features [T, D] change most, at most `within` seconds from where they were."""
    return aligned.with_edges(snap(aligned.edges, spectral_change(static), FrameTimes.of(config.features), within))


def _unaligned(cut: MonoCut) -> StateAlignment | None:
    """For a cut that was never aligned: None when the corpus has its phone times, else an alignment without phones."""
    return None if (cut.supervisions[0].alignment or {}).get("phone") else StateAlignment()


def align_cut(
    model: AligningModel, log_posteriors: LogPosteriors, cut: MonoCut, targets: TargetsConfig
) -> StateAlignment:
    """Aligns a cut's phones, with silences where the model finds some, to log posteriors [T', C].

    An HMM with the targets' states gives the times of the states; another model those of the phones, which are split
    evenly. Raises InputError for a cut without phones, or with too few frames for them.
    """
    spoken = spoken_in(cut, model.phone_set)
    if model.classes.topology == "hmm" and model.classes.states == targets.states:
        return _state_path(model, log_posteriors, spoken, cut.duration)
    aligned = model.align(log_posteriors, spoken)
    symbols = model.phone_set
    phones = [symbols[phone] for phone in aligned.phones.tolist()]
    edges = model.boundaries(aligned, cut.duration)[0].tolist()
    return _with_silent_edges(phones, edges, cut.duration, model.times.shift, targets)


def _state_path(model: AligningModel, log_posteriors: LogPosteriors, spoken: Spoken, duration: float) -> StateAlignment:
    graph = model.classes.graph(spoken.items)
    path = best_path(scaled_likelihoods(log_posteriors, model.classes.priors), graph).states
    entered = np.flatnonzero(np.diff(path, prepend=-1))
    phones = graph.phones[path[entered[:: model.classes.states]]]
    times = model.times.offset + model.times.shift * entered
    times[0] = 0.0
    symbols = model.phone_set
    return StateAlignment([symbols[phone] for phone in phones.tolist()], np.append(times, duration).round(6))


def _with_silent_edges(
    phones: list[str], edges: list[float], duration: float, shift: float, targets: TargetsConfig
) -> StateAlignment:
    """Phones with their boundaries; what CTC leaves before the first and after the last phone is silence, if it is at
    least one frame long."""
    pauses = targets.phone_set.silences
    if pauses and edges[0] >= shift and phones[0] not in pauses:
        phones, edges = [pauses[0], *phones], [0.0, *edges]
    if pauses and duration - edges[-1] >= shift and phones[-1] not in pauses:
        phones, edges = [*phones, pauses[0]], [*edges, duration]
    return StateAlignment.split_evenly(phones, [0.0, *edges[1:-1], duration], targets.states)


def read_splits(folder: Path) -> AlignedSplits:
    """The alignments of train and dev in a folder. Raises InputError as `read_aligned_split`."""
    return {split: read_aligned_split(alignments_path(folder, split)) for split in SPLITS}


def failures(splits: AlignedSplits, number: int) -> list[dict[str, object]]:
    """The utterances that could not be aligned for a round, as rows of summary.json."""
    return [
        {"round": number, "split": split, "utterance": utterance, "reason": reason}
        for split, aligned in splits.items()
        for utterance, reason in aligned.failed.items()
    ]


def log_failures(splits: AlignedSplits) -> None:
    """Logs which utterances could not be aligned."""
    for split, aligned in splits.items():
        if names := list(aligned.failed):
            count = f"{len(names)} of {len(aligned.alignments.keys() | aligned.failed.keys())} utterances"
            log.warning("%s: %s cannot be aligned and keep their labels: %s", split, count, listed(names))
