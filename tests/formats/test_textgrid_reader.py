"""TextGrids of every form, by Praat and by other programs, and the reason where one cannot be read."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from praatio import textgrid

from asr.errors import InputError
from asr.formats.textgrid import write_textgrid
from asr.formats.textgrid_reader import read_tier, read_transcript
from asr.formats.transcript import PhoneSegment, Transcript

LONG = """\
File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 0.75
tiers? <exists>
size = 2
item []:
    item [1]:
        class = "TextTier"
        name = "phones"
        xmin = 0
        xmax = 0.75
        points: size = 1
        points [1]:
            number = 0.5
            mark = "here"
    item [2]:
        class = "IntervalTier"
        name = "phones"
        xmin = 0
        xmax = 0.75
        intervals: size = 3
        intervals [1]:
            xmin = 0
            xmax = 0.25
            text = "k"
        intervals [2]:
            xmin = 0.25
            xmax = 5e-1
            text = ""
        intervals [3]:
            xmin = 0.5
            xmax = 0.75
            text = "a ""b"" ! c"
"""
SHORT = """\
File type = "ooTextFile"
Object class = "TextGrid"

0
0.75
<exists>
2
"TextTier"
"phones"
0
0.75
1
0.5
"here"
"IntervalTier"
"phones"
0
0.75
3
0
0.25
"k"
0.25
5e-1
""
0.5
0.75
"a ""b"" ! c"
"""
CHRONOLOGICAL = """\
"Praat chronological TextGrid text file"
0 0.75   ! Time domain.
2   ! Number of tiers.
"TextTier" "phones" 0 0.75
"IntervalTier" "phones" 0 0.75

! phones:
2 0 0.25
"k"
! phones:
1 0.5
"here"
2 0.25 5e-1 "" 2 0.5 0.75
"a ""b"" ! c"
"""
COMMENTED = SHORT.replace("0.25\n", '0.25 ! a comment with 5 and "text"\n').replace("<exists>\n", "<exists> ! 9\n")
FORMS = {
    "long": LONG,
    "short": SHORT,
    "chronological": CHRONOLOGICAL,
    "comments": COMMENTED,
    "no indent": "\n".join(line.strip() for line in LONG.splitlines()),
    "no spaces": LONG.replace(" = ", "="),
}
SEGMENTS = [(0.0, 0.25, "k"), (0.25, 0.5, ""), (0.5, 0.75, 'a "b" ! c')]


def written(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "a.TextGrid"
    path.write_text(text, encoding=encoding)
    return path


def tier(name: str, *entries: tuple[float, float, str]) -> str:
    lines = "".join(f'{start}\n{end}\n"{label}"\n' for start, end, label in entries)
    return f'"IntervalTier"\n"{name}"\n0\n1\n{len(entries)}\n{lines}'


def grid(*tiers: str) -> str:
    return f'File type = "ooTextFile"\nObject class = "TextGrid"\n\n0\n1\n<exists>\n{len(tiers)}\n{"".join(tiers)}'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_every_form_and_encoding_says_the_same(form: str, encoding: str, tmp_path: Path) -> None:
    path = written(tmp_path, form.replace('"k"', '"é"'), encoding)
    assert read_tier(path, "phones") == [(0.0, 0.25, "é"), *SEGMENTS[1:]]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    labels=st.lists(st.text(st.characters(exclude_categories=["C", "Z"])).map(str.strip), min_size=1, max_size=5),
    form=st.sampled_from(["long_textgrid", "short_textgrid", "json", "textgrid_json"]),
)
def test_what_praatio_writes_is_read(labels: list[str], form: str, tmp_path: Path) -> None:
    entries = [(number / 10, (number + 1) / 10, label) for number, label in enumerate(labels)]
    whole = textgrid.Textgrid(0.0, len(labels) / 10)
    whole.addTier(textgrid.PointTier("words", [(0.05, "IntervalTier")], 0.0, len(labels) / 10))
    whole.addTier(textgrid.IntervalTier("phones", entries, 0.0, len(labels) / 10))
    path = tmp_path / "a.TextGrid"
    whole.save(str(path), format=form, includeBlankSpaces=True)
    assert [label for _, _, label in read_tier(path, "phones")] == labels


def test_empty_intervals_between_phones_are_pauses(tmp_path: Path) -> None:
    entries = [(0, 0.1, ""), (0.1, 0.2, "k"), (0.2, 0.3, ""), (0.3, 0.4, " "), (0.4, 0.5, "ae"), (0.5, 1, "")]
    words = [(0, 0.2, "a b"), (0.2, 0.4, ""), (0.4, 1, "c")]
    path = written(tmp_path, grid(tier("phones", *entries), tier("words", *words)))
    assert read_transcript(path, "phones", Path("a.wav")) == "k <eps> ae"
    assert read_transcript(path, "words", Path("a.wav")) == "a b c"


def test_gaps_between_phones_are_pauses_too(tmp_path: Path) -> None:
    phones = [PhoneSegment("k", 0.0, 0.2), PhoneSegment("ae", 0.2, 0.3), PhoneSegment("t", 0.5, 0.6)]
    write_textgrid(tmp_path / "a.TextGrid", Transcript("a", phones, duration=1.0))
    assert read_transcript(tmp_path / "a.TextGrid", "phones", Path("a.wav")) == "k ae <eps> t"
    entries = [[0, 0.2, "k"], [0.3, 1, "t"]]
    bare = {"start": 0, "end": 1, "tiers": {"phones": {"type": "IntervalTier", "entries": entries}}}
    assert read_transcript(written(tmp_path, json.dumps(bare)), "phones", Path("a.wav")) == "k <eps> t"


@pytest.mark.parametrize("name", ["phone", "Phones", "anna - phones", "anna - Phone"])
def test_tiers_as_other_aligners_name_them(name: str, tmp_path: Path) -> None:
    path = written(tmp_path, grid(tier("anna - words", (0, 1, "a")), tier(name, (0, 1, "ah")), tier("words2")))
    assert read_tier(path, "phones") == [(0.0, 1.0, "ah")]
    assert read_tier(path, "words") == [(0.0, 1.0, "a")]


def test_of_tiers_of_one_name_the_only_one_with_labels_counts(tmp_path: Path) -> None:
    path = written(tmp_path, grid(tier("phones", (0, 1, "")), tier("phones", (0, 1, "a")), tier("x"), tier("x")))
    assert read_tier(path, "phones") == [(0.0, 1.0, "a")]
    path = written(tmp_path, grid(tier("anna - phones", (0, 1, "b")), tier("bert - phones", (0, 1, "a"))))
    with pytest.raises(InputError, match=r"has 2 tiers of phones \(anna - phones, bert - phones\); keep one"):
        read_tier(path, "phones")
    path = written(tmp_path, grid(tier("anna - phones", (0, 1, "b")), tier("phones", (0, 1, "a"))))
    assert read_tier(path, "phones") == [(0.0, 1.0, "a")]


def test_times_may_be_rounded(tmp_path: Path) -> None:
    entries = [(0, 0.33334, "a"), (0.33333, 1, "b")]
    assert read_tier(written(tmp_path, grid(tier("phones", *entries))), "phones") == entries


BROKEN = {
    "overlap": (tier("phones", (0, 0.5, "a"), (0.4, 1, "b")), r"interval 2 \(0.4 to 1 s\) overlaps the last"),
    "backwards": (tier("phones", (0.5, 0.1, "a")), r"interval 1 \(0.5 to 0.1 s\) overlaps"),
    "no text": (tier("phones", (0, 0.5, "a")) + "0.5\n1\n", "interval 2 is not a start, an end and a text"),
    "cut off": (tier("phones", (0, 0.5, "a")).replace("\n1\n0\n", "\n3\n0\n"), "should have 3 intervals and has 1"),
    "endless": (tier("phones", (0, 0.5, "a")).replace("0.5", "9" * 400), r"interval 1 \(0 to inf s\)"),
}


@pytest.mark.parametrize(("broken", "message"), BROKEN.values(), ids=BROKEN)
def test_a_broken_tier_says_how_and_does_no_harm_where_it_is_not_used(
    broken: str, message: str, tmp_path: Path
) -> None:
    path = written(tmp_path, grid(broken, tier("words", (0, 1, "a"))))
    assert read_tier(path, "words") == [(0.0, 1.0, "a")]
    with pytest.raises(InputError, match=r"a\.TextGrid: tier 'phones' cannot be read: .*" + message):
        read_tier(path, "phones")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it has no header"),
        ("phones: a b c", "it has no header"),
        (LONG.replace('"TextGrid"', '"Collection"'), "it is not a TextGrid"),
        ('{"tiers": 3}', "its JSON is not praatio's"),
        ("[1]", "its JSON is not an object"),
        ('{"tiers": ', "Expecting value"),
        (CHRONOLOGICAL.replace("2 0 0.25", "7 0 0.25"), r"expected the number of a tier, found '7\.0'"),
    ],
)
def test_what_is_not_a_textgrid_says_why(text: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"not a Praat TextGrid that can be read: {reason}"):
        read_tier(written(tmp_path, text), "phones")


def test_a_missing_tier_lists_those_that_are_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"has no interval tier 'words'; it has phones \(of points\), phones"):
        read_tier(written(tmp_path, LONG), "words")


def test_a_transcript_of_phones_without_their_tier_says_how_words_are_aligned(tmp_path: Path) -> None:
    path = written(tmp_path, LONG.replace('"phones"', '"ann"'))
    with pytest.raises(InputError, match=r"has no interval tier 'phones'; it has ann.*; if these have words, use"):
        read_transcript(path, "phones", path)
