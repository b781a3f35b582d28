"""Training and scoring speed of recipes, side by side on the same speech.

    python benchmarks/recipes.py [RECIPE...] [--corpus DIR] [--rounds N]

For each recipe (all of recipes/timit_sample by default), on the first fold of the corpus: frames a second of an epoch
of training, after one that warms up (unchanged speech: the front end of changed speech runs in the background); and the
real-time factor of the acoustic model alone, an utterance at a time, on the frames of those epochs. Recipes take turns;
the median of the rounds counts.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

from asr.config import RecipeConfig
from asr.config.recipe_file import read_recipe
from asr.training.checkpoint import Progress
from asr.training.data.batching import FrameBatching, UtteranceBatching
from asr.training.loop import train_epoch
from asr.training.optimizers import make_optimizer
from asr.training.trainer import Trainer, make_fabric, make_trainer
from benchmarks.training_systems import CPU, build, load

ROOT = Path(__file__).resolve().parents[1]
CORPORA = Path(os.environ.get("ASR_CORPORA", ROOT.parent / "shared" / "corpora"))


@dataclass(frozen=True)
class Task:
    """A recipe ready to train."""

    name: str
    config: RecipeConfig
    trainer: Trainer
    data: FrameBatching | UtteranceBatching

    def train(self) -> float:
        """Frames of speech a second of an epoch."""
        started = time.perf_counter()
        train_epoch(self.trainer, self.data, Progress(self.config.training.optimizer.learning_rate))
        return int(self.data.speech.lengths.sum()) / (time.perf_counter() - started)

    @torch.inference_mode()
    def score(self) -> float:
        """Seconds of computing for a second of speech."""
        speech, model = self.data.speech, self.trainer.model.eval()
        started = time.perf_counter()
        for start, frames in zip(speech.starts.tolist(), speech.lengths.tolist(), strict=True):
            model(speech.rows[None, start : start + frames], torch.tensor([frames]))
        seconds = time.perf_counter() - started
        return seconds / (int(speech.lengths.sum()) * self.config.features.frame_shift / 1000)


def make_task(recipe: Path, corpus: Path, folder: Path) -> Task:
    config = read_recipe(recipe, [f"corpus.dir={corpus}", "model.pretrained=null"])
    data = load(config, folder, CPU, frames=1)
    model, training = build(config), config.training
    optimizer = make_optimizer(training.optimizer, model.parameters())
    trainer = make_trainer(training, make_fabric(training, CPU), model, optimizer)
    return Task(recipe.stem, config, trainer, data)


def main() -> None:
    parser = argparse.ArgumentParser(description="Time the training and scoring of recipes.")
    parser.add_argument("recipes", nargs="*", type=Path)
    parser.add_argument("--corpus", type=Path, default=CORPORA / "timit_sample")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    recipes = options.recipes or sorted((ROOT / "recipes" / "timit_sample").glob("*.yaml"))
    with tempfile.TemporaryDirectory() as folder:
        tasks = [make_task(recipe, options.corpus, Path(folder)) for recipe in recipes]
        for task in tasks:
            task.train()
        rates: dict[str, list[float]] = {task.name: [] for task in tasks}
        factors: dict[str, list[float]] = {task.name: [] for task in tasks}
        for _ in range(options.rounds):
            for task in tasks:
                rates[task.name].append(task.train())
                factors[task.name].append(task.score())
    table = Table("recipe", "training, frames/s", "scoring, real-time factor", title="Recipes on one fold")
    for name, values in rates.items():
        rate, factor = statistics.median(values), statistics.median(factors[name])
        for benchmark, figure, unit in (("recipe-training", rate, "frames/s"), ("recipe-scoring", factor, "RTF")):
            row = {"benchmark": benchmark, "system": name, "figure": round(figure, 5), "unit": unit}
            print(json.dumps({**row, "threads": torch.get_num_threads()}), flush=True)
        table.add_row(name, f"{rate:,.0f}", f"{factor:.4f}")
    Console().print(table)


if __name__ == "__main__":
    main()
