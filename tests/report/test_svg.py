"""Drawing: bars on their axis, round ticks, images of their own."""

import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.pages.svg import SVG

from asr.report.svg import figure, interval_bar, standalone, ticks


def test_an_interval_lies_on_its_axis() -> None:
    root = ElementTree.fromstring(interval_bar(25.0, (20.0, 40.0), (10.0, 50.0)))
    whisker = next(each for each in root.iter(f"{SVG}line") if each.get("class") == "whisker")
    dot = next(root.iter(f"{SVG}circle"))
    places = [float(value or 0) for value in (whisker.get("x1"), dot.get("cx"), whisker.get("x2"))]
    assert places == pytest.approx([4 + 152 / 4, 4 + 152 * 15 / 40, 4 + 152 * 3 / 4])
    assert root.get("aria-label") == "25.0%, 95% interval 20.0 to 40.0"


def test_an_interval_of_no_width() -> None:
    ElementTree.fromstring(interval_bar(20.0, (20.0, 20.0), (20.0, 20.0)))


def test_a_figure_of_its_own_brings_its_styles() -> None:
    root = ElementTree.fromstring(standalone(figure(10, 10, [], "Nothing"), "text { fill: red; }"))
    assert [element.text for element in root.iter(f"{SVG}style")] == ["text { fill: red; }"]


@given(st.floats(-1e4, 1e4), st.floats(1e-3, 1e4))
def test_ticks_are_few_and_lie_inside(low: float, span: float) -> None:
    high = low + span
    marks = ticks(low, high)
    assert 1 <= len(marks) <= 7
    assert all(low - 1e-6 <= mark <= high + 1e-6 for mark in marks)


def test_ticks_are_round() -> None:
    assert ticks(0, 1) == [0, 0.2, 0.4, 0.6, 0.8, 1]
    assert ticks(1, 19, 8) == [5, 10, 15]
