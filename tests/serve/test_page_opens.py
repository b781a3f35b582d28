"""The live page shows a file in headless Chromium: the quick test of all its parts together."""

from pathlib import Path
from typing import Any

from support.pages.live_page import opened, shown

from asr.serve.speech import Speech


def test_a_file_is_shown_with_what_the_library_finds(page: Any, spoken: Path, speech: Speech) -> None:
    opened(page, spoken)
    assert shown(page) == speech.recognizer.transcribe(spoken).symbols
    assert page.inner_text("#name") == "a b,1.wav · 3.00 s"
    assert page.locator("#picture canvas").count() == 1
