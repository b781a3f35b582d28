"""The utterances of a split with an acoustic model's log posteriors."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from lhotse import MonoCut

from asr.acoustics.posteriors import LogPosteriors
from asr.acoustics.scorer import PIECE_FRAMES, AcousticScorer
from asr.features.dataset import Dataset, Utterance
from asr.processes import WHOLE, Share
from asr.progress import track

Numbered = tuple[int, MonoCut]
"""A cut and its number in the archive."""


def scored_split(
    scorer: AcousticScorer, dataset: Dataset, name: str, at_once: int | None = None, share: Share = WHOLE
) -> Iterator[tuple[MonoCut, LogPosteriors]]:
    """The cuts of a split, or of a share of it, with their log posteriors [T, C], in the manifest's order.

    Those of several are computed together while they have no more than `at_once` frames, padding included: on CUDA as
    many as a long recording's piece, and on a CPU each alone, which gives the same to the last bit whatever is next to
    it. Shares are of whole batches, so that they do not change what is computed together. Raises InputError for an
    archive that is missing, of other features than the model's, or of other utterances.
    """
    split = dataset.split(name, scorer.features)
    if at_once is None:
        at_once = PIECE_FRAMES if scorer.device.type == "cuda" else 0
    archive, done = split.archive, 0
    lengths, total = np.diff(archive.starts).tolist(), int(archive.starts[-1])
    numbered = track(split.numbered(), f"scoring frames of {name}", len(split))
    for batch in _batches(numbered, lengths, at_once):
        if share.has(done, total):
            utterances = (Utterance(number, cut, archive.speakers[number], archive[number]) for number, cut in batch)
            features = [split.model_input(each) for each in utterances]
            scored = scorer.batch(features) if len(batch) > 1 else [scorer.log_posteriors(features[0])]
            yield from zip((cut for _, cut in batch), scored, strict=True)
        done += sum(lengths[number] for number, _ in batch)


def _batches(cuts: Iterable[Numbered], lengths: Sequence[int], at_once: int) -> Iterator[list[Numbered]]:
    """The cuts as they come, together while the longest times their number is at most `at_once`."""
    batch: list[Numbered] = []
    for each in cuts:
        if batch and (len(batch) + 1) * max(lengths[number] for number, _ in [*batch, each]) > at_once:
            yield batch
            batch = []
        batch.append(each)
    if batch:
        yield batch
