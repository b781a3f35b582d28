"""The names in a run's folder: each is written here once, and read here by whoever needs the file."""

import re
import shutil
from pathlib import Path

SPLITS = ("train", "dev", "test")

RECIPE = "recipe.yaml"
RESULTS = "results.json"
ENVIRONMENT = "environment.json"
REPORT = "report.html"

PREPARE, FEATURES, TRAIN, DECODE, SCORE = "prepare", "features", "train", "decode", "score"
"""The folders of the stages, below a fold's folder; `prepare` is above the folds."""

SUMMARY = "summary.json"
"""Of prepare, features and train: what was left out."""
METRICS = "metrics.jsonl"
"""Of train: a line an epoch."""
BUNDLE = "bundle"
"""Of train and decode: the model."""
REFERENCES, HYPOTHESES, NBEST, LATTICES = "references.jsonl", "hypotheses.jsonl", "nbest.jsonl", "lattices.jsonl"
"""Of a split's folder in decode."""
SPEED = "speed.json"
"""Of decode: seconds of the test set's audio, of the acoustic model and of the search."""
TUNED = "tuning.json"
"""Of decode: what dev chose, and every trial."""
UTTERANCES, CALIBRATION, ORACLE = "utterances.jsonl", "calibration.json", "oracle.json"
"""Of score."""

_ROUND = "round-"


def fold_name(number: int) -> str:
    """The folder of a fold, counted from 1."""
    return f"fold-{number}"


def fold_names(folder: Path) -> list[str]:
    """The folds below a run's folder or its prepare folder, in order; none where there are no folds."""
    found = (path.name for path in folder.glob("fold-*") if path.is_dir() and re.fullmatch(r"fold-\d+", path.name))
    return sorted(found, key=lambda name: (len(name), name))


def has_folds(folder: Path) -> bool:
    """Whether a folder is that of a run with folds."""
    return (folder / fold_name(1)).is_dir()


def cuts_path(prepare_dir: Path, split: str) -> Path:
    """The manifest of a split."""
    return prepare_dir / f"{split}.cuts.jsonl.gz"


def alignments_path(train_dir: Path, split: str) -> Path:
    """The state alignments of a split, of one round of training."""
    return train_dir / "alignments" / f"{split}.jsonl"


def round_folder(stage_dir: Path, number: int) -> Path:
    """The folder of a round of training before the last, counted from 0; the last round's is the stage's own."""
    return stage_dir / f"{_ROUND}{number}"


def forget_rounds(stage_dir: Path, rounds: int) -> None:
    """Removes the folders of rounds that a recipe with `rounds` rounds before the last does not have."""
    kept = {round_folder(stage_dir, number) for number in range(rounds)}
    for path in set(stage_dir.glob(f"{_ROUND}*")) - kept:
        shutil.rmtree(path)
