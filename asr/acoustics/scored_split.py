"""The utterances of a split with an acoustic model's log posteriors."""

from collections.abc import Iterator

import numpy as np
from lhotse import MonoCut

from asr.acoustics.posteriors import LogPosteriors
from asr.acoustics.scorer import PIECE_FRAMES, AcousticScorer
from asr.batches import padded_batches
from asr.features.dataset import Dataset, Utterance
from asr.processes.share import WHOLE, Share
from asr.progress import track


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
    archive = split.archive
    lengths = np.diff(archive.starts).tolist()

    def length(numbered: tuple[int, MonoCut]) -> int:
        return lengths[numbered[0]]

    numbered = track(split.numbered(), f"scoring frames of {name}", len(split))
    for batch in share.own(padded_batches(numbered, length, at_once), length, sum(lengths)):
        utterances = (Utterance(number, cut, archive.speakers[number], archive[number]) for number, cut in batch)
        features = [split.model_input(each) for each in utterances]
        scored = scorer.batch(features) if len(batch) > 1 else [scorer.log_posteriors(features[0])]
        yield from zip((cut for _, cut in batch), scored, strict=True)
