"""The reliability plot has a dot for each bin and states the calibration error."""

from xml.etree import ElementTree

import numpy as np

from asr.report.reliability import reliability_plot
from asr.scoring.calibration import calibrate


def test_a_dot_a_bin() -> None:
    plot = reliability_plot(calibrate(np.array([0.9, 0.2]), np.array([True, False])))
    assert len(ElementTree.fromstring(plot).findall("{http://www.w3.org/2000/svg}circle")) == 2
    assert "0.150" in plot
