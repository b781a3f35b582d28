"""References and hypotheses are joined whatever their order, and what is missing or double is named."""

import random
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.config import ScoringConfig
from asr.errors import InputError
from asr.formats.transcript import PhoneSegment, Recognised, Transcript, write_transcripts
from asr.scoring.counterparts import joined
from asr.scoring.score import score_files
from asr.scoring.stage import score_stage

NAMES = st.lists(st.text("abc", min_size=1, max_size=3), unique=True, max_size=8)


def spoken(name: str, *symbols: str) -> Recognised:
    return Recognised(name, f"speaker of {name}", list(symbols), [None] * len(symbols))


@given(NAMES, st.randoms(use_true_random=False), st.integers(0, 8))
def test_every_reference_gets_its_hypothesis(names: list[str], order: random.Random, same: int) -> None:
    others = names[same:]
    order.shuffle(others)
    references = [spoken(name, "aa") for name in names]
    pairs = list(joined(references, [spoken(name, name, "b") for name in [*names[:same], *others]]))
    assert [(reference.utterance, heard.symbols, heard.speaker) for reference, heard in pairs] == [
        (name, [name, "b"], f"speaker of {name}") for name in names
    ]


@pytest.mark.parametrize(
    ("references", "hypotheses", "message"),
    [
        ("a b", "a", "b has no hypothesis"),
        ("a b", "b", "a has no hypothesis"),
        ("a b c", "a c", "b has no hypothesis"),
        ("a", "a b", "b has no reference"),
        ("b", "a b", "a has no reference"),
        ("", "a", "a has no reference"),
        ("a b a", "a b a", "a occurs twice in the references"),
        ("a b a", "b a", "a occurs twice in the references"),
        ("a b", "a b a", "a occurs twice in the hypotheses"),
        ("a b", "b a b", "b occurs twice in the hypotheses"),
    ],
)
def test_what_is_missing_or_double_is_named(references: str, hypotheses: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        list(joined(map(spoken, references.split()), map(spoken, hypotheses.split())))


def test_with_the_same_order_one_utterance_is_read_at_a_time() -> None:
    read: list[str] = []

    def reading(side: str) -> Iterator[Recognised]:
        for name in "abc":
            read.append(side + name)
            yield spoken(name)

    pairs = joined(reading("reference "), reading("hypothesis "))
    next(pairs)
    assert read == ["reference a", "hypothesis a"]


def write(folder: Path, number: int, order: random.Random | None = None) -> tuple[Path, Path]:
    """References and hypotheses of 40 phones each, the hypotheses in a random order if one is given."""
    paths = folder / "references.jsonl", folder / "hypotheses.jsonl"
    generator = random.Random(0)
    symbols = ["sil", "aa", "b", "iy", "s"]
    for path in paths:
        rows = [
            Transcript(
                f"u{n}", [PhoneSegment(generator.choice(symbols), 0.0, 0.1, 0.5) for _ in range(40)], f"s{n % 3}"
            )
            for n in range(number)
        ]
        if order is not None and path == paths[1]:
            order.shuffle(rows)
        write_transcripts(path, rows)
    return paths


def test_the_order_of_the_files_changes_no_result(tmp_path: Path) -> None:
    for name, order in (("same", None), ("shuffled", random.Random(1))):
        (tmp_path / name).mkdir()
        paths = write(tmp_path / name, 50, order)
        score_stage(*paths, tmp_path / name / "score", ScoringConfig(bootstrap=100))
    for file in ("results.json", "utterances.jsonl", "confusions.tsv"):
        same, shuffled = ((tmp_path / name / "score" / file).read_bytes() for name in ("same", "shuffled"))
        assert same == shuffled


def test_memory_grows_by_little_an_utterance(tmp_path: Path) -> None:
    config = ScoringConfig(bootstrap=10)

    def peak(number: int) -> int:
        paths = write(tmp_path, number)
        tracemalloc.start()
        score_files(*paths, tmp_path / "score", config)
        memory = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return memory

    small, large = peak(100), peak(250)
    assert (large - small) / 150 < 2000  # bytes; the alignments of so few are still in memory
