"""Where a system errs: groups and contexts counted by hand."""

from pathlib import Path

from asr.config import CorpusConfig, RecipeConfig, ScoringConfig
from asr.config.recipe_file import write_recipe
from asr.corpora.cuts import reference, utterance_cut, write_cuts
from asr.formats.transcript import PhoneSegment, Transcript, write_transcripts
from asr.report.error_analysis import Tally, contexts, error_analysis
from asr.report.run_files import read_run
from asr.scoring.results import write_result
from asr.scoring.score import score
from asr.storage.json_files import write_json

SPOKEN = [("sil", 0.1), ("k", 0.02), ("ae", 0.1), ("t", 0.04), ("q", 0.05), ("iy", 0.2), ("sil", 0.1)]
WORDS = [("cat", 0.1, 0.26), ("e", 0.26, 0.51)]
HEARD = "sil s ae t iy m sil"


def make_run(folder: Path, words: bool = True) -> Path:
    phones, at = [], 0.0
    for symbol, seconds in SPOKEN:
        phones.append((symbol, at, at + seconds))
        at += seconds
    cut = utterance_cut(
        "u", Path("u.wav"), 16000, round(16000 * at), speaker="s", phones=phones, words=WORDS if words else ()
    )
    hypothesis = Transcript("u", [PhoneSegment(symbol) for symbol in HEARD.split()], "s")
    result = score([reference(cut)], [hypothesis], ScoringConfig(bootstrap=10))
    write_result(result, folder / "score")
    write_transcripts(folder / "decode" / "test" / "references.jsonl", [reference(cut)])
    write_cuts(folder / "prepare" / "test.cuts.jsonl.gz", [cut])
    write_json(folder / "results.json", result.to_json())
    write_recipe(folder / "recipe.yaml", RecipeConfig(corpus=CorpusConfig(name="timit")))
    return folder


def found(run: Path) -> dict[str, dict[str, tuple[int, int, int, int | None]]]:
    tables = error_analysis(run, read_run(run))
    return {
        name: {row.name: (row.phones, row.substitutions, row.deletions, row.insertions) for row in tables[name]}
        for name in ("classes", "places", "durations")
    }


def test_errors_are_counted_by_class_place_and_duration(tmp_path: Path) -> None:
    tables = found(make_run(tmp_path))
    assert tables["classes"] == {
        "vowel": (2, 0, 0, 0),
        "stop": (2, 1, 0, 0),
        "nasal": (0, 0, 0, 1),
        "silence": (2, 0, 0, 0),
    }
    # q is dropped by the folding, so the second word begins with iy
    assert tables["places"] == {
        "first of the utterance": (1, 1, 0, None),
        "last of the utterance": (1, 0, 0, None),
        "first of a word": (2, 1, 0, None),
        "later in a word": (2, 0, 0, None),
    }
    assert tables["durations"] == {
        "under 30 ms": (1, 1, 0, None),
        "30 to 50 ms": (1, 0, 0, None),
        "80 to 120 ms": (1, 0, 0, None),
        "120 ms and more": (1, 0, 0, None),
    }


def test_the_error_rate_of_a_group_counts_its_insertions() -> None:
    assert Tally("stop", 8, 1, 2, 3).per == 75
    assert Tally("first of a word", 8, 1, 2).per == 37.5
    assert Tally("nasal", 0, 0, 0, 1).per is None


def test_without_words_or_times_there_are_only_the_places_in_the_utterance(tmp_path: Path) -> None:
    assert list(found(make_run(tmp_path / "run", words=False))["places"]) == [
        "first of the utterance",
        "last of the utterance",
    ]
    (tmp_path / "run" / "decode" / "test" / "references.jsonl").unlink()
    assert found(tmp_path / "run")["durations"] == {}


def test_contexts_are_the_reference_phones_around() -> None:
    pairs = [("a", "a"), ("b", "c"), (None, "d"), ("e", None), (None, "f")]
    assert list(contexts(pairs)) == [
        ("a", "b", "c", "e"),
        ("b", None, "d", "e"),
        ("b", "e", None, "#"),
        ("e", None, "f", "#"),
    ]
