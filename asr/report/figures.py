"""The report's figures as SVG: training curves, and the confusion matrix."""

from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from asr.config import AverageConfig, TrainingConfig
from asr.report.run_files import Fold
from asr.report.svg import figure, line, number, text, ticks
from asr.scoring.alignment import Pair

PANEL_WIDTH, PANEL_HEIGHT, PANEL_LEFT, PANEL_TOP = 400, 210, 44, 26
CELL, MATRIX_LEFT, MATRIX_TOP, MARGIN_GAP = 17, 44, 48, 6
SHADES = 10
FOLD_COLOURS = 8


def curves(folds: Sequence[Fold], training: TrainingConfig) -> str | None:
    """Loss and error over the epochs: dev as a line, train dashed, a dot at each epoch that was kept.

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


def interval_bar(per: float, interval: tuple[float, float], axis: tuple[float, float]) -> str:
    """A PER with its interval on an axis from `axis[0]` to `axis[1]` per cent; for a cell of a table."""
    low, at, high = (
        4 + 152 * (value - axis[0]) / ((axis[1] - axis[0]) or 1) for value in (interval[0], per, interval[1])
    )
    dot = f'<circle cx="{number(at)}" cy="8" r="4" class="good"/>'
    label = f"{per:.1f}%, 95% interval {interval[0]:.1f} to {interval[1]:.1f}"
    return figure(160, 16, [line(0, 8, 160, 8), line(low, 8, high, 8, "whisker"), dot], label)


def _panel(folds: Sequence[Fold], title: str, field: str, left: float) -> Iterable[str]:
    sides = [
        side for side in ("train", "dev") if all(f"{side}_{field}" in row for fold in folds for row in fold.epochs)
    ]
    values = [row[f"{side}_{field}"] for fold in folds for row in fold.epochs for side in sides]
    low, high = min(values), max(values)
    low, high = low - 0.04 * (high - low or 1), high + 0.04 * (high - low or 1)
    last = max(row["epoch"] for fold in folds for row in fold.epochs)
    x0, y0 = left + PANEL_LEFT, PANEL_TOP

    def place(row: dict[str, Any], name: str) -> tuple[float, float]:
        x = x0 + PANEL_WIDTH * (row["epoch"] - 1) / max(last - 1, 1)
        return x, y0 + PANEL_HEIGHT * (high - row[name]) / (high - low)

    yield text(x0, y0 - 10, title)
    for tick in ticks(low, high):
        y = y0 + PANEL_HEIGHT * (high - tick) / (high - low)
        yield line(x0, y, x0 + PANEL_WIDTH, y)
        yield text(x0 - 6, y + 4, f"{tick:g}", "end", "muted")
    for tick in ticks(1, last, 8):
        if tick == int(tick):
            x = x0 + PANEL_WIDTH * (tick - 1) / max(last - 1, 1)
            yield text(x, y0 + PANEL_HEIGHT + 16, f"{tick:g}", "middle", "muted")
    yield text(x0 + PANEL_WIDTH, y0 + PANEL_HEIGHT + 30, "epoch", "end", "muted")
    for index, fold in enumerate(folds):
        colour = _colour(index)
        for side in sides:
            kind = "curve" if side == "dev" else "curve dashed"
            points = " ".join(",".join(map(number, place(row, f"{side}_{field}"))) for row in fold.epochs)
            yield f'<polyline points="{points}" class="{kind}" style="stroke:{colour}"/>'
        for row in fold.kept:
            x, y = place(row, f"dev_{field}")
            hint = f"{fold.name or 'dev'}, epoch {row['epoch']}: {row[f'dev_{field}']:.3g}"
            yield _titled(f'<circle cx="{number(x)}" cy="{number(y)}" r="3.5" style="fill:{colour}">', "circle", hint)


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


def confusion_matrix(phones: Sequence[str], pairs: Counter[Pair]) -> str:
    """Rows are the reference's phones and columns the hypothesis's; shades show the share of the row's phones.

    The last column holds deletions; the last row holds insertions, as a share of all insertions. The scale follows the
    square root, so that a share of a few per cent can be seen.
    """
    size = len(phones) * CELL
    parts = _matrix_labels(phones, size)
    for i, reference in enumerate(phones):
        total = sum(pairs[reference, other] for other in (*phones, None))
        for j, heard in enumerate((*phones, None)):
            if times := pairs[reference, heard]:
                said = f"{reference} as {heard}" if heard else f"{reference} deleted"
                hint = f"{said}: {times:,} of {total:,} ({100 * times / total:.1f}%)"
                kind = "good" if reference == heard else "bad"
                parts.append(_cell(MATRIX_LEFT + j * CELL + (0 if heard else MARGIN_GAP), i, times / total, kind, hint))
    inserted = sum(pairs[None, heard] for heard in phones)
    for j, heard in enumerate(phones):
        if times := pairs[None, heard]:
            hint = f"{heard} inserted: {times:,} of {inserted:,} insertions ({100 * times / inserted:.1f}%)"
            parts.append(_cell(MATRIX_LEFT + j * CELL, len(phones), times / inserted, "bad", hint, MARGIN_GAP))
    width, height = MATRIX_LEFT + size + MARGIN_GAP + CELL + 8, MATRIX_TOP + size + MARGIN_GAP + CELL + 40
    parts += _scale(height - 22)
    return figure(width, height, parts, "Confusion matrix: reference phones in rows, hypothesis phones in columns")


def _matrix_labels(phones: Sequence[str], size: float) -> list[str]:
    parts = [text(MATRIX_LEFT, 10, "hypothesis →", kind="muted"), text(2, MATRIX_TOP - 8, "ref ↓", kind="muted")]
    for index, phone in enumerate((*phones, "del")):
        x = MATRIX_LEFT + (index + 0.5) * CELL + (MARGIN_GAP if phone == "del" else 0)
        turned = f' transform="rotate(-90 {number(x + 4)} {MATRIX_TOP - 7})"'
        parts.append(text(x + 4, MATRIX_TOP - 7, phone, kind="muted" if phone == "del" else "", extra=turned))
    for index, phone in enumerate((*phones, "ins")):
        y = MATRIX_TOP + (index + 0.5) * CELL + 4 + (MARGIN_GAP if phone == "ins" else 0)
        parts.append(text(MATRIX_LEFT - 6, y, phone, "end", "muted" if phone == "ins" else ""))
    for index in range(len(phones) + 1):
        place = index * CELL
        parts.append(line(MATRIX_LEFT, MATRIX_TOP + place, MATRIX_LEFT + size, MATRIX_TOP + place))
        parts.append(line(MATRIX_LEFT + place, MATRIX_TOP, MATRIX_LEFT + place, MATRIX_TOP + size))
    frames = [
        (MATRIX_LEFT + size + MARGIN_GAP, MATRIX_TOP, CELL, size),
        (MATRIX_LEFT, MATRIX_TOP + size + MARGIN_GAP, size, CELL),
    ]
    for x, y, width, height in frames:
        parts.append(f'<rect x="{x}" y="{y}" width="{width}" height="{height}" class="frame"/>')
    return parts


def _scale(y: float) -> Iterable[str]:
    x = float(MATRIX_LEFT)
    for name, kind in (("correct", "good"), ("error", "bad")):
        yield text(x, y + 12, name, kind="muted")
        x += 44
        for share in (0.02, 0.1, 0.25, 0.5, 1):
            yield f'<rect x="{number(x)}" y="{number(y)}" width="34" height="16" {_shade(share)} class="{kind}"/>'
            ink = ' style="fill:var(--paper)"' if share >= 0.5 else ""
            yield text(x + 17, y + 12, f"{100 * share:g}%", "middle", extra=ink)
            x += 34
        x += 24


def _cell(x: float, row: int, share: float, kind: str, hint: str, gap: float = 0) -> str:
    y = MATRIX_TOP + row * CELL + gap
    place = f'x="{number(x)}" y="{number(y)}" width="{CELL}" height="{CELL}"'
    return _titled(f'<rect {place} {_shade(share)} class="{kind}">', "rect", hint)


def _shade(share: float) -> str:
    return f'fill-opacity="{max(1, round(SHADES * share**0.5)) / SHADES:g}"'


def _titled(opening: str, tag: str, hint: str) -> str:
    return f"{opening}<title>{escape(hint)}</title></{tag}>"


def _colour(index: int) -> str:
    return f"var(--c{index % FOLD_COLOURS + 1})"
