"""The reliability plot: a dot for each bin, in its place, and the calibration error."""

from xml.etree import ElementTree

import numpy as np
import pytest
from support.pages.svg import SVG, outside

from asr.report.reliability import SIDE, reliability_plot
from asr.scoring.calibration import calibrate


def test_a_dot_lies_at_its_confidence_and_accuracy() -> None:
    confidences, correct = np.array([0.95] * 9 + [0.25]), np.array([True] * 9 + [False])
    plot = reliability_plot(calibrate(confidences, correct))
    assert outside(plot) == []
    root = ElementTree.fromstring(plot)
    unsure, sure = ([float(dot.get(name, 0)) for name in ("cx", "cy", "r")] for dot in root.iter(f"{SVG}circle"))
    assert (sure[0] - unsure[0], sure[1] - unsure[1]) == pytest.approx((0.7 * SIDE, -SIDE), abs=0.2)
    assert sure[2] ** 2 / unsure[2] ** 2 == pytest.approx(9, rel=0.05)  # areas are shares of the phones
    grid = [(float(line.get("x1", 0)), float(line.get("y1", 0))) for line in root.iter(f"{SVG}line")]
    assert (unsure[0] - min(x for x, _ in grid)) == pytest.approx(0.25 * SIDE, abs=0.2)
    assert unsure[1] == max(y for _, y in grid)  # accuracy 0 is at the bottom


def test_a_dot_for_each_bin() -> None:
    plot = reliability_plot(calibrate(np.array([0.9, 0.2]), np.array([True, False])))
    assert len(ElementTree.fromstring(plot).findall(f"{SVG}circle")) == 2
    assert "0.150" in plot
