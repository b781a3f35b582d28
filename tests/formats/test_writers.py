"""What every format writes is read back as it was, and nothing in a name or label breaks its syntax."""

import csv
import json
import re
import xml.etree.ElementTree as ElementTree
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from praatio import textgrid

from asr.errors import InputError
from asr.formats.audacity import label_lines
from asr.formats.elan import eaf
from asr.formats.registry import WRITERS, writer
from asr.formats.table import safe_cell
from asr.formats.tiers import tiers
from asr.formats.transcript import PhoneSegment, Transcript, WordSegment, read_transcripts
from asr.formats.webvtt import cues
from asr.storage.files import output_path

LABELS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6) | st.sampled_from(
    ["<b>", "a & b", "a,b", 'a"b', "=1+1", "-->", "]]>", "a\tb", "a\nb", "\x01", "ʃ", "{", "(sil)", "#"]
)
SPOKEN = Transcript(
    "a/b",
    [PhoneSegment("sil", 0.0, 0.25, 0.5), PhoneSegment("k", 0.25, 0.5), PhoneSegment("ae", 0.5, 3661.0, 0.125)],
    audio="/x/a b.wav",
    speaker="ann",
    duration=3661.0,
    words=[WordSegment("cat", 0.25, 3661.0)],
)


@st.composite
def transcripts(draw: st.DrawFn, labels: st.SearchStrategy[str] = LABELS) -> Transcript:
    """Phones that follow one another, with gaps; times in whole ms."""
    ticks = sorted(draw(st.sets(st.integers(0, 10**7), min_size=2, max_size=9)))
    spans = [(start / 1000, end / 1000) for start, end in pairwise(ticks)]
    scores = st.none() | st.integers(0, 100).map(lambda score: score / 100)
    phones = [PhoneSegment(draw(labels), *span, draw(scores)) for span in spans if draw(st.booleans())]
    words = [WordSegment(draw(labels), *span) for span in spans if draw(st.booleans())]
    return Transcript("u1", phones, draw(st.none() | labels), draw(st.none() | labels), ticks[-1] / 1000, words)


def one_line(label: str) -> str:
    return " ".join(label.split())


@given(transcripts())
def test_audacity_has_a_label_on_each_line(transcript: Transcript) -> None:
    rows = [line.split("\t") for line in label_lines(transcript).split("\n")[:-1]]
    assert [(float(start), float(end), label) for start, end, label in rows] == [
        (each.start, each.end, one_line(each.phone)) for each in transcript.phones
    ]


@given(transcripts())
def test_webvtt_has_a_cue_for_each_label(transcript: Transcript) -> None:
    head, *blocks = re.split(r"\n\n+(?=\d\d+:)", cues(transcript).rstrip("\n"))  # of a blank label, no text is left
    assert head == "WEBVTT"
    found = []
    for block in blocks:
        timing, text = [*block.split("\n"), ""][:2]
        start, end = timing.split(" --> ")
        assert re.fullmatch(r"\d\d+:[0-5]\d:[0-5]\d\.\d\d\d", start)
        found.append((seconds(start), seconds(end), text))
        assert not re.search("[<>]|&(?!(amp|lt|gt);)", text)
    assert [(start, end) for start, end, _ in found] == [(each.start, each.end) for each in transcript.phones]
    texts = [text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") for _, _, text in found]
    assert texts == [one_line(each.phone) for each in transcript.phones]


def seconds(timestamp: str) -> float:
    hours, minutes, rest = timestamp.split(":")
    return round(int(hours) * 3600 + int(minutes) * 60 + float(rest), 3)


def test_webvtt_gives_a_phone_without_duration_a_millisecond() -> None:
    assert "00:00:01.000 --> 00:00:01.001\nb\n" in cues(Transcript("u", [PhoneSegment("b", 1.0, 1.0)]))


@given(transcripts())
def test_elan_documents_are_what_the_schema_says(transcript: Transcript) -> None:
    """The parts of EAFv3.0.xsd that a document with two independent tiers uses."""
    root = ElementTree.fromstring(eaf(transcript).encode())
    order = ["HEADER", "TIME_ORDER", *["TIER"] * (2 if transcript.words else 1), "LINGUISTIC_TYPE"]
    assert (root.tag, [child.tag for child in root]) == ("ANNOTATION_DOCUMENT", order)
    assert {"AUTHOR", "DATE", "FORMAT", "VERSION"} <= root.attrib.keys()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d", root.attrib["DATE"])
    times = {slot.attrib["TIME_SLOT_ID"]: int(slot.attrib["TIME_VALUE"]) for slot in root.iter("TIME_SLOT")}
    identifiers = [*times, *(each.attrib["ANNOTATION_ID"] for each in root.iter("ALIGNABLE_ANNOTATION"))]
    assert all(re.fullmatch(r"[a-z]+\d+", each) for each in identifiers)
    assert len(set(identifiers)) == len(identifiers)
    assert list(times.values()) == sorted(times.values())
    [kind] = root.iter("LINGUISTIC_TYPE")
    for tier, (name, labels) in zip(root.iter("TIER"), tiers(transcript), strict=True):
        assert (tier.attrib["TIER_ID"], tier.attrib["LINGUISTIC_TYPE_REF"]) == (name, kind.attrib["LINGUISTIC_TYPE_ID"])
        annotations = list(tier.iter("ALIGNABLE_ANNOTATION"))
        spans = [
            (times[each.attrib["TIME_SLOT_REF1"]] / 1000, times[each.attrib["TIME_SLOT_REF2"]] / 1000)
            for each in annotations
        ]
        assert spans == [(each.start, each.end) for each in labels.phones]
        values = [each.findtext("ANNOTATION_VALUE") or "" for each in annotations]
        if all(each.phone.isprintable() for each in labels.phones):
            assert values == [each.phone for each in labels.phones]
    if transcript.audio:
        assert next(root.iter("MEDIA_DESCRIPTOR")).attrib.keys() == {"MEDIA_URL", "MIME_TYPE"}


def test_elan_links_the_audio_and_the_speaker() -> None:
    root = ElementTree.fromstring(eaf(SPOKEN))
    assert next(root.iter("MEDIA_DESCRIPTOR")).attrib == {
        "MEDIA_URL": "file:///x/a%20b.wav",
        "MIME_TYPE": "audio/x-wav",
    }
    assert {tier.attrib["PARTICIPANT"] for tier in root.iter("TIER")} == {"ann"}


def test_elan_times_of_a_part_are_those_of_the_recording_that_is_linked() -> None:
    part = Transcript("u", [PhoneSegment("a", 0.0, 0.1)], audio="/x/call.wav", start=2.5)
    root = ElementTree.fromstring(eaf(part))
    assert [slot.attrib["TIME_VALUE"] for slot in root.iter("TIME_SLOT")] == ["2500", "2600"]


def test_elan_annotations_neither_overlap_nor_are_empty() -> None:
    phones = [PhoneSegment("a", 0.0, 0.1), PhoneSegment("b", 0.1, 0.1), PhoneSegment("c", 0.1, 0.2)]
    root = ElementTree.fromstring(eaf(Transcript("u", phones)))
    times = {slot.attrib["TIME_SLOT_ID"]: slot.attrib["TIME_VALUE"] for slot in root.iter("TIME_SLOT")}
    spans = [
        (times[each.attrib["TIME_SLOT_REF1"]], times[each.attrib["TIME_SLOT_REF2"]])
        for each in root.iter("ALIGNABLE_ANNOTATION")
    ]
    assert spans == [("0", "100"), ("100", "101"), ("101", "200")]


@pytest.mark.parametrize(("form", "delimiter"), [("csv", ","), ("tsv", "\t")])
@given(written=st.lists(transcripts(), max_size=3))
def test_tables_are_read_back(
    tmp_path_factory: pytest.TempPathFactory, form: str, delimiter: str, written: list[Transcript]
) -> None:
    folder = tmp_path_factory.mktemp("table")
    files = writer(form).write(folder, written)
    assert [path.name for path in files] == [f"phones.{form}", *[f"words.{form}"] * any(each.words for each in written)]
    for path, tier in zip(files, ("phones", "words"), strict=False):
        lines = path.read_text(encoding="utf-8").splitlines()
        rows = list(csv.DictReader(lines, delimiter=delimiter))
        labels = [
            (each, label) for each in written for name, found in tiers(each) if name == tier for label in found.phones
        ]
        assert len(rows) == len(lines) - 1 == len(labels)
        for row, (transcript, label) in zip(rows, labels, strict=True):
            assert row["utterance"] == transcript.utterance
            assert row["audio"] == safe_cell(transcript.audio or "")
            assert row[tier.rstrip("s")] == safe_cell(label.phone)
            assert (float(row["start"]), float(row["end"])) == (label.start, label.end)
            assert tier == "words" or row["score"] == ("" if label.score is None else f"{label.score:.4f}")


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("@SUM(1)", "'@SUM(1)"),
        ("-2+3+cmd|' /C calc'!A0", "'-2+3+cmd|' /C calc'!A0"),
        ("\t=1", "' =1"),
        ("a\r\nb\u2028c", "a  b c"),
        ("-", "-"),
        ("-1.5", "-1.5"),
        ("a=b", "a=b"),
    ],
)
def test_no_cell_is_a_formula(text: str, cell: str) -> None:
    assert safe_cell(text) == cell


PLAIN = st.sampled_from(["aa", "h#", "ax-h", "t͡ʃ", "<unk>"])


@given(written=st.lists(transcripts(PLAIN), max_size=3))
def test_sclites_formats_have_a_line_for_each_utterance(
    tmp_path_factory: pytest.TempPathFactory, written: list[Transcript]
) -> None:
    folder = tmp_path_factory.mktemp("sclite")
    for form in ("stm", "trn"):
        writer(form).write(folder, written)
    said = [each.symbols for each in written]
    lines = [line.split() for line in (folder / "phones.stm").read_text(encoding="utf-8").splitlines()]
    assert [line[:2] + line[3:6] for line in lines] == [
        ["u1", "1", "0.0000", f"{each.duration:.4f}", "<o>"] for each in written
    ]
    assert [line[6:] for line in lines] == said
    lines = [line.split() for line in (folder / "phones.trn").read_text(encoding="utf-8").splitlines()]
    assert lines == [[*symbols, "(u1)"] for symbols in said]


@pytest.mark.parametrize(
    ("form", "name", "label", "message"),
    [
        ("stm", "two words", "aa", "no spaces in names"),
        ("trn", "a(b)", "aa", "no parentheses in names"),
        ("trn", ";;a", "aa", "with ';;' for comments"),
        ("stm", "u", "a b", "no spaces in labels"),
        ("stm", "u", "(sil)", "meaning of its own"),
        ("trn", "u", "{", "meaning of its own"),
        ("trn", "u", "@", "meaning of its own"),
        ("csv", "u", None, "no times"),
        ("tsv", "u", None, "no times"),
    ],
)
def test_what_a_format_cannot_hold_is_refused(form: str, name: str, label: str | None, message: str) -> None:
    segment = PhoneSegment("aa") if label is None else PhoneSegment(label, 0.0, 0.1)
    with pytest.raises(InputError, match=message):
        writer(form).check(Transcript(name, [segment]))


def test_plain_text_has_the_labels_of_each_tier(tmp_path: Path) -> None:
    phones, words = writer("text").write(tmp_path, [SPOKEN])
    assert (phones, words) == (tmp_path / "text/phones/a/b.txt", tmp_path / "text/words/a/b.txt")
    assert (phones.read_text(), words.read_text()) == ("sil k ae\n", "cat\n")


def test_json_lines_hold_everything(tmp_path: Path) -> None:
    [path] = writer("jsonl").write(tmp_path, [SPOKEN])
    assert list(read_transcripts(path)) == [SPOKEN]
    assert json.loads(path.read_text())["words"] == [{"word": "cat", "start": 0.25, "end": 3661.0}]


@pytest.mark.parametrize("form", [form for form in WRITERS if form != "phn"])
def test_a_format_writes_the_files_that_it_lists(tmp_path: Path, form: str) -> None:
    written = writer(form).write(tmp_path, iter([SPOKEN]))
    assert {path.relative_to(tmp_path).as_posix() for path in written} == set(writer(form).files(SPOKEN.utterance))
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == set(written)


@pytest.mark.parametrize("form", [form for form in WRITERS if writer(form).per_utterance and form != "phn"])
@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x", "x\0y"])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, form: str, name: str) -> None:
    with pytest.raises(InputError, match="cannot be the name of an output file"):
        writer(form).write(tmp_path / "out", [Transcript(name, SPOKEN.phones, duration=1.0)])
    assert list(tmp_path.rglob("*")) == []
    with pytest.raises(InputError):
        output_path(tmp_path, name)


def test_formats_hold_utterances_without_phones(tmp_path: Path) -> None:
    silent = Transcript("u", duration=1.0)
    for form in WRITERS:
        if form != "phn":
            writer(form).check(silent)
            assert writer(form).write(tmp_path, [silent])
    grid = textgrid.openTextgrid(str(tmp_path / "textgrids/u.TextGrid"), includeEmptyIntervals=True)
    assert grid.maxTimestamp == 1.0
    assert (tmp_path / "phones.stm").read_text() == "u 1 unknown 0.0000 1.0000 <o>\n"
    assert (tmp_path / "phones.trn").read_text() == "(u)\n"
