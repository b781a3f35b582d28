"""The first losses of the models of recipes/timit on a CPU and on a GPU: the same, until rounding has grown.

    python benchmarks/gpu_losses.py [--models dnn,bigru] [--updates 10] [--precision fp32|tf32|bf16] [--rise 40]

Both train from the same weights on the same minibatches of TIMIT's sample, without dropout and changed speech, at the
recipe's learning rate, to which it may rise. For each update: the loss and the norm of its gradient, of either device.
In TF32 the CPU rounds as a GPU does.
Light GRUs drift apart first: their states have no bound.
"""

import argparse
import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import torch

from asr.config import RecipeConfig
from asr.device import choose_device, describe_device
from asr.training.data.batching import UtteranceBatching, batches
from asr.training.data.padding import padded_lengths
from benchmarks.gpu import MODELS, config_of
from benchmarks.tf32_per import products_in_tf32
from benchmarks.training import names_of
from benchmarks.training_systems import CPU, load, our_trainer


def main(arguments: Sequence[str] | None = None) -> None:
    options = parse(arguments)
    devices = list(dict.fromkeys([CPU, options.device]))
    for name in options.models:
        config = config_of(name, options)
        with tempfile.TemporaryDirectory() as folder:
            columns = [updates(config, options, Path(folder), device) for device in devices]
        print(f"{name}: {', '.join(map(describe_device, devices))}")
        for number, row in enumerate(zip(*columns, strict=True)):
            print(number, *(f"{loss:.5f} {norm:.3f}" for loss, norm in row), flush=True)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=names_of(MODELS), default=list(MODELS), help="comma-separated")
    parser.add_argument("--updates", type=int, default=10)
    parser.add_argument("--precision", default="fp32", help="training.precision of the models")
    parser.add_argument("--rise", type=int, default=1, help="updates over which the learning rate rises")
    parser.add_argument("--device", type=choose_device, default="auto")
    parser.set_defaults(corpus=None, width=None, set=["model.dropout=0"])
    return parser.parse_args(arguments)


def updates(
    config: RecipeConfig, options: argparse.Namespace, folder: Path, device: torch.device
) -> list[tuple[float, float]]:
    """The loss, and the norm of its gradient, of each update."""
    batching = load(config, folder, device, frames=1)
    if isinstance(batching, UtteranceBatching):  # as on a GPU, so that the minibatches are the same
        batching = UtteranceBatching(batching.speech, padded_lengths(batching.speech.lengths.cpu().numpy()))
    torch.manual_seed(0)
    plan = batching.plan(config.training.batch_size, shuffled=True)
    plan = [plan[number % len(plan)] for number in range(options.updates)]
    trainer = our_trainer(config, device)
    trainer.train(0)
    found = []
    rounded = products_in_tf32() if options.precision == "tf32" and device == CPU else nullcontext()
    with trainer.steps(), rounded:
        for number, batch in enumerate(batches(batching, plan, device)):
            rise = min(1.0, (number + 1) / options.rise)
            trainer.set_learning_rate(config.training.optimizer.learning_rate * rise)
            found.append(trainer.replayed_step(batch)[0][:2].clone())
    return [(float(loss), float(norm)) for loss, norm in found]


if __name__ == "__main__":
    main()
