"""A finished run whose utterances have audio, times and hostile names."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from asr.config import CorpusConfig, RecipeConfig, ScoringConfig
from asr.config.recipe_file import write_recipe
from asr.corpora.cuts import reference, utterance_cut, write_cuts
from asr.formats.transcript import PhoneSegment, Transcript, write_transcripts
from asr.scoring.results import write_result
from asr.scoring.score import score
from asr.storage.files import write_json

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


def make_run(folder: Path) -> Path:
    cuts, hypotheses = [], []
    for number, (name, speaker, sex, said, heard) in enumerate(SPOKEN):
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
