"""Line plots: larger values stand higher, logarithms are evenly spaced, and the files are whole images."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from asr.report.axes import Axes, padded
from asr.report.learning_rate import learning_rate_curve
from asr.report.svg import write_figure
from asr.training.find_lr import Sweep


def test_the_corners_are_the_ends_of_the_ranges() -> None:
    axes = Axes(left=10, top=20, width=100, height=50, x=(1, 5), y=(-1, 1))
    assert axes.place(1, -1) == (10, 70)
    assert axes.place(5, 1) == (110, 20)
    assert axes.place(2, 0) == (35, 45)


def test_factors_are_equal_distances_on_a_logarithmic_axis() -> None:
    axes = Axes(0, 0, 90, 10, x=(1e-3, 1.0), y=(0, 1), log_x=True)
    assert [axes.place(rate, 0)[0] for rate in (1e-3, 1e-2, 1e-1, 1.0)] == pytest.approx([0, 30, 60, 90])


def test_a_margin_at_each_end() -> None:
    assert padded([3.0, 1.0, 2.0], share=0.1) == pytest.approx((0.8, 3.2))
    low, high = padded([2.0, 2.0])
    assert low < 2 < high


def test_the_learning_rate_curve_is_an_image_with_its_suggestion(tmp_path: Path) -> None:
    sweep = Sweep([1e-5, 1e-4, 1e-3, 1e-2], [3.0, 2.5, 1.0, 4.0], suggested=2e-4)
    write_figure(tmp_path / "learning_rate.svg", learning_rate_curve(sweep))
    root = ElementTree.parse(tmp_path / "learning_rate.svg").getroot()
    space = {"svg": "http://www.w3.org/2000/svg"}
    assert "suggested: 0.0002" in [label.text for label in root.iterfind("svg:text", space)]
    loss, suggested, *_ = root.iterfind("svg:polyline", space)
    heights = [float(point.split(",")[1]) for point in loss.get("points").split()]
    assert heights.index(min(heights)) == 3  # the greatest loss is highest on the page
    assert heights.index(max(heights)) == 2
    assert len({point.split(",")[0] for point in suggested.get("points").split()}) == 1
