"""The names of files and folders in a run's folder; whoever writes or reads one takes its name from here."""

import re
from pathlib import Path

from asr.storage.files import remove

SPLITS = ("train", "dev", "test")
TEST = "test"

RECIPE = "recipe.yaml"
RESULTS = "results.json"
ENVIRONMENT = "environment.json"
REPORT, FIGURES, REPORT_FOLDER = "report.html", "report-figures", "report"
LIVE = "live.html"
"""What asr run --watch shows."""
BESIDE_FOLDER = "beside-"
"""Followed by the name of the run that is shown beside this one."""

PREPARE, FEATURES, TRAIN, DECODE, SCORE = "prepare", "features", "train", "decode", "score"
"""The stages' folders, in the folder of a fold; `prepare` is above the folds."""

SUMMARY = "summary.json"
"""In prepare, features and train: which utterances were left out."""
MISSING_WORDS, GUESSED_WORDS = "missing_words.tsv", "guessed_words.txt"
"""In prepare: the words without a pronunciation and how often they occur; a lexicon of those that the G2P knew."""
PHONE_SET = "phones.txt"
"""In prepare: the phone set of a corpus of one's own."""
AUDIO = "audio"
"""In prepare: the audio of a corpus in shards, and their manifests."""
METRICS, CHECKPOINTS, TENSORBOARD = "metrics.jsonl", "checkpoints", "tensorboard"
"""In train: a line per epoch, what an interrupted training resumes from, and the events for TensorBoard."""
BUNDLE = "bundle"
"""In train and decode: the model."""
BUNDLE_MANIFEST, WEIGHTS, CMVN = "bundle.json", "model.safetensors", "cmvn.safetensors"
"""In a bundle: the list of its files, the weights of its network, and its normalisation statistics."""
ENSEMBLE = "ensemble"
"""In a bundle: the folder of further models."""
CARD_FACTS = "card.json"
"""In a bundle: what its model card says of the run that trained it."""
ONNX_MANIFEST, ONNX_MODEL = "export.json", "model.onnx"
"""In an exported model: the list of its files, and its graph."""
MODEL_PHONES, CLASSES, TIMING_CLASSES = "phones.txt", "classes.tsv", "timing.tsv"
"""In a bundle and an exported model: the phones, and the statistics of the classes of the output and of the second
output, which only some models have."""
LM, PACKED_LM, DECODING_WEIGHTS = "lm.arpa", "lm.arpa.gz", "decoding.yaml"
"""In a bundle and an exported model: what decoding adds, the language model (the second name where it is packed) and
the weights that tuning chose."""
BUNDLE_FILES = (
    BUNDLE_MANIFEST,
    RECIPE,
    WEIGHTS,
    MODEL_PHONES,
    CLASSES,
    TIMING_CLASSES,
    CMVN,
    LM,
    PACKED_LM,
    DECODING_WEIGHTS,
)
"""What recognition may read of a bundle, its manifest first."""
REFERENCES, HYPOTHESES, NBEST, LATTICES = "references.jsonl", "hypotheses.jsonl", "nbest.jsonl", "lattices.jsonl"
"""In the folder of a split in decode."""
SPEED = "speed.json"
"""In decode: seconds of the test set's audio, of the acoustic model and of the search."""
TUNED = "tuning.json"
"""In decode: the weights chosen on dev, and every trial."""
UTTERANCES, CONFUSIONS = "utterances.jsonl", "confusions.tsv"
CALIBRATION, ORACLE, TIMING = "calibration.json", "oracle.json", "timing.json"
"""In score."""
TRANSCRIPTS, ALIGNMENTS = "transcripts.jsonl", "alignments.jsonl"
"""In the output folders of `asr transcribe` and `asr align`."""

STATE_ALIGNMENTS = "alignments"
"""In train: the folder of the labels that a realignment gave."""

_ROUND = "round-"


def fold_name(number: int) -> str:
    """The folder of a fold, counted from 1."""
    return f"fold-{number}"


def fold_names(folder: Path) -> list[str]:
    """The folds in a run's folder or in its prepare folder, in order; none where there are no folds."""
    found = (path.name for path in folder.glob("fold-*") if path.is_dir() and re.fullmatch(r"fold-\d+", path.name))
    return sorted(found, key=lambda name: (len(name), name))


def has_folds(folder: Path) -> bool:
    """Whether a folder is that of a run with folds."""
    return (folder / fold_name(1)).is_dir()


def run_of(bundle: Path) -> tuple[Path, str] | None:
    """The run that a bundle was written by, and its fold, "" without folds; None for a bundle elsewhere."""
    if (bundle.name, bundle.parent.name) != (BUNDLE, DECODE):
        return None
    folder = bundle.parent.parent
    return (folder.parent, folder.name) if folder.name in fold_names(folder.parent) else (folder, "")


def bundle_places(path: Path) -> list[Path]:
    """Where the bundle of a MODEL folder may be: itself, or that of the run (the first fold's, where it has folds)."""
    return [path, path / DECODE / BUNDLE, path / fold_name(1) / DECODE / BUNDLE]


def cuts_path(prepare_dir: Path, split: str) -> Path:
    """The manifest of a split."""
    return prepare_dir / f"{split}.cuts.jsonl.gz"


def alignments_path(train_dir: Path, split: str) -> Path:
    """The state alignments of a split, in one round of training."""
    return train_dir / STATE_ALIGNMENTS / f"{split}.jsonl"


def round_folder(stage_dir: Path, number: int) -> Path:
    """The folder of a round of training before the last, counted from 0; the last round uses `stage_dir` itself."""
    return stage_dir / f"{_ROUND}{number}"


def forget_rounds(stage_dir: Path, rounds: int) -> None:
    """Removes the folders of rounds that a recipe with `rounds` rounds before the last does not have."""
    kept = {round_folder(stage_dir, number) for number in range(rounds)}
    for path in set(stage_dir.glob(f"{_ROUND}*")) - kept:
        remove(path)
