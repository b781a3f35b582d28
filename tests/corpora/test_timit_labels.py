"""TIMIT's label files, apart from any corpus."""

from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.corpora.timit_labels import OVERSHOOT, read_phones, read_words
from asr.errors import InputError
from asr.formats.phn import (
    Label,
    format_labels,
    read_labels,
)
from asr.phones.phone_set import load_phone_set

SYMBOLS = load_phone_set("timit61")


@st.composite
def phone_labels(draw: st.DrawFn) -> list[Label]:
    bounds = draw(st.lists(st.integers(0, 10**7), min_size=2, max_size=50, unique=True).map(sorted))
    return [
        Label(start, end, draw(st.sampled_from(SYMBOLS)), line) for line, (start, end) in enumerate(pairwise(bounds), 1)
    ]


@given(phone_labels(), st.sampled_from(["\n", "\r\n"]))
def test_what_is_written_is_read(labels: list[Label], newline: str) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "sx1.phn"
        path.write_bytes(format_labels(labels).replace("\n", newline).encode())
        assert read_labels(path) == labels


@given(st.text(max_size=80))
def test_any_text_is_labels_or_a_named_error(text: str) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "sx1.phn"
        path.write_text(text, encoding="utf-8")
        match _phones_or_error(path):
            case str(error):
                assert "sx1.phn" in error
                assert "\n" not in error
            case phones:
                assert all(0 <= phone.start < phone.end <= 16000 for phone in phones)


def _phones_or_error(path: Path) -> list[Label] | str:
    try:
        return read_phones(path, 16000, SYMBOLS)
    except InputError as error:
        return str(error)


@pytest.mark.parametrize(("past", "accepted"), [(0, True), (OVERSHOOT, True), (OVERSHOOT + 1, False)])
def test_a_small_overshoot_is_cut_off(tmp_path: Path, past: int, accepted: bool) -> None:
    path = tmp_path / "sx1.phn"
    path.write_text(f"0 4000 sh\n4000 {8000 + past} h#\n")
    if accepted:
        assert read_phones(path, 8000, SYMBOLS)[-1].end == 8000
    else:
        with pytest.raises(InputError, match=r"sx1\.phn:2: the segment runs 0\.010 s past the end"):
            read_phones(path, 8000, SYMBOLS)


def test_gaps_words_that_overlap_and_capitals_are_accepted(tmp_path: Path) -> None:
    (tmp_path / "a.phn").write_text("100 4000 SH\n\n4100 8000 H#\n")
    assert [label.symbol for label in read_phones(tmp_path / "a.phn", 8000, SYMBOLS)] == ["sh", "h#"]
    (tmp_path / "a.wrd").write_text("100 4000 she\n3900 8000 had\n")
    assert len(read_words(tmp_path / "a.wrd", 8000)) == 2
    (tmp_path / "b.wrd").write_text("100 50 she\n")
    with pytest.raises(InputError, match=r"b\.wrd:1"):
        read_words(tmp_path / "b.wrd", 8000)


def test_only_silence_or_a_segment_of_no_length_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.phn"
    path.write_text("0 2000 h#\n")
    with pytest.raises(InputError, match=r"a\.phn:1: has nothing but silence"):
        read_phones(path, 8000, SYMBOLS)
    path.write_text("0 2000 h#\n2000 2000 sh\n")
    with pytest.raises(InputError, match=r"a\.phn:2: the segment ends at sample 2000"):
        read_phones(path, 8000, SYMBOLS)
