"""`asr model list`, `pack` and `card`: models in the box, and models to share."""

import logging
from pathlib import Path
from typing import Annotated

import typer

from asr.cli.export import Precision
from asr.cli.options import Model
from asr.errors import count

log = logging.getLogger(__name__)

License = Annotated[
    str | None,
    typer.Option(
        "--license",
        help="The model's licence, an identifier of the Hugging Face Hub such as cc-by-4.0.",
        show_default="that of its corpora",
    ),
]
Language = Annotated[
    str | None, typer.Option(help="The language, a code such as en.", show_default="en; und for phones of your own")
]
Measured = Annotated[
    list[Path],
    typer.Option(
        help="Results for the card: the JSON Lines of benchmarks/robustness.py or recognisers.py. Repeatable."
    ),
]
Notes = Annotated[Path | None, typer.Option(help="A Markdown file that the card begins with.")]


def list_command() -> None:
    """List the models in the box: those that ship with asr, and can be given by name."""
    from asr.config.recipe_file import read_recipe
    from asr.named_models.box import box_models
    from asr.sharing.card import header_figures, read_header
    from asr.storage.run_layout import RECIPE

    for name, folder in box_models().items():
        header = read_header(folder)
        phone_set = read_recipe(folder / RECIPE).targets.phone_set
        phones = count(len(set(phone_set) - set(phone_set.silences)), "phone")
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
        print(f"{name}  {size:.1f} MB  {phones}  {header.get('license', 'no licence')}")
        for corpus, per in header_figures(header):
            print(f"  PER {per:.1f}%, silence removed: {corpus}")


def pack_command(
    model: Model,
    out: Annotated[Path, typer.Argument(help="Folder for the packed model.")],
    half: Annotated[bool, typer.Option("--half", help="Store the weights as float16, in half the space.")] = False,
    prune_lm: Annotated[
        float,
        typer.Option(
            "--prune-lm",
            min=0,
            help="Leave n-grams out whose loss raises the perplexity by less than this share, such as 1e-6.",
        ),
    ] = 0.0,
    onnx: Annotated[
        Precision | None,
        typer.Option("--onnx", help="Add the graph that runs where PyTorch is not installed, in this precision."),
    ] = None,
    name: Annotated[str | None, typer.Option(help="The model's name in its card.", show_default="OUT's name")] = None,
    license_: License = None,
    language: Language = None,
    measured: Measured = [],  # noqa: B006 - typer copies it
    notes: Notes = None,
) -> None:
    """Pack a finished run's model into a small folder to share, with a model card.

    The folder can be given as MODEL, put on the Hugging Face Hub as it is, or put in the box (data/models).
    """
    from asr.sharing.card import CardChoices
    from asr.sharing.pack import Packing, pack

    packing = Packing(half, prune_lm, onnx.value if onnx else None)
    size = pack(model, out, packing, CardChoices(name, license_, language, measured, notes))
    log.info("%s: %.1f MB", out, size / 1e6)


def card_command(
    model: Model,
    name: Annotated[str | None, typer.Option(help="The model's name.", show_default="the recipe's")] = None,
    license_: License = None,
    language: Language = None,
    measured: Measured = [],  # noqa: B006
    notes: Notes = None,
) -> None:
    """Write a model card, README.md, into the bundle of a finished run or of asr model pack.

    It has a header for the Hugging Face Hub, and LICENSE beside it. What was given before need not be given again. A
    card that you have edited is not replaced.
    """
    from asr.sharing.card import CardChoices, write_card

    print(write_card(model, CardChoices(name, license_, language, measured, notes)))
