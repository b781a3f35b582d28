"""`asr doctor`: whether asr is installed well, or the files of a run or a bundle are whole."""

from pathlib import Path
from typing import Annotated

import typer

from asr.cli.options import Device


def doctor_command(
    folder: Annotated[
        Path | None,
        typer.Argument(
            help="The folder of a run, a bundle, or any output of asr.", show_default="check the installation"
        ),
    ] = None,
    device: Device = "auto",
) -> None:
    """Check the installation, or every file of a run or a bundle for damage; exit status 1 if anything is wrong.

    Without a folder: versions, devices, threads, missing extras, and a self-test of about two seconds.
    """
    found = _installation(device) if folder is None else _files(folder)
    if found:
        raise typer.Exit(1)


def _files(folder: Path) -> int:
    from asr.runs.doctor import examine

    health = examine(folder)
    for problem in health.problems:
        print(problem)
    counts = ", ".join(f"{count} {kind}{'' if count == 1 else 's'}" for kind, count in health.checked.items())
    return _summary(f"Checked {counts}", len(health.problems))


def _installation(device: str) -> int:
    from asr.runs.installation import described, missing_extras, self_test

    for name, value in described().items():
        print(f"{name:>12}  {value}")
    for extra, packages in missing_extras().items():
        print(f"{'not there':>12}  {', '.join(packages)}: pip install 'asr-phones[{extra}]', if you need it")
    checks = self_test(device)
    for check in checks:
        print(f"{'self-test':>12}  {check.name}: {check.problem or 'right'}")
    return _summary("Checked the installation", sum(check.problem is not None for check in checks))


def _summary(checked: str, found: int) -> int:
    print(f"{checked}: {found or 'no'} problem{'' if found == 1 else 's'}")
    return found
