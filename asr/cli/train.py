"""`asr train`: the training stage alone."""

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from asr.cli.devices import on_each_device
from asr.cli.options import Device, Devices, Features, Prepared, Recipe, Settings
from asr.errors import InputError
from asr.processes.ranks import rank, world_size


def train_command(
    prepared: Prepared,
    features: Features,
    out: Annotated[Path, typer.Argument(help="Folder for the model bundle, metrics and checkpoints.")],
    recipe: Recipe,
    settings: Settings = [],  # noqa: B006 - typer copies it
    device: Device = "auto",
    devices: Devices = 1,
    find_lr: Annotated[
        bool,
        typer.Option(
            "--find-lr", help="Only try learning rates: prints a suggestion, writes OUT/learning_rate.svg and .tsv."
        ),
    ] = False,
) -> None:
    """Train the recipe's acoustic model; an interrupted training resumes after the last complete epoch."""
    from asr.config.recipe_file import read_recipe

    config = read_recipe(recipe, settings)
    if find_lr and max(devices, world_size()) > 1:
        raise InputError("--find-lr takes one device; leave out --devices")
    on_each_device(device, devices)
    from asr.device import choose_device
    from asr.storage.output_folder import output_folder
    from asr.storage.run_layout import BUNDLE
    from asr.training.train import sweep_learning_rates, train

    with nullcontext() if rank() else output_folder(out, "train", "OUT"):
        if find_lr:
            from asr.report.learning_rate import learning_rate_curve
            from asr.report.svg import write_figure

            sweep = sweep_learning_rates(config, prepared, features, out, choose_device(device))
            write_figure(out / "learning_rate.svg", learning_rate_curve(sweep))
            setting = f"--set training.optimizer.learning_rate={sweep.suggested:.2g}"
            print(f"suggested: {setting}, see {out / 'learning_rate.svg'}")
            return
        train(config, prepared, features, out, choose_device(device))
    if not rank():
        print(out / BUNDLE)
