"""TIMIT in its common layouts, its published split, and the folds of the sample."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import soundfile
from support.corpora.timit_tree import SAMPLES, Utterances, build_sample, build_timit
from typer.testing import CliRunner

from asr.cli.prepare import app
from asr.config import CorpusConfig
from asr.corpora import timit_splits
from asr.corpora.cuts import read_cuts, reference
from asr.corpora.prepare import PrepareSummary, corpus_dir, prepare
from asr.corpora.timit_files import find_timit
from asr.corpora.timit_splits import sample_folds
from asr.errors import InputError
from asr.phones.folding import fold
from asr.storage.run_layout import SPLITS


def run(corpus: Path, out: Path, folds: Literal[1, 4] = 1, skip_bad: bool = False) -> PrepareSummary:
    return prepare(CorpusConfig(name="timit", dir=corpus, folds=folds, skip_bad=skip_bad), out)


def speakers_in(manifest: Path) -> set[str]:
    return {cut.supervisions[0].speaker for cut in read_cuts(manifest)}


@pytest.fixture(scope="module")
def full_timit(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, set[str]]]:
    root = tmp_path_factory.mktemp("ldc") / "TIMIT"
    return root, build_timit(root)


def test_full_timit_has_the_published_counts(full_timit: tuple[Path, dict[str, set[str]]], tmp_path: Path) -> None:
    root, parts = full_timit
    assert (len(parts["train"]), len(parts["test"])) == (462, 168)
    summary = run(root.parent, tmp_path)
    assert {name: (split.utterances, split.speakers) for name, split in summary.splits.items()} == {
        "train": (3696, 462),
        "dev": (400, 50),
        "test": (192, 24),
    }
    assert (summary.skipped, summary.missing) == ([], [])
    train, dev, test = (speakers_in(tmp_path / f"{name}.cuts.jsonl.gz") for name in SPLITS)
    assert train == parts["train"]
    assert dev | test < parts["test"]
    assert not dev & test


@pytest.mark.parametrize("missing", ["training", "speaker", "sentence"])
def test_a_partial_copy_stops_or_is_counted(
    full_timit: tuple[Path, dict[str, set[str]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    """Of the training speakers only the first region's."""
    root = tmp_path / "TIMIT"
    for folder in (*(full_timit[0] / "TEST").iterdir(), full_timit[0] / "TRAIN" / "DR1"):
        (root / folder.parent.name / folder.name).mkdir(parents=True)
        for speaker in folder.iterdir():
            (root / folder.parent.name / folder.name / speaker.name).symlink_to(speaker)
    training = sorted(root.glob("TRAIN/DR1/*"))
    if missing == "training":
        message = f"{len(training)} of 462 training speakers are here"
    else:
        monkeypatch.setattr(timit_splits, "TRAINING_SPEAKERS", len(training))
    if missing == "speaker":
        next(root.glob("TEST/*/FAKS0")).unlink()
        message = r"1 of 50 dev speakers are missing \(faks0\)"
    elif missing == "sentence":
        victim = training[0]
        original = victim.readlink()
        victim.unlink()
        victim.mkdir()
        for file in original.iterdir():
            if not file.name.startswith("SX11."):
                (victim / file.name).symlink_to(file)
        message = f"speaker {victim.name.lower()} has 7 of 8 sentences"
    with pytest.raises(InputError, match=message):
        run(root, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert len(run(root, tmp_path / "out", skip_bad=True).missing) == 1


@pytest.mark.parametrize("suffixes", [["WAV"], ["WAV.wav"], ["WAV", "WAV.wav"], ["flac"]])
@pytest.mark.parametrize("case", [str.upper, str.lower, str.capitalize])
def test_every_form_is_read(tmp_path: Path, case: Callable[[str], str], suffixes: list[str]) -> None:
    store = Utterances(tmp_path / "store", suffixes)
    for part, speaker in (("train", "faaa0"), ("train", "mbbb0"), ("test", "fccc0")):
        store.add_speaker(tmp_path / "TIMIT" / case(part) / case("dr1") / case(speaker), case)
    for split, speaker in zip(SPLITS, ("FAAA0", "mbbb0", "fccc0  # a comment"), strict=True):
        (tmp_path / "TIMIT" / f"{split}_speakers.txt").write_text(f"# speakers\n\n{speaker}\n")
    summary = run(tmp_path / "TIMIT", tmp_path / "out")
    assert [split.utterances for split in summary.splits.values()] == [8, 8, 8]
    cut = next(read_cuts(tmp_path / "out" / "train.cuts.jsonl.gz"))
    assert cut.id == "faaa0-si1001"
    assert (cut.supervisions[0].gender, cut.supervisions[0].custom) == ("female", {"dialect": "dr1"})
    assert cut.supervisions[0].text == "She."
    assert reference(cut).symbols == ["h#", "sh", "iy", "h#"]
    audio = reference(cut).audio
    assert audio is not None
    assert audio.endswith(suffixes[-1] if "." in suffixes[-1] else case(suffixes[-1]))
    assert len(cut.load_audio()[0]) == SAMPLES


def test_the_header_of_the_original_discs_is_read(tmp_path: Path) -> None:
    build_sample(tmp_path / "sample")
    fields = ["NIST_1A", "   1024", "database_id -s5 TIMIT", "database_version -s3 1.0", "utterance_id -s9 abc0_sx11"]
    fields += ["channel_count -i 1", f"sample_count -i {SAMPLES}", "sample_rate -i 16000", "sample_min -i -2191"]
    fields += ["sample_max -i 2790", "sample_n_bytes -i 2", "sample_byte_format -s2 01", "sample_sig_bits -i 16"]
    header = ("\n".join([*fields, "end_head"]) + "\n").encode().ljust(1024)
    audio = tmp_path / "sample" / "dr1-fabc0" / "sx11.wav"
    audio.unlink()
    ramp = np.arange(SAMPLES, dtype="<i2")
    audio.write_bytes(header + ramp.tobytes())
    run(tmp_path / "sample", tmp_path / "out", folds=4)
    cuts = {cut.id: cut for cut in read_cuts(tmp_path / "out" / "fold-1" / "test.cuts.jsonl.gz")}
    assert cuts["fabc0-sx11"].recording.num_samples == SAMPLES
    np.testing.assert_array_equal(cuts["fabc0-sx11"].load_audio()[0], ramp / np.float32(2**15))


def test_sample_folds_are_those_defined(timit_sample: Path, tmp_path: Path) -> None:
    summary = run(timit_sample, tmp_path, folds=4)
    women = ["fvmh0", "faem0", "falk0", "falr0", "ftlg0", "fapb0", "fblv0", "fbcg1"]
    men = ["mcpm0", "marc0", "madc0", "maeb0", "mbgt0", "mbma1", "madd0", "mbcg0"]
    tested: Counter[str] = Counter()
    phones = 0
    for k in range(4):
        sets = {name: speakers_in(tmp_path / f"fold-{k + 1}" / f"{name}.cuts.jsonl.gz") for name in SPLITS}
        dev = (2 * k + 2) % 8
        assert sets["test"] == {women[2 * k], women[2 * k + 1], men[2 * k], men[2 * k + 1]}
        assert sets["dev"] == {women[dev], men[dev]}
        assert sets["train"] == {*women, *men} - sets["test"] - sets["dev"]
        assert [summary.splits[f"fold-{k + 1}/{name}"].utterances for name in SPLITS] == [80, 16, 32]
        for cut in read_cuts(tmp_path / f"fold-{k + 1}" / "test.cuts.jsonl.gz"):
            tested[cut.id] += 1
            folded = fold(reference(cut).symbols, "timit39")
            phones += sum(
                phone != "sil" or before != "sil" for before, phone in zip([None, *folded], folded, strict=False)
            )
    assert (len(tested), set(tested.values())) == (128, {1})
    assert not any("-sa" in utterance for utterance in tested)
    assert phones == 4874, "39 phones, runs of silence merged, silence counted"


def test_preparing_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    build_sample(tmp_path / "sample")
    for out in ("a", "b"):
        run(tmp_path / "sample", tmp_path / out, folds=4)
    files = sorted(path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*") if path.is_file())
    assert len(files) == 13
    assert all((tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes() for file in files)


def test_folds_of_another_corpus_are_refused(tmp_path: Path) -> None:
    build_sample(tmp_path / "sample", women=7)
    with pytest.raises(InputError, match="7 women and 8 men"):
        sample_folds(find_timit(tmp_path / "sample"))
    with pytest.raises(InputError, match="use --folds 4"):
        run(tmp_path / "sample", tmp_path / "out")
    result = CliRunner().invoke(app, ["timit", str(tmp_path / "sample"), str(tmp_path / "out"), "--folds", "3"])
    assert isinstance(result.exception, InputError)
    assert str(result.exception) == "--folds 3: use 1 or 4"


def test_a_wrong_folder_is_one_line_that_says_what_is_expected(tmp_path: Path) -> None:
    (tmp_path / "music").mkdir()
    with pytest.raises(InputError, match=r"music: TIMIT is not here: expected TRAIN\|TEST/DRn"):
        run(tmp_path / "music", tmp_path / "out")
    with pytest.raises(InputError, match="none: no such folder"):
        run(tmp_path / "none", tmp_path / "out")
    with pytest.raises(InputError, match=r"corpus\.dir"):
        prepare(CorpusConfig(name="timit", dir=None), tmp_path)


def test_the_corpus_may_be_in_the_users_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build_sample(tmp_path / "home" / "sample")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    config = CorpusConfig(name="timit", dir=Path("~/sample"), folds=4)
    assert corpus_dir(config) == tmp_path / "home" / "sample"
    assert prepare(config, tmp_path / "out").folder == str(tmp_path / "home" / "sample")


def test_a_relative_folder_counts_from_the_current_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert corpus_dir(CorpusConfig(name="timit", dir=Path("a/../sample"))) == tmp_path / "sample"
    assert corpus_dir(CorpusConfig(name="timit", dir=Path("~no such user/b"))) == tmp_path / "~no such user" / "b"


def test_a_speaker_twice_is_refused(tmp_path: Path) -> None:
    build_sample(tmp_path / "sample")
    (tmp_path / "sample" / "dr8-fabc0").mkdir()
    with pytest.raises(InputError, match=r"speaker fabc0 is here and in .*dr1-fabc0"):
        run(tmp_path / "sample", tmp_path / "out", folds=4)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("dev_speakers.txt", None, r"dev_speakers\.txt: cannot read"),
        ("dev_speakers.txt", "# none\n", r"dev_speakers\.txt: lists no speakers"),
        ("dev_speakers.txt", "# dev\nfabc0\n", r"dev_speakers\.txt:2: speaker fabc0 is in the list of train too"),
        ("test_speakers.txt", "fxyz0\n", r"test_speakers\.txt:1: speaker fxyz0 has no folder"),
        ("test_speakers.txt", "fabc2 fabc3\n", r"test_speakers\.txt:1: expected one speaker"),
    ],
)
def test_bad_speaker_lists_are_named(tmp_path: Path, file: str, content: str | None, message: str) -> None:
    build_sample(tmp_path / "sample", women=4, men=0)
    for split, speaker in zip(SPLITS, ("fabc0", "fabc1", "fabc2"), strict=True):
        (tmp_path / "sample" / f"{split}_speakers.txt").write_text(speaker + "\n")
    if content is None:
        (tmp_path / "sample" / file).unlink()
    else:
        (tmp_path / "sample" / file).write_text(content)
    with pytest.raises(InputError, match=message):
        run(tmp_path / "sample", tmp_path / "out")


BAD_UTTERANCES = {
    "truncated line": ("sx11.phn", b"0 2000 h#\n2000 30", r"sx11\.phn:2: .*truncated"),
    "empty": ("sx11.phn", b"", r"sx11\.phn: has no segments"),
    "missing": ("sx11.phn", None, r"sx11\.wav: there is no \.phn file"),
    "overlap": ("sx11.phn", b"0 2000 h#\n1900 3000 sh\n3000 8000 h#\n", r"sx11\.phn:2: .*overlap"),
    "past the audio": ("sx11.phn", b"0 2000 h#\n2000 9000 sh\n", r"sx11\.phn:2: .*0\.062 s past the end"),
    "unknown symbol": ("sx11.phn", b"0 2000 h#\n2000 7900 zz\n", r"sx11\.phn:2: unknown phone 'zz'"),
    "not a number": ("sx11.phn", b"0 2000 h#\n2000 3e3 sh\n", r"sx11\.phn:2: .*'3e3'"),
    "binary": ("sx11.phn", b"\x00\x01", r"sx11\.phn:1: has NUL bytes"),
    "last lines lost": ("sx11.phn", b"0 2000 h#\n2000 3000 sh\n", r"sx11\.phn:2: .*0\.31 s before.*truncated"),
    "no audio file": ("sx11.wav", None, r"sx11\.phn: there is no audio file"),
    "no audio": ("sx11.wav", b"", r"sx11\.wav: is an empty file"),
    "text as audio": ("sx11.wav", b"hello " * 100, r"sx11\.wav: not an audio file"),
    "words past the audio": ("sx11.wrd", b"2000 9000 she\n", r"sx11\.wrd:1: .*past the end"),
}


@pytest.mark.parametrize(("file", "content", "message"), BAD_UTTERANCES.values(), ids=BAD_UTTERANCES)
def test_bad_utterances_are_named_or_left_out(tmp_path: Path, file: str, content: bytes | None, message: str) -> None:
    build_sample(tmp_path / "sample")
    path = tmp_path / "sample" / "dr1-fabc0" / file
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=f"dr1-fabc0/{message}.*--skip-bad") as caught:
        run(tmp_path / "sample", tmp_path / "out", folds=4)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()
    summary = run(tmp_path / "sample", tmp_path / "out", folds=4, skip_bad=True)
    assert [utterance["utterance"] for utterance in summary.skipped] == ["fabc0-sx11"]
    assert summary.splits["fold-1/test"].utterances == 31


def test_truncated_audio_is_noticed(tmp_path: Path) -> None:
    build_sample(tmp_path / "sample")
    path = tmp_path / "sample" / "dr1-fabc0" / "sx11.wav"
    whole = path.read_bytes()
    path.unlink()
    path.write_bytes(whole[: len(whole) // 2])
    assert soundfile.info(path).frames < SAMPLES
    with pytest.raises(InputError, match=r"sx11\.wav: is truncated: 8512 of 17024 bytes are present"):
        run(tmp_path / "sample", tmp_path / "out", folds=4)


def test_the_command_prints_counts_and_what_it_left_out(tmp_path: Path) -> None:
    build_sample(tmp_path / "sample")
    (tmp_path / "sample" / "dr1-fabc0" / "sx11.phn").unlink()
    arguments = ["timit", str(tmp_path / "sample"), str(tmp_path / "out"), "--folds", "4", "--skip-bad"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0
    assert "fold-1/test:    31 utterances,   4 speakers" in result.output
    assert "skipped: fabc0-sx11" in result.output
    assert "1 utterance skipped" in result.output
    result = CliRunner().invoke(app, arguments[:-1])
    assert isinstance(result.exception, InputError)
