"""The utterances of a split with an acoustic model's log posteriors."""

from collections.abc import Iterator, Sequence

import numpy as np
from lhotse import MonoCut

from asr.acoustics.posteriors import LogPosteriors
from asr.acoustics.scorer import PIECE_FRAMES, AcousticScorer
from asr.batches import padded_batches
from asr.features.dataset import Dataset, Utterance
from asr.processes.share import WHOLE, Share
from asr.progress import track
from asr.threads import in_threads


def scored_split(
    scorer: AcousticScorer, dataset: Dataset, name: str, at_once: int | None = None, share: Share = WHOLE
) -> Iterator[tuple[MonoCut, LogPosteriors]]:
    """The cuts of a split, or of a share of it, with their log posteriors [T, C], in the manifest's order.

    Those of several are computed together while they have at most `at_once` frames, padding included: by default on
    CUDA those of a long recording's piece, and on a CPU each alone, by one thread, on all cores side by side, which
    gives the same to the last bit on any number of cores. Shares are of whole batches, so that they do not change what
    is computed together. Raises InputError for an archive that is missing, of other features than the model's, or of
    other utterances.
    """
    split = dataset.split(name, scorer.features)
    on_gpu = scorer.device.type == "cuda"
    if at_once is None:
        at_once = PIECE_FRAMES if on_gpu else 0
    archive = split.archive
    lengths = np.diff(archive.starts).tolist()

    def length(numbered: tuple[int, MonoCut]) -> int:
        return lengths[numbered[0]]

    def score(batch: Sequence[tuple[int, MonoCut]]) -> list[tuple[MonoCut, LogPosteriors]]:
        utterances = (Utterance(number, cut, archive.speakers[number], archive[number]) for number, cut in batch)
        features = [split.model_input(each) for each in utterances]
        scored = scorer.batch(features) if len(batch) > 1 else [scorer.log_posteriors(features[0])]
        return list(zip((cut for _, cut in batch), scored, strict=True))

    numbered = track(split.numbered(), f"scoring frames of {name}", len(split))
    batches = share.own(padded_batches(numbered, length, at_once), length, sum(lengths))
    for scored in map(score, batches) if on_gpu else in_threads(score, batches):
        yield from scored
