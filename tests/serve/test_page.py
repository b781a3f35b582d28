"""What one does in the live page, in headless Chromium, with a file in place of the microphone."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.pages.chromium import serious_findings
from support.pages.live_page import opened, shown

from asr.formats.transcript import read_transcripts
from asr.library.transcription import Transcription

pytestmark = pytest.mark.pages


def download(page: Any, button: str) -> bytes:
    with page.expect_download() as found:
        page.click(button)
    return Path(found.value.path()).read_bytes()


def test_a_word_is_aligned_and_a_boundary_corrected_by_keys(page: Any, spoken: Path) -> None:
    opened(page, spoken)
    page.fill("#text", "hello")
    page.press("#text", "Enter")
    page.wait_for_selector("#words .word")
    assert page.locator("#words .word").all_inner_texts() == ["hello"]
    before = json.loads(download(page, "#json"))
    place = [phone["phone"] for phone in before["phones"]].index("hh")
    page.locator(f'#phones [data-at="{place}"]').click()
    assert page.inner_text("#what").startswith("hh, ")
    page.keyboard.press("ArrowRight")
    assert page.inner_text("#what").startswith("ah, ")
    handle = page.locator(f'.handle[data-left="{place}"]')
    assert handle.get_attribute("tabindex") == "0"
    handle.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    after = json.loads(download(page, "#json"))
    start, _, width = before["phones"][place]["end"], None, before["phones"][place + 1]["end"]
    expected = min(start + 0.025, width - 0.005)
    assert after["phones"][place]["end"] == after["phones"][place + 1]["start"] == pytest.approx(expected, abs=2e-4)
    page.keyboard.press("u")
    page.keyboard.press("u")
    assert json.loads(download(page, "#json")) == before
    assert page.locator("#undo").is_disabled()


def test_a_boundary_is_dragged(page: Any, spoken: Path) -> None:
    opened(page, spoken)
    phones = json.loads(download(page, "#json"))["phones"]
    place = max(range(1, len(phones)), key=lambda at: phones[at]["end"] - phones[at]["start"])
    handle = page.locator(f'.handle[data-right="{place}"]')
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2 + 7, box["y"] + 25)
    page.mouse.up()
    moved = json.loads(download(page, "#json"))["phones"]
    assert moved[place]["start"] == pytest.approx(phones[place]["start"] + 7 / 350, abs=1e-3)
    assert not page.locator("#undo").is_disabled()


def test_downloads_are_what_the_library_writes(page: Any, spoken: Path, tmp_path: Path) -> None:
    opened(page, spoken)
    page.fill("#text", "hello")
    page.press("#text", "Enter")
    page.wait_for_selector("#words .word")
    (tmp_path / "all.jsonl").write_text(json.dumps(json.loads(download(page, "#json"))) + "\n")
    (transcript,) = read_transcripts(tmp_path / "all.jsonl")
    for button, form in (("#textgrid", "textgrid"), ("#csv", "csv"), ("#elan", "elan")):
        Transcription.of(transcript).write(tmp_path / form, form)
        assert download(page, button) == (tmp_path / form).read_bytes()
    assert download(page, "#png").startswith(b"\x89PNG")


def test_phones_appear_while_one_speaks(page: Any) -> None:
    page.click("#record")
    page.wait_for_selector("#phones span.phone")
    assert page.inner_text("#record") == "■ Stop"
    page.click("#record")
    page.wait_for_selector("#phones button.phone")
    assert page.inner_text("#message").startswith("recording-1.wav: ")
    assert page.locator("#record").is_enabled()


def test_a_bad_file_is_one_message(page: Any, spoken: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.wav"
    bad.write_text("not audio")
    page.set_input_files("#files", bad)
    page.wait_for_selector("#message.wrong")
    assert page.inner_text("#message").startswith("⚠ bad.wav: not an audio file")
    opened(page, spoken)
    page.fill("#text", "zzyzx")
    page.press("#text", "Enter")
    page.wait_for_selector("#message.wrong")
    assert "not in the lexicon: zzyzx" in page.inner_text("#message")


def test_a_format_that_the_browser_does_not_play(page: Any, tmp_path: Path) -> None:
    soundfile = pytest.importorskip("soundfile")
    path = tmp_path / "one.au"
    soundfile.write(path, np.random.default_rng(0).normal(0, 0.1, 16000), 16000, format="AU")
    opened(page, path)
    assert page.inner_text("#name") == "one.au · 1.00 s"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1300])
def test_it_is_accessible(page: Any, spoken: Path, scheme: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 850})
    page.emulate_media(color_scheme=scheme)
    assert serious_findings(page) == []
    opened(page, spoken)
    page.fill("#text", "hello")
    page.press("#text", "Enter")
    page.wait_for_selector("#words .word")
    page.locator("#phones .phone").nth(1).click()
    assert serious_findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_what_is_recognised_is_compared_with_the_words(page: Any, spoken: Path) -> None:
    opened(page, spoken)
    recognised = [each for each in shown(page) if each != "sil"]
    page.fill("#text", "hello")
    page.press("#text", "Enter")
    page.wait_for_selector("#comparison:not([hidden])")
    assert page.locator("#recognised .symbol").all_text_contents() == recognised
    letters = page.locator("#errors .letter").all_inner_texts()
    assert page.locator("#error-list button").count() == len(letters) > 0
    assert f"{letters.count('S')} S, {letters.count('D')} D, {letters.count('I')} I in 4 phones" in page.inner_text(
        "#per"
    )
    boxes = [letter.bounding_box() for letter in page.locator("#errors .letter").all()]
    assert all(after["x"] >= box["x"] + box["width"] - 0.1 for box, after in pairwise(boxes))
    page.locator("#error-list button").first.click()
    assert page.evaluate("playing !== null")
    page.set_input_files("#files", spoken)
    page.wait_for_selector("#comparison[hidden]", state="attached")


def test_labels_of_short_phones_are_whole_or_wait_for_the_pointer(page: Any, spoken: Path) -> None:
    opened(page, spoken)
    page.evaluate(
        "current.transcript = {...current.transcript, phones: [0, 1, 2, 3, 4, 5].map((at) => "
        "({phone: 'sil', start: 0.5 + at * 0.02, end: 0.52 + at * 0.02, score: 0.5}))}; drawStrip()"
    )
    symbols = page.locator("#phones .symbol")
    assert not any(symbol.is_visible() for symbol in symbols.all())
    page.locator('#phones [data-at="2"]').hover()
    assert symbols.nth(2).is_visible()
    page.locator('#phones [data-at="3"]').click()
    assert symbols.nth(3).is_visible()
    assert symbols.nth(3).bounding_box()["width"] >= 20
    page.mouse.move(5, 5)
    for _ in range(4):
        page.click("#wider")
    assert all(symbol.is_visible() for symbol in symbols.all())
    assert symbols.evaluate_all("all => all.every((each) => each.scrollWidth <= each.parentElement.clientWidth)")
