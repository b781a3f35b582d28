"""The utterances of a split with an acoustic model's log posteriors."""

from collections.abc import Iterator

from lhotse import MonoCut

from asr.acoustics.posteriors import LogPosteriors
from asr.acoustics.scorer import AcousticScorer
from asr.features.dataset import Dataset
from asr.progress import track


def scored_split(scorer: AcousticScorer, dataset: Dataset, name: str) -> Iterator[tuple[MonoCut, LogPosteriors]]:
    """The cuts of a split with their log posteriors [T, C], one at a time, in the manifest's order.

    Raises InputError for an archive that is missing, of other features than the model's, or of other utterances.
    """
    split = dataset.split(name, scorer.features)
    for utterance in track(split, f"scoring frames of {name}", len(split)):
        yield utterance.cut, scorer.log_posteriors(split.model_input(utterance))
