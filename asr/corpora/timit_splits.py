"""The speakers of train, dev and test: TIMIT's published split, the sample's four folds, or a corpus's own lists."""

from collections.abc import Iterable
from pathlib import Path

from asr.corpora.timit_files import Speaker, TimitFolder
from asr.data_files import data_path
from asr.errors import InputError
from asr.storage.run_layout import SPLITS
from asr.storage.text import read_lines

Split = dict[str, list[Speaker]]

TRAINING_SPEAKERS = 462
"""Training speakers in the full TIMIT (LDC93S1); they read 3,696 utterances besides the SA sentences."""

SENTENCES = 8
"""Sentences of each speaker besides the SA sentences: five SX and three SI."""

SAMPLE_FOLDS = 4
_SAMPLE_SPEAKERS = 8


def has_own_lists(root: Path) -> bool:
    """Whether the corpus has its own lists of the speakers in each split (train_speakers.txt and so on)."""
    return any(_list_path(root, split).exists() for split in SPLITS)


def own_split(corpus: TimitFolder) -> Split:
    """The split of {train,dev,test}_speakers.txt in the corpus's folder; other speakers are left out.

    Raises InputError for a list that is missing or empty, and for a speaker who is unknown or in two lists.
    """
    here = {speaker.id: speaker for speaker in corpus.speakers}
    used: dict[str, str] = {}
    split: Split = {}
    for name in SPLITS:
        path = _list_path(corpus.root, name)
        split[name] = []
        for line, speaker in read_speaker_list(path):
            if speaker not in here:
                raise InputError(f"speaker {speaker} has no folder in {corpus.root}", path, line)
            if (other := used.setdefault(speaker, name)) != name:
                raise InputError(f"speaker {speaker} is in the list of {other} too", path, line)
            split[name].append(here[speaker])
    return split


def published_split(corpus: TimitFolder) -> tuple[Split, list[str]]:
    """The full TIMIT's split: all speakers of TRAIN, the 50-speaker dev set and the 24-speaker core test set.

    Also returns what is missing, a line each; nothing is missing in a complete copy.
    """
    tested = {speaker.id: speaker for speaker in corpus.speakers if speaker.part == "test"}
    split: Split = {"train": [speaker for speaker in corpus.speakers if speaker.part == "train"]}
    missing = []
    if len(split["train"]) < TRAINING_SPEAKERS:
        missing.append(f"{len(split['train'])} of {TRAINING_SPEAKERS} training speakers are here")
    for name, file in (("dev", "dev_speakers.txt"), ("test", "core_test_speakers.txt")):
        ids = [speaker for _, speaker in read_speaker_list(data_path("timit", file))]
        split[name] = [tested[speaker] for speaker in ids if speaker in tested]
        if absent := [speaker for speaker in ids if speaker not in tested]:
            missing.append(f"{len(absent)} of {len(ids)} {name} speakers are missing ({', '.join(absent)})")
    return split, missing


def sample_folds(corpus: TimitFolder) -> list[Split]:
    """The four folds of NLTK's TIMIT sample, by its eight women and eight men in the order of their folders (0 to 7).

    Fold k (0 to 3) tests on women and men 2k and 2k+1, has woman and man (2k+2) mod 8 as dev and trains on the other
    ten. Raises InputError for any other corpus.
    """
    women = [speaker for speaker in corpus.speakers if speaker.gender == "female"]
    men = [speaker for speaker in corpus.speakers if speaker.gender == "male"]
    if not corpus.flat or len(women) != _SAMPLE_SPEAKERS or len(men) != _SAMPLE_SPEAKERS:
        raise InputError(
            f"folds: {SAMPLE_FOLDS} is for the TIMIT sample (8 women and 8 men in folders drN-speaker), "
            f"and this corpus has {len(women)} women and {len(men)} men in "
            f"{'folders drN-speaker' if corpus.flat else 'TRAIN and TEST; use folds: 1'}",
            corpus.root,
        )
    folds = []
    for k in range(SAMPLE_FOLDS):
        test = (2 * k, 2 * k + 1)
        dev = (2 * k + 2) % _SAMPLE_SPEAKERS
        train = [index for index in range(_SAMPLE_SPEAKERS) if index not in (*test, dev)]
        folds.append(
            {
                "train": [group[index] for group in (women, men) for index in train],
                "dev": [group[dev] for group in (women, men)],
                "test": [group[index] for group in (women, men) for index in test],
            }
        )
    return folds


def read_speaker_list(path: Path) -> list[tuple[int, str]]:
    """Line numbers and speakers, in lower case, of a list with one speaker a line and # comments.

    Raises InputError when the list is missing, has more than one word on a line, or is empty.
    """
    speakers = []
    for number, line in read_lines(path):
        words = line.partition("#")[0].split()
        if len(words) > 1:
            raise InputError(f"expected one speaker, found {line.strip()!r}", path, number)
        speakers += [(number, word.lower()) for word in words]
    if not speakers:
        raise InputError("lists no speakers", path)
    return speakers


def speakers_of(folds: Iterable[Split]) -> list[Speaker]:
    """Every speaker of the folds, once, in the order of their ids."""
    speakers = {speaker.id: speaker for split in folds for name in SPLITS for speaker in split[name]}
    return [speakers[speaker] for speaker in sorted(speakers)]


def _list_path(root: Path, split: str) -> Path:
    return root / f"{split}_speakers.txt"
