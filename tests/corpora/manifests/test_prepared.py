"""Prepared manifests: divided again, merged with weights, and measured."""

import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml
from lhotse import MonoCut
from support.commands.asr_command import Command, snapshot
from support.corpora.own_corpora import BUILDERS, RATE, SECONDS

from asr.corpora.cuts import phone_segments, phone_sequence, read_cuts, reference, write_cuts
from asr.corpora.manifests.statistics import corpus_statistics
from asr.formats.transcript import read_transcripts, write_transcripts

SPLITS = ("train", "dev", "test")


@pytest.fixture
def prepared(tmp_path: Path, asr_command: Command) -> Path:
    return prepare("csv", tmp_path, asr_command)


def prepare(name: str, tmp_path: Path, asr_command: Command, *options: object) -> Path:
    BUILDERS[name](tmp_path / f"{name}-corpus")
    outcome = asr_command("prepare", name, tmp_path / f"{name}-corpus", tmp_path / name, *options)
    assert outcome.status == 0, outcome.err
    return tmp_path / name


def cuts(folder: Path, split: str) -> list[MonoCut]:
    return list(read_cuts(folder / f"{split}.cuts.jsonl.gz"))


def speakers(folder: Path, split: str) -> set[str]:
    return {cut.supervisions[0].speaker for cut in cuts(folder, split)}


def moved(cut: MonoCut, folder: Path) -> MonoCut:
    """The cut with other audio: the same noise, half as loud."""
    samples, _ = soundfile.read(cut.recording.sources[0].source)
    folder.mkdir(exist_ok=True)
    soundfile.write(folder / f"{cut.id}.wav", samples / 2, RATE)
    source = replace(cut.recording.sources[0], source=str(folder / f"{cut.id}.wav"))
    return replace(cut, recording=replace(cut.recording, sources=[source]))


def test_a_part_of_one_corpus_is_taken(prepared: Path, tmp_path: Path, asr_command: Command) -> None:
    refused = asr_command("prepare", "merge", prepared, tmp_path / "out")
    assert "give two or more folders from asr prepare (or one with a --weight), and then OUT_DIR" in refused.err
    outcome = asr_command("prepare", "merge", prepared, tmp_path / "out", "--weight", f"{prepared.name}=0.5")
    assert outcome.status == 0, outcome.err
    assert 0 < len(cuts(tmp_path / "out", "train")) < len(cuts(prepared, "train"))
    for split in ("dev", "test"):
        names = [cut.id for cut in cuts(tmp_path / "out", split)]
        assert names == [f"{prepared.name}/{cut.id}" for cut in cuts(prepared, split)]


def test_a_prepared_corpus_is_divided_again(prepared: Path, tmp_path: Path, asr_command: Command) -> None:
    outcome = asr_command("prepare", "split", prepared, tmp_path / "out", "--dev", "0.03min", "--test", "35%")
    assert outcome.status == 0, outcome.err
    sides = [speakers(tmp_path / "out", split) for split in SPLITS]
    assert [len(side) for side in sides] == [2, 2, 2]
    assert len(set.union(*sides)) == 6
    assert (tmp_path / "out" / "phones.txt").read_bytes() == (prepared / "phones.txt").read_bytes()
    for seed in (1, 2, 3):
        asr_command("prepare", "split", prepared, tmp_path / f"{seed}", "--seed", seed)
    assert len({frozenset(speakers(tmp_path / f"{seed}", "test")) for seed in (1, 2, 3)}) > 1


def test_a_corpus_divided_by_recordings_is_merged_and_read_again(tmp_path: Path, asr_command: Command) -> None:
    one = prepare("csv", tmp_path, asr_command, "--split-by", "recording", "--test", "40%")
    assert speakers(one, "train") & speakers(one, "test")
    other = prepare("kaldi", tmp_path, asr_command, "--text", "phones")
    assert asr_command("prepare", "merge", one, other, tmp_path / "all").status == 0
    assert asr_command("prepare", "split", one, tmp_path / "again", "--split-by", "recording").status == 0
    for folder in ("all", "again"):
        corpus = yaml.safe_load((tmp_path / folder / "recipe.yaml").read_text())["corpus"]
        assert corpus == {"name": "lhotse", "dir": str(tmp_path / folder), "split": {"by": "recording"}}


def test_corpora_are_merged_with_weights_and_keep_their_names(tmp_path: Path, asr_command: Command) -> None:
    one, other = prepare("csv", tmp_path, asr_command), prepare("folder", tmp_path, asr_command)
    for audio in (tmp_path / "folder-corpus").rglob("*.wav"):  # the same noise in both would be the same audio
        samples, _ = soundfile.read(audio)
        soundfile.write(audio, samples / 2, RATE)
    outcome = asr_command("prepare", "merge", one, other, tmp_path / "all", "--weight", "folder=2.5")
    assert outcome.status == 0, outcome.err
    for split in ("dev", "test"):
        assert len(cuts(tmp_path / "all", split)) == len(cuts(one, split)) + len(cuts(other, split))
    train = cuts(tmp_path / "all", "train")
    times = Counter(cut.id.partition("#")[0] for cut in train)
    assert {times[f"csv/{cut.id}"] for cut in cuts(one, "train")} == {1}
    assert {times[f"folder/{cut.id}"] for cut in cuts(other, "train")} == {2, 3}
    assert {(cut.id.split("/")[0], cut.supervisions[0].custom["corpus"]) for cut in train} == {
        ("csv", "csv"),
        ("folder", "folder"),
    }
    assert not speakers(tmp_path / "all", "train") & speakers(tmp_path / "all", "test")
    again = asr_command("prepare", "lhotse", tmp_path / "all", tmp_path / "again")
    assert again.status == 0, again.err
    assert cuts(tmp_path / "again", "train") == train
    assert corpus_statistics(tmp_path / "all").corpora["csv"].utterances == 12


def test_a_merge_says_of_which_corpus_something_is_missing(
    prepared: Path, tmp_path: Path, asr_command: Command
) -> None:
    """Whatever was missing, the recipe took the speakers for unknown."""
    summary = prepared / "summary.json"
    for missing, cmvn in (("train has 8 of 9 utterances", "speaker"), ("speaker labels of 12 utterances", "utterance")):
        summary.write_text(json.dumps(json.loads(summary.read_text()) | {"missing": [missing]}))
        merged = asr_command("prepare", "merge", prepared, tmp_path / "all", "--weight", "csv=2")
        assert f"missing: csv: {missing}" in merged.err
        recipe = yaml.safe_load((tmp_path / "all" / "recipe.yaml").read_text())
        assert recipe["features"]["cmvn"] == cmvn


def test_copies_of_a_weight_stay_in_train(tmp_path: Path, asr_command: Command) -> None:
    one = prepare("csv", tmp_path, asr_command)
    assert asr_command("prepare", "lhotse", one, tmp_path / "other").status == 0
    for split in SPLITS:  # of the other corpus, nothing that the first one has
        path = tmp_path / "other" / f"{split}.cuts.jsonl.gz"
        write_cuts(path, [moved(cut, tmp_path / "elsewhere") for cut in cuts(tmp_path / "other", split)])
    merged = asr_command("prepare", "merge", one, tmp_path / "other", tmp_path / "all", "--weight", f"{one}=3")
    assert merged.status == 0, merged.err
    for seed in range(4):
        outcome = asr_command("prepare", "split", tmp_path / "all", tmp_path / f"{seed}", "--seed", seed)
        assert outcome.status == 0, outcome.err
        names = {split: [cut.id for cut in cuts(tmp_path / f"{seed}", split)] for split in SPLITS}
        assert corpus_statistics(tmp_path / f"{seed}").duplicates == []
        assert not any("#" in name for name in names["dev"] + names["test"])
        assert any("#" in name for name in names["train"])
        assert {name.partition("#")[0] for name in names["train"]}.isdisjoint(names["dev"] + names["test"])
        assert len({name.partition("#")[0] for split in SPLITS for name in names[split]}) == 24


def test_a_merged_folder_with_spaces_in_its_name_can_be_read_again(
    prepared: Path, tmp_path: Path, asr_command: Command
) -> None:
    spaced = prepared.rename(tmp_path / "my corpus")
    merged = asr_command("prepare", "merge", spaced, tmp_path / "all", "--weight", "my corpus=2")
    assert merged.status == 0, merged.err
    assert "my_corpus/ann0#2" in {cut.id for split in SPLITS for cut in cuts(tmp_path / "all", split)}
    outcome = asr_command("prepare", "lhotse", tmp_path / "all", tmp_path / "again")
    assert outcome.status == 0, outcome.err


def test_a_prepared_corpus_is_not_replaced_by_a_merge(prepared: Path, tmp_path: Path, asr_command: Command) -> None:
    assert asr_command("prepare", "lhotse", prepared, tmp_path / "other").status == 0
    assert asr_command("prepare", "lhotse", prepared, tmp_path / "third").status == 0
    before = snapshot(tmp_path / "third")
    for arguments in (("merge", prepared, tmp_path / "other"), ("split", prepared)):
        outcome = asr_command("prepare", *arguments, tmp_path / "third")
        assert outcome.status == 1
        assert "third: holds the output of asr prepare; choose another folder with OUT_DIR" in outcome.err
        assert snapshot(tmp_path / "third") == before


def test_folders_that_cannot_be_merged(prepared: Path, tmp_path: Path, asr_command: Command) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / prepared.name).symlink_to(tmp_path / "twin" / prepared.name)
    assert asr_command("prepare", "lhotse", prepared, tmp_path / "twin" / prepared.name).status == 0
    outcome = asr_command("prepare", "merge", prepared, tmp_path / "more" / prepared.name, tmp_path / "all")
    assert "two of the folders have the same name" in outcome.err
    (prepared / "fold-1").mkdir()
    outcome = asr_command("corpus", "stats", prepared)
    assert (outcome.status, len(outcome.err.splitlines())) == (1, 1)
    assert "has folds; prepare the corpus with --folds 1" in outcome.err


def test_the_same_audio_on_two_sides_of_a_merge_is_refused(tmp_path: Path, asr_command: Command) -> None:
    one, other = prepare("csv", tmp_path, asr_command), prepare("folder", tmp_path, asr_command, "--seed", 5)
    outcome = asr_command("prepare", "merge", one, other, tmp_path / "all")
    assert outcome.status == 1
    assert "has the same audio as" in outcome.err
    outcome = asr_command("prepare", "merge", one, other, tmp_path / "all", "--skip-bad")
    assert outcome.status == 0, outcome.err
    assert "utterances skipped" in outcome.err


def test_copies_in_another_format_stay_together(tmp_path: Path, asr_command: Command) -> None:
    """Whoever they are said to be of."""
    BUILDERS["csv"](tmp_path / "mine")
    rows = (tmp_path / "mine/mine.csv").read_text().splitlines()
    for path in (tmp_path / "mine").rglob("*.wav"):
        soundfile.write(path.with_suffix(".flac"), *soundfile.read(path))
    copied = [re.sub(r"(\w+)\.wav,(\w+),(\w+)", r"\1.flac,\2-copy,\3-copy", row) for row in rows[1:]]
    (tmp_path / "mine/mine.csv").write_text("\n".join([*rows, *copied]) + "\n")
    assert asr_command("prepare", "csv", tmp_path / "mine/mine.csv", tmp_path / "prepared").status == 0
    for folder, *options in (["one"], ["two", "--split-by", "recording"]):
        outcome = asr_command("prepare", "split", tmp_path / "prepared", tmp_path / folder, *options)
        assert outcome.status == 0, outcome.err
        sides = {cut.id: split for split in SPLITS for cut in cuts(tmp_path / folder, split)}
        assert len(sides) == 24
        assert all(sides[name] == sides[f"{name}-copy"] for name in sides if not name.endswith("-copy"))


def test_merged_phones_are_in_one_set(tmp_path: Path, asr_command: Command) -> None:
    timit = prepare("folder", tmp_path, asr_command, "--phone-set", "timit39")
    words = prepare("textgrid", tmp_path, asr_command, "--seed", "0")
    outcome = asr_command("prepare", "merge", timit, words, tmp_path / "all")
    assert "different phone sets (folder: timit39, textgrid: phones)" in outcome.err
    phones = tmp_path / "phones.txt"
    phones.write_text("sil\tsilence\niy\n")
    outcome = asr_command("prepare", "merge", timit, words, tmp_path / "all", "--phone-set", phones)
    assert re.search(r"folder: utterance ann/ann0: unknown phone 'sh'", outcome.err)
    for audio in (tmp_path / "textgrid-corpus").rglob("*.wav"):
        soundfile.write(audio, np.random.default_rng(len(str(audio))).normal(0, 0.1, 8000), RATE)
    outcome = asr_command("prepare", "merge", timit, words, tmp_path / "all", "--phone-set", "timit39", "--skip-bad")
    assert outcome.status == 0, outcome.err
    for cut in cuts(tmp_path / "all", "train"):
        assert [each.phone for each in phone_segments(cut)] == ["sil", "sh", "iy", "sil"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--weight", "mine=2"], "--weight mine=2: use FOLDER=NUMBER, with one of csv, other"),
        (["--weight", "csv=0"], "--weight csv=0: use FOLDER=NUMBER"),
    ],
)
def test_weights_that_are_not_allowed(
    arguments: list[str], message: str, prepared: Path, tmp_path: Path, asr_command: Command
) -> None:
    (tmp_path / "other").symlink_to(prepared)
    (tmp_path / "other").unlink()
    assert asr_command("prepare", "lhotse", prepared, tmp_path / "other").status == 0
    outcome = asr_command("prepare", "merge", prepared, tmp_path / "other", tmp_path / "all", *arguments)
    assert message in outcome.err
    assert asr_command("prepare", "merge", prepared, tmp_path / "all").status == 1


def test_scores_are_shown_for_each_corpus(tmp_path: Path, asr_command: Command) -> None:
    one, other = prepare("csv", tmp_path, asr_command), prepare("folder", tmp_path, asr_command, "--seed", 5)
    merged = asr_command("prepare", "merge", one, other, tmp_path / "all", "--skip-bad")
    assert merged.status == 0, merged.err
    said = [reference(cut) for cut in cuts(tmp_path / "all", "train")]
    write_transcripts(tmp_path / "references.jsonl", said)
    assert list(read_transcripts(tmp_path / "references.jsonl")) == said
    rows = [each.to_json() for each in said]
    for row in rows:
        if row.pop("corpus") == "folder":
            row["phones"] = row["phones"][:-1]
    (tmp_path / "hypotheses.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    files = (tmp_path / "references.jsonl", tmp_path / "hypotheses.jsonl")
    outcome = asr_command("score", *files, "--bootstrap", "10", "--out", tmp_path / "score")
    assert outcome.status == 0, outcome.err
    assert "By corpus" in outcome.out
    results = json.loads((tmp_path / "score" / "results.json").read_text())
    assert {name: row["counted"]["per"] for name, row in results["by_corpus"].items()} == {"csv": 0.0, "folder": 25.0}
    lines = [json.loads(line) for line in (tmp_path / "score" / "utterances.jsonl").read_text().splitlines()]
    assert {line["corpus"] for line in lines} == {"csv", "folder"}


def test_statistics_find_what_is_wrong(tmp_path: Path, asr_command: Command) -> None:
    BUILDERS["csv"](tmp_path / "corpus")
    audio = tmp_path / "corpus"
    soundfile.write(audio / "ann" / "ann0.wav", np.sign(np.sin(np.arange(8000) / 9)), RATE)
    soundfile.write(audio / "bob" / "bob0.wav", np.zeros(8000), RATE)
    (audio / "cat" / "cat1.wav").write_bytes((audio / "cat" / "cat0.wav").read_bytes())
    table = audio / "mine.csv"
    table.write_text(table.read_text().replace("dan0,dan,she said,sil sh iy sil", "dan0,dan,she said," + "sh iy " * 9))
    assert asr_command("prepare", "csv", audio, tmp_path / "out").status == 0
    (audio / "eve" / "eve0.wav").write_bytes(b"no audio")
    outcome = asr_command("corpus", "stats", tmp_path / "out", "--json")
    assert outcome.status == 0, outcome.err
    found = json.loads(outcome.out)
    assert sum(part["utterances"] for part in found["splits"].values()) == 12
    assert found["phones"] == {"sh": 20, "iy": 20, "sil": 22}
    assert found["duplicates"] == [["cat0", "cat1"]]
    assert found["bad_rates"] == {"dan0": 36.0}
    assert list(found["unreadable"]) == ["eve0"]
    assert found["problems"]["all its samples are zero"] == ["bob0"]
    assert [names for problem, names in found["problems"].items() if "clipped" in problem] == [["ann0"]]
    assert found["seconds"] == {"least": SECONDS, "median": SECONDS, "greatest": SECONDS}
    assert found["level"]["greatest"] == pytest.approx(0, abs=0.1)
    assert found["level"]["median"] == pytest.approx(-20, abs=0.5)
    outcome = asr_command("corpus", "stats", tmp_path / "out")
    assert "the same audio: cat0 = cat1" in outcome.out
    assert " 2 utterances: the same audio" in outcome.out
    assert " 1 utterance: all its samples are zero" in outcome.out
    assert "\nall its samples are zero: bob0\n" in outcome.out
    assert "phones do not fit the length: dan0 (36.0 phones a second)" in outcome.out


def test_statistics_of_a_sound_corpus(prepared: Path, asr_command: Command) -> None:
    table = asr_command("corpus", "stats", prepared).out
    assert "8 to 8, median 8" in table
    assert "cannot be read" not in table


def test_a_folder_that_is_not_prepared_is_one_line(tmp_path: Path, asr_command: Command) -> None:
    outcome = asr_command("corpus", "stats", tmp_path)
    assert outcome.status == 1
    assert len(outcome.err.splitlines()) == 1
    assert "run the prepare stage again" in outcome.err


def test_untimed_phones_are_converted(tmp_path: Path, asr_command: Command) -> None:
    one = prepare("csv", tmp_path, asr_command, "--phone-set", "cmu39")
    other = prepare("kaldi", tmp_path, asr_command, "--phone-set", "timit39", "--text", "phones")
    outcome = asr_command("prepare", "merge", one, other, tmp_path / "all", "--phone-set", "timit39")
    assert outcome.status == 0, outcome.err
    assert {tuple(phone_sequence(cut)) for cut in cuts(tmp_path / "all", "train")} == {("sil", "sh", "iy", "sil")}
