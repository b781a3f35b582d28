"""The .pra and .dtl files are those of NIST sclite, to the byte."""

import random
import shutil
import subprocess
from pathlib import Path

import pytest

from asr.config import ScoringConfig
from asr.formats.transcript import PhoneSegment, Transcript
from asr.phones.phone_set import load_phone_set
from asr.scoring.results import ScoreResult
from asr.scoring.sclite_reports import write_sclite_reports
from asr.scoring.score import score

SCLITE = ["sclite"] if shutil.which("sclite") else ["sctk", "sclite"] if shutil.which("sctk") else []


def scored(heard_of: dict[str, tuple[list[str], list[str]]]) -> ScoreResult:
    def transcripts(side: int) -> list[Transcript]:
        return [
            Transcript(name, [PhoneSegment(phone) for phone in both[side]], name.partition("-")[0])
            for name, both in heard_of.items()
        ]

    return score(transcripts(0), transcripts(1), ScoringConfig(bootstrap=10))


def noisy(utterances: int, wrong: float) -> dict[str, tuple[list[str], list[str]]]:
    """Reference and hypothesis of each utterance, in the order of speakers and names."""
    generator = random.Random(1)
    phones = [phone for phone in load_phone_set("timit39") if phone != "sil"]
    spoken = {}
    for number in range(utterances):
        said = ["sil", *generator.choices(phones, k=12), "sil"]
        heard = [generator.choice(phones) if generator.random() < wrong else phone for phone in said]
        heard = [phone for phone in heard if generator.random() >= wrong / 2]
        heard = [
            phone for phone, before in zip(heard, [None, *heard], strict=False) if phone != "sil" or before != "sil"
        ]
        spoken[f"s{number * 12 // utterances:02}-u{number:05}"] = said, heard
    return spoken


@pytest.mark.skipif(not SCLITE, reason="sclite is not installed (Debian's package sctk)")
@pytest.mark.parametrize(("utterances", "wrong"), [(60, 0.3), (1500, 0.3), (3, 0.0), (3, 1.0)])
def test_both_files_are_those_of_sclite(utterances: int, wrong: float, tmp_path: Path) -> None:
    spoken = noisy(utterances, wrong)
    for side, name in enumerate(("ref", "hyp")):
        lines = [f"{' '.join(both[side])} ({utterance})\n" for utterance, both in spoken.items()]
        (tmp_path / name).write_text("".join(lines))
    command = [*SCLITE, "-r", "ref", "trn", "-h", "hyp", "trn", "-i", "rm", "-o", "pra", "dtl", "-O", ".", "-n", "out"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    paths = write_sclite_reports(scored(spoken), tmp_path, "hyp")
    assert [path.name for path in paths] == ["sclite.pra", "sclite.dtl"]
    for path in paths:
        assert path.read_text() == (tmp_path / f"out{path.suffix}").read_text()


def test_an_alignment_as_sclite_writes_it(tmp_path: Path) -> None:
    result = scored({"s-u": (["sil", "dh", "ah", "s", "iy"], ["sil", "dh", "s", "z", "iy"])})
    lines = write_sclite_reports(result, tmp_path, "hyp")[0].read_text().splitlines()
    assert lines[lines.index("id: (s-u)") + 1 :] == [
        "Scores: (#C #S #D #I) 4 0 1 1",
        "REF:  sil dh AH s * iy ",
        "HYP:  sil dh ** s Z iy ",
        "Eval:        D    I    ",
        "",
        "",
    ]
