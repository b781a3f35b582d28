"""Accuracy of boundaries: what counts as a boundary, and the figures."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.alignment.accuracy import boundary_accuracy, labelled_boundaries
from asr.errors import InputError
from asr.formats.transcript import PhoneSegment
from asr.phones.folding import fold_segments

SPOKEN = [
    PhoneSegment("h#", 0.0, 0.1),
    PhoneSegment("ax", 0.1, 0.2),
    PhoneSegment("q", 0.2, 0.25),
    PhoneSegment("eh", 0.25, 0.3),
    PhoneSegment("tcl", 0.3, 0.4),
    PhoneSegment("pau", 0.4, 0.5),
]


def test_boundaries_are_counted_in_the_phones_of_the_model() -> None:
    counted, times = labelled_boundaries(SPOKEN)
    assert counted.tolist() == [True] * 5
    assert times.tolist() == [0.1, 0.2, 0.25, 0.3, 0.4]
    # In 39 phones there is no glottal stop, and closures and pauses are one.
    counted, times = labelled_boundaries(fold_segments(SPOKEN, "timit39"))
    assert counted.tolist() == [True, False, True, False]
    assert times.tolist() == [0.1, 0.2, 0.3, 0.4]


@pytest.mark.parametrize("times", [(None, None), (0.0, None), (None, 0.1)])
def test_phones_without_times_have_no_boundaries(times: tuple[float | None, float | None]) -> None:
    with pytest.raises(ValueError, match="no times"):
        labelled_boundaries([PhoneSegment("ax", *times), PhoneSegment("b", 0.1, 0.2)])


def test_figures_of_known_errors() -> None:
    found = boundary_accuracy(np.array([0.0, 0.005, -0.010, 0.0201, -0.050, 0.3]))
    assert found.boundaries == 6
    assert found.within == {5: pytest.approx(200 / 6), 10: 50.0, 20: 50.0, 50: pytest.approx(500 / 6)}
    assert found.mean == pytest.approx(385.1 / 6)
    assert found.median == pytest.approx((10 + 20.1) / 2)
    assert found.bias == pytest.approx(2.5)


@given(st.lists(st.integers(-1000, 1000), min_size=1, max_size=30))
def test_figures_hold_together(milliseconds: list[int]) -> None:
    found = boundary_accuracy(np.array(milliseconds) / 1000)
    for limit, share in found.within.items():
        assert share == pytest.approx(100 * sum(abs(error) <= limit for error in milliseconds) / len(milliseconds))
    assert list(found.within.values()) == sorted(found.within.values())
    assert abs(found.bias) <= found.mean * len(milliseconds) + 1e-9


def test_no_boundary_is_an_error() -> None:
    with pytest.raises(InputError, match="no boundary"):
        boundary_accuracy(np.zeros(0))
