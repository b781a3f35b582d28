"""The page without a server: in headless Chromium it finds the same phones as Python."""

import json
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support.audio_files import wav_bytes
from support.chromium import chromium, node_tool, serious_findings

import asr
from asr.config.recipe_file import read_recipe
from asr.corpora.cuts import read_cuts, write_cuts
from asr.errors import InputError
from asr.runs.run import Run, execute
from asr.serve.exported_per import exported_per
from asr.serve.web_export import RUNTIME_VERSION, export_web
from asr.storage.run_layout import cuts_path

RECORDINGS = 10
MOST_APART = 0.002
"""Seconds between a boundary in the browser and in Python, whose products in 8 bits round differently."""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


CTC = ["training.loss=ctc", "training.epochs=3", "model.dropout=0", "decoding.insertion_penalties=[-3.0]"]
SEARCHES = {
    "graph": [],
    "greedy": [*CTC, "decoding.search=greedy"],
    "prefix_beam": [
        *CTC,
        *("decoding.search=prefix_beam", "decoding.prefixes=12", "lm.order=6", "lm.word_starts=false"),
        *("decoding.lm_weights=[0.7]", "decoding.acoustic_scales=[0.8]"),
        *("training.timing={states: 3}", "decoding.insertion_penalties=[-0.7]"),  # more phones would not fit
    ],
}
"""Settings of the tiny recipe for each search."""


@pytest.fixture(scope="module", params=SEARCHES)
def exported(
    request: pytest.FixtureRequest, tiny_run: Path, tiny_recipe: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    pytest.importorskip("onnxscript")
    runtime, folder = node_tool("onnxruntime-web"), tmp_path_factory.mktemp("web")
    run = tiny_run
    if settings := SEARCHES[request.param]:
        run = folder / "run"
        execute(Run(read_recipe(tiny_recipe, settings), "tiny/ctc", run, torch.device("cpu")))
    export_web(run, folder / "page", "int8", runtime)
    return folder / "page"


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("recordings")
    for number in range(RECORDINGS):
        generator = np.random.default_rng(number)
        time = np.arange(16000 + 5555 * number) / 16000
        noise = generator.normal(0, 0.05, len(time)) * (1 + np.sin(7 * time + number))
        noise += 0.2 * np.sin(2 * np.pi * (200 + 300 * number) * time) * (np.sin(5 * time) > 0)
        (folder / f"{number}.wav").write_bytes(wav_bytes(noise.astype(np.float32)))
    return sorted(folder.iterdir())


@pytest.fixture(scope="module")
def address(exported: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=exported))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()
    thread.join()


def test_ten_recordings_have_the_same_phones_as_in_python(exported: Path, recordings: list[Path], address: str) -> None:
    with chromium() as browser:
        context = browser.new_context(viewport={"width": 390, "height": 900}, accept_downloads=True)
        context.set_default_timeout(120_000)
        page, problems, requested = context.new_page(), [], []
        page.on("console", lambda message: problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda request: requested.append(request.url))
        page.goto(address)
        page.wait_for_selector("#record:not([disabled])")
        recognizer, phones, ends = asr.load(exported), set(), set()
        for path in recordings:
            page.set_input_files("#files", path)
            _until(page, f"{path.name}: ")
            with page.expect_download() as found:
                page.click("#json")
            row = json.loads(Path(found.value.path()).read_text())
            expected = recognizer.transcribe(path)
            assert [phone["phone"] for phone in row["phones"]] == expected.symbols
            phones |= set(expected.symbols)
            ends |= {round(10_000 * (each.end or 0)) % 100 for each in expected.phones}
            for side in ("start", "end"):
                wanted = [getattr(each, side) for each in expected.phones]
                assert [phone[side] for phone in row["phones"]] == pytest.approx(wanted, abs=MOST_APART)
        assert len(phones) > 1
        if json.loads((exported / "decoder.json").read_text())["timing"]:
            assert len(ends) > 50, "they are multiples of frames"
        assert serious_findings(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert problems == []
        assert all(each.startswith((address, "blob:", "data:")) for each in requested)

        page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        context.set_offline(True)
        page.reload()
        page.wait_for_selector("#record:not([disabled])")
        page.set_input_files("#files", recordings[0])
        _until(page, f"{recordings[0].name}: ")


@pytest.mark.parametrize("exported", ["greedy"], indirect=True)
def test_the_page_says_that_its_model_cannot_be_loaded(recordings: list[Path], address: str) -> None:
    with chromium() as browser:
        page = browser.new_page()
        page.route("**/worker.js", lambda route: route.abort())
        page.goto(address)
        page.wait_for_selector("#record:not([disabled])")
        for path in recordings[:2]:
            page.set_input_files("#files", path)
            _until(page, "⚠ the model could not be loaded; load the page again")


def test_the_page_says_how_well_its_model_recognises(exported: Path) -> None:
    quality = json.loads((exported / "about.json").read_text())["quality"]
    assert re.fullmatch(r"PER on \d+ test utterances: [\d.]+ % in int8, [\d.]+ % before the export", quality)
    assert f"{quality}.\n" in (exported / "README.md").read_text()


def test_a_model_without_its_run_has_the_figures_of_its_card(exported: Path, tiny_run: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    shutil.copytree(tiny_run / "decode" / "bundle", bundle)
    assert exported_per(bundle, exported, "int8") == ""
    names = ("mine", "yours", "mine, yours")
    results = [{"dataset": {"name": name}, "metrics": [{"value": 12.34}]} for name in names]
    card = json.dumps({"model-index": [{"results": results}]})
    (bundle / "README.md").write_text(f"---\n{card}\n---\n")
    expected = "PER before the export: 12.3 % on mine, 12.3 % on yours, 12.3 % on all"
    assert exported_per(bundle, exported, "int8") == expected


@pytest.mark.parametrize("exported", ["greedy"], indirect=True)
def test_of_a_run_with_folds_it_is_the_first(exported: Path, tiny_run: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_run, tmp_path / "run" / "fold-1", ignore=shutil.ignore_patterns("prepare"))
    shutil.copytree(tiny_run / "prepare", tmp_path / "run" / "prepare" / "fold-1")
    expected = exported_per(tiny_run, exported, "int8")
    assert expected.startswith("PER on ")
    for model in ("run", "run/fold-1"):
        assert exported_per(tmp_path / model, exported, "int8") == expected


@pytest.mark.parametrize("exported", ["greedy"], indirect=True)
def test_without_the_test_recordings_a_warning_says_why(
    exported: Path, own_run: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = cuts_path(own_run / "prepare", "test")
    *_, last = cuts = list(read_cuts(path))
    last.recording.sources[0].source = str(tmp_path / "gone.wav")
    write_cuts(path, cuts)
    assert exported_per(own_run, exported, "int8") == ""
    assert "gone.wav" in caplog.text
    assert "the PER of the export is not measured" in caplog.text


def test_the_page_allows_only_its_own_files(exported: Path) -> None:
    policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; "
    assert f'<meta http-equiv="Content-Security-Policy" content="{policy}' in (exported / "index.html").read_text()


def test_the_export_needs_no_web_server() -> None:
    code = (
        "import sys\n"
        "for name in ('starlette', 'uvicorn', 'websockets', 'multipart'): sys.modules[name] = None\n"
        "import asr.serve.web_export"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=300)


def _until(page: Any, message: str) -> None:
    """Waits for a message; without eval, which the page forbids."""
    for _ in range(1200):
        if page.inner_text("#message").startswith(message):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"no {message!r}, but {page.inner_text('#message')!r}")


@pytest.mark.parametrize("content", [None, "{}", '{"version": "1.0.0"}'])
def test_a_missing_or_other_runtime_says_how_to_get_it(tiny_run: Path, tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "package.json").write_text(content)
    with pytest.raises(InputError, match=rf"npm pack onnxruntime-web@{RUNTIME_VERSION}"):
        export_web(tiny_run, tmp_path / "out", "int8", tmp_path)
    assert not (tmp_path / "out").exists()


def test_the_version_is_the_one_that_npm_installs() -> None:
    package = json.loads((node_tool("onnxruntime-web") / "package.json").read_text())
    assert package["version"] == RUNTIME_VERSION
