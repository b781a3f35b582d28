"""A page of a report's folder, open in a browser."""

from pathlib import Path
from typing import Any


class Opened:
    """A page with what it complained of and what it asked for."""

    def __init__(self, page: Any, folder: Path) -> None:
        self.page, self.folder = page, folder
        self.problems: list[str] = []
        self.requested: list[str] = []
        page.on("console", lambda message: self.problems.append(message.text))
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("dialog", lambda dialog: self.problems.append(f"a dialog: {dialog.message}"))
        page.on("request", lambda request: self.requested.append(request.url))

    def open(self, filters: str = "", name: str = "errors.html") -> Any:
        self.page.goto(f"{(self.folder / name).as_uri()}#{filters}")
        if name == "errors.html":
            self.page.wait_for_selector("#filters select", state="attached")
        return self.page

    def names(self) -> list[str]:
        return self.page.locator(".row h2").all_inner_texts()

    def until(self, condition: str) -> None:
        """Waits; unlike Playwright's own waiting, without eval, which the page forbids."""
        for _ in range(1200):
            if self.page.evaluate(condition):
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"not within a minute: {condition}")

    def heard(self) -> list[float]:
        """From when to when (s) the page has played since it was last asked."""
        self.until("playing === null && audio.played.length > 0")
        played = self.page.evaluate("[audio.played.start(0), audio.played.end(audio.played.length - 1)]")
        return [round(time, 1) for time in played]
