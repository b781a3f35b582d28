"""`asr doctor`: whether the files of a run or a bundle are whole."""

from pathlib import Path
from typing import Annotated

import typer


def doctor_command(
    folder: Annotated[Path, typer.Argument(help="The folder of a run, a bundle, or any output of asr.")],
) -> None:
    """Check every file of a run or a bundle for damage; exit status 1 if there is any."""
    from asr.runs.doctor import examine

    health = examine(folder)
    for problem in health.problems:
        print(problem)
    counts = ", ".join(f"{count} {kind}{'' if count == 1 else 's'}" for kind, count in health.checked.items())
    found = len(health.problems)
    print(f"Checked {counts}: {found or 'no'} problem{'' if found == 1 else 's'}")
    if found:
        raise typer.Exit(1)
