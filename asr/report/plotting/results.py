"""Training curves and confusions of runs, for papers."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from asr.errors import InputError
from asr.phones.manner import MANNERS, manner
from asr.phones.phone_set import PhoneSet
from asr.report.comparison import names_of
from asr.report.plotting.paper import drawing, inches, save
from asr.report.run_files import Fold, RunFiles, read_run
from asr.scoring.edit_alignment import EditPair
from asr.scoring.results import confusions

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DASHES = ("-", (0, (1, 1)), (0, (3, 1, 1, 1)), (0, (5, 1)))
GREYS = ("0.0", "0.45", "0.65", "0.3")
MARKERS = ("o", "s", "^", "D")


def plot_curves(runs: Sequence[Path], path: Path, width: str) -> None:
    """Loss and error over the epochs: train thin, dev thick; one shade, dash and marker a run, for all of its folds.

    Raises InputError for a folder that is not a finished run, and for runs whose errors are of different kinds.
    """
    read = [read_run(run) for run in runs]
    measures = {run.training.measure for run in read}
    if len(measures) > 1:
        raise InputError(f"the runs measure different errors ({', '.join(sorted(measures))}); plot them apart")
    (measure,) = measures
    with drawing(width, 0.95 * inches(width)) as figure:
        upper, lower = figure.subplots(2, sharex=True)
        for number, (name, run) in enumerate(zip(names_of(runs), read, strict=True)):
            folds = [fold for fold in run.folds if fold.epochs]
            if not folds:
                raise InputError("has no metrics of its training to plot", runs[number])
            for axes, field in ((upper, "loss"), (lower, measure)):
                _draw(axes, folds, field, number % len(DASHES), name if len(runs) > 1 else "")
        upper.set_ylabel("Loss")
        lower.set_ylabel(f"{measure.replace('_', ' ').capitalize()} (%)")
        lower.set_xlabel("Epoch")
        lower.xaxis.get_major_locator().set_params(integer=True)
        upper.legend()
        save(figure, path)


def _draw(axes, folds: Sequence[Fold], field: str, style: int, name: str) -> None:  # type: ignore[no-untyped-def]
    for place, fold in enumerate(folds):
        for side, thickness in (("train", 0.5), ("dev", 1.0)):
            rows = [row for row in fold.epochs if f"{side}_{field}" in row]
            if not rows:
                continue
            epochs, values = [row["epoch"] for row in rows], [row[f"{side}_{field}"] for row in rows]
            label = None if place else f"{name} {side}".strip()
            look = {"color": GREYS[style], "linestyle": DASHES[style], "linewidth": thickness, "label": label}
            if side == "dev":
                look |= {"marker": MARKERS[style], "markersize": 2.0, "markevery": max(1, len(epochs) // 10)}
            axes.plot(epochs, values, **look)


def plot_confusions(run_dir: Path, path: Path, width: str) -> None:
    """The confusion matrix by phone class: the share of each row's phones, black for all, on a square-root scale;
    deletions in the last column, insertions, as a share of all of them, in the last row.

    Raises InputError for a folder that is not a finished run.
    """
    run = read_run(run_dir)
    with drawing(width, inches(width)) as figure:
        draw_confusions(figure, run)
        save(figure, path)


def draw_confusions(figure: "Figure", run: RunFiles) -> None:
    """As `plot_confusions`, in a square figure."""
    phones = _by_class(run.phone_set)
    axes = figure.subplots()
    shares = np.sqrt(_shares(phones, confusions(run.utterances)))
    axes.imshow(shares, cmap="Greys", vmin=0, vmax=1, interpolation="nearest")
    font = min(7.0, 72 * 0.64 * figure.get_figwidth() / (len(phones) + 4))
    axes.set_xticks(range(len(phones) + 1), [*phones, "del"], rotation=90, fontsize=font)
    axes.set_yticks(range(len(phones) + 1), [*phones, "ins"], fontsize=font)
    axes.tick_params(length=0, pad=1.5)
    axes.set_xlabel("Recognised as")
    axes.set_ylabel("Reference")
    classes = [manner(phone, run.phone_set) for phone in phones]
    ends = [place for place in range(1, len(phones)) if classes[place] != classes[place - 1]]
    for end in (*ends, len(phones)):
        axes.axhline(end - 0.5, color="0.6", linewidth=0.3)
        axes.axvline(end - 0.5, color="0.6", linewidth=0.3)


def _by_class(phone_set: PhoneSet) -> list[str]:
    return sorted(phone_set, key=lambda phone: MANNERS.index(manner(phone, phone_set)))


def _shares(phones: Sequence[str], pairs: Counter[EditPair]) -> np.ndarray:
    counts = np.array([[pairs[first, second] for second in (*phones, None)] for first in (*phones, None)], np.float64)
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
