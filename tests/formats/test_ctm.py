"""CTM files: what is written is read back, and broken lines are named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.errors import InputError
from asr.formats.ctm import read_ctm, write_ctm
from asr.formats.transcript import PhoneSegment, Transcript

TICKS = st.integers(0, 10**6)


@st.composite
def transcripts(draw):
    names = draw(st.lists(st.from_regex(r"[a-z0-9-]{1,12}", fullmatch=True), unique=True, max_size=4))
    return [Transcript(name, draw(st.lists(segments(), min_size=1, max_size=6))) for name in names]


@st.composite
def segments(draw):
    start, end = sorted((draw(TICKS) / 10**4, draw(TICKS) / 10**4))
    score = draw(st.none() | st.integers(0, 10**4).map(lambda tick: tick / 10**4))
    return PhoneSegment(draw(st.sampled_from(["aa", "h#", "ax-h", "sil"])), start, end, score)


@given(transcripts())
def test_what_is_written_is_read_back(tmp_path_factory, written):
    path = tmp_path_factory.mktemp("ctm") / "hypotheses.ctm"
    assert write_ctm(path, written) == sum(len(transcript.phones) for transcript in written)
    assert list(read_ctm(path)) == written


def test_a_line_has_nists_fields(tmp_path):
    write_ctm(tmp_path / "h.ctm", [Transcript("fvmh0-sx206", [PhoneSegment("sh", 0.12, 0.19, 0.93)])])
    assert (tmp_path / "h.ctm").read_text() == "fvmh0-sx206 1 0.1200 0.0700 sh 0.9300\n"


def test_comments_and_empty_lines_are_passed_over(tmp_path):
    (tmp_path / "h.ctm").write_text(";; by hand\n\nu 1 0.5 0.25 aa\n")
    assert list(read_ctm(tmp_path / "h.ctm")) == [Transcript("u", [PhoneSegment("aa", 0.5, 0.75)])]


@pytest.mark.parametrize(
    "line",
    [
        *("u 1 0.5 aa", "u 1 x 0.1 aa", "u 1 0.5 -1 aa", "u 1 nan 1 aa", "u 1 0 1 aa high"),
        *("u 1 1e308 1e308 aa", "u 1 0 1 aa nan", "u 1 0 1 aa 1e999"),
    ],
)
def test_a_broken_line_is_named(tmp_path, line):
    path = tmp_path / "h.ctm"
    path.write_text(f"u 1 0.0 0.5 aa\n{line}\n")
    with pytest.raises(InputError, match=r"h\.ctm:2: "):
        list(read_ctm(path))


@pytest.mark.parametrize(
    ("transcript", "message"),
    [
        (Transcript("u", [PhoneSegment("aa")]), "no times"),
        (Transcript("two words", [PhoneSegment("aa", 0.0, 1.0)]), "spaces in names"),
        (Transcript("u", [PhoneSegment("a a", 0.0, 1.0)]), "spaces in labels"),
    ],
)
def test_what_ctm_cannot_hold_is_named_and_leaves_no_file(tmp_path, transcript, message):
    with pytest.raises(InputError, match=message):
        write_ctm(tmp_path / "h.ctm", [transcript])
    assert list(tmp_path.iterdir()) == []
