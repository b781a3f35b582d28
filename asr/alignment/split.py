"""The utterances of a split of a corpus, from its feature archive, as they are aligned to their known phones."""

from collections.abc import Iterator
from pathlib import Path

from lhotse import MonoCut

from asr.alignment.aligner import AligningModel, LogPosteriors
from asr.alignment.spoken import Spoken, spoken_phones, spoken_word_phones
from asr.config import PhoneSetName
from asr.corpora.cuts import WORDS, phone_sequence, read_cuts, word_phones
from asr.features.archive import Archive
from asr.features.normalize import model_input, split_cmvn
from asr.progress import track


def scored_split(
    model: AligningModel, prepare_dir: Path, features_dir: Path, split: str
) -> Iterator[tuple[MonoCut, LogPosteriors]]:
    """The utterances of a split with their log posteriors [T', C], one at a time, in the manifest's order.

    Raises InputError for an archive that is missing, or of other features than the model's.
    """
    config = model.bundle.config.features
    archive = Archive(features_dir / split, config.static_dim)
    cmvn = split_cmvn(features_dir, split, config)
    numbers = {utterance: number for number, utterance in enumerate(archive.utterances)}
    for cut in track(read_cuts(prepare_dir / f"{split}.cuts.jsonl.gz"), f"aligning {split}", len(archive)):
        if (number := numbers.get(cut.id)) is not None:  # else left out by `corpus.skip_bad`
            features = model_input(archive[number], archive.speakers[number], cmvn, config)
            yield cut, model.scorer.log_posteriors(features)


def spoken_in(cut: MonoCut, phone_set: PhoneSetName) -> Spoken:
    """What a cut says, in a model's phones; where its words are known and its times are not, with optional silences."""
    if (cut.supervisions[0].custom or {}).get(WORDS):
        return spoken_word_phones(word_phones(cut), phone_set)
    return spoken_phones(phone_sequence(cut), phone_set)
