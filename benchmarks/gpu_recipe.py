"""A whole recipe on a device, with the seconds of every stage; and the PER of one fold, trained on several devices."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import torch

from asr.config import RecipeConfig
from asr.config.recipe_file import read_recipe
from asr.corpora.prepare import prepare
from asr.decoding.stage import decode
from asr.features.stage import compute_features
from asr.runs.run import Run, execute
from asr.scoring.stage import score_stage
from asr.storage.json_files import read_json, read_jsonl
from asr.storage.run_layout import HYPOTHESES, METRICS, REFERENCES, RESULTS, TEST, TRAIN
from asr.training.train import train

CPU = torch.device("cpu")


class Figure(NamedTuple):
    """One line of the result."""

    system: str
    figure: float
    unit: str


def recipe_figures(recipe: Path, settings: Sequence[str], folder: Path, device: torch.device) -> Iterator[Figure]:
    """Runs a recipe without folds in an empty folder: seconds of each stage and of all, seconds of its epochs."""
    config = read_recipe(recipe, settings)
    started = time.perf_counter()
    execute(Run(config, f"{recipe.resolve().parent.name}/{recipe.stem}", folder, device))
    total = time.perf_counter() - started
    for stage, seconds in read_json(folder / RESULTS)["seconds"].items():
        yield Figure(stage, seconds, "s")
    yield Figure("from corpus to report", round(total, 1), "s")
    for row in read_jsonl(folder / TRAIN / METRICS):
        if row["epoch"] in (1, config.training.epochs):
            yield Figure(f"epoch {row['epoch']}", round(row["seconds"], 2), "s")


def fold_figures(
    recipe: Path, settings: Sequence[str], folder: Path, devices: Sequence[torch.device]
) -> Iterator[Figure]:
    """PER of the test speakers of the first fold, trained and decoded on each device from the same features."""
    config = read_recipe(recipe, settings)
    cuts, features = folder / "prepare", folder / "features"
    prepare(config.corpus, cuts)
    cuts = cuts / ("fold-1" if config.corpus.folds > 1 else "")
    compute_features(config, cuts, features, CPU)
    for device in devices:
        yield Figure(f"PER on {device.type}", _per(config, cuts, features, folder / device.type, device), "%")


def _per(config: RecipeConfig, cuts: Path, features: Path, out: Path, device: torch.device) -> float:
    train(config, cuts, features, out, device)
    decode(config, out / "bundle", cuts, features, out / "decode", device)
    test = out / "decode" / TEST
    result = score_stage(test / REFERENCES, test / HYPOTHESES, out / "score", config.scoring, config.seed)
    return round(result.to_json()["counted"]["per"], 2)
