"""CTM files: what is written is read back, and what they cannot hold is named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.corpora.ctm import read_ctm

from asr.errors import InputError
from asr.formats.ctm import write_ctm
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
