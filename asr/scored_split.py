"""The utterances of a split of a corpus with an acoustic model's log posteriors, from its feature archive."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from lhotse import MonoCut

from asr.corpora.cuts import read_cuts
from asr.errors import InputError
from asr.features.archive import Archive
from asr.features.normalize import model_input, split_cmvn
from asr.progress import track
from asr.recognizer import AcousticScorer


def scored_split(
    scorer: AcousticScorer, prepare_dir: Path, features_dir: Path, split: str
) -> Iterator[tuple[MonoCut, npt.NDArray[np.float32]]]:
    """The utterances of a split, one at a time, in the manifest's order, as `AcousticScorer.log_posteriors` has them.

    Raises InputError for an archive that is missing, of other features than the model's, or of other utterances.
    """
    manifest = prepare_dir / f"{split}.cuts.jsonl.gz"
    archive = Archive(features_dir / split, scorer.features.static_dim)
    cmvn = split_cmvn(features_dir, split, scorer.features)
    numbers = {utterance: number for number, utterance in enumerate(archive.utterances)}
    if numbers.keys().isdisjoint(cut.id for cut in read_cuts(manifest)):
        raise InputError(f"has none of the utterances of {manifest}; name the features of these", features_dir / split)
    for cut in track(read_cuts(manifest), f"scoring frames of {split}", len(archive)):
        if (number := numbers.get(cut.id)) is not None:  # else left out by `corpus.skip_bad`
            features = model_input(archive[number], archive.speakers[number], cmvn, scorer.features)
            yield cut, scorer.log_posteriors(features)
