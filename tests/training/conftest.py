"""Speech to train on."""

from pathlib import Path

import pytest
from support.corpora.augmented_speech import write_split


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("augmented")
    write_split(folder, "train", 7, seed=0)
    write_split(folder, "dev", 2, seed=1)
    return folder
