"""The live page of a run: what it says while it trains and at its end, and that it never ends the run."""

import json
import re
from pathlib import Path
from time import sleep, time

import pytest
from support.commands.watched_run import RECIPE, epochs

from asr.report.live import SILENT, Live, live_page
from asr.runs.watch import BEAT, watched
from asr.storage.json_files import write_jsonl


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """And writes the page for a reason alone."""
    monkeypatch.setattr("asr.runs.watch.PAUSE", 0.02)
    monkeypatch.setattr("asr.runs.watch.BEAT", 1000.0)


def waited(path: Path, text: str) -> str:
    """The page as soon as it has a text."""
    for _ in range(1000):
        if text in (page := path.read_text(encoding="utf-8")):
            return page
        sleep(0.01)
    raise AssertionError(f"never there: {text}")


def test_it_shows_each_epoch_and_then_the_report(tmp_path: Path) -> None:
    page = tmp_path / "live.html"
    with watched(RECIPE, "timit/dnn", tmp_path) as begin:
        assert "starting" in page.read_text(encoding="utf-8")
        begin("fold-1/train")
        text = waited(page, "fold-1/train")
        assert "The curves appear after the first epoch" in text
        for count in (1, 3):
            write_jsonl(tmp_path / "fold-1" / "train" / "metrics.jsonl", epochs(count))
            text = waited(page, f"epoch {count} of")
        assert "Gradient norm" in text
        assert 'http-equiv="refresh"' in text
        (tmp_path / "report.html").write_text("")
    text = page.read_text(encoding="utf-8")
    assert "Finished." in text
    assert 'href="report.html"' in text
    assert "refresh" not in text


def test_curves_of_an_earlier_training_are_not_shown_as_this_one(tmp_path: Path) -> None:
    metrics = tmp_path / "train" / "metrics.jsonl"
    write_jsonl(metrics, epochs(5))
    with watched(RECIPE, "timit/dnn", tmp_path) as begin:
        begin("train")
        assert "<svg" not in waited(tmp_path / "live.html", "<strong>train")
        begin("decode")  # the training was up to date
        assert "<svg" in waited(tmp_path / "live.html", "<strong>decode")


def test_a_run_that_fails_says_why_as_text(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), watched(RECIPE, "<b>", tmp_path):
        raise RuntimeError("no <script> here")
    text = (tmp_path / "live.html").read_text(encoding="utf-8")
    assert "Stopped: no &lt;script&gt; here" in text
    assert "refresh" not in text
    assert "<h1>&lt;b&gt;" in text


def test_an_interrupted_run_says_how_to_resume(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), watched(RECIPE, "timit/dnn", tmp_path):
        raise KeyboardInterrupt
    assert "Interrupted; rerun the same command to resume" in (tmp_path / "live.html").read_text(encoding="utf-8")


def test_damaged_metrics_are_one_warning_and_the_run_goes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with watched(RECIPE, "timit/dnn", tmp_path) as begin:
        (tmp_path / "train").mkdir()
        (tmp_path / "train" / "metrics.jsonl").write_text(json.dumps({"epoch": 1}) + "\n")
        begin("train")
        begin("decode")
    assert len(re.findall("The live page is not up to date", caplog.text)) == 1


def test_a_run_that_lives_writes_its_page_though_nothing_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asr.runs.watch.BEAT", 0.0)
    page = tmp_path / "live.html"
    with watched(RECIPE, "timit/dnn", tmp_path):
        page.write_text("old")
        waited(page, "starting")


def test_a_page_is_called_silent_only_after_several_missing_beats() -> None:
    assert SILENT >= 4 * BEAT


def test_the_run_after_a_kill_takes_the_page_over_with_the_epochs_so_far(tmp_path: Path) -> None:
    page, metrics = tmp_path / "live.html", tmp_path / "train" / "metrics.jsonl"
    write_jsonl(metrics, epochs(2))
    page.write_text(live_page(Live("timit/dnn", [], "train", "", time() - 600), [], RECIPE.training), encoding="utf-8")
    with watched(RECIPE, "timit/dnn", tmp_path) as begin:
        waited(page, "starting")
        begin("train")
        write_jsonl(metrics, epochs(3))
        waited(page, "epoch 3 of")
    text = page.read_text(encoding="utf-8")
    assert "Finished." in text
    assert "Nothing was written" not in text
    assert all(f'<td class="n">{epoch} ' in text or f'<td class="n">{epoch}<' in text for epoch in (1, 2, 3))
