"""Every layout of corpora of one's own gives the same manifests."""

import gzip
import json
import re
from pathlib import Path

import pytest
import yaml
from lhotse import CutSet, MonoCut, load_manifest
from support.commands.asr_command import Command, snapshot
from support.corpora.own_corpora import BUILDERS, PHONES, SECONDS, SPEAKERS, SYMBOLS, TEXT, all_cuts, json_lines

from asr.corpora.cuts import phone_segments, phone_sequence, read_cuts
from asr.phones.phone_set import load_phone_set

KINDS = ("recordings", "supervisions")
SPLITS = ("train", "dev", "test")


def speakers(out: Path, split: str) -> set[str]:
    return {cut.supervisions[0].speaker for cut in read_cuts(out / f"{split}.cuts.jsonl.gz")}


@pytest.mark.parametrize("name", BUILDERS)
def test_all_layouts_give_the_same_manifests(name: str, tmp_path: Path, asr_command: Command) -> None:
    BUILDERS[name](tmp_path / "corpus")
    (tmp_path / "lexicon.txt").write_text("she sh iy\nsaid s eh d\n")
    options = ["--text", "phones"] if name == "kaldi" else ["--lexicon", tmp_path / "lexicon.txt"]
    outcome = asr_command("prepare", name, tmp_path / "corpus", tmp_path / "out", *options)
    assert outcome.status == 0, outcome.err
    cuts = all_cuts(tmp_path / "out")
    assert len(cuts) == 12
    assert {cut.supervisions[0].speaker for cut in cuts} == set(SPEAKERS)
    assert sum(len(speakers(tmp_path / "out", split)) for split in SPLITS) == len(SPEAKERS)
    assert {cut.duration for cut in cuts} == {SECONDS}
    words = name in ("librispeech", "commonvoice")
    for cut in cuts:
        text = cut.supervisions[0].text.strip('"').lower()
        assert text == ("" if name == "kaldi" else TEXT)
        assert phone_sequence(cut) == ("sh iy s eh d" if words else SYMBOLS).split()
        if name in ("textgrid", "folder"):
            assert [(each.phone, each.start, each.end) for each in phone_segments(cut)] == list(PHONES)
    if words:
        assert json.loads((tmp_path / "out" / "summary.json").read_text())["phone_set"] == "cmu39"
    else:
        phones = load_phone_set(tmp_path / "out" / "phones.txt")
        assert phones.symbols == ("sil", "iy", "sh")
        assert phones.silences == ("sil",)


def test_phones_with_times_come_from_json_lines(tmp_path: Path, asr_command: Command) -> None:
    json_lines(tmp_path / "corpus")
    outcome = asr_command("prepare", "csv", tmp_path / "corpus" / "mine.jsonl", tmp_path / "out")
    assert outcome.status == 0, outcome.err
    for cut in all_cuts(tmp_path / "out"):
        assert [(each.phone, each.start, each.end) for each in phone_segments(cut)] == list(PHONES)


@pytest.mark.parametrize("name", ["textgrid", "csv"])
def test_prepared_manifests_are_a_corpus_again(name: str, tmp_path: Path, asr_command: Command) -> None:
    BUILDERS[name](tmp_path / "corpus")
    assert asr_command("prepare", name, tmp_path / "corpus", tmp_path / "a").status == 0
    outcome = asr_command("prepare", "lhotse", tmp_path / "a", tmp_path / "b")
    assert outcome.status == 0, outcome.err
    for split in SPLITS:
        file = f"{split}.cuts.jsonl.gz"
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_blank_lines_before_a_list_do_not_count(tmp_path: Path, asr_command: Command) -> None:
    BUILDERS["csv"](tmp_path)
    path = tmp_path / "mine.csv"
    path.write_text("\n \n" + path.read_text())
    assert asr_command("prepare", "csv", path, tmp_path / "out").status == 0
    path.write_text(path.read_text().replace("ann1.wav", "none.wav"))
    assert f"{path}:5: " in asr_command("prepare", "csv", path, tmp_path / "out").err


def test_the_columns_of_common_voice_may_have_any_letter_case(tmp_path: Path, asr_command: Command) -> None:
    BUILDERS["commonvoice"](tmp_path)
    for path in tmp_path.glob("*.tsv"):
        path.write_text(path.read_text().replace("client_id\tpath\tsentence", "Client_ID\tPath\tSENTENCE"))
    assert asr_command("prepare", "commonvoice", tmp_path, tmp_path / "out").status == 0


def test_a_tier_that_may_have_the_phones_is_not_passed_over_in_silence(tmp_path: Path, asr_command: Command) -> None:
    BUILDERS["textgrid"](tmp_path / "corpus")
    assert asr_command("prepare", "textgrid", tmp_path / "corpus", tmp_path / "out", "--tier", "PHONES").err == ""
    for path in (tmp_path / "corpus").rglob("*.TextGrid"):
        path.write_text(path.read_text().replace('"phones"', '"MAU"'))
    outcome = asr_command("prepare", "textgrid", tmp_path / "corpus", tmp_path / "words")
    [line] = outcome.err.splitlines()
    assert "12 TextGrids without a tier 'phones': their phones come from their words and the lexicon" in line
    assert "another tier (MAU)" in line
    assert asr_command("prepare", "textgrid", tmp_path / "corpus", tmp_path / "phones", "--tier", "mau").err == ""


def test_the_split_of_a_corpus_is_kept_and_the_rest_is_drawn(tmp_path: Path, asr_command: Command) -> None:
    BUILDERS["librispeech"](tmp_path / "corpus")
    lexicon = tmp_path / "lexicon.txt"
    lexicon.write_text("she sh iy\nsaid s eh d\n")
    options = ("--lexicon", lexicon)
    assert asr_command("prepare", "librispeech", tmp_path / "corpus", tmp_path / "out", *options).status == 0
    assert [speakers(tmp_path / "out", split) for split in SPLITS] == [{"ann", "bob"}, {"cat", "dan"}, {"eve", "fay"}]
    (tmp_path / "corpus" / "dev-clean-2").rename(tmp_path / "corpus" / "train-clean-100")
    assert asr_command("prepare", "librispeech", tmp_path / "corpus", tmp_path / "drawn", *options).status == 0
    assert speakers(tmp_path / "drawn", "test") == {"eve", "fay"}
    assert len(speakers(tmp_path / "drawn", "dev")) == 1


def test_without_speakers_each_file_is_one_and_that_is_said(tmp_path: Path, asr_command: Command) -> None:
    BUILDERS["csv"](tmp_path / "corpus")
    table = tmp_path / "corpus" / "mine.csv"
    table.write_text(table.read_text().replace("utterance,speaker", "utterance,nobody"))
    outcome = asr_command("prepare", "csv", tmp_path / "corpus", tmp_path / "out")
    assert outcome.status == 0
    assert "missing: speaker labels of 12 utterances: each audio file counts as a speaker" in outcome.err
    assert len({cut.supervisions[0].speaker for cut in all_cuts(tmp_path / "out")}) == 12
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["phone_set"] == "phones.txt"
    assert summary["splits"]["train"]["utterances"] == 10
    assert yaml.safe_load((tmp_path / "out" / "recipe.yaml").read_text())["features"]["cmvn"] == "utterance"


def test_of_several_lists_each_says_its_split(tmp_path: Path, asr_command: Command) -> None:
    BUILDERS["csv"](tmp_path / "corpus")
    table = tmp_path / "corpus" / "mine.csv"
    table.with_name(".mine.csv.backup.csv").write_text("path\n")
    arguments = ("prepare", "csv", tmp_path / "corpus", tmp_path / "out")
    assert asr_command(*arguments).status == 0
    table.with_name("test.csv").write_text(table.read_text())
    outcome = asr_command(*arguments)
    assert outcome.status == 1
    assert "has several lists, and mine.csv is not named after train, dev or test; give one" in outcome.err


@pytest.mark.parametrize("name", ["fleurs-tr_{}_{}", "cv-en_{}_{}", "{}_{}_tr", "{1}.{0}"])
def test_the_name_of_a_manifest_says_its_split(name: str, tmp_path: Path, asr_command: Command) -> None:
    """Turkish, and Lhotse's Common Voice, were all train and all dev."""
    BUILDERS["lhotse"](tmp_path / "corpus")
    for kind in KINDS:
        path = tmp_path / "corpus" / f"mine_{kind}_all.jsonl.gz"
        rows = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
        for split, some in zip(SPLITS, (rows[:8], rows[8:10], rows[10:]), strict=True):
            path.with_name(name.format(kind, split) + ".jsonl.gz").write_bytes(gzip.compress(b"".join(some)))
        path.unlink()
    outcome = asr_command("prepare", "lhotse", tmp_path / "corpus", tmp_path / "out")
    assert outcome.status == 0, outcome.err
    assert [speakers(tmp_path / "out", split) for split in SPLITS] == [set(SPEAKERS[:4]), {"eve"}, {"fay"}]


def test_a_language_in_the_name_of_a_manifest_is_no_split(tmp_path: Path, asr_command: Command) -> None:
    names = ("mine", "cv-en", "tr")
    for name in names:
        BUILDERS["lhotse"](tmp_path / name)
        for kind in KINDS:
            path = tmp_path / name / f"mine_{kind}_all.jsonl.gz"
            path.rename(path.with_name(f"{name}_{kind}_all.jsonl.gz"))
        assert asr_command("prepare", "lhotse", tmp_path / name, tmp_path / f"{name}-out").status == 0
    drawn, *others = ([speakers(tmp_path / f"{name}-out", split) for split in SPLITS] for name in names)
    assert others == [drawn, drawn]


def test_the_name_of_a_list_says_its_split_before_its_language(tmp_path: Path, asr_command: Command) -> None:
    BUILDERS["csv"](tmp_path / "corpus")
    table = tmp_path / "corpus" / "mine.csv"
    header, *rows = table.read_text().splitlines(keepends=True)
    for split, some in zip(SPLITS, (rows[:8], rows[8:10], rows[10:]), strict=True):
        table.with_name(f"tr_{split}.csv").write_text("".join([header, *some]))
    table.unlink()
    assert asr_command("prepare", "csv", tmp_path / "corpus", tmp_path / "out").status == 0
    assert [speakers(tmp_path / "out", split) for split in SPLITS] == [set(SPEAKERS[:4]), {"eve"}, {"fay"}]


def test_initials_of_a_speaker_are_no_split(tmp_path: Path, asr_command: Command) -> None:
    BUILDERS["textgrid"](tmp_path / "corpus")
    (tmp_path / "corpus" / "ann").rename(tmp_path / "corpus" / "TR")
    (tmp_path / "corpus" / "bob").rename(tmp_path / "corpus" / "cv")
    assert asr_command("prepare", "textgrid", tmp_path / "corpus", tmp_path / "out").err == ""
    assert {"TR", "cv"} < {cut.supervisions[0].speaker for cut in all_cuts(tmp_path / "out")}


def test_a_supervision_of_lhotse_is_a_part_of_its_recording(tmp_path: Path, asr_command: Command) -> None:
    BUILDERS["lhotse"](tmp_path / "corpus")
    path = tmp_path / "corpus" / "mine_supervisions_all.jsonl.gz"
    rows = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    changed = {
        **rows[0],
        "start": 0.1,
        "duration": 0.41,  # a rounding error beyond the recording's 0.5 s
        "alignment": {"phone": [["sh", 0.1, 0.2, None], ["iy", 0.3, 0.21, None]]},
    }
    changed.pop("custom", None)
    with gzip.open(path, "wt") as file:
        file.writelines(json.dumps(row) + "\n" for row in [changed, *rows[1:]])
    outcome = asr_command("prepare", "lhotse", tmp_path / "corpus", tmp_path / "out")
    assert outcome.status == 0, outcome.err
    [cut] = [cut for cut in all_cuts(tmp_path / "out") if cut.id == rows[0]["id"]]
    assert (cut.start, round(cut.duration, 6)) == (0.1, 0.4)
    segments = [(each.phone, each.start, round(each.end, 6)) for each in phone_segments(cut)]
    assert segments == [("sh", 0.0, 0.2), ("iy", 0.2, 0.4)]


def test_a_recording_of_lhotse_has_a_file_for_each_channel(tmp_path: Path, asr_command: Command) -> None:
    BUILDERS["lhotse"](tmp_path / "corpus")
    recordings, supervisions = (tmp_path / "corpus" / f"mine_{kind}_all.jsonl.gz" for kind in KINDS)
    rows = [json.loads(line) for line in gzip.decompress(recordings.read_bytes()).splitlines()]
    other = {**rows[1]["sources"][0], "channels": [1]}
    rows[0] |= {"sources": [*rows[0]["sources"], other], "channel_ids": [0, 1]}
    recordings.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))
    spoken = [json.loads(line) for line in gzip.decompress(supervisions.read_bytes()).splitlines()]
    spoken[1] |= {"recording_id": rows[0]["id"], "channel": 1}
    supervisions.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in spoken).encode()))
    outcome = asr_command("prepare", "lhotse", tmp_path / "corpus", tmp_path / "out")
    assert outcome.status == 0, outcome.err
    files = {cut.id: Path(cut.recording.sources[0].source).name for cut in all_cuts(tmp_path / "out")}
    assert (files["ann0"], files["ann1"]) == ("ann0.wav", "ann1.wav")


def test_a_linked_part_of_librispeech_is_read(tmp_path: Path, asr_command: Command) -> None:
    BUILDERS["librispeech"](tmp_path / "corpus")
    (tmp_path / "corpus" / "test-clean").rename(tmp_path / "elsewhere")
    (tmp_path / "corpus" / "test-clean").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "lexicon.txt").write_text("she sh iy\nsaid s eh d\n")
    arguments = ("prepare", "librispeech", tmp_path / "corpus", tmp_path / "out")
    assert asr_command(*arguments, "--lexicon", tmp_path / "lexicon.txt").status == 0
    assert speakers(tmp_path / "out", "test") == {"eve", "fay"}


def test_an_edited_recipe_stops_before_anything_is_replaced(tmp_path: Path, asr_command: Command) -> None:
    BUILDERS["csv"](tmp_path / "corpus")
    arguments = ("prepare", "csv", tmp_path / "corpus", tmp_path / "out")
    assert asr_command(*arguments).status == 0
    recipe = tmp_path / "out" / "recipe.yaml"
    recipe.write_text(recipe.read_text() + "seed: 3\n")
    before = snapshot(tmp_path / "out")
    outcome = asr_command(*arguments, "--seed", "5")
    assert outcome.status == 1
    assert "recipe.yaml: was not written by asr prepare, or was changed since" in outcome.err
    assert snapshot(tmp_path / "out") == before


def test_the_recipe_finds_its_lexicon_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asr_command: Command
) -> None:
    monkeypatch.chdir(tmp_path)
    BUILDERS["librispeech"](tmp_path / "corpus")
    Path("lexicon.txt").write_text("she sh iy\nsaid s eh d\n")
    outcome = asr_command("prepare", "librispeech", "corpus", "out", "--lexicon", "lexicon.txt", "--lexicon", "none")
    assert outcome.err == "asr: none: no such lexicon; give a file, or cmudict (--lexicon, corpus.lexicon)\n"
    outcome = asr_command("prepare", "librispeech", "corpus", "out", "--lexicon", "lexicon.txt")
    assert outcome.status == 0, outcome.err
    corpus = yaml.safe_load((tmp_path / "out" / "recipe.yaml").read_text())["corpus"]
    assert corpus["lexicon"] == [str(tmp_path / "lexicon.txt")]


def test_files_of_wav_scp_are_taken_from_its_folder_or_from_the_current_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asr_command: Command
) -> None:
    BUILDERS["kaldi"](tmp_path / "corpus")
    (tmp_path / "audio").mkdir()
    (tmp_path / "corpus" / "audio" / "ann.wav").rename(tmp_path / "audio" / "ann.wav")
    monkeypatch.chdir(tmp_path)
    outcome = asr_command("prepare", "kaldi", "corpus", "out", "--text", "phones")
    assert outcome.status == 0, outcome.err
    found = {Path(cut.recording.sources[0].source) for cut in all_cuts(tmp_path / "out")}
    assert found == {tmp_path / ("" if name == "ann" else "corpus") / "audio" / f"{name}.wav" for name in SPEAKERS}


def test_a_set_that_missing_words_empty_says_so(tmp_path: Path, asr_command: Command) -> None:
    BUILDERS["librispeech"](tmp_path / "corpus")
    (tmp_path / "lexicon.txt").write_text("he hh iy\n")
    arguments = ("prepare", "librispeech", tmp_path / "corpus", tmp_path / "out")
    outcome = asr_command(*arguments, "--lexicon", tmp_path / "lexicon.txt")
    assert outcome.status == 1
    assert "said, she; add a lexicon that has them, or use --g2p" in outcome.err
    assert "corpus: no utterances are left for train; 12 utterances left out, the first " in outcome.err
    assert outcome.err.endswith("; fix them\n")  # others could not be drawn


def test_a_list_from_windows_has_its_own_slashes(tmp_path: Path, asr_command: Command) -> None:
    BUILDERS["csv"](tmp_path / "corpus")
    table = tmp_path / "corpus" / "mine.csv"
    table.write_text(re.sub(r"(\w+)/(\w+\.wav),\w+", r"\1\\\2,", table.read_text()))
    assert "\nann\\ann0.wav,," in table.read_text()
    outcome = asr_command("prepare", "csv", tmp_path / "corpus", tmp_path / "out")
    assert outcome.status == 0, outcome.err
    assert {"ann/ann0", "bob/bob0"} < {cut.id for cut in all_cuts(tmp_path / "out")}


@pytest.mark.parametrize(
    ("first", "separator"), [("", "|"), ("", ";"), ("sep=;\n", ";"), ("SEP=#\n", "#"), ('"sep=,",,\n', ",")]
)
def test_a_list_may_separate_its_cells_otherwise(
    first: str, separator: str, tmp_path: Path, asr_command: Command
) -> None:
    """Excel reads a line `sep=;`, and some programs write it."""
    BUILDERS["csv"](tmp_path / "corpus")
    table = tmp_path / "corpus" / "mine.csv"
    table.write_text(first + table.read_text().replace(",", separator))
    outcome = asr_command("prepare", "csv", tmp_path / "corpus", tmp_path / "out")
    assert (outcome.status, outcome.err) == (0, "")
    assert len(all_cuts(tmp_path / "out")) == 12
    (tmp_path / "corpus" / "ann" / "ann0.wav").unlink()
    line = 3 if first else 2
    assert f"mine.csv:{line}: " in asr_command("prepare", "csv", tmp_path / "corpus", tmp_path / "out").err


@pytest.mark.parametrize(("options", "fix"), [((), "use --g2p"), (("--g2p",), "write numbers and signs in words")])
def test_a_number_without_a_pronunciation_is_left_out_and_what_to_do_is_said(
    options: tuple[str, ...], fix: str, tmp_path: Path, asr_command: Command
) -> None:
    BUILDERS["csv"](tmp_path / "corpus")
    table = tmp_path / "corpus" / "mine.csv"
    table.write_text(table.read_text().replace(f",{SYMBOLS}", ",").replace(TEXT, "she said 42", 1))
    (tmp_path / "lexicon.txt").write_text("she sh iy\nsaid s eh d\n")
    arguments = ("prepare", "csv", tmp_path / "corpus", tmp_path / "out", "--lexicon", tmp_path / "lexicon.txt")
    outcome = asr_command(*arguments, *options)
    assert outcome.status == 0
    assert "1 of 12 utterances left out: 1 word without a pronunciation" in outcome.err
    assert f": 42; add a lexicon that has them, or {fix}" in outcome.err.splitlines()[0]


def lhotse_cuts(root: Path) -> list[MonoCut]:
    """The cuts of the layout lhotse."""
    BUILDERS["lhotse"](root)
    recordings, supervisions = (load_manifest(root / f"mine_{kind}_all.jsonl.gz") for kind in KINDS)
    return list(CutSet.from_manifests(recordings=recordings, supervisions=supervisions))


def test_a_manifest_of_cuts_may_be_given_itself(tmp_path: Path, asr_command: Command) -> None:
    cuts = lhotse_cuts(tmp_path / "corpus")
    CutSet.from_cuts(cuts).to_file(tmp_path / "my_cuts.jsonl.gz")
    CutSet.from_cuts(cuts).to_file(tmp_path / "other_cuts.jsonl.gz")  # would have each utterance twice
    outcome = asr_command("prepare", "lhotse", tmp_path / "my_cuts.jsonl.gz", tmp_path / "out")
    assert (outcome.status, outcome.err) == (0, "")
    assert len(all_cuts(tmp_path / "out")) == 12
    manifest = tmp_path / "corpus" / "mine_recordings_all.jsonl.gz"
    outcome = asr_command("prepare", "lhotse", manifest, tmp_path / "out")
    assert (outcome.status, len(outcome.err.splitlines())) == (1, 1)
    assert "mine_recordings_all.jsonl.gz: is not called *cuts*.jsonl.gz; give such a file, or the folder" in outcome.err


def test_a_cut_through_a_supervision_is_refused(tmp_path: Path, asr_command: Command) -> None:
    """It was read as the whole supervision, once for each window."""
    windows = CutSet.from_cuts(lhotse_cuts(tmp_path / "corpus")).cut_into_windows(0.3)
    windows.to_file(tmp_path / "cuts.jsonl.gz")
    outcome = asr_command("prepare", "lhotse", tmp_path / "cuts.jsonl.gz", tmp_path / "out")
    assert outcome.status == 1
    [line] = outcome.err.splitlines()
    assert "cuts.jsonl.gz:1: not a Lhotse cut that can be read: supervision 'ann0' is from 0 to 0.5 s of a cut" in line


def test_too_few_speakers_are_left_because_of_missing_words(tmp_path: Path, asr_command: Command) -> None:
    BUILDERS["csv"](tmp_path / "corpus")
    table = tmp_path / "corpus" / "mine.csv"
    first, *lines = [line.replace(f",{SYMBOLS}", ",") for line in table.read_text().splitlines()]
    table.write_text("\n".join([first, *(line.replace(TEXT, "he ate") for line in lines[4:]), *lines[:4]]))
    (tmp_path / "lexicon.txt").write_text("she sh iy\nsaid s eh d\n")
    arguments = ("prepare", "csv", tmp_path / "corpus", tmp_path / "out")
    outcome = asr_command(*arguments, "--lexicon", tmp_path / "lexicon.txt")
    assert outcome.status == 1
    [line] = outcome.err.splitlines()
    assert "has 2 groups of utterances that share a speaker or audio, too few" in line
    assert "8 of 12 utterances left out: 2 words without a pronunciation: ate, he; add a lexicon" in line


def test_dev_and_test_are_drawn_from_utterances_whose_words_are_known(tmp_path: Path, asr_command: Command) -> None:
    (tmp_path / "lexicon.txt").write_text("she sh iy\nsaid s eh d\n")
    options = ("--lexicon", tmp_path / "lexicon.txt", "--dev", "40%", "--test", "20%", "--seed", "2")
    sides = []
    for name in ("unknown", "absent"):
        BUILDERS["csv"](tmp_path / name)
        table = tmp_path / name / "mine.csv"
        lines = [line.replace(f",{SYMBOLS}", ",") for line in table.read_text().splitlines()]
        ann_and_dan = [line for line in lines if ",ann," in line or ",dan," in line]
        if name == "unknown":
            lines = [line.replace(TEXT, "he ate") if line in ann_and_dan else line for line in lines]
        else:
            lines = [line for line in lines if line not in ann_and_dan]
        table.write_text("\n".join(lines) + "\n")
        outcome = asr_command("prepare", "csv", tmp_path / name, tmp_path / f"{name}_out", *options)
        assert outcome.status == 0, outcome.err
        sides.append({split: speakers(tmp_path / f"{name}_out", split) for split in SPLITS})
    assert sides[0] == sides[1]


def test_a_clip_of_common_voice_with_spaces_in_its_name_has_none_in_its_utterance(
    tmp_path: Path, asr_command: Command
) -> None:
    BUILDERS["commonvoice"](tmp_path / "corpus")
    (tmp_path / "corpus" / "clips" / "ann0.wav").rename(tmp_path / "corpus" / "clips" / "ann (0) .wav")
    table = tmp_path / "corpus" / "train.tsv"
    table.write_text(table.read_text().replace("ann0.wav", "ann (0) .wav"))
    outcome = asr_command("prepare", "commonvoice", tmp_path / "corpus", tmp_path / "out")
    assert outcome.status == 0, outcome.err
    assert "ann_(0)_" in {cut.id for cut in all_cuts(tmp_path / "out")}


def test_fields_of_lhotse_may_be_null(tmp_path: Path, asr_command: Command) -> None:
    """Tables that are written as JSON have all fields in each line."""
    BUILDERS["lhotse"](tmp_path / "corpus")
    path = tmp_path / "corpus" / "mine_supervisions_all.jsonl.gz"
    lines = gzip.decompress(path.read_bytes()).splitlines()
    rows = [json.loads(line) | {"alignment": None, "gender": None} for line in lines]
    path.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))
    outcome = asr_command("prepare", "lhotse", tmp_path / "corpus", tmp_path / "out")
    assert outcome.status == 0, outcome.err
    cuts = [json.dumps({"type": "MonoCut", "features": None, **cut.to_dict()}) for cut in all_cuts(tmp_path / "out")]
    cuts = [re.sub(r'("supervisions": \[\{)', r'\1"alignment": null, ', each) for each in cuts]
    (tmp_path / "cuts").mkdir()
    (tmp_path / "cuts" / "cuts.jsonl").write_text("\n".join(cuts))
    outcome = asr_command("prepare", "lhotse", tmp_path / "cuts", tmp_path / "again")
    assert outcome.status == 0, outcome.err


def accented(root: Path) -> None:
    """Writes ann as änn: in the names of folders and audio files as macOS does, and elsewhere as others do."""
    for path in sorted(root.rglob("*"), reverse=True):  # what is in a folder, then the folder
        audio = path.suffix in (".wav", ".flac")
        if path.is_file() and not audio:
            packed = path.suffix == ".gz"
            text = gzip.decompress(path.read_bytes()).decode() if packed else path.read_text()
            text = re.sub(r"\bann", "\u00e4nn", text)
            path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
        if path.name.startswith("ann"):
            path.rename(path.with_name(path.name.replace("ann", "a\u0308nn" if path.is_dir() or audio else "\u00e4nn")))


def test_audio_may_be_as_hugging_face_writes_it(tmp_path: Path, asr_command: Command) -> None:
    json_lines(tmp_path / "corpus")
    rows = tmp_path / "corpus" / "mine.jsonl"
    rows.write_text(re.sub(r'"audio": ("[^"]+")', r'"audio": {"path": \1, "bytes": null}', rows.read_text()))
    outcome = asr_command("prepare", "csv", rows, tmp_path / "out")
    assert (outcome.status, outcome.err) == (0, "")
    assert len(all_cuts(tmp_path / "out")) == 12


@pytest.mark.parametrize("name", BUILDERS)
def test_names_with_accents_meet_in_both_forms_of_unicode(name: str, tmp_path: Path, asr_command: Command) -> None:
    BUILDERS[name](tmp_path / "corpus")
    accented(tmp_path / "corpus")
    (tmp_path / "lexicon.txt").write_text("she sh iy\nsaid s eh d\n")
    options = ["--text", "phones"] if name == "kaldi" else ["--lexicon", tmp_path / "lexicon.txt"]
    outcome = asr_command("prepare", name, tmp_path / "corpus", tmp_path / "out", *options)
    assert outcome.status == 0, outcome.err
    sources = [Path(cut.recording.sources[0].source) for cut in all_cuts(tmp_path / "out")]
    assert sum(path.name.startswith("a\u0308nn") for path in sources) == 2
    assert all(path.is_file() for path in sources)


def test_a_transcript_is_found_by_its_suffix_in_any_letter_case(tmp_path: Path, asr_command: Command) -> None:
    """Its words were read instead."""
    BUILDERS["folder"](tmp_path / "corpus")
    for path in (tmp_path / "corpus").rglob("*.phn"):
        path.rename(path.with_suffix(".Phn"))
    assert asr_command("prepare", "folder", tmp_path / "corpus", tmp_path / "out").status == 0
    assert {tuple(phone_sequence(cut)) for cut in all_cuts(tmp_path / "out")} == {tuple(SYMBOLS.split())}


@pytest.mark.parametrize("layout", ["csv", "textgrid", "folder"])
def test_names_made_of_paths_have_no_spaces(layout: str, tmp_path: Path, asr_command: Command) -> None:
    """They could not be written as CTM after a training of hours."""
    BUILDERS[layout](tmp_path / "corpus")
    (tmp_path / "corpus" / "ann").rename(tmp_path / "corpus" / "ann  b")
    if layout == "csv":
        table = tmp_path / "corpus" / "mine.csv"
        table.write_text(re.sub(r"(\w+\.wav),\w+,", r"\1,,", table.read_text().replace("ann/", "ann  b/")))
    outcome = asr_command("prepare", layout, tmp_path / "corpus", tmp_path / "out")
    assert outcome.status == 0, outcome.err
    names = {cut.id for cut in all_cuts(tmp_path / "out")}
    assert {"ann_b/ann0", "bob/bob0"} < names
