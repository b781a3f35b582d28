"""The training curves as SVG."""

from collections.abc import Iterable, Sequence

from asr.config import AverageConfig, TrainingConfig
from asr.report.axes import Axes, padded
from asr.report.run_files import Fold
from asr.report.svg import figure, number, text, ticks, titled

PANEL_WIDTH, PANEL_HEIGHT, PANEL_LEFT, PANEL_TOP = 400, 210, 44, 26
FOLD_COLOURS = 8


def curves(folds: Sequence[Fold], training: TrainingConfig) -> str | None:
    """Loss and error over the epochs: dev as a line, train dashed, a dot at each kept epoch.

    None where no fold has metrics.
    """
    folds = [fold for fold in folds if fold.epochs]
    if not folds:
        return None
    measured = training.measure.replace("_", " ")
    panels = [(_loss(training), "loss"), (f"{measured.capitalize()}, %", training.measure)]
    width = PANEL_LEFT + PANEL_WIDTH + 16
    parts = [part for column, panel in enumerate(panels) for part in _panel(folds, *panel, column * width)]
    parts += _legend(folds, _kept(training.average, measured), PANEL_TOP + PANEL_HEIGHT + 50)
    return figure(2 * width, PANEL_TOP + PANEL_HEIGHT + 58, parts, f"Training curves: loss and {measured} by epoch")


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
