"""sclite reads the STM, CTM and TRN files that are written, as they are meant."""

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from asr.formats.registry import writer
from asr.formats.transcript import PhoneSegment, Transcript

# Debian's sctk has one command with the tools as subcommands; NIST's own build has sclite alone.
SCLITE = ["sclite"] if shutil.which("sclite") else ["sctk", "sclite"] if shutil.which("sctk") else []

pytestmark = pytest.mark.skipif(not SCLITE, reason="sclite is not installed (Debian's package sctk)")


def spoken(name: str, symbols: str) -> Transcript:
    phones = [PhoneSegment(symbol, n / 10, (n + 1) / 10) for n, symbol in enumerate(symbols.split())]
    return Transcript(name, phones, speaker="ann", duration=len(phones) / 10)


SAID = [spoken("ann_1", "<unk> h# sh iy hh ae dcl"), spoken("ann_b/2", "d aa r kcl k")]


def errors(*arguments: object) -> tuple[int, ...]:
    """Words, and correct, substituted, deleted and inserted ones."""
    command = [*SCLITE, *map(str, arguments), "-o", "rsum", "stdout"]
    report = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    [total] = re.findall(r"\| Sum +\|(.*)\|(.*)\|", report)
    words, correct, substituted, deleted, inserted = [int(each) for part in total for each in part.split()][1:6]
    return words, correct, substituted, deleted, inserted


def test_stm_and_ctm(tmp_path: Path) -> None:
    for form in ("stm", "ctm"):
        writer(form).write(tmp_path, SAID)
    found = errors("-r", tmp_path / "phones.stm", "stm", "-h", tmp_path / "phones.ctm", "ctm")
    assert found == (12, 12, 0, 0, 0)


def test_trn(tmp_path: Path) -> None:
    [reference] = writer("trn").write(tmp_path, SAID)
    [hypothesis] = writer("trn").write(tmp_path / "heard", [replace(SAID[0], phones=SAID[0].phones[1:]), SAID[1]])
    assert errors("-i", "spu_id", "-r", reference, "trn", "-h", hypothesis, "trn") == (12, 11, 0, 1, 0)
