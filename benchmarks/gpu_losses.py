"""The first losses of the models of recipes/timit on a CPU and on a GPU: the same, until rounding has grown.

    python benchmarks/gpu_losses.py [--models dnn,bigru] [--updates 10] [--set training.precision=tf32]

Both train from the same weights on the same minibatches of TIMIT's sample, without dropout and changed speech. Light
GRUs drift apart first: their states have no bound.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch

from asr.config.recipe_file import read_recipe
from asr.device import choose_device, describe_device
from asr.training.data.batching import UtteranceBatching, batches
from asr.training.data.padding import padded_lengths
from asr.training.loop import make_fabric, make_trainer
from asr.training.optimizers import make_optimizer
from benchmarks.gpu import MODELS, RECIPES
from benchmarks.training import SAMPLE, names_of
from benchmarks.training_systems import CPU, build, load


def main(arguments: Sequence[str] | None = None) -> None:
    options = parse(arguments)
    devices = list(dict.fromkeys([CPU, options.device]))
    for name in options.models:
        with tempfile.TemporaryDirectory() as folder:
            columns = [losses(name, options, Path(folder), device) for device in devices]
        print(f"{name}: {', '.join(map(describe_device, devices))}")
        for row in zip(*columns, strict=True):
            print("  ".join(f"{loss:.5f}" for loss in row), flush=True)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=names_of(MODELS), default=list(MODELS), help="comma-separated")
    parser.add_argument("--updates", type=int, default=10)
    parser.add_argument("--set", action="append", default=[], help="a setting of the recipes")
    parser.add_argument("--device", type=choose_device, default="auto")
    return parser.parse_args(arguments)


def losses(name: str, options: argparse.Namespace, folder: Path, device: torch.device) -> list[float]:
    """The loss of each update."""
    sample = [f"corpus.dir={SAMPLE}", "corpus.folds=4", "model.dropout=0"]
    config = read_recipe(RECIPES / "timit" / f"{name}.yaml", [*sample, *options.set])
    config = config.model_copy(update={"augmentation": type(config.augmentation)()})
    batching = load(config, folder, device, frames=1)
    if isinstance(batching, UtteranceBatching):  # as on a GPU, so that the minibatches are the same
        batching = UtteranceBatching(batching.speech, padded_lengths(batching.speech.lengths.cpu().numpy()))
    torch.manual_seed(0)
    plan = batching.plan(config.training.batch_size, shuffled=True)
    plan = [plan[number % len(plan)] for number in range(options.updates)]
    training, model = config.training, build(config)
    fabric = make_fabric(training, device)
    model.to(device)
    trainer = make_trainer(training, fabric, model, make_optimizer(training.optimizer, model.parameters()))
    trainer.set_learning_rate(training.optimizer.learning_rate)
    trainer.train(0)
    with trainer.steps():
        steps = [trainer.replayed_step(batch)[0][:1].clone() for batch in batches(batching, plan, device)]
    return [float(step) for step in steps]


if __name__ == "__main__":
    main()
