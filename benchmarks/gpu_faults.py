"""Which part of a training fails on a GPU: each runs in a process of its own, as nothing works after a CUDA error.

    python benchmarks/gpu_faults.py [--parts making,whole] [--fold 1] [--epochs 40] [--device cuda]

The training is that of recipes/timit_sample/dnn.yaml, whose speech is changed. Its parts, from the least to the whole:

- making: the changed speech of each epoch; nothing trains;
- remainders: a step of each number of frames that the last minibatch of an epoch may have;
- plain: the training without CUDA graphs, beside the making of the next epoch;
- graphs: the training by CUDA graphs, of speech that does not change;
- whole: the training as it is.

After each epoch of the first and each step of the second the host waits for the GPU, and a kernel that fails is
reported where it was started. Each part's exit status and last lines are printed.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from unittest import mock

import torch

from asr import models
from asr.config import RecipeConfig
from asr.config.recipe_file import read_recipe
from asr.corpora.prepare import prepare
from asr.device import choose_device
from asr.features.dataset import Dataset
from asr.features.stage import compute_features
from asr.runs.stages import of_fold
from asr.training.data.augmented import EpochSpeech
from asr.training.data.minibatch import Batch
from asr.training.data.speech import Use, load_speech
from asr.training.optimizers import make_optimizer
from asr.training.train import train
from asr.training.trainer import make_fabric, make_trainer, train_step
from benchmarks.decoding import SAMPLE
from benchmarks.training import names_of

REPOSITORY = Path(__file__).resolve().parents[1]
RECIPE = REPOSITORY / "recipes" / "timit_sample" / "dnn.yaml"
UNCHANGED = ["augmentation.speed=[1.0]", "augmentation.vtlp=[1.0, 1.0]"]
PARTS = ("making", "remainders", "plain", "graphs", "whole")
WAITING = ("making", "remainders")
LAST_LINES = 3


def main(arguments: Sequence[str] | None = None) -> None:
    options = parse(arguments)
    if options.alone:
        run_part(options.alone, options)
        return
    given = ["--fold", str(options.fold), "--device", str(options.device), "--corpus", str(options.corpus.resolve())]
    if options.epochs:
        given += ["--epochs", str(options.epochs)]
    for part in options.parts:
        environment = os.environ | ({"CUDA_LAUNCH_BLOCKING": "1"} if part in WAITING else {})
        command = [sys.executable, "-m", "benchmarks.gpu_faults", "--alone", part, *given]
        done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True)
        print(f"{part}: exit status {done.returncode}", flush=True)
        for line in [*done.stdout.splitlines()[-1:], *done.stderr.splitlines()[-LAST_LINES:]]:
            print(f"    {line}", flush=True)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", type=names_of(PARTS), default=list(PARTS), help="comma-separated")
    parser.add_argument("--fold", type=int, default=1)
    parser.add_argument("--epochs", type=int, help="default: the recipe's")
    parser.add_argument("--corpus", type=Path, default=SAMPLE)
    parser.add_argument("--device", type=choose_device, default="auto")
    parser.add_argument("--alone", choices=PARTS, help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def run_part(part: str, options: argparse.Namespace) -> None:
    changes = [f"corpus.dir={options.corpus}", *(UNCHANGED if part == "graphs" else [])]
    if options.epochs:
        changes.append(f"training.epochs={options.epochs}")
    config = of_fold(read_recipe(RECIPE, changes), f"fold-{options.fold}")
    if part == "remainders":
        for frames in steps_of_each_size(config, options.device):
            print(f"a step of {frames} frames", flush=True)
        return
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        prepare(config.corpus, out / "prepare")
        cuts, features = out / "prepare" / f"fold-{options.fold}", out / "features"
        compute_features(config, cuts, features, "cpu")
        if part == "making":
            for epoch in epochs_made(config, Dataset(cuts, features), options.device):
                print(f"epoch {epoch + 1} is made", flush=True)
            return
        without_graphs = mock.patch("asr.training.trainer.suits_graphs", return_value=False)
        with without_graphs if part == "plain" else nullcontext():
            train(config, cuts, features, out / "train", options.device)
    print("trained")


def epochs_made(config: RecipeConfig, dataset: Dataset, device: torch.device) -> Iterator[int]:
    """The number of each epoch once its speech is made."""
    split = dataset.split("train", config.features)
    clean = load_speech(config, split, config.model.context, device, use=Use.LABELS)
    speech = EpochSpeech(config, clean, split, device)
    for epoch in range(config.training.epochs):
        if not speech(epoch).rows.isfinite().all():
            raise ValueError(f"epoch {epoch + 1} has values that are not finite")
        yield epoch


def steps_of_each_size(config: RecipeConfig, device: torch.device) -> Iterator[int]:
    """The number of frames of each minibatch once its step is done."""
    settings = config.training
    model = models.build_for(config).to(device)
    optimizer = make_optimizer(settings.optimizer, model.parameters())
    trainer = make_trainer(settings, make_fabric(settings, device), model, optimizer)
    trainer.train(0)
    for frames in range(1, settings.batch_size + 1):
        rows = torch.randn(frames, 2 * config.model.context + 1, config.features.dim, device=device)
        train_step(trainer, Batch(rows, torch.zeros(frames, dtype=torch.long, device=device)))
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        yield frames


if __name__ == "__main__":
    main()
