"""`asr run`: all stages of a recipe."""

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from asr.cli.devices import on_each_device
from asr.cli.engine import EngineChoice, EngineName, cluster
from asr.cli.options import Device, Devices, Settings
from asr.errors import InputError

STAGE_NAMES = "prepare, features, train, decode, score or report"


def run_command(
    recipe: Annotated[Path, typer.Argument(help="A recipe, such as recipes/timit_sample/dnn.yaml.")],
    settings: Settings = [],  # noqa: B006 - typer copies it
    stage: Annotated[str | None, typer.Option("--stage", help=f"Rerun only this stage: {STAGE_NAMES}.")] = None,
    start: Annotated[str | None, typer.Option("--from", help="Rerun this stage and all later ones.")] = None,
    device: Device = "auto",
    devices: Devices = 1,
    engine: EngineChoice = EngineName.threads,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="The run's folder.", show_default="runs/CORPUS/RECIPE"),
    ] = None,
    watch: Annotated[
        bool,
        typer.Option("--watch", help="Keep live.html in the run's folder up to date: open it to see the training."),
    ] = False,
) -> None:
    """Run a recipe from the corpus to the report; stages that are up to date are skipped.

    With --engine ray the features are computed on the cluster; all else is done here.
    """
    from asr.config.recipe_file import read_recipe

    config = read_recipe(recipe, settings)
    on_each_device(device, devices)
    from rich.console import Console

    from asr.device import choose_device
    from asr.processes.ranks import rank
    from asr.report.tables import per_table
    from asr.runs.run import Run, default_folder, execute, follow
    from asr.runs.stages import STAGES
    from asr.storage.run_layout import REPORT

    for name in (stage, start):
        if name is not None and name not in STAGES:
            raise InputError(f"stage {name!r}: choose {STAGE_NAMES}")
    if stage and start:
        raise InputError("--stage and --from exclude each other")
    folder = out or default_folder(recipe)
    name = f"{recipe.resolve().parent.name}/{recipe.stem}"
    open_engine = nullcontext() if rank() else cluster(engine, None, device)
    run = Run(config, name, folder, choose_device(device), open_engine, watch)
    if rank():
        follow(run)
        return
    result = execute(run, only=stage, first=start)
    if result is not None:
        Console().print(per_table(result))
        print(f"Report: {folder / REPORT}")
