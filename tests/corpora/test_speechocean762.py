"""speechocean762: the release (WAV) and its conversions, the split, and the messages about a broken copy."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.corpora.speechocean762_tree import DEV, PHONES, SAMPLES, SENTENCE, TEST, TRAIN, build_speechocean762
from typer.testing import CliRunner

from asr.cli.prepare import app
from asr.config import CorpusConfig, RecipeConfig
from asr.corpora.cuts import phone_segments, phone_sequence, read_cuts, reference, word_phones
from asr.corpora.prepare import PrepareSummary, prepare
from asr.corpora.speechocean762 import ADULT
from asr.corpora.speechocean762_files import AudioFiles, parse_word
from asr.errors import InputError
from asr.phones.phone_set import load_phone_set

CMU_39 = """aa ae ah ao aw ay b ch d dh eh er ey f g hh ih iy jh k l m n ng ow oy p r s sh t th uh uw v w y z zh"""
BROKEN = "010000011"
SPLITS = ("train", "dev", "test")


def run(corpus: Path, out: Path, skip_bad: bool = False) -> PrepareSummary:
    return prepare(CorpusConfig(name="speechocean762", dir=corpus, skip_bad=skip_bad), out)


def speakers_in(path: Path) -> set[str]:
    return {cut.supervisions[0].speaker for cut in read_cuts(path)}


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    build_speechocean762(tmp_path / "corpus")
    return tmp_path / "corpus"


def edit(path: Path, pattern: str, replacement: str) -> None:
    text, count = re.subn(pattern, replacement, path.read_text(), count=1, flags=re.MULTILINE)
    assert count == 1
    path.write_text(text)


def test_the_cmu_dictionary_has_39_phones() -> None:
    assert set(load_phone_set("cmu39")) == {*CMU_39.split(), "sil"}
    assert len(CMU_39.split()) == 39


def test_an_utterance_is_read_whole(corpus: Path, tmp_path: Path) -> None:
    summary = run(corpus, tmp_path / "out")
    cut = next(cut for cut in read_cuts(tmp_path / "out" / "test.cuts.jsonl.gz") if cut.id == "000490035")
    assert phone_sequence(cut) == PHONES
    assert word_phones(cut) == [
        ("we", [("w", "iy")]),
        ("call", [("k", "ao", "l")]),
        ("it", [("ih", "t")]),
        ("bear", [("b", "eh", "r")]),
    ]
    (said,) = cut.supervisions
    assert (said.speaker, said.gender, said.custom["age"], said.text) == ("0049", "female", "22", SENTENCE)
    assert (cut.sampling_rate, cut.num_samples) == (16000, SAMPLES)
    assert Path(cut.recording.sources[0].source) == corpus / "WAVE" / "SPEAKER0049" / "000490035.WAV"
    spoken = reference(cut)
    assert spoken.symbols == PHONES
    assert {(segment.start, segment.end) for segment in spoken.phones} == {(None, None)}
    with pytest.raises(InputError, match="000490035 has no phones with times"):
        phone_segments(cut)
    assert summary.splits["test"].phones == 2 * 2 * len(PHONES)


def test_the_split_is_of_speakers_and_dev_has_some_of_each_group(corpus: Path, tmp_path: Path) -> None:
    summary = run(corpus, tmp_path / "out")
    train, dev, test = (speakers_in(tmp_path / "out" / f"{name}.cuts.jsonl.gz") for name in SPLITS)
    assert dev == DEV
    assert test == {speaker for speaker, _, _ in TEST}
    assert train == {speaker for speaker, _, _ in TRAIN} - DEV
    assert [summary.splits[name].utterances for name in SPLITS] == [82, 8, 4]
    assert summary.missing == [
        "train has 90 of the release's 2500 utterances",
        "test has 4 of the release's 2500 utterances",
    ]


def test_same_corpus_same_bytes_whatever_the_order_of_its_tables(corpus: Path, tmp_path: Path) -> None:
    run(corpus, tmp_path / "a")
    for name in ("wav.scp", "text", "utt2spk", "spk2age"):
        path = corpus / "train" / name
        path.write_text("".join(sorted(path.read_text().splitlines(keepends=True), reverse=True)))
    run(corpus, tmp_path / "b")
    for name in SPLITS:
        manifests = [(tmp_path / each / f"{name}.cuts.jsonl.gz").read_bytes() for each in "ab"]
        assert manifests[0] == manifests[1]


@pytest.mark.parametrize("suffix", ["wav", "flac", "FLAC"])
def test_converted_copies_and_other_letter_cases_are_read(tmp_path: Path, suffix: str) -> None:
    build_speechocean762(tmp_path / "corpus", suffix=suffix)
    table = tmp_path / "corpus" / "test" / "wav.scp"
    table.write_text(table.read_text().replace(f".{suffix}", ".WAV"))
    (tmp_path / "corpus" / "WAVE").rename(tmp_path / "corpus" / "wave")
    run(tmp_path / "corpus", tmp_path / "out")
    files = [cut.recording.sources[0].source for cut in read_cuts(tmp_path / "out" / "test.cuts.jsonl.gz")]
    assert len(files) == 4
    assert all(Path(file).is_file() and file.endswith(f".{suffix}") for file in files)


def test_the_corpus_may_lie_deeper(corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "download" / "openslr").mkdir(parents=True)
    corpus.rename(tmp_path / "download" / "openslr" / "speechocean762")
    assert run(tmp_path / "download", tmp_path / "out").folder.endswith("openslr/speechocean762")
    with pytest.raises(InputError, match=r"out: speechocean762 is not here: expected train/"):
        run(tmp_path / "out", tmp_path / "out2")
    with pytest.raises(InputError, match="none: no such folder"):
        run(tmp_path / "none", tmp_path / "out2")
    with pytest.raises(InputError, match=r"corpus\.dir: speechocean762 does not ship"):
        prepare(CorpusConfig(name="speechocean762"), tmp_path)


BAD_UTTERANCES = {
    "no phones": ("resource/text-phone", f"^{BROKEN}.*\n" * 4, "", "text:1: .*4 words, but .* has phones of 0"),
    "a word lost": ("resource/text-phone", rf"^{BROKEN}\.2.*\n", "", "text:1: .*4 words, but .* of 3"),
    "a word too many": ("train/text", f"({BROKEN}.*) BEAR$", r"\1", "text:1: .*3 words, but .* of 4"),
    "line cut off": (
        "resource/text-phone",
        rf"^({BROKEN}\.1\s+K_B AO0_I) L_E",
        r"\1",
        "text-phone:2: .*one whole word",
    ),
    "unknown phone": ("resource/text-phone", rf"^({BROKEN}\.1\s+)K_B", r"\1KK_B", "text-phone:2: unknown phone 'KK'"),
    "silence": ("resource/text-phone", rf"^({BROKEN}\.1\s+)K_B", r"\1SIL_B", "text-phone:2: unknown phone 'SIL'"),
    "no position": ("resource/text-phone", rf"^({BROKEN}\.1\s+)K_B", r"\1K", "text-phone:2: .*found 'K'"),
    "no path": ("train/wav.scp", f"^{BROKEN}.*\n", "", f"wav.scp: utterance {BROKEN} is missing here"),
    "no text": ("train/text", f"^{BROKEN}.*\n", "", f"text: utterance {BROKEN} is missing here"),
    "no speaker": ("train/utt2spk", f"^{BROKEN}.*\n", "", f"utt2spk: utterance {BROKEN} is missing here"),
    "no such file": ("train/wav.scp", rf"({BROKEN})\.WAV$", r"\1x.WAV", "wav.scp:1: there is no audio file WAVE/"),
    "way out": ("train/wav.scp", "WAVE/", "../corpus/WAVE/", "wav.scp:1: .*leads out of the corpus"),
    "absolute": ("train/wav.scp", "WAVE/", "/WAVE/", "wav.scp:1: .*leads out of the corpus"),
    "command": ("train/wav.scp", "WAVE/.*", "cat /etc/passwd |", "wav.scp:1: .*is a command, which is never run"),
}


@pytest.mark.parametrize(("file", "pattern", "replacement", "message"), BAD_UTTERANCES.values(), ids=BAD_UTTERANCES)
def test_bad_utterances_are_named_or_left_out(
    corpus: Path, tmp_path: Path, file: str, pattern: str, replacement: str, message: str
) -> None:
    edit(corpus / file, pattern, replacement)
    assert_named_or_left_out(corpus, tmp_path / "out", message)


@pytest.mark.parametrize(
    ("kept", "message"), [(0, "is an empty file"), (1000, "is truncated: 1000 of 16044"), (8, "not an audio file")]
)
def test_bad_audio_is_named_or_left_out(corpus: Path, tmp_path: Path, kept: int, message: str) -> None:
    path = corpus / "WAVE" / "SPEAKER1000" / f"{BROKEN}.WAV"
    whole = path.read_bytes()
    path.unlink()
    path.write_bytes(whole[:kept])
    assert_named_or_left_out(corpus, tmp_path / "out", rf"{BROKEN}\.WAV: {message}")


def assert_named_or_left_out(corpus: Path, out: Path, message: str) -> None:
    with pytest.raises(InputError, match=f"{message}.*--skip-bad") as caught:
        run(corpus, out)
    assert "\n" not in str(caught.value)
    assert not out.exists()
    summary = run(corpus, out, skip_bad=True)
    assert [utterance["utterance"] for utterance in summary.skipped] == [BROKEN]
    assert summary.splits["train"].utterances == 81


BAD_TABLES = {
    "unknown speaker": ("test/utt2spk", " 0003$", " 1000", "spk2gender: speaker 1000 of utt2spk is not here"),
    "no gender": ("train/spk2gender", "^1000.*\n", "", "spk2gender: speaker 1000 of utt2spk is not here"),
    "gender": ("train/spk2gender", r"^(1000)\s.*", r"\1 x", "spk2gender:1: expected f or m, found 'x'"),
    "no age": ("train/spk2age", "^1000.*\n", "", "spk2age: speaker 1000 of utt2spk is not here"),
    "age": ("train/spk2age", r"^(1000)\s.*", r"\1 seven", "spk2age:1: expected an age in whole years"),
    "utterance twice": ("train/text", r"^(0.*\n)", r"\1\1", "text:2: .*is already on line 1"),
    "line cut off": ("train/wav.scp", r"^(\S+)\s.*", r"\1", f"wav.scp:1: '{BROKEN}' has no value"),
    "no word number": ("resource/text-phone", rf"^{BROKEN}\.0", BROKEN, "text-phone:1: expected utterance.wordnumber"),
    "word twice": ("resource/text-phone", rf"^{BROKEN}\.1", f"{BROKEN}.00", "text-phone:2: .*has word 0 twice"),
    "missing": ("train/spk2age", r"\A(?s:.*)", "", "spk2age: is empty"),
}


@pytest.mark.parametrize(("file", "pattern", "replacement", "message"), BAD_TABLES.values(), ids=BAD_TABLES)
def test_bad_tables_are_named_whether_or_not_utterances_may_be_left_out(
    corpus: Path, tmp_path: Path, file: str, pattern: str, replacement: str, message: str
) -> None:
    edit(corpus / file, pattern, replacement)
    for skip_bad in (False, True):
        with pytest.raises(InputError, match=message) as caught:
            run(corpus, tmp_path / "out", skip_bad)
        assert "\n" not in str(caught.value)


def test_a_speaker_or_utterance_in_both_parts_is_refused(tmp_path: Path) -> None:
    build_speechocean762(tmp_path / "corpus", train=TRAIN, test=[("0003", "m", 6)])
    for table in ("spk2gender", "spk2age"):
        lines = (tmp_path / "corpus" / "train" / table).read_text()
        with (tmp_path / "corpus" / "test" / table).open("a") as file:
            file.write(lines)
    test = tmp_path / "corpus" / "test" / "utt2spk"
    whole = test.read_text()
    test.write_text(whole.replace(" 0003", " 1000", 1))
    with pytest.raises(InputError, match=r"test/utt2spk:1: speaker 1000 is in train and in test"):
        run(tmp_path / "corpus", tmp_path / "out")
    test.write_text(whole.replace("000030011", BROKEN))
    with pytest.raises(InputError, match=rf"test/utt2spk:1: utterance {BROKEN} is in train and in test"):
        run(tmp_path / "corpus", tmp_path / "out")


def test_a_missing_table_or_one_that_is_no_text_is_named(corpus: Path, tmp_path: Path) -> None:
    (corpus / "test" / "text").write_bytes(b"000030011 caf\xe9\n")
    with pytest.raises(InputError, match="test/text:1: is not UTF-8 text; save the file as UTF-8"):
        run(corpus, tmp_path / "out")
    (corpus / "test" / "text").unlink()
    with pytest.raises(InputError, match="test/text: cannot read: No such file"):
        run(corpus, tmp_path / "out")


def test_a_link_inside_the_corpus_is_followed_but_no_name_leads_out(tmp_path: Path) -> None:
    (tmp_path / "WAVE").mkdir()
    (tmp_path / "WAVE" / "a.WAV").touch()
    audio = AudioFiles(tmp_path)
    assert audio.find("wave/A.wav") == audio.find("./WAVE/a.flac") == tmp_path / "WAVE" / "a.WAV"
    for name in ("../a.WAV", "WAVE/../../a.WAV", "/etc/passwd", "a\0b"):
        with pytest.raises(InputError, match="leads out"):
            audio.find(name)


WORD = st.lists(st.tuples(st.sampled_from(CMU_39.split()), st.sampled_from(["", "0", "1", "2"])), min_size=1)


def positions(length: int) -> str:
    return "S" if length == 1 else "B" + "I" * (length - 2) + "E"


@given(WORD)
def test_a_word_gives_its_phones_without_stress_and_position(word: list[tuple[str, str]]) -> None:
    fields = [f"{phone.upper()}{stress}_{at}" for (phone, stress), at in zip(word, positions(len(word)), strict=True)]
    assert parse_word(" ".join(fields)) == tuple(phone for phone, _ in word)
    if len(word) > 1:
        for part in (fields[:-1], fields[1:]):
            with pytest.raises(ValueError, match="whole word"):
                parse_word(" ".join(part))


@given(st.text(max_size=30) | st.text("AEHTBIS_012 \n", max_size=30))
def test_any_text_is_phones_or_a_line_of_error(text: str) -> None:
    try:
        phones, problem = parse_word(text), ""
    except ValueError as error:
        phones, problem = (), str(error)
    assert "\n" not in problem
    assert bool(phones) != bool(problem)
    assert set(phones) <= set(CMU_39.split())


def test_the_command_prints_counts_and_what_it_left_out(corpus: Path, tmp_path: Path) -> None:
    edit(corpus / "resource" / "text-phone", rf"^{BROKEN}\.2.*\n", "")
    arguments = ["speechocean762", str(corpus), str(tmp_path / "out"), "--skip-bad"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0
    assert "train:    81 utterances,  41 speakers" in result.output
    assert f"skipped: {BROKEN}" in result.output
    assert "missing: test has 4 of the release's 2500" in result.output
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["corpus"] == "speechocean762"
    assert isinstance(CliRunner().invoke(app, arguments[:-1]).exception, InputError)


@pytest.mark.parametrize(
    ("targets", "scoring", "folds", "message"),
    [
        ("timit48", "timit39", 1, r"targets\.phone_set: speechocean762 is transcribed in cmu39 .*use cmu39 or timit39"),
        ("timit39", "cmu39", 1, r"scoring\.phone_set: .*use timit39"),
        ("cmu39", "cmu39", 4, r"folds: 4 is not for speechocean762; use 1"),
    ],
)
def test_settings_that_do_not_fit_the_corpus_are_refused(targets: str, scoring: str, folds: int, message: str) -> None:
    recipe = {
        "corpus": {"name": "speechocean762", "folds": folds},
        "targets": {"phone_set": targets},
        "scoring": {"phone_set": scoring},
    }
    with pytest.raises(ValueError, match=message):
        RecipeConfig.model_validate(recipe)


@pytest.mark.corpora
def test_the_real_corpus(speechocean762: Path, tmp_path: Path) -> None:
    summary = run(speechocean762, tmp_path)
    cuts = {name: list(read_cuts(tmp_path / f"{name}.cuts.jsonl.gz")) for name in SPLITS}
    speakers = {name: {cut.supervisions[0].speaker for cut in cuts[name]} for name in SPLITS}
    assert len(cuts["train"]) + len(cuts["dev"]) == 2000
    assert len(cuts["test"]) == 500
    assert [len(speakers[name]) for name in SPLITS] == [114, 11, 25]
    assert not speakers["train"] & speakers["dev"]
    assert not speakers["test"] & (speakers["train"] | speakers["dev"])
    assert summary.skipped == []
    dev = {cut.supervisions[0].speaker: cut.supervisions[0] for cut in cuts["dev"]}
    groups = Counter((int(said.custom["age"]) >= ADULT, said.gender) for said in dev.values())
    assert len(groups) == 4
    phones = Counter(phone for split in cuts.values() for cut in split for phone in phone_sequence(cut))
    assert set(phones) == set(CMU_39.split())
    assert phones.most_common(1) == [("ah", 4368)]  # counted in resource/text-phone by other means
    lines = (speechocean762 / "resource" / "text-phone").read_text().splitlines()
    assert sum(phones.values()) == sum(len(line.split()) - 1 for line in lines)
