"""What one does in the error browser, in headless Chromium; test_page_opens.py has its first sight."""

import json
import shutil
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote

import pytest
from support.corpora.words import forget_words
from support.pages.chromium import serious_findings
from support.pages.opened_page import Opened

from asr.report.browser.folder import report_folder

pytestmark = pytest.mark.pages


def test_names_are_text(opened: Opened) -> None:
    page = opened.open()
    assert page.locator("main img").count() == 4
    assert page.inner_text("#title").startswith("</script><img src=x")
    assert opened.names()[0].startswith("</script><img src=x")


def test_a_tier_of_words_is_only_where_they_have_times(opened: Opened, run: Path) -> None:
    row = opened.open().locator(".row", has_text="fair-1").first
    assert row.locator(".names span").all_inner_texts() == ["words", "ref", "hyp", "errors"]
    assert row.locator(".tier").first.inner_text() == "a<b>"
    height = row.bounding_box()["height"]
    forget_words(run)
    report_folder(run, "link")
    opened.page.reload()
    row = opened.open().locator(".row", has_text="fair-1").first
    assert row.locator(".names span").all_inner_texts() == ["ref", "hyp", "errors"]
    assert row.locator(".tier").count() == 3
    assert row.bounding_box()["height"] == height - 24


def test_an_error_is_heard_with_half_a_second_around(opened: Opened) -> None:
    page = opened.open("utterance=good-1")
    page.locator(".row", has_text="good-1").locator(".phone.D").click()
    assert "g deleted" in page.inner_text("#what")
    assert opened.heard()[0] == pytest.approx(0, abs=0.1)  # g is from 0.3 to 0.4 s of 1 s
    assert page.evaluate("audio.currentTime") == pytest.approx(0.9, abs=0.15)


def test_a_phone_alone_is_heard_from_its_start(opened: Opened) -> None:
    page = opened.open("utterance=good-1&at=3")
    page.keyboard.press("x")
    assert opened.heard()[0] == pytest.approx(0.3, abs=0.05)


def test_a_confusion_is_heard_two_clicks_after_the_report(opened: Opened) -> None:
    page = opened.open(name="index.html")
    page.get_by_role("link", name="z", exact=True).first.click()
    page.wait_for_selector("#filters select", state="attached")
    page.locator(".phone.target").first.click()
    opened.heard()


def test_filters_sorting_and_the_address(opened: Opened) -> None:
    page = opened.open()
    page.select_option("[name=frequent]", "s z")
    assert "2 of 4 utterances, 2 places" in page.inner_text("#summary")
    assert "ref=s&hyp=z" in page.url
    page.click("text=Show all")
    page.select_option("[name='group.sex']", "male")
    page.select_option("[name=sort]", "name")
    assert opened.names()[1] == "good-1"
    assert "group.sex=male" in page.url
    assert "sort=name" in page.url
    page.check("[name=errors]")
    page.select_option("[name=class]", "stop")
    assert opened.names() == ["good-1"]
    other = page.context.new_page()
    other.goto(page.url)
    other.wait_for_selector("#filters select", state="attached")
    assert other.locator(".row h2").all_inner_texts() == ["good-1"]
    assert other.input_value("[name=class]") == "stop"


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ("speaker=fair&sort=name", ["fair-1", "fair-2"]),
        ("phone=iy", ["fair-1"]),
        ("ref=-&hyp=m", None),
        ("group.dialect=dr1&sort=name&text=fair", ["fair-2"]),
        ("shortest=2", []),
        ("sort=nonsense&unknown=1&errors=1&text=fair", ["fair-1"]),
    ],
)
def test_each_filter(opened: Opened, filters: str, expected: list[str] | None) -> None:
    opened.open(filters)
    names = opened.names()
    assert names == expected if expected is not None else names[0].startswith("</script>")


def test_keys_go_from_error_to_error(opened: Opened) -> None:
    page = opened.open("text=good&errors=1")
    page.keyboard.press("n")
    assert "g deleted" in page.inner_text("#what")
    assert page.evaluate("document.activeElement.dataset.at") == "3"
    page.keyboard.press("ArrowLeft")
    assert "aa right" in page.inner_text("#what")
    page.keyboard.press("n")
    page.keyboard.press("n")
    assert page.inner_text("#message") == "That was the last one."
    assert "at=3" in page.url


def test_marks_and_notes_download_as_json_lines(opened: Opened) -> None:
    page = opened.open("text=good")
    page.keyboard.press("n")
    page.keyboard.press("m")
    page.keyboard.press("c")
    page.keyboard.type("a “note” & more")
    page.keyboard.press("Enter")
    page.keyboard.press("n")
    assert page.inner_text("#message") == "That was the last one."
    assert page.get_attribute("#mark", "aria-pressed") == "true"
    with page.expect_download() as download:
        page.click("#download")
    assert download.value.suggested_filename == "marks.jsonl"
    (line,) = Path(download.value.path()).read_text(encoding="utf-8").splitlines()
    assert json.loads(line) == {
        "utterance": "good-1",
        "speaker": "good",
        "reference": "g",
        "hypothesis": None,
        "score": None,
        "start": 0.3,
        "end": 0.4,
        "marked": True,
        "note": "a “note” & more",
    }
    page.reload()
    page.wait_for_selector("#filters select", state="attached")
    assert page.locator(".letter", has_text="★").count() == 1


def test_without_confidences_nothing_is_said_of_scores(opened: Opened, run: Path) -> None:
    page = opened.open()
    assert page.locator("#scores").is_visible()
    assert page.locator("[name=sort] option[value=score]").count() == 1
    path = run / "decode" / "test" / "hypotheses.jsonl"
    path.write_text(path.read_text().replace(', "score": 0.75', ""))
    report_folder(run, "link")
    page.reload()
    page.wait_for_selector("#filters select", state="attached")
    assert not page.locator("#scores").is_visible()
    assert page.locator("[name=sort] option[value=score]").count() == 0


def test_letters_of_short_phones_do_not_overlap(opened: Opened) -> None:
    path = opened.folder / "data" / "utterances-0.js"
    rows = json.loads(json.loads(path.read_text()[len("receiveUtterances(") : -2]))
    (row,) = [row for row in rows if row["name"] == "fair-1"]
    row["pairs"] = [["t", "d", *(10 * place + each for each in (0, 10, 0, 10)), 0.5] for place in range(6)]
    path.write_text(f"receiveUtterances({json.dumps(json.dumps(rows))})\n")
    page = opened.open("errors=1&text=fair-1")
    boxes = [letter.bounding_box() for letter in page.locator(".letter").all()]
    assert len(boxes) == 6
    for box, following in pairwise(boxes):
        assert following["x"] >= box["x"] + box["width"] - 0.1 >= box["x"] + 8


def changed_row(opened: Opened, name: str, **values: object) -> None:
    """Changes the data of an utterance."""
    path = opened.folder / "data" / "utterances-0.js"
    rows = json.loads(json.loads(path.read_text()[len("receiveUtterances(") : -2]))
    next(row for row in rows if row["name"] == name).update(values)
    path.write_text(f"receiveUtterances({json.dumps(json.dumps(rows))})\n")


def test_boundaries_that_are_off_are_numbers_and_a_filter(opened: Opened) -> None:
    changed_row(opened, "fair-2", late=[[None, None], [-25, None], [3, None], [60, 0], [None, None]])
    page = opened.open("sort=boundaries&text=fair")
    assert opened.names()[0] == "fair-2"
    assert page.locator("#late").is_visible()
    row = page.locator(".row", has_text="fair-2").first
    assert row.locator(".tier .late").all_inner_texts() == ["−25", "+60"]
    page.select_option("[name=off]", "50")
    assert "1 of 4 utterances, 1 place" in page.inner_text("#summary")
    assert "off=50" in page.url
    page.keyboard.press("n")
    assert "begins 60 ms late, ends on time" in page.inner_text("#what")


def test_intervals_are_bars_with_words(opened: Opened) -> None:
    assert not opened.open().locator("#sure").is_visible()
    at = [None, None, [80, 120], [150, 240]], [None, None, [150, 240], [290, 310]]
    changed_row(opened, "fair-2", intervals=[[None] * 4, *at, [None] * 4, [None] * 4])
    about = opened.folder / "data" / "run.js"
    about.write_text(about.read_text().replace('\\"intervals\\": false', '\\"intervals\\": true'))
    page = opened.open("text=fair-2")
    page.reload()
    page.wait_for_selector(".row .interval", state="attached")
    assert page.locator("#sure").is_visible()
    boxes = [bar.bounding_box() for bar in page.locator(".row .interval").all()]
    assert [round(box["width"] / 0.35) for box in boxes] == pytest.approx([40, 90, 20], abs=2)
    assert boxes[0]["y"] != boxes[1]["y"]  # neighbours are not in one line
    label = page.locator(".row .phone", has_text="k").nth(1).get_attribute("aria-label")
    assert "begins between 0.080 and 0.120 s, ends between 0.150 and 0.240 s" in label
    assert serious_findings(page) == []


def test_few_of_many_utterances_are_in_the_page(opened: Opened) -> None:
    """5,000 utterances: only the rows near the window are drawn, and only their pictures are loaded."""
    data = opened.folder / "data"
    (text,) = [json.loads(line[len("receiveUtterances(") : -1]) for line in lines(data / "utterances-0.js")]
    (row,) = [row for row in json.loads(text) if row["name"] == "fair-1"]
    rows = [{**row, "name": f"u{number:04}"} for number in range(5000)]
    (data / "utterances-0.js").write_text(f"receiveUtterances({json.dumps(json.dumps(rows))})\n")
    about = (data / "run.js").read_text()
    (data / "run.js").write_text(about.replace('\\"utterances\\": 4', '\\"utterances\\": 5000'))
    page = opened.open("sort=name")
    assert "5,000 utterances" in page.inner_text("#summary")
    assert page.locator(".row").count() < 10
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    page.wait_for_selector("text=u4999")
    assert page.locator(".row").count() < 10
    assert page.get_attribute(".row:last-child", "aria-posinset") == "5000"


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="ascii").splitlines()


def test_a_recording_that_is_gone_is_one_message(opened: Opened, run: Path) -> None:
    page = opened.open("text=good")
    shutil.rmtree(run.parent / "corpus")
    page.locator(".phone.D").click()
    opened.until("document.getElementById('message').textContent.startsWith('Cannot play')")
    opened.problems.clear()  # Chromium itself reports a file that is not found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1300])
@pytest.mark.parametrize("name", ["errors.html", "index.html"])
def test_it_is_accessible(opened: Opened, scheme: str, width: int, name: str) -> None:
    opened.page.set_viewport_size({"width": width, "height": 850})
    opened.page.emulate_media(color_scheme=scheme)
    page = opened.open("utterance=" + quote("good-1") + "&at=3", name)
    assert serious_findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
