"""Every utterance has the counts that NIST sclite gives it, in all three treatments of silence."""

import random
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from asr.config import ScoringConfig
from asr.formats.transcript import PhoneSegment, Transcript
from asr.phones.folding import fold
from asr.phones.phone_set import load_phone_set, silences
from asr.scoring.score import score
from asr.scoring.silence import TREATMENTS, Treatment, treat

# Debian's sctk has one command with the tools as subcommands; NIST's own build has sclite alone.
SCLITE = ["sclite"] if shutil.which("sclite") else ["sctk", "sclite"] if shutil.which("sctk") else []
SILENCE = silences("timit39")
PHONES = load_phone_set("timit39")

pytestmark = pytest.mark.skipif(not SCLITE, reason="sclite is not installed (Debian's package sctk)")


def transcript(utterance: str, symbols: Sequence[str]) -> Transcript:
    return Transcript(utterance, [PhoneSegment(symbol) for symbol in symbols])


def noisy(symbols: Sequence[str], generator: random.Random, rate: float) -> list[str]:
    """A hypothesis with substitutions, deletions and insertions, many of them of silence."""
    heard: list[str] = []
    for symbol in symbols:
        chance = generator.random() / rate
        if chance > 0.3:
            heard.append(generator.choice(PHONES) if chance < 0.7 else symbol)
        if 0.7 < chance < 1:
            heard.append(generator.choice(("sil", generator.choice(PHONES))))
    return heard


def assert_same_counts(references: list[Transcript], hypotheses: list[Transcript], folder: Path) -> None:
    result = score(references, hypotheses, ScoringConfig(bootstrap=10))
    by_utterance = {hypothesis.utterance: hypothesis for hypothesis in hypotheses}
    for treatment in TREATMENTS:
        expected = sclite_counts(
            {item.utterance: item.symbols for item in references},
            {name: by_utterance[name].symbols for name in by_utterance},
            treatment,
            folder,
        )
        ours = {}
        for item in result.utterances:
            counts = item.counts[treatment]
            correct = counts.reference_phones - counts.substitutions - counts.deletions
            ours[item.utterance] = (correct, counts.substitutions, counts.deletions, counts.insertions)
        assert ours == expected


def sclite_counts(
    references: dict[str, list[str]], hypotheses: dict[str, list[str]], treatment: Treatment, folder: Path
) -> dict[str, tuple[int, ...]]:
    """(correct, substitutions, deletions, insertions) of each utterance."""
    brackets = {"sil": "(sil)"} if treatment == "optional" else {}
    for name, texts, renamed in (("ref", references, brackets), ("hyp", hypotheses, {})):
        lines = []
        for utterance, symbols in texts.items():
            words = [renamed.get(symbol, symbol) for symbol in treat(fold(symbols, "timit39"), treatment, SILENCE)]
            lines.append(" ".join([*words, f"({utterance})"]) + "\n")
        (folder / f"{name}.trn").write_text("".join(lines))
    options = ["-D"] if treatment == "optional" else []
    command = [*SCLITE, "-r", "ref.trn", "trn", "-h", "hyp.trn", "trn", "-i", "rm", *options, "-o", "pralign", "stdout"]
    output = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout
    found = re.findall(r"^id: \((\S+)\)\s+Scores: \(#C #S #D #I\) (\d+) (\d+) (\d+) (\d+)", output, re.MULTILINE)
    return {utterance: tuple(int(number) for number in numbers) for utterance, *numbers in found}


@pytest.mark.corpora
@pytest.mark.parametrize("rate", [0.1, 0.35, 0.7])
def test_noisy_hypotheses_of_the_sample(sample_references: list[Transcript], tmp_path: Path, rate: float) -> None:
    generator = random.Random(int(100 * rate))
    hypotheses = [
        transcript(item.utterance, noisy(fold(item.symbols, "timit39"), generator, rate)) for item in sample_references
    ]
    assert_same_counts(sample_references, hypotheses, tmp_path)


@pytest.mark.parametrize("symbols", [("sil", "aa"), ("sil", "aa", "b", "iy"), PHONES])
def test_random_strings_with_many_ties(tmp_path: Path, symbols: tuple[str, ...]) -> None:
    generator = random.Random(len(symbols))
    references, hypotheses = [], []
    for number in range(150):
        # Leading phones, because sclite refuses a reference that a treatment leaves empty.
        reference = ["aa", *generator.choices(symbols, k=generator.randint(0, 25))]
        utterance = f"speaker{number % 3}-{number}"
        references.append(transcript(utterance, reference))
        hypotheses.append(transcript(utterance, generator.choices(symbols, k=generator.randint(0, 25))))
    assert_same_counts(references, hypotheses, tmp_path)
