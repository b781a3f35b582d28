"""The page of `asr serve`, with a recording in it."""

from pathlib import Path
from typing import Any


def opened(page: Any, spoken: Path) -> Any:
    """The page, with the phones of a recording."""
    page.set_input_files("#files", spoken)
    page.wait_for_selector("#phones button.phone")
    return page


def shown(page: Any) -> list[str]:
    """The phones in the page."""
    return page.locator("#phones .symbol").all_inner_texts()
