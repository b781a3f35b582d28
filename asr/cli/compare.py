"""`asr compare`: several runs side by side."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from asr.errors import InputError

if TYPE_CHECKING:
    from rich.table import Table

    from asr.report.comparison_tables import Cells


def compare_command(
    runs: Annotated[
        list[Path],
        typer.Argument(help="Folders of two or more runs, or of asr score --out; the first is the baseline."),
    ],
    settings: Annotated[
        bool, typer.Option("--settings", help="Also show the settings in which the recipes differ.")
    ] = False,
    form: Annotated[
        Literal["terminal", "markdown", "latex", "csv"],
        typer.Option("--format", help="How to print the tables; latex needs the package booktabs."),
    ] = "terminal",
) -> None:
    """Compare runs: PER, size, speed, and by paired tests whether each is better than the first."""
    if len(runs) < 2:
        raise InputError("give two or more runs to compare")
    from rich.console import Console

    from asr.report.comparison import differences, read_compared
    from asr.report.comparison_tables import costs_table, differences_table, errors_table, settings_table

    compared = read_compared(runs)
    errors, costs = errors_table(compared), costs_table(compared)
    tables = [errors, costs] if form == "terminal" else [errors.beside(costs)]
    tables.append(differences_table(compared[0], differences(compared)))
    if settings:
        tables.append(settings_table(compared))
    if form != "terminal":
        print("\n\n".join(getattr(table, form)() for table in tables))
        return
    console = Console()
    for table in tables:
        console.print(_table(table))


def _table(cells: "Cells") -> "Table":
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from asr.report.escaping import terminal

    table = Table(
        title=terminal(cells.title, "table.title"),
        caption=terminal(cells.note, "table.caption"),
        title_justify="left",
        caption_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    for number, name in enumerate(cells.header):
        table.add_column(terminal(name), justify="right" if number else "left", overflow="fold")
    for row in cells.rows:
        table.add_row(*map(terminal, row))
    return table
