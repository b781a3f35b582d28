"""MAPSSWE: the segments by hand, and the statistic against NIST's sc_stats."""

import random
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from asr.config import ScoringConfig
from asr.formats.transcript import PhoneSegment, Transcript
from asr.scoring.edit_alignment import edit_alignment
from asr.scoring.matched_pairs import matched_pairs, segments
from asr.scoring.results import ScoreResult
from asr.scoring.score import score

PHONES = ("s", "iy", "k", "ae", "t", "n", "m", "ow")


def cut(said: str, first: str, second: str) -> list[tuple[int, int]]:
    return list(segments(*(edit_alignment(said.split(), heard.split()) for heard in (first, second))))


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("a b c d e f", "a b c d e f", []),
        ("x b c d e f", "a b c d e f", [(1, 0)]),
        ("x b c d e y", "a b c d e f", [(1, 0), (1, 0)]),
        ("x b d e f", "a b c d e y", [(2, 0), (0, 1)]),
        ("x b c d e f", "a b y d e f", [(1, 1)]),
        ("a b i c d e f", "a b c d e f", [(1, 0)]),
        ("a x c i d e f", "a b c d e f", [(2, 0)]),
        ("a b c d e f", "a b c d e f i j", [(0, 2)]),
    ],
)
def test_segments_are_cut_where_both_have_two_phones_right(
    first: str, second: str, expected: list[tuple[int, int]]
) -> None:
    assert cut("a b c d e f", first, second) == expected


def test_an_utterance_whose_pronunciations_differ_is_one_segment() -> None:
    first = edit_alignment(["s", "iy", "k", "ae", "t"], ["s", "iy", "k", "t"])
    second = edit_alignment(["s", "iy", "k", "t"], ["s", "iy", "iy", "n", "t"])
    assert list(segments(first, second)) == [(1, 2)]
    right = [edit_alignment(said, said) for said in (["s", "iy"], ["s", "ae", "t"])]
    assert list(segments(*right)) == []


def scored(said: list[list[str]], heard: list[list[str]]) -> ScoreResult:
    sides = (
        [Transcript(f"u{n:03}", [PhoneSegment(p) for p in phones], "s") for n, phones in enumerate(side)]
        for side in (said, heard)
    )
    return score(*sides, ScoringConfig(bootstrap=10))


def noisy(said: list[str], generator: random.Random, rate: float) -> list[str]:
    """A hypothesis whose first and last phones are right."""
    heard = []
    for phone in said[1:-1]:
        chance = generator.random() / rate
        if chance > 0.3:
            heard.append(generator.choice(PHONES) if chance < 0.8 else phone)
        if 0.8 < chance < 1:
            heard.append(generator.choice(PHONES))
    return [said[0], *heard, said[-1]]


def speech(seed: int, rates: tuple[float, float]) -> tuple[list[list[str]], list[list[str]], list[list[str]]]:
    generator = random.Random(seed)
    said = [["sil", *generator.choices(PHONES, k=30), "sil"] for _ in range(40)]
    return said, *([noisy(phones, generator, rate) for phones in said] for rate in rates)


def test_the_sign_says_which_is_better_and_equal_systems_do_not_differ() -> None:
    said, bad, good = speech(1, (0.3, 0.1))
    found = matched_pairs(scored(said, bad), scored(said, good))
    assert found.z < -4
    assert found.p < 0.001
    same = matched_pairs(scored(said, bad), scored(said, bad))
    assert (same.z, same.p) == (0, 1)


SCTK = [] if shutil.which("sc_stats") else ["sctk"]


@pytest.mark.skipif(not shutil.which("sc_stats") and not shutil.which("sctk"), reason="NIST's SCTK is not installed")
@pytest.mark.parametrize(("seed", "rates"), [(2, (0.2, 0.2)), (3, (0.25, 0.15)), (4, (0.1, 0.12))])
def test_it_is_the_statistic_of_sc_stats(seed: int, rates: tuple[float, float], tmp_path: Path) -> None:
    said, *systems = speech(seed, rates)

    def write(name: str, side: list[list[str]]) -> None:
        (tmp_path / name).write_text("".join(f"{' '.join(p)} (s_u{n:03})\n" for n, p in enumerate(side)))

    write("ref.trn", said)
    reports = []
    for name, heard in zip(("one", "two"), systems, strict=True):
        write(f"{name}.trn", heard)
        command = [*SCTK, "sclite", "-r", "ref.trn", "trn", "-h", f"{name}.trn", "trn", name, "-i", "spu_id"]
        subprocess.run([*command, "-o", "sgml"], cwd=tmp_path, check=True, capture_output=True)
        reports.append((tmp_path / f"{name}.trn.sgml").read_text())
    done = subprocess.run(
        [*SCTK, "sc_stats", "-p", "-t", "mapsswe", "-v", "-n", "-"],
        cwd=tmp_path, input="".join(reports), text=True, capture_output=True, check=True,
    )  # fmt: skip
    found = re.search(r"# segs: (\d+)\).*Z Stat: (-?[\d.]+)\)", done.stdout)
    assert found, done.stdout + done.stderr
    ours = matched_pairs(*(scored(said, heard) for heard in systems))
    assert ours.segments == int(found[1])
    assert -ours.z == pytest.approx(float(found[2]), abs=6e-4)
