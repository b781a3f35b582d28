"""The error browser opens in headless Chromium, as files: the quick test of all its parts together."""

from support.pages.opened_page import Opened


def test_it_shows_every_utterance_worst_first_with_its_tiers(opened: Opened) -> None:
    page = opened.open()
    assert opened.names()[1:3] == ["good-1", "fair-1"]
    assert "4 utterances, 4 errors" in page.inner_text("#summary")
    row = page.locator(".row", has_text="good-1").first
    assert row.locator(".phone.D").all_inner_texts() == ["g"]
    assert row.locator(".letter").all_inner_texts() == ["D"]
    assert page.evaluate("[...document.images].every((image) => image.complete && image.naturalWidth === 200)")
