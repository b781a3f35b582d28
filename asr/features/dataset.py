"""A prepared corpus: for each split the manifest of its cuts and the archive of their features, opened as one."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from lhotse import MonoCut
from numpy.typing import NDArray

from asr.config import FeaturesConfig
from asr.corpora.cuts import read_cuts
from asr.errors import InputError, count
from asr.features.archive import Archive, array_path, index_path
from asr.features.cmvn import Cmvn, cmvn_path, load_cmvn
from asr.features.normalize import model_input
from asr.storage.run_layout import cuts_path


class Utterance(NamedTuple):
    """A cut with its static features [T, static_dim], the speaker for their normalisation, and its index in the
    archive."""

    number: int
    cut: MonoCut
    speaker: str
    static: NDArray[np.float32]


@dataclass(frozen=True)
class Dataset:
    """The folders that `asr prepare` and `asr features` wrote, of one fold.

    >>> from asr.config.recipe_file import read_recipe
    >>> run = Path("runs/demo/dnn")
    >>> split = Dataset(run / "prepare", run / "features").split("dev", read_recipe(run / "recipe.yaml").features)
    >>> for utterance in split:
    ...     print(utterance.cut.id, split.model_input(utterance).shape)
    mkal1-sx108 (267, 40)
    ...
    """

    prepare_dir: Path
    features_dir: Path

    def cuts(self, split: str) -> Iterator[MonoCut]:
        """All cuts of a split, including those without features. Raises InputError as `read_cuts` does."""
        return read_cuts(cuts_path(self.prepare_dir, split))

    def split(self, name: str, features: FeaturesConfig) -> "Split":
        """Opens a split. Raises InputError for an archive that is missing, or has different features."""
        return Split(self, name, features)

    def training_cmvn(self) -> Cmvn:
        """The statistics of the training set's speakers."""
        return load_cmvn(cmvn_path(self.features_dir / "train"))

    def files(self, split: str) -> list[Path]:
        """All files of a split."""
        stem = self.features_dir / split
        return [array_path(stem), index_path(stem), cmvn_path(stem), cuts_path(self.prepare_dir, split)]


class Split:
    """The cuts of a split that have features, with these: iterated in the manifest's order, one at a time in memory."""

    def __init__(self, dataset: Dataset, name: str, features: FeaturesConfig) -> None:
        self.dataset, self.name, self.features = dataset, name, features
        self.archive = Archive(self.stem, features.static_dim)

    @property
    def stem(self) -> Path:
        """The archive's files without their suffixes."""
        return self.dataset.features_dir / self.name

    @cached_property
    def cmvn(self) -> Cmvn:
        """The statistics that normalise the split: its own speakers', or the training set's if they are global."""
        if self.features.cmvn == "global":
            return self.dataset.training_cmvn().overall()
        own = load_cmvn(cmvn_path(self.stem))
        return own if not self.features.cmvn_prior else replace(own, prior=self.dataset.training_cmvn().typical())

    def __len__(self) -> int:
        return len(self.archive)

    def __iter__(self) -> Iterator[Utterance]:
        """Raises InputError at the end when the manifest lacks utterances of the archive, which is another's then."""
        archive = self.archive
        return (Utterance(number, cut, archive.speakers[number], archive[number]) for number, cut in self.numbered())

    def cuts(self) -> Iterator[MonoCut]:
        """The cuts alone; no features are read."""
        return (cut for _, cut in self.numbered())

    def numbered(self) -> Iterator[tuple[int, MonoCut]]:
        """The cuts with their indices in the archive; no features are read. Raises InputError as iterating does."""
        numbers = {utterance: number for number, utterance in enumerate(self.archive.utterances)}
        found = 0
        for cut in self.dataset.cuts(self.name):
            if (number := numbers.get(cut.id)) is not None:  # otherwise `corpus.skip_bad` left it out
                found += 1
                yield number, cut
        if found < len(numbers) or not found:
            others = f"{len(numbers) - found} of its {count(len(numbers), 'utterance')} are not in"
            manifest = cuts_path(self.dataset.prepare_dir, self.name)
            raise InputError(f"{others} {manifest}; give the features of that manifest", self.stem)

    def model_input(self, utterance: Utterance) -> NDArray[np.float32]:
        """The model input of an utterance [T, dim]: normalised, with deltas."""
        return model_input(utterance.static, utterance.speaker, self.cmvn, self.features)
