"""The live page of a run: what is being done and the curves of its training, as a file that reloads itself."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from asr.config import TrainingConfig
from asr.report.curves import curves, speed_curves
from asr.report.rendering import render
from asr.report.run_files import Fold, curve_fields, read_epochs

RELOAD = 3
"""Seconds after which an open page reads its file again."""
SILENT = 45
"""Seconds without a new page after which a run, which writes one at least every 10 seconds, was killed."""
SHOWN = 15
"""The last epochs in the table."""


@dataclass(frozen=True)
class Live:
    """What a run is doing: its `stages` that are done, the one that is `running`, how it `ended` (empty until then),
    and the moment of writing, in seconds since 1970."""

    title: str
    stages: Sequence[str]
    running: str
    ended: str
    written: float
    report: str | None = None
    """The address of the report, once there is one."""


def live_page(live: Live, trainings: Sequence[tuple[str, Path]], training: TrainingConfig) -> str:
    """The page; `trainings` are the names and train folders to show, the latest last.

    Raises InputError as `read_epochs`.
    """
    folds = [Fold(name, *read_epochs(folder, training), []) for name, folder in trainings]
    folds = [fold for fold in folds if fold.epochs]
    content: dict[str, Any] = {
        "live": live,
        "reload": RELOAD,
        "silent": SILENT,
        "written": time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(live.written)),
        "figures": [Markup(figure) for figure in (curves(folds, training), speed_curves(folds)) if figure],
        "latest": folds[-1] if folds else None,
        "rows": folds[-1].epochs[: -SHOWN - 1 : -1] if folds else [],
        "columns": curve_fields(training),
        "epochs": training.epochs,
        "left": _left(folds[-1], training) if folds else "",
    }
    return render("live.html.j2", content)


def _left(fold: Fold, training: TrainingConfig) -> str:
    """How long the other epochs take at most, at the pace of the last ones; empty where there are none."""
    epochs = training.epochs - len(fold.epochs)
    paces = [row["seconds"] for row in fold.epochs[-5:] if isinstance(row.get("seconds"), int | float)]
    if not paces or epochs <= 0:
        return ""
    seconds = epochs * sum(paces) / len(paces)
    return (
        f"{seconds:.0f} s"
        if seconds < 100
        else f"{seconds / 60:.0f} min"
        if seconds < 6000
        else f"{seconds / 3600:.1f} h"
    )
