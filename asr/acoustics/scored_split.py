"""The utterances of a split with an acoustic model's log posteriors."""

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt
from lhotse import MonoCut

from asr.acoustics.posteriors import LogPosteriors
from asr.acoustics.scorer import PIECE_FRAMES, AcousticScorer
from asr.features.dataset import Dataset
from asr.progress import track

Input = tuple[MonoCut, npt.NDArray[np.float32]]
"""A cut and its model input [T, D]."""


def scored_split(
    scorer: AcousticScorer, dataset: Dataset, name: str, at_once: int | None = None
) -> Iterator[tuple[MonoCut, LogPosteriors]]:
    """The cuts of a split with their log posteriors [T, C], in the manifest's order.

    Those of several are computed together while they have no more than `at_once` frames, padding included: on CUDA as
    many as a long recording's piece, and on a CPU each alone, which gives the same to the last bit whatever is next to
    it. Raises InputError for an archive that is missing, of other features than the model's, or of other utterances.
    """
    split = dataset.split(name, scorer.features)
    if at_once is None:
        at_once = PIECE_FRAMES if scorer.device.type == "cuda" else 0
    inputs = ((each.cut, split.model_input(each)) for each in track(split, f"scoring frames of {name}", len(split)))
    for batch in _batches(inputs, at_once):
        cuts, features = zip(*batch, strict=True)
        scored = scorer.batch(features) if len(batch) > 1 else [scorer.log_posteriors(features[0])]
        yield from zip(cuts, scored, strict=True)


def _batches(inputs: Iterable[Input], at_once: int) -> Iterator[list[Input]]:
    """The inputs as they come, together while the longest times their number is at most `at_once`."""
    batch: list[Input] = []
    for each in inputs:
        if batch and (len(batch) + 1) * max(len(features) for _, features in [*batch, each]) > at_once:
            yield batch
            batch = []
        batch.append(each)
    if batch:
        yield batch
