"""Training on a GPU: speed, how busy the chip is, and the PER of what it trained.

    python benchmarks/gpu.py [--models dnn,bigru] [--systems asr,eager] [--precision fp32|tf32|bf16] [--no-per]
        [--corpus DIR] [--set training.batch_size=4096]
    python benchmarks/gpu.py --recipe recipes/timit/dnn.yaml --corpus DIR [--set training.epochs=2]

The first trains the models of recipes/timit at their published sizes: by our loop; by a plain PyTorch loop (eager); by
the same with the model compiled, torch.compile(mode="reduce-overhead"); and cuDNN's bidirectional layers alone, without
dropout and normalisation. For each: frames of speech a second, ms a minibatch, the share of this time in which the GPU
computes, kernels a minibatch, and the share of the chip's peak. An epoch of TIMIT has 1.12 million frames; without
--corpus, TIMIT's sample is repeated until it has as many. Then it trains one fold of the sample on the CPU and on the
GPU, and prints both PERs.

The second runs a whole recipe in an empty folder and prints the seconds of every stage; DIR is TIMIT, or a folder of
its shape. On a CPU (--device cpu) what only a GPU can show is printed as null.
"""

import argparse
import hashlib
import json
import signal
import statistics
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import NamedTuple

import torch
from rich.console import Console
from rich.table import Table

from asr.config import RecipeConfig
from asr.config.recipe_file import read_recipe
from asr.device import choose_device, describe_device, use_tf32
from asr.errors import InputError
from asr.training.data.batching import draws_frames
from benchmarks.gpu_profile import kernels, peak
from benchmarks.gpu_recipe import CPU, Figure, fold_figures, recipe_figures
from benchmarks.gpu_systems import SYSTEMS, has_system, make_system
from benchmarks.training import SAMPLE, names_of
from benchmarks.training_systems import Part, System, build, clock, flops_of, load

RECIPES = Path(__file__).resolve().parents[1] / "recipes"
MODELS = ("dnn", "cnn", "bilstm", "bigru", "ligru", "crdnn")
EPOCH = 1_124_823  # frames of TIMIT's training set, without its sa sentences
PROFILED = 4  # minibatches of utterances: a recurrent model has thousands of kernels in each
WIDTHS = {"crdnn": ("recurrent_width", "width")}


class Measured(NamedTuple):
    """Figures of one system; None where the device does not show it."""

    rate: float
    step: float
    busy: float | None
    kernels: float | None
    reached: float | None


def main(arguments: Sequence[str] | None = None) -> None:
    options = parse(arguments)
    device = options.device
    use_tf32(options.precision == "tf32")
    print(f"{describe_device(device)}, {options.precision}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        if options.recipe:
            settings = [*([f"corpus.dir={options.corpus}"] if options.corpus else []), *options.set]
            show_figures("gpu-recipe", recipe_figures(options.recipe, settings, Path(folder) / "run", device), device)
            return
        for name in options.models:
            show(name, measure(config_of(name, options), options, Path(folder)), device)
        if options.per:
            devices = list(dict.fromkeys([CPU, device]))
            settings = [f"corpus.dir={options.corpus or SAMPLE}", *options.set]
            show_figures("gpu-fold", fold_figures(options.per, settings, Path(folder) / "fold", devices), device)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=names_of(MODELS), default=list(MODELS), help="comma-separated")
    parser.add_argument("--systems", type=names_of(SYSTEMS), default=list(SYSTEMS), help="comma-separated")
    parser.add_argument("--recipe", type=Path, help="run this whole recipe, and nothing else")
    parser.add_argument("--corpus", type=Path, help="TIMIT's folder; by default its sample's")
    parser.add_argument(
        "--set", action="append", default=[], help="a setting of the models, of the whole recipe, or of the fold's"
    )
    sample = RECIPES / "timit_sample" / "dnn.yaml"
    parser.add_argument("--per", type=Path, default=sample, help="the recipe whose fold is trained on both devices")
    parser.add_argument("--no-per", dest="per", action="store_const", const=None)
    parser.add_argument("--device", type=choose_device, default="auto")
    parser.add_argument("--precision", default="tf32", help="training.precision of the models")
    parser.add_argument("--steps", type=int, default=30, help="minibatches in a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10.0, help="after which a system gets no further round")
    parser.add_argument("--patience", type=int, default=40, help="seconds in which a model must be compiled")
    parser.add_argument("--peak", type=float, help="TFLOP/s of the device, where the benchmark does not know it")
    parser.add_argument("--width", type=int, help="units of every layer, for a quick check")
    return parser.parse_args(arguments)


def config_of(name: str, options: argparse.Namespace) -> RecipeConfig:
    """The recipe of TIMIT, on unchanged speech."""
    narrow = WIDTHS.get(name, ("width",)) if options.width else ()
    settings = [f"model.{setting}={options.width}" for setting in narrow]
    corpus = ["corpus.folds=4"] if options.corpus is None else []
    where = f"corpus.dir={options.corpus or SAMPLE}"
    precision = f"training.precision={options.precision}"
    config = read_recipe(RECIPES / "timit" / f"{name}.yaml", [where, *corpus, precision, *settings, *options.set])
    return config.model_copy(update={"augmentation": type(config.augmentation)()})


def measure(config: RecipeConfig, options: argparse.Namespace, folder: Path) -> Iterator[tuple[str, Measured | None]]:
    """Each system with its figures; None for one that failed, or could not be compiled in time."""
    device = options.device
    key = hashlib.sha256(config.features.model_dump_json().encode()).hexdigest()[:8]
    batching = load(config, folder / key, device, frames=1 if options.corpus else EPOCH)
    torch.manual_seed(0)
    epoch = batching.plan(config.training.batch_size, shuffled=True)
    part = Part(batching, [epoch[number % len(epoch)] for number in range(options.steps)])
    by_frame = draws_frames(config.training, build(config))
    few = part if by_frame else Part(batching, part.members[:PROFILED])
    flops, most = flops_of(config), options.peak or peak(device, options.precision)
    for name in options.systems:
        if not has_system(name, config):
            continue
        torch.compiler.reset()
        try:
            with at_most(options.patience) if name == "compiled" else nullcontext():
                system = make_system(name, config, device)
                for _ in range(2):  # what happens once: libraries are set up, and graphs recorded where a shape returns
                    clock(system(part), device)
            seconds = statistics.median(rounds(system, part, options))
            busy, count = load_of(system, few, device)
        except Exception as error:  # the others are still worth their time on a machine that is lent
            print(f"{name}: {type(error).__name__}: {str(error)[:200]}", flush=True)
            yield name, None
            continue
        yield (
            name,
            Measured(
                rate=part.frames / seconds,
                step=1000 * seconds / options.steps,
                busy=busy,
                kernels=count,
                reached=flops * part.frames / seconds / 1e12 / most if most else None,
            ),
        )


def rounds(system: System, part: Part, options: argparse.Namespace) -> list[float]:
    """The seconds of each round, as many as fit in the time that a system has: one at least."""
    measured: list[float] = []
    while len(measured) < options.rounds and sum(measured) < options.seconds:
        measured.append(clock(system(part), options.device))
    return measured


def load_of(system: System, part: Part, device: torch.device) -> tuple[float | None, float | None]:
    """The share of time in which the GPU computes, and kernels a minibatch; None on a CPU."""
    seconds = clock(system(part), device)  # without the profiler, which slows the host down
    ran = kernels(system(part).call, device)
    return (min(1.0, ran.seconds / seconds), ran.count / len(part.members)) if ran else (None, None)


@contextmanager
def at_most(seconds: int) -> Iterator[None]:
    """Raises TimeoutError in the block after so many seconds."""

    def stop(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def show(model: str, rows: Iterable[tuple[str, Measured | None]], device: torch.device) -> None:
    columns = ("system", "frames/s", "TIMIT's epoch, s", "ms a step", "GPU busy", "kernels a step", "of peak")
    table = Table(*columns, title=f"Training {model} as in recipes/timit, {describe_device(device)}")
    for system, found in rows:
        row: dict[str, object] = {"benchmark": f"gpu-{model}", "system": system, "figure": None, "unit": "frames/s"}
        if found is not None:
            row["figure"] = round(found.rate, 1)
            row |= {"ms_a_step": rounded(found.step), "gpu_busy": rounded(found.busy)}
            row |= {"kernels_a_step": rounded(found.kernels), "of_peak": rounded(found.reached)}
        print(json.dumps(row | {"threads": torch.get_num_threads()}), flush=True)
        if found is None:
            table.add_row(system, "failed")
            continue
        table.add_row(
            system,
            f"{found.rate:,.0f}",
            f"{EPOCH / found.rate:.1f}",
            f"{found.step:.2f}",
            *(said(value, form) for value, form in zip(found[2:], (".1%", ",.0f", ".1%"), strict=True)),
        )
    Console(width=120).print(table)


def said(value: float | None, form: str) -> str:
    return "not measured" if value is None else format(value, form)


def rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def show_figures(benchmark: str, figures: Iterable[Figure], device: torch.device) -> None:
    table = Table("", "figure", title=f"{benchmark}, {describe_device(device)}")
    for system, figure, unit in figures:
        row = {"benchmark": benchmark, "system": system, "figure": figure, "unit": unit}
        print(json.dumps(row | {"threads": torch.get_num_threads()}), flush=True)
        table.add_row(system, f"{figure:,.2f} {unit}")
    Console(width=120).print(table)


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        sys.exit(str(error))
