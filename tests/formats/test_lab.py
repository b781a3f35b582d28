"""`.lab` files: plain text and HTK's labels with times."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asr.errors import InputError
from asr.formats.lab import read_segments, read_transcript

AUDIO = Path("a.wav")
HTK = """\
0 1000000 sil -12.5
1000000 2500000 w -1.2e3 we -4
2500000 3000000 iy 0.5

3600000 4000000 f
"""


def read(folder: Path, text: str, tier: str = "phones") -> str:
    (folder / "a.lab").write_text(text, encoding="utf-8")
    return read_transcript(folder / "a.lab", tier, AUDIO)


def test_htk_labels_are_read_with_a_pause_for_a_gap(tmp_path: Path) -> None:
    assert read(tmp_path, HTK) == "sil w iy <eps> f"
    assert read(tmp_path, HTK, "words") == "sil w iy f"
    assert read(tmp_path, "0 100000 sil\n") == "sil"
    assert read(tmp_path, "0 1000000 a\n1000009 2000000 b\n") == "a b"  # rounding


def test_times_may_be_in_seconds(tmp_path: Path) -> None:
    """WaveSurfer's; they were words."""
    text = "0.000 0.250 sil\n0.250 0.5000 w -3.5\n0.75 0.8 iy\n"
    assert read(tmp_path, text) == "sil w <eps> iy"
    assert read_segments(tmp_path / "a.lab") == [(0.0, 0.25, "sil"), (0.25, 0.5, "w"), (0.75, 0.8, "iy")]


def test_labels_of_xwaves_have_their_ends(tmp_path: Path) -> None:
    """As in CMU ARCTIC; a label may be empty."""
    text = "separator ;\nnfields 1\n#\n    0.19500 125 pau\n 0.305 125 ao ; q\n 0.4 -1\n 0.5 121 th\n"
    assert read(tmp_path, text) == "pau ao <eps> th"
    segments = [(0.0, 0.195, "pau"), (0.195, 0.305, "ao"), (0.305, 0.4, ""), (0.4, 0.5, "th")]
    assert read_segments(tmp_path / "a.lab") == segments
    with pytest.raises(InputError, match=r"a\.lab:3: the segment 'b' overlaps"):
        read(tmp_path, "#\n0.5 125 a\n0.4 125 b\n")


@pytest.mark.parametrize(
    "text",
    [
        "7 11 we",
        "1.5 2.5 million",
        "0.5 1 we\n0.5 1.0 he",
        "#\nwe 0.5",
        "0.1 0.2 a\n# b\n0.2 0.3 c",
        "1999 2001 we found",
        "100000 200000 people",
        "0 7 eleven",
        "7 11 we\n12 19 he",
    ],
)
def test_numbers_in_a_text_stay(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text) == " ".join(text.split())


def test_a_text_of_several_lines_is_one_transcript(tmp_path: Path) -> None:
    assert read(tmp_path, "We found\n\n a\u00a0glove \n") == "We found a glove"


@pytest.mark.parametrize("line", ["0 900000 b", "2000000 1900000 b"])
def test_segments_that_overlap_are_named(tmp_path: Path, line: str) -> None:
    with pytest.raises(InputError, match=r"a\.lab:3: the segment 'b' overlaps"):
        read(tmp_path, f"0 1000000 a\n\n{line}\n1000000 2000000 c\n")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    bounds=st.lists(st.integers(0, 10**9), min_size=3, max_size=9, unique=True).map(sorted),
    scores=st.sampled_from(["", " -3.5", " 1e-3 aux"]),
)
def test_segments_come_back_in_order(tmp_path: Path, bounds: list[int], scores: str) -> None:
    bounds[-1] += 100_000
    text = "".join(f"{start} {end} p{number}{scores}\n" for number, (start, end) in enumerate(pairwise(bounds)))
    assert read(tmp_path, text) == " ".join(f"p{number}" for number in range(len(bounds) - 1))
