"""`asr recipe`: what a recipe may contain."""

from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Show what a recipe may contain.")


@app.callback()
def recipe() -> None:
    """Show what a recipe may contain."""


@app.command()
def settings(
    section: Annotated[
        str | None, typer.Argument(help="A section or setting: model, model.cnn, training.optimizer, lm.order.")
    ] = None,
) -> None:
    """Show the settings of a recipe: allowed values, default, unit and meaning of each."""
    from asr.config.settings import find_settings, format_settings

    print(format_settings(find_settings(section)))
