"""The live page of a run in headless Chromium: it is accessible, and says when the run was killed."""

import re
from collections.abc import Iterator
from pathlib import Path
from time import time
from typing import Any

import pytest
from support.commands.watched_run import RECIPE, epochs
from support.pages.chromium import chromium, serious_findings

from asr.report.live import Live, live_page
from asr.runs.watch import watched
from asr.storage.json_files import write_jsonl

pytestmark = pytest.mark.pages


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as running:
        yield running


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1300])
def test_it_is_accessible_and_loads_nothing(browser: Any, tmp_path: Path, scheme: str, width: int) -> None:
    with watched(RECIPE, "timit/dnn", tmp_path):
        write_jsonl(tmp_path / "train" / "metrics.jsonl", epochs(9))
    page = browser.new_page(viewport={"width": width, "height": 850}, color_scheme=scheme)
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    page.goto((tmp_path / "live.html").as_uri())
    assert serious_findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert all(address.startswith(("file:", "data:")) for address in requested)
    page.close()


@pytest.mark.parametrize(("seconds", "said"), [(20, None), (70, "7[0-9] seconds"), (42 * 60, "42 minutes")])
def test_the_page_of_a_killed_run_says_so(browser: Any, tmp_path: Path, seconds: int, said: str | None) -> None:
    live = Live("timit/dnn", [], "train", "", time() - seconds)
    (tmp_path / "live.html").write_text(live_page(live, [], RECIPE.training), encoding="utf-8")
    page = browser.new_page()
    page.goto((tmp_path / "live.html").as_uri())
    assert page.is_visible("#silent") == (said is not None)
    assert page.is_visible(".lead") == (said is None)
    assert page.title().startswith("Killed?") == (said is not None)
    if said:
        assert re.search(f"Nothing was written here for {said}: the run was killed", page.inner_text("#silent"))
    page.close()
