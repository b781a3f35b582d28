"""The training curves as SVG."""

from collections.abc import Iterable, Sequence
from typing import Any

from asr.config import AverageConfig, TrainingConfig
from asr.report.axes import Axes, padded
from asr.report.run_files import LEARNING, SPEED, Fold
from asr.report.svg import figure, number, text, ticks, titled

PANEL_WIDTH, PANEL_HEIGHT, PANEL_LEFT, PANEL_TOP = 400, 210, 44, 26
FOLD_COLOURS = 8
COLUMN, ROW = PANEL_LEFT + PANEL_WIDTH + 16, PANEL_TOP + PANEL_HEIGHT + 50
LOW = 110
"""The height of the panels of LEARNING and SPEED."""


def curves(folds: Sequence[Fold], training: TrainingConfig) -> str | None:
    """Loss and error over the epochs: dev as a line, train dashed, a dot at each kept epoch; below them LEARNING.

    None where no fold has metrics.
    """
    folds = [fold for fold in folds if fold.epochs]
    if not folds:
        return None
    measured = training.measure.replace("_", " ")
    parts = [*_panel(folds, _loss(training), "loss", 0)]
    parts += _panel(folds, f"{measured.capitalize()}, %", training.measure, COLUMN)
    parts += _legend(folds, _kept(training.average, measured), ROW)
    below, height = _low_panels(folds, LEARNING, ROW + 30)
    label = f"Training curves: loss and {measured} by epoch"
    return figure(2 * COLUMN, height or ROW + 8, [*parts, *below], label)


def speed_curves(folds: Sequence[Fold]) -> str | None:
    """SPEED over the epochs. None where no epoch has any of it."""
    parts, height = _low_panels([fold for fold in folds if fold.epochs], SPEED, 0)
    return figure(2 * COLUMN, height, parts, "Speed of the training by epoch") if parts else None


def _low_panels(folds: Sequence[Fold], titles: dict[str, str], top: float) -> tuple[list[str], float]:
    """A panel for each field that some epoch has, in rows of two, and where they end; nothing and 0 without any."""
    known = [name for name in titles if any(name in row for fold in folds for row in fold.epochs)]
    parts: list[str] = []
    for place, name in enumerate(known):
        row, column = divmod(place, 2)
        parts += _low_panel(folds, name, titles[name], column * COLUMN, top + row * (LOW + 60) + PANEL_TOP)
    rows = -(-len(known) // 2)
    return parts, top + rows * (LOW + 60) if rows else 0


def _loss(training: TrainingConfig) -> str:
    if training.loss == "squared_error":
        return "Squared error of the posteriors"
    if training.loss == "ctc":
        return "CTC loss of a phone, nats"
    smoothed = f" with labels smoothed by {training.label_smoothing:g}" if training.label_smoothing else ""
    return f"Cross-entropy{smoothed}, nats"


def _kept(average: AverageConfig, measured: str) -> str:
    if average.count == 1:
        return f"epoch kept ({f'least dev {measured}' if average.of == 'best' else 'the last'})"
    which = f"{average.count} of least dev {measured}" if average.of == "best" else f"the last {average.count}"
    return f"epochs averaged ({which})"


def _panel(folds: Sequence[Fold], title: str, field: str, left: float) -> Iterable[str]:
    sides = [
        side for side in ("train", "dev") if all(f"{side}_{field}" in row for fold in folds for row in fold.epochs)
    ]
    values = [row[f"{side}_{field}"] for fold in folds for row in fold.epochs for side in sides]
    last = max(row["epoch"] for fold in folds for row in fold.epochs)
    axes = Axes(left + PANEL_LEFT, PANEL_TOP, PANEL_WIDTH, PANEL_HEIGHT, (1, last), padded(values))
    yield from axes.frame(title, "epoch", (tick for tick in ticks(1, last, 8) if tick == int(tick)))
    for index, fold in enumerate(folds):
        colour = _colour(index)
        for side in sides:
            kind = "curve" if side == "dev" else "curve dashed"
            yield axes.curve(((row["epoch"], row[f"{side}_{field}"]) for row in fold.epochs), colour, kind)
        for row in fold.kept:
            x, y = axes.place(row["epoch"], row[f"dev_{field}"])
            hint = f"{fold.name or 'dev'}, epoch {row['epoch']}: {row[f'dev_{field}']:.3g}"
            yield titled(f'<circle cx="{number(x)}" cy="{number(y)}" r="3.5" style="fill:{colour}">', "circle", hint)


def _low_panel(folds: Sequence[Fold], name: str, title: str, left: float, top: float) -> Iterable[str]:
    """A field over the epochs that have it."""
    rows: list[list[dict[str, Any]]] = [[row for row in fold.epochs if name in row] for fold in folds]
    values = [row[name] for each in rows for row in each]
    last = max(row["epoch"] for fold in folds for row in fold.epochs)
    axes = Axes(left + PANEL_LEFT, top, PANEL_WIDTH, LOW, (1, last), (0.0, 1.08 * max(values) or 1.0))
    yield from axes.frame(title, "epoch", (tick for tick in ticks(1, last, 8) if tick == int(tick)))
    for index, each in enumerate(rows):
        yield axes.curve(((row["epoch"], row[name]) for row in each), _colour(index))
        if len(each) == 1:
            x, y = axes.place(each[0]["epoch"], each[0][name])
            yield f'<circle cx="{number(x)}" cy="{number(y)}" r="2.5" style="fill:{_colour(index)}"/>'


def _legend(folds: Sequence[Fold], kept: str, y: float) -> Iterable[str]:
    x = float(PANEL_LEFT)
    neutral = "var(--muted)"
    names = [("dev", "curve", neutral), ("train", "curve dashed", neutral)]
    names += [(fold.name, "curve", _colour(index)) for index, fold in enumerate(folds) if fold.name]
    for name, kind, colour in names:
        yield f'<polyline points="{number(x)},{number(y - 4)} {number(x + 22)},{number(y - 4)}" class="{kind}" '
        yield f'style="stroke:{colour}"/>'
        yield text(x + 28, y, name, kind="muted")
        x += 28 + 7 * len(name) + 22
    yield f'<circle cx="{number(x + 4)}" cy="{number(y - 4)}" r="3.5" style="fill:{neutral}"/>'
    yield text(x + 14, y, kept, kind="muted")


def _colour(index: int) -> str:
    return f"var(--c{index % FOLD_COLOURS + 1})"
