"""A finished run whose utterances have audio, times and hostile names."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from support.pages.chromium import chromium
from support.pages.opened_page import Opened

from asr.config import CorpusConfig, RecipeConfig, ScoringConfig
from asr.config.recipe_file import write_recipe
from asr.corpora.cuts import reference, utterance_cut, write_cuts
from asr.formats.transcript import PhoneSegment, Transcript, write_transcripts
from asr.report.browser.folder import beside_folder, report_folder
from asr.scoring.results import write_result
from asr.scoring.score import score
from asr.storage.json_files import write_json

RATE = 16000
HOSTILE = "</script><img src=x onerror=alert(1)>'\"&../..\u2028"

SPOKEN = [
    ("fair-1", "fair", "female", "sil dh ah s iy sil", "sil dh ah z iy sil"),
    ("fair-2", "fair", "female", "sil k ae t sil", "sil k ae t sil"),
    ("good-1", "good", "male", "sil d ao g sil", "sil d ao sil"),
    (HOSTILE, HOSTILE, "male", "sil s ah n sil", "sil z ah m n sil"),
]


def phones(symbols: str, scored: bool) -> list[PhoneSegment]:
    return [
        PhoneSegment(symbol, round(0.1 * place, 3), round(0.1 * (place + 1), 3), 0.75 if scored else None)
        for place, symbol in enumerate(symbols.split())
    ]


OTHERS = [
    "sil dh ah s iy sil",
    "sil k eh t sil",
    "sil d ah g sil",
    "sil z ah m n sil",
]
"""What a second run recognises: fair-1 right, an error in fair-2, another error in good-1, the same in the last."""


def make_run(folder: Path, others: bool = False) -> Path:
    cuts, hypotheses = [], []
    for number, (name, speaker, sex, said, first) in enumerate(SPOKEN):
        heard = OTHERS[number] if others else first
        audio = folder.parent / "corpus" / f"{number} #?.wav"
        audio.parent.mkdir(exist_ok=True)
        samples = np.sin(np.arange(RATE) * (0.1 + 0.1 * number)).astype(np.float32) / 2
        soundfile.write(audio, samples, RATE)
        segments = [(each.phone, each.start or 0.0, each.end or 0.0) for each in phones(said, False)]
        cuts.append(
            utterance_cut(
                name, audio, RATE, RATE, speaker=speaker, gender=sex, text=f"text of {name}", phones=segments,
                words=[("a<b>", 0.1, 0.4)], custom={"dialect": f"dr{number % 2}"},
            )
        )  # fmt: skip
        hypotheses.append(Transcript(name, phones(heard, True), speaker, str(audio), 1.0))
    references = [reference(cut) for cut in cuts]
    result = score(references, hypotheses, ScoringConfig(bootstrap=100))
    write_result(result, folder / "score")
    write_transcripts(folder / "decode" / "test" / "references.jsonl", references)
    write_transcripts(folder / "decode" / "test" / "hypotheses.jsonl", hypotheses)
    write_cuts(folder / "prepare" / "test.cuts.jsonl.gz", cuts)
    write_json(folder / "results.json", result.to_json() | {"recipe": HOSTILE, "corpus": "timit"})
    write_recipe(folder / "recipe.yaml", RecipeConfig(corpus=CorpusConfig(name="timit")))
    return folder


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return make_run(tmp_path / "run")


@pytest.fixture
def other_run(tmp_path: Path) -> Path:
    return make_run(tmp_path / "other", others=True)


@pytest.fixture
def beside(run: Path, other_run: Path) -> Path:
    """The folder of two runs side by side."""
    return beside_folder(run, other_run, "link").parent


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as running:
        yield running


@pytest.fixture
def folder(run: Path) -> Path:
    return report_folder(run, "link").parent


@pytest.fixture
def opened(browser: Any, folder: Path) -> Iterator[Opened]:
    context = browser.new_context(viewport={"width": 1300, "height": 900}, accept_downloads=True)
    context.set_default_timeout(60_000)
    page = Opened(context.new_page(), folder)
    yield page
    assert page.problems == []
    assert all(address.startswith(("file:", "data:", "blob:")) for address in page.requested)
    context.close()
