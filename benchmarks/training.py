"""Training speed in frames of speech a second, model by model, against other ways to train the same.

    python benchmarks/training.py [--models dnn,bigru] [--systems asr,bare] [--rounds N] [--device cuda]

Six models at the sizes of published TIMIT recipes (training_sizes.py), each trained by
- asr: our loop, with its gathering of minibatches, loss and frame error;
- bare: forward, backward and update on minibatches that are already in memory, the most that a loop could reach;
- dataloader: a plain PyTorch loop over a DataLoader, with our model;
- speechbrain: SpeechBrain's model of the same shape, by its data pipeline and Brain.fit
  (pip install 'asr-phones[bench]');
- speechbrain-jit: the same with its model compiled by TorchScript, where it is built of SpeechBrain's light GRU.

All train on the same minibatches, one system after another in every round, with the same fused Adam. Each has trained
on one minibatch before. A round is as many minibatches as the bare step trains in --seconds. Padding does not count as
frames. The corpus is the TIMIT sample (the demo corpus without it), repeated to --hours.
"""

import argparse
import gc
import importlib.util
import json
import os
import statistics
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

from asr.config import RecipeConfig
from benchmarks.training_sizes import FEATURES, Size, sizes
from benchmarks.training_systems import Part, System, bare_step, clock, flops_of, load, our_loop, plain_loop

SYSTEMS = ("asr", "bare", "dataloader", "speechbrain", "speechbrain-jit")
COMPILED = ("ligru", "crdnn")
FRAMES_AN_HOUR = 360_000
CORPORA = Path(os.environ.get("ASR_CORPORA", Path(__file__).resolve().parents[2] / "shared" / "corpora"))
SAMPLE = CORPORA / "timit_sample"


def main(arguments: Sequence[str] | None = None) -> None:
    options = parse(arguments)
    torch.set_num_threads(options.threads)
    systems = [name for name in options.systems if has_speechbrain() or not name.startswith("speechbrain")]
    if systems != options.systems:
        print("speechbrain is not installed; its rows are left out: pip install 'asr-phones[bench]'", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for name in options.models:
            size = sizes(options.width)[name]
            own = [each for each in systems if each != "speechbrain-jit" or name in COMPILED]
            config = recipe(size, options.corpus, options.precision)
            rates, flops = measure(config, own, options, Path(folder))
            show(name, size, rates, flops, options)
            gc.collect()


def names_of(known: Sequence[str]) -> Callable[[str], list[str]]:
    """Reads comma-separated names, for argparse."""

    def split(text: str) -> list[str]:
        chosen = text.split(",")
        if unknown := set(chosen) - set(known):
            raise argparse.ArgumentTypeError(f"no {', '.join(sorted(unknown))} among {', '.join(known)}")
        return chosen

    return split


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    every = tuple(sizes())
    parser.add_argument("--models", type=names_of(every), default=list(every), help="comma-separated")
    parser.add_argument("--systems", type=names_of(SYSTEMS), default=list(SYSTEMS), help="comma-separated")
    parser.add_argument("--corpus", type=Path, default=SAMPLE if SAMPLE.is_dir() else None, help="TIMIT's folder")
    parser.add_argument("--hours", type=float, default=1.0, help="of speech, by repetition")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0, help="of the bare step in a round; at least a minibatch")
    parser.add_argument("--device", type=torch.device, default=torch.device("cpu"))
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--peak", type=float, help="TFLOP/s of the device, to print the share that is reached")
    parser.add_argument("--width", type=int, help="units of every layer, for a quick check")
    return parser.parse_args(arguments)


def has_speechbrain() -> bool:
    return importlib.util.find_spec("speechbrain") is not None


def recipe(size: Size, corpus: Path | None, precision: str) -> RecipeConfig:
    where = {"name": "timit", "dir": corpus, "folds": 4} if corpus else {"name": "demo"}
    training = {"precision": precision, "batch_size": size.batch_size}
    if size.model.type == "cnn":
        training["batching"] = "utterances"
    return RecipeConfig.model_validate(
        {"corpus": where, "features": FEATURES, "model": size.model, "training": training}
    )


def make_system(name: str, config: RecipeConfig, device: torch.device) -> System:
    match name:
        case "asr":
            return our_loop(config, device)
        case "bare":
            return bare_step(config, device)
        case "dataloader":
            return plain_loop(config, device)
        case _:
            from benchmarks.training_speechbrain import brain_fit

            return brain_fit(config, device, jit=name == "speechbrain-jit")


def measure(
    config: RecipeConfig, names: Sequence[str], options: argparse.Namespace, folder: Path
) -> tuple[dict[str, list[float]], float]:
    """Frames a second of each system in each round, and the FLOPs of training on a frame."""
    batching = load(config, folder, options.device, round(options.hours * FRAMES_AN_HOUR))
    torch.manual_seed(0)
    epoch = batching.plan(config.training.batch_size, shuffled=True)
    systems = {name: make_system(name, config, options.device) for name in names}
    first = Part(batching, epoch[:1])
    for system in systems.values():  # what happens once
        clock(system(first), options.device)
    step_seconds = clock((systems.get("bare") or next(iter(systems.values())))(first), options.device)
    steps = max(1, min(len(epoch), round(options.seconds / step_seconds)))
    rates: dict[str, list[float]] = {name: [] for name in names}
    for number in range(options.rounds):
        members = [epoch[(number * steps + step) % len(epoch)] for step in range(steps)]
        for name, system in systems.items():
            run = system(Part(batching, members))
            rates[name].append(run.frames / clock(run, options.device))
    return rates, flops_of(config)


def show(name: str, size: Size, rates: dict[str, list[float]], flops: float, options: argparse.Namespace) -> None:
    on = f"{options.device.type}, {options.threads} threads" if options.device.type == "cpu" else str(options.device)
    table = Table(
        "system",
        "frames/s (median)",
        "asr is faster by",
        "GFLOP/s",
        *(["of peak"] if options.peak else []),
        title=f"Training, {size.title}, {flops / 1e6:.0f} MFLOP a frame, {options.precision}, {on}",
    )
    for system, values in rates.items():
        figure = statistics.median(values)
        row = {
            "benchmark": f"training-{name}",
            "system": system,
            "figure": round(figure, 1),
            "unit": "frames/s",
            "threads": options.threads,
        }
        print(json.dumps(row), flush=True)
        # Round by round, so that what else the machine does in a round counts for neither.
        ratio = [f"{statistics.median(map(divide, rates['asr'], values)):.2f}" if "asr" in rates else ""]
        share = [f"{flops * figure / 1e12 / options.peak:.1%}"] if options.peak else []
        table.add_row(system, f"{figure:,.0f}", *ratio, f"{flops * figure / 1e9:,.1f}", *share)
    Console().print(table)


def divide(ours: float, other: float) -> float:
    return ours / other


if __name__ == "__main__":
    main()
