"""A headless Chromium for tests of pages; tests that need it are skipped where none is installed."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--autoplay-policy=no-user-gesture-required",
)
WEB = Path(__file__).parents[3] / "web"


@contextmanager
def chromium(*options: str) -> Iterator[Any]:
    """A running browser, of Playwright's class Browser, with further options of its command line.

    Where one with these options runs already, it is that one, which is closed by who started it.
    """
    if options in _running:
        yield _running[options]
        return
    sync_api = pytest.importorskip("playwright.sync_api")
    if (path := next(filter(None, map(shutil.which, NAMES)), None)) is None:
        pytest.skip("no Chromium is installed")
    with _playwright(sync_api) as playwright:
        _running[options] = playwright.chromium.launch(executable_path=path, args=[*OPTIONS, *options])
        try:
            yield _running[options]
        finally:
            _running.pop(options).close()


_running: dict[tuple[str, ...], Any] = {}
_playwrights: list[Any] = []


@contextmanager
def _playwright(sync_api: Any) -> Iterator[Any]:
    """Playwright, of which a process can have only one."""
    if _playwrights:
        yield _playwrights[0]
        return
    with sync_api.sync_playwright() as playwright:
        _playwrights.append(playwright)
        try:
            yield playwright
        finally:
            _playwrights.clear()


def node_tool(name: str) -> Path:
    """A file of a package in web/node_modules; skips the test where `npm ci` was not run there."""
    path = WEB / "node_modules" / name
    if not path.exists():
        pytest.skip(f"{name} is not installed: run npm ci in {WEB.name}/")
    return path


def serious_findings(page: Any) -> list[str]:
    """What axe-core finds serious or critical in a page; skips the test where it is not installed."""
    source = node_tool("axe-core/axe.min.js").read_text(encoding="utf-8")
    page.evaluate(source)
    found = page.evaluate("axe.run({preload: false})")["violations"]
    return [
        f"{each['id']}: {node['html']}" for each in found if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]  # fmt: skip
