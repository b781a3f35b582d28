"""The page of two runs side by side, in headless Chromium."""

from pathlib import Path

import pytest
from support.pages.chromium import serious_findings
from support.pages.opened_page import Opened

pytestmark = pytest.mark.pages


@pytest.fixture
def folder(beside: Path) -> Path:
    return beside


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
