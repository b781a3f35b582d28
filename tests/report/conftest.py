"""Run folders as `asr run` leaves them, with made-up scores and metrics."""

import random
from pathlib import Path

import pytest

from asr.config import CorpusConfig, RecipeConfig, ScoringConfig
from asr.config.recipe_file import write_recipe
from asr.formats.transcript import PhoneSegment, Transcript
from asr.phones.phone_set import load_phone_set
from asr.scoring.results import ScoreResult, summarize, write_result
from asr.scoring.score import score
from asr.storage.json_files import write_json, write_jsonl

CONFIG = ScoringConfig(bootstrap=100)


def scored(fold: int) -> ScoreResult:
    generator = random.Random(fold)
    phones = load_phone_set("timit39")
    references, hypotheses = [], []
    for number in range(8):
        said = ["sil", *generator.choices(phones, k=20), "sil"]
        heard = [generator.choice(phones) if generator.random() < 0.3 else phone for phone in said]
        heard = [phone for phone in heard if generator.random() < 0.9]
        speaker = f"f{fold}{number % 2}"
        name = f"{speaker}-sx{number}"
        references.append(Transcript(name, [PhoneSegment(phone) for phone in said], speaker))
        hypotheses.append(Transcript(name, [PhoneSegment(phone) for phone in heard], speaker))
    return score(references, hypotheses, CONFIG)


def metrics(epochs: int) -> list[dict[str, float]]:
    return [
        {
            "epoch": epoch,
            "train_loss": 3 / epoch,
            "train_frame_error": 60 / epoch,
            "dev_loss": 3 / epoch + 0.1 * epoch,
            "dev_frame_error": 60 / epoch + epoch,
            "learning_rate": 0.001,
            "seconds": 1.5,
            "frames_per_second": 1000.0,
        }
        for epoch in range(1, epochs + 1)
    ]


def make_run(folder: Path, folds: int) -> Path:
    results = [scored(fold) for fold in range(folds)]
    names = [f"fold-{number}" for number in range(1, folds + 1)] if folds > 1 else [""]
    for name, result in zip(names, results, strict=True):
        write_result(result, folder / name / "score")
        write_jsonl(folder / name / "train" / "metrics.jsonl", metrics(9))
    row = summarize([item for result in results for item in result.utterances], CONFIG).to_json() | {
        "recipe": "timit_sample/dnn",
        "corpus": "timit",
        "split": "test",
        "seed": 7,
        "seconds": {"prepare": 1.5, "train": 20.0},
        "device": "CPU, 2 threads",
    }
    if folds > 1:
        row["folds"] = [result.to_json() for result in results]
    write_json(folder / "results.json", row)
    write_recipe(folder / "recipe.yaml", RecipeConfig(corpus=CorpusConfig(name="timit", folds=folds)))
    write_json(folder / "environment.json", {"python": "3.11.9", "packages": {"torch": "2.11.0"}, "cores": 2})
    return folder


@pytest.fixture
def run_with_folds(tmp_path: Path) -> Path:
    return make_run(tmp_path / "a run", 4)


@pytest.fixture
def run_without_folds(tmp_path: Path) -> Path:
    return make_run(tmp_path / "run", 1)
