"""The training curves: where their points lie, and what they say."""

import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest
from support.pages.svg import SVG, outside, titles

from asr.config import AverageConfig, TrainingConfig
from asr.report.curves import PANEL_HEIGHT, curves, speed_curves
from asr.report.run_files import Fold


def rows_of(**values: list[float]) -> list[dict[str, Any]]:
    """The rows of metrics.jsonl, of the given values; the others are the epoch's number."""
    names = ("train_loss", "dev_loss", "train_frame_error", "dev_frame_error")
    count = len(next(iter(values.values())))
    return [
        {"epoch": number + 1} | {name: values[name][number] if name in values else number + 1.0 for name in names}
        for number in range(count)
    ]


def lines(svg: str) -> list[list[tuple[float, float]]]:
    """The points of the curves: train and dev of the loss, train and dev of the error, of each fold."""
    found = []
    for element in ElementTree.fromstring(svg).iter(f"{SVG}polyline"):
        points = [tuple(map(float, point.split(","))) for point in element.get("points", "").split()]
        found.append(points)
    return found  # type: ignore[return-value]


def test_a_falling_loss_goes_down_on_the_page() -> None:
    rows = rows_of(train_loss=[4.0, 3.0, 1.0], dev_loss=[3.5, 3.0, 2.0], dev_frame_error=[20.0, 30.0, 50.0])
    svg = curves([Fold("", rows, rows[:1], [])], TrainingConfig())
    assert svg is not None
    assert outside(svg) == []
    train_loss, dev_loss, _, dev_error, *_ = lines(svg)
    for falling in (train_loss, dev_loss):  # on the page, y grows downwards
        assert [y for _, y in falling] == sorted(y for _, y in falling)
    assert [y for _, y in dev_error] == sorted((y for _, y in dev_error), reverse=True)
    assert dev_loss[1][1] == train_loss[1][1]
    assert (train_loss[1][1] - train_loss[0][1]) * 2 == pytest.approx(train_loss[2][1] - train_loss[1][1], abs=0.3)
    assert PANEL_HEIGHT * 0.8 < train_loss[2][1] - train_loss[0][1] < PANEL_HEIGHT
    for each in (train_loss, dev_loss, dev_error):
        assert [x for x, _ in each] == sorted({x for x, _ in each})


def test_curves_agree_with_their_axis() -> None:
    rows = rows_of(dev_loss=[1.0, 2.0, 3.0], train_loss=[1.0, 2.0, 3.0])
    svg = curves([Fold("", rows, rows[2:], [])], TrainingConfig())
    assert svg is not None
    root = ElementTree.fromstring(svg)
    marks = [(float(each.get("y", 0)), each.text, each.get("text-anchor")) for each in root.iter(f"{SVG}text")]
    heights = {float(name or 0): y - 4 for y, name, anchor in marks if anchor == "end" and name in ("1", "2", "3")}
    train_loss = lines(svg)[0]
    assert [y for _, y in train_loss] == pytest.approx([heights[1.0], heights[2.0], heights[3.0]], abs=0.2)
    dots = [(float(each.get("cx", 0)), float(each.get("cy", 0))) for each in root.iter(f"{SVG}circle")]
    assert dots[0] == train_loss[2]


@pytest.mark.parametrize("epochs", [1, 2, 30])
def test_curves_mark_the_epochs_that_were_kept(epochs: int) -> None:
    rows = [
        {
            "epoch": epoch,
            "train_loss": 1.0,
            "dev_loss": 1.0,
            "train_frame_error": 50.0,
            "dev_frame_error": 50 + abs(epoch - 2),
        }
        for epoch in range(1, epochs + 1)
    ]
    svg = curves([Fold("fold-1", rows, rows[1:4], []), Fold("fold-2", [], [], [])], TrainingConfig())
    assert svg is not None
    kept = [f"fold-1, epoch {row['epoch']}: {row['dev_frame_error']:.3g}" for row in rows[1:4]]
    assert titles(svg)[len(kept) :] == kept  # of the second panel
    assert "nan" not in svg


@pytest.mark.parametrize(
    ("training", "loss", "kept"),
    [
        (TrainingConfig(), "Cross-entropy, nats", "epoch kept (least dev frame error)"),
        (
            TrainingConfig(label_smoothing=0.1, average=AverageConfig(of="last")),
            "Cross-entropy with labels smoothed by 0.1, nats",
            "epoch kept (the last)",
        ),
        (
            TrainingConfig(loss="squared_error", average=AverageConfig(of="last", count=3)),
            "Squared error of the posteriors",
            "epochs averaged (the last 3)",
        ),
        (
            TrainingConfig(average=AverageConfig(count=3)),
            "Cross-entropy, nats",
            "epochs averaged (3 of least dev frame error)",
        ),
    ],
)
def test_curves_say_the_loss_and_what_was_kept(training: TrainingConfig, loss: str, kept: str) -> None:
    row = {"epoch": 1, "train_loss": 1.0, "dev_loss": 1.0, "train_frame_error": 50.0, "dev_frame_error": 50.0}
    svg = curves([Fold("", [row], [row], [])], training)
    assert svg is not None
    words = [element.text for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]
    assert loss in words
    assert kept in words


def test_no_metrics_give_no_curves() -> None:
    assert curves([Fold("", [], [], [])], TrainingConfig()) is None


def test_the_training_itself_is_drawn_as_far_as_it_is_known() -> None:
    plain = rows_of(dev_loss=[1.0, 2.0, 3.0])
    full = [row | {"gradient_norm": 5.0 - row["epoch"], "learning_rate": 0.1} for row in plain]
    before, after = (curves([Fold("", rows, rows[:1], [])], TrainingConfig()) for rows in (plain, full))
    assert before is not None
    assert after is not None
    assert "Gradient norm" not in before
    assert "Gradient norm" in after
    assert "GPU memory" not in after
    assert outside(after) == []
    norms = lines(after)[-1]
    assert [y for _, y in norms] == sorted(y for _, y in norms)
    assert len(lines(after)) == len(lines(before)) + 2


def test_an_epoch_may_lack_what_later_ones_have() -> None:
    rows = rows_of(dev_loss=[1.0, 2.0, 3.0])
    rows[2]["gradient_norm"] = 2.0
    svg = curves([Fold("", rows, rows[:1], [])], TrainingConfig())
    assert svg is not None
    assert "Gradient norm" in svg
    assert outside(svg) == []


def test_what_differs_between_equal_runs_is_a_figure_of_its_own() -> None:
    rows = rows_of(dev_loss=[1.0, 2.0, 3.0])
    timed = [row | {"frames_per_second": 100.0 * row["epoch"], "gpu_memory": 5.0} for row in rows]
    plain, same = ([Fold("", each, each[:1], [])] for each in (rows, timed))
    assert speed_curves(plain) is None
    assert curves(same, TrainingConfig()) == curves(plain, TrainingConfig())
    svg = speed_curves(same)
    assert svg is not None
    assert outside(svg) == []
    speed, memory = lines(svg)
    assert [y for _, y in speed] == sorted((y for _, y in speed), reverse=True)
    assert len({y for _, y in memory}) == 1
