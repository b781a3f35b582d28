"""An exported page in a browser, from a tiny static server."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from support.pages.chromium import chromium


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a folder."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()
    thread.join()


class WebPage:
    """The page with what it complained of and what it asked for."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.problems: list[str] = []
        self.requested: list[str] = []
        page.on("console", lambda message: self.problems.append(message.text))
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("request", lambda request: self.requested.append(request.url))

    def open(self, address: str) -> None:
        self.page.goto(address)
        self.ready()

    def ready(self) -> None:
        self.page.wait_for_selector("#record:not([disabled])")

    def transcribe(self, path: Path) -> dict[str, Any]:
        """The transcript of a recording, as the page downloads it."""
        self.page.set_input_files("#files", path)
        self.until(f"{path.name}: ")
        return self.transcript()

    def align(self, kind: str, text: str) -> str:
        """Aligns the last recording to `words` or `phones`; returns the page's message."""
        self.page.select_option("#kind", kind)
        self.page.fill("#text", text)
        self.page.evaluate("say('')")
        self.page.click("#align")
        return self.until(": ", "⚠")

    def transcript(self) -> dict[str, Any]:
        with self.page.expect_download() as found:
            self.page.click("#json")
        return dict(json.loads(Path(found.value.path()).read_text()))

    def until(self, *messages: str) -> str:
        """Waits for a message with one of these parts; without eval, which the page forbids."""
        for _ in range(1200):
            shown = str(self.page.inner_text("#message"))
            if any(each in shown for each in messages):
                return shown
            self.page.wait_for_timeout(50)
        raise AssertionError(f"no {messages}, but {shown!r}")


@contextmanager
def web_page(*options: str, width: int = 390) -> Iterator[WebPage]:
    """An empty page of a browser with further options of its command line."""
    with chromium(*options) as browser:
        context = browser.new_context(viewport={"width": width, "height": 900}, accept_downloads=True)
        context.set_default_timeout(120_000)
        try:
            yield WebPage(context.new_page())
        finally:
            context.close()
