"""`asr model`: shows acoustic models, and prepares them for others."""

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asr.cli.options import Settings
from asr.cli.share import card_command, list_command, pack_command

if TYPE_CHECKING:
    from rich.table import Table

    from asr.models.summary import LayerSummary, ModelSummary

MANY = 4

app = typer.Typer(no_args_is_help=True, help="Inspect models, and prepare them for others.")


@app.callback()
def model() -> None:
    """Inspect models, and prepare them for others."""


app.command("list", short_help="List the models in the box")(list_command)
app.command("pack", short_help="Pack a run's model into a small folder to share")(pack_command)
app.command("card", short_help="Write the README.md of a model")(card_command)


@app.command(short_help="Show a recipe's model, layer by layer")
def show(
    recipe: Annotated[Path, typer.Argument(help="The recipe's YAML file.")],
    settings: Settings = [],  # noqa: B006 - typer copies it
) -> None:
    """Show a model's layers, shapes, parameters, receptive field, and FLOPs per second of audio."""
    from asr.config.recipe_file import read_recipe

    config = read_recipe(recipe, settings)
    from rich.console import Console

    from asr import models
    from asr.models.summary import summarize

    summary = summarize(models.build_for(config), config.features)
    console = Console()
    console.print(_table(summary, config.model.type))
    console.print(_totals(summary), highlight=False)


def _table(summary: "ModelSummary", name: str) -> "Table":
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    shape = "one second of audio" if summary.window_flops is None else "one window"
    table = Table(
        title=f"Model: {name}",
        caption=f"Output: for {shape}; MFLOP: per second of audio",
        title_justify="left",
        caption_justify="left",
        box=SIMPLE_HEAD,
    )
    table.add_column("Layer", overflow="fold", min_width=18)
    table.add_column("Kind", min_width=11)
    for column in ("Output", "Parameters", "MFLOP"):
        table.add_column(column, justify="right", no_wrap=True)
    for layers in _runs(summary.layers):
        output, parameters = layers[0].output, sum(layer.parameters for layer in layers)
        flops = sum(layer.flops for layer in layers)
        table.add_row(
            _names(layers),
            layers[0].kind,
            "-" if output is None else " x ".join(map(str, output)),
            f"{parameters:,}" if parameters else "",
            f"{flops / 1e6:,.1f}" if flops else "",
        )
    return table


def _runs(layers: "list[LayerSummary]") -> "list[list[LayerSummary]]":
    """Many equal layers in a row share a line, so that a hundred of them fit on a screen."""
    runs = []
    for _, group in groupby(layers, lambda layer: (layer.kind, layer.output, layer.parameters, layer.flops)):
        alike = list(group)
        runs += [alike] if len(alike) >= MANY else [[layer] for layer in alike]
    return runs


def _names(layers: "list[LayerSummary]") -> str:
    if len(layers) == 1:
        return layers[0].name or "(model)"
    first, last = layers[0].name.split("."), layers[-1].name.split(".")
    while len(last) > 1 and first[0] == last[0]:
        first, last = first[1:], last[1:]
    return f"{layers[0].name} to {'.'.join(last)}"


def _totals(summary: "ModelSummary") -> str:
    field = "the whole utterance" if summary.receptive_field is None else f"{summary.receptive_field:,.0f} ms"
    lines = [
        f"Parameters:       {summary.parameters:,}",
        f"Receptive field:  {field}",
        f"FLOPs per second: {summary.flops / 1e9:,.3f} GFLOP of audio (a multiply-add is two)",
    ]
    if summary.window_flops is not None:
        lines.append(f"  as single frames: {summary.window_flops / 1e9:,.3f} GFLOP (training on minibatches of frames)")
    return "\n".join(lines)
