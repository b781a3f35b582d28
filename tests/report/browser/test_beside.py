"""Two runs side by side: what is written, and the page in headless Chromium."""

import json
from pathlib import Path

import pytest
from support.chromium import serious_findings
from support.opened_page import Opened

from asr.config import ScoringConfig
from asr.errors import InputError
from asr.formats.transcript import PhoneSegment, Transcript, read_transcripts, write_transcripts
from asr.report.browser.folder import beside_folder
from asr.scoring.score import score_files


@pytest.fixture
def folder(run: Path, other_run: Path) -> Path:
    return beside_folder(run, other_run, "link").parent


def test_each_utterance_has_the_pairs_of_both(run: Path, folder: Path) -> None:
    assert folder == run / "beside-other"
    text = (folder / "data" / "utterances-0.js").read_text(encoding="ascii")
    rows = {row["name"]: row for row in json.loads(json.loads(text[len("receiveUtterances(") : -2]))}
    row = rows["fair-1"]
    assert [pair[7] for pair in row["pairs"]] == [0, 0, 0, 1, 0, 0]
    assert [pair[7] for pair in row["other"]["pairs"]] == [0, 0, 0, 2, 0, 0]
    assert row["other"]["counts"] == [0, 0, 0, 6]
    assert row["other"]["pairs"][3][:2] == ["s", "s"]


def test_the_page_says_who_is_better_and_who_is_right(folder: Path) -> None:
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert "MAPSSWE p" in page
    for differ, times in (("first", 2), ("second", 2), ("neither", 0)):
        assert f"errors.html#differ={differ}" in page
        row = page.split(f"errors.html#differ={differ}")[1].split("</tr>")[0]
        assert f'<td class="n">{times}</td>' in row


def test_runs_with_other_references_are_refused_and_the_utterance_is_named(run: Path, other_run: Path) -> None:
    test = other_run / "decode" / "test"
    changed = [
        Transcript(each.utterance, [*each.phones[:-1], PhoneSegment("z", 0.5, 0.6)], each.speaker)
        for each in read_transcripts(test / "references.jsonl")
    ]
    write_transcripts(test / "references.jsonl", changed)
    config = ScoringConfig(bootstrap=10)
    score_files(test / "references.jsonl", test / "hypotheses.jsonl", other_run / "score", config)
    with pytest.raises(InputError, match=r"run and other cannot be compared: utterance .* has different reference"):
        beside_folder(run, other_run, "none")
    assert not (run / "beside-other").exists()


def test_it_opens_with_the_most_different_and_both_hypotheses(opened: Opened) -> None:
    page = opened.open()
    assert opened.names()[-1].startswith("</script>")
    row = page.locator(".row", has_text="fair-1").first
    assert row.locator(".names span").all_inner_texts() == ["words", "ref", "hyp A", "errors", "hyp B", "errors"]
    assert row.locator(".tier").nth(3).inner_text().strip() == "S"
    assert row.locator(".tier").nth(5).inner_text().strip() == ""
    assert page.inner_text("#runs") == "A: run · B: other"


@pytest.mark.parametrize(("differ", "expected"), [("any", 4), ("first", 2), ("second", 2), ("neither", 0)])
def test_only_where_they_differ(opened: Opened, differ: str, expected: int) -> None:
    page = opened.open(f"differ={differ}")
    assert f"{expected} places" in page.inner_text("#summary")


def test_keys_go_through_both_runs_in_time(opened: Opened) -> None:
    page = opened.open("differ=any&text=good")
    page.keyboard.press("n")
    assert "B: aa recognised as ah" in page.inner_text("#what")
    page.keyboard.press("ArrowLeft")
    assert "B: d right" in page.inner_text("#what")
    page.reload()
    page.wait_for_selector("#filters select", state="attached")
    assert "B: d right" in page.inner_text("#what")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1300])
@pytest.mark.parametrize("name", ["errors.html", "index.html"])
def test_it_is_accessible(opened: Opened, scheme: str, width: int, name: str) -> None:
    opened.page.set_viewport_size({"width": width, "height": 850})
    opened.page.emulate_media(color_scheme=scheme)
    page = opened.open("differ=any", name)
    assert serious_findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
