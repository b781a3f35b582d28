"""What is wrong with a corpus is one line with the file, its line, and what to do; --skip-bad goes on without it."""

import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from support.commands.asr_command import Command
from support.corpora.own_corpora import BUILDERS, PHONES, json_lines, write_textgrid


def replaced(name: str, old: str, new: str, times: int = 1) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        path = next(root.rglob(name))
        content = path.read_text()
        assert old in content
        path.write_text(content.replace(old, new, times))

    return change


def removed(pattern: str) -> Callable[[Path], None]:
    return lambda root: sorted(root.rglob(pattern))[0].unlink()


def overwritten(name: str, content: bytes) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        next(root.rglob(name)).write_bytes(content)

    return change


def other_channel(root: Path) -> None:
    path = root / "mine_supervisions_all.jsonl.gz"
    text = gzip.decompress(path.read_bytes()).decode()
    path.write_bytes(gzip.compress(text.replace('"channel": 0', '"channel": 1', 1).encode()))


def overlapping(root: Path) -> None:
    write_textgrid(root / "ann" / "ann0.TextGrid", {"phones": (("sh", 0.0, 0.3), ("iy", 0.2, 0.5))})


def too_long(root: Path) -> None:
    write_textgrid(root / "ann" / "ann0.TextGrid", {"phones": (("sh", 0.0, 0.3), ("iy", 0.3, 0.6))})


def other_tier(root: Path) -> None:
    write_textgrid(root / "ann" / "ann0.TextGrid", {"vowels": PHONES})


def reserved(root: Path) -> None:
    write_textgrid(root / "ann" / "ann0.TextGrid", {"phones": (("<s>", 0.0, 0.5),)})


def header_only(root: Path) -> None:
    path = root / "mine.csv"
    path.write_text(path.read_text().splitlines()[0])


def some_times(root: Path) -> None:
    json_lines(root)
    (root / "mine.csv").unlink()
    replaced("mine.jsonl", ', "end": 0.5', "")(root)


def all_test(root: Path) -> None:
    path = root / "mine.csv"
    path.write_text("\n".join(f"{line},test" for line in path.read_text().splitlines()).replace("test", "split", 1))


def decimal_commas(root: Path) -> None:
    path = root / "ann" / "ann0.TextGrid"
    path.write_text(path.read_text().replace("0.", "0,"))


def command_source(root: Path) -> None:
    path = root / "mine_recordings_all.jsonl.gz"
    rows = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    rows[0]["sources"][0]["type"] = "command"
    with gzip.open(path, "wt") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)


def after_two_lines(root: Path) -> None:
    replaced("mine.csv", "she said", '"she\nsaid"')(root)
    replaced("mine.csv", ",ann1,", ",ann0,")(root)


def channel(root: Path) -> None:
    path = root / "mine.csv"
    path.write_text(path.read_text().replace(",text,", ",channel,").replace(",she said,", ",1,"))


def no_supervision(root: Path) -> None:
    recordings = gzip.decompress((root / "mine_recordings_all.jsonl.gz").read_bytes()).splitlines()
    cut = {"id": "c", "start": 0, "duration": 0.5, "channel": 0, "recording": json.loads(recordings[0])}
    (root / "cuts.jsonl").write_text(json.dumps(cut) + "\n")


def same_name(root: Path) -> None:
    (root / "ann" / "ann0.flac").write_bytes((root / "ann" / "ann0.wav").read_bytes())


def spaced(root: Path) -> None:
    write_textgrid(root / "ann" / "ann0.TextGrid", {"phones": (("sh iy", 0.0, 0.5),)})


def said(value: object) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        (root / "mine.csv").unlink()
        (root / "mine.jsonl").write_text(json.dumps({"path": str(root / "ann" / "ann0.wav"), "text": value}) + "\n")

    return change


BROKEN = [
    ("kaldi", replaced("wav.scp", "audio/ann.wav", "sph2pipe ann.sph |"), r"wav\.scp:1: .* command.*not run; save"),
    ("kaldi", replaced("segments", "ann1 ann 0.5 1.0", "ann1 ann 0.5 1.5"), r"segments:2: .*correct the times"),
    (
        "kaldi",
        replaced("segments", "fay1 fay 0.5 1.0\n", ""),
        r"text:12: utterance fay1 has no audio in wav",
    ),
    ("kaldi", replaced("text", "ann0 ", "eve9\nann0 "), r"text:1: 'eve9' has no value"),
    (
        "kaldi",
        replaced("segments", "ann1 ann 0.5 1.0", "ann1 ann 0.5 0.5"),
        r"segments:2: its end 0\.5 s is not after .*; correct",
    ),
    ("csv", after_two_lines, r"mine\.csv:4: utterance 'ann0' is already"),
    ("csv", channel, r"mine\.csv:2: channel 1 \(from 0\), but ann0\.wav has 1 channel; correct"),
    (
        "csv",
        overwritten("ann0.wav", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 16044\n"),
        r"mine\.csv:2: .*ann0\.wav: is a pointer of Git LFS, not the audio itself; run git lfs pull",
    ),
    (
        "csv",
        replaced("mine.csv", "ann/ann0.wav", "https://example.org/ann0.wav"),
        r"mine\.csv:2: 'https://example\.org/ann0\.wav' is an address; download the file",
    ),
    (
        "csv",
        removed("ann0.wav"),
        rf"mine\.csv:2: no such audio file: ann/ann0\.wav, neither in .*/corpus nor in {Path.cwd()}; check the path",
    ),
    (
        "kaldi",
        removed("ann.wav"),
        rf"segments:1: no such audio file: audio/ann\.wav, neither in .*/corpus nor in {Path.cwd()}; check the path",
    ),
    (
        "kaldi",
        replaced("wav.scp", "audio/ann.wav", "/no/ann.wav"),
        r"segments:1: /no/ann\.wav: no such audio file; check the path",
    ),
    ("csv", replaced("mine.csv", "sil sh iy sil", "sil _B iy"), r"mine\.csv:2: symbol '_B' is reserved"),
    ("csv", replaced("mine.csv", "path,", "sound,"), r"mine\.csv:1: has no column of audio files: .*; it has sound"),
    ("csv", replaced("mine.csv", ",ann1,", ",ann0,"), r"mine\.csv:3: utterance 'ann0' is already"),
    (
        "csv",
        replaced("mine.csv", ",ann0,", ",../ann0,"),
        r"mine\.csv:2: .*cannot be the name of a file and of .*; rename it",
    ),
    (
        "csv",
        replaced("mine.csv", ",ann0,", ",ann 0,"),
        r"mine\.csv:2: utterance 'ann 0' cannot be .* CTM \(no spaces\); re",
    ),
    ("csv", replaced("mine.csv", "path,", "speaker,"), r"mine\.csv:1: has two columns 'speaker'; rename one"),
    (
        "csv",
        replaced("mine.csv", "sil sh iy sil", "sil sh iy sil, sil"),
        r"mine\.csv:2: has \d cells, and the header \d",
    ),
    ("csv", replaced("mine.csv", "sil sh iy sil", '"sil sh iy sil'), r"mine\.csv:2: cannot be read .*close each quote"),
    (
        "csv",
        replaced("mine.csv", ",text,phones", ",said,labels"),
        r"mine\.csv:2: has neither phones nor words: it needs one of text,",
    ),
    ("csv", said(["she", "said"]), r"mine\.jsonl:1: text \"\['she', 'said'\]\" is not a text; put it in quotes"),
    ("csv", said(True), r"mine\.jsonl:1: text 'True' is not a text"),
    ("csv", all_test, r"corpus: no utterances are left for train: all are those of dev or test; give some to train"),
    ("csv", overwritten("mine.csv", b"\n\n"), r"mine\.csv: has no utterances; give one a line"),
    ("csv", some_times, r"mine\.jsonl:1: 3 of 4 phones have a start and an end; give both to all of them, or to none"),
    ("csv", header_only, r"mine\.csv: has no utterances; give one a line"),
    (
        "kaldi",
        replaced("text", "ann0 ", "ann9 "),
        r"segments:1: has neither phones nor words: it needs ann0 in the file",
    ),
    ("textgrid", removed("*.TextGrid"), r"ann0\.wav: there is no TextGrid"),
    ("textgrid", removed("*.wav"), r"ann0\.TextGrid: there is no audio file with the same name next to it"),
    ("textgrid", overlapping, r"ann0\.TextGrid: tier 'phones' cannot be read: interval 2 .* overlaps"),
    (
        "textgrid",
        too_long,
        r"ann0\.TextGrid: the label 'iy' from 0\.3 to 0\.6 s .*passes the end of the audio \(0\.5 s\)",
    ),
    (
        "textgrid",
        decimal_commas,
        r"ann0\.TextGrid: not a Praat TextGrid .*: it has no tier whose start and end are numbers",
    ),
    (
        "textgrid",
        other_tier,
        r"ann0\.TextGrid: has no interval tier 'phones'; it has vowels; name the one .* with --tier",
    ),
    ("textgrid", same_name, r"'ann/ann0' is already that of \S*/ann0\.flac; remove or rename one"),
    (
        "textgrid",
        spaced,
        r"ann0\.TextGrid: the label from 0 to 0\.5 s: symbol 'sh iy' is empty or has white space in it; "
        r"write one phone",
    ),
    ("textgrid", reserved, r"ann0\.TextGrid: the label from 0 to 0\.5 s: symbol '<s>' is reserved"),
    ("lhotse", command_source, r"mine_supervisions_all\.jsonl\.gz:1: its audio is a command, which is not run"),
    ("lhotse", other_channel, r"mine_supervisions_all\.jsonl\.gz:1: has no channel 1 in its recording; correct it"),
    ("lhotse", no_supervision, r"cuts\.jsonl:1: cut 'c' has no supervision"),
    (
        "librispeech",
        replaced("ann-7.trans.txt", "ann-7-0001 SHE SAID\n", ""),
        r"ann-7-0001\.flac: no \*\.trans\.txt next to it has a line for it",
    ),
    ("librispeech", removed("ann-7.trans.txt"), r"ann-7-0000\.flac: no \*\.trans\.txt next to it"),
    ("librispeech", removed("*.flac"), r"cat-7\.trans\.txt:1: there is no audio file cat-7-0000 next to it"),
    ("librispeech", replaced("ann-7.trans.txt", " SHE SAID", ""), r"ann-7\.trans\.txt:1: 'ann-7-0000' has no value"),
    ("librispeech", overwritten("ann-7.trans.txt", b""), r"ann-7\.trans\.txt: is empty; copy it again; --skip-bad"),
    ("commonvoice", overwritten("train.tsv", b""), r"train\.tsv: is empty; copy it again"),
    ("commonvoice", removed("clips/*.wav"), r"train\.tsv:2: .*no such audio file"),
    (
        "commonvoice",
        replaced("train.tsv", "\tann0.wav", "\t../ann0.wav"),
        r"train\.tsv:2: '../ann0\.wav' is not the name",
    ),
    (
        "commonvoice",
        replaced("train.tsv", "she said", "she\tsaid"),
        r"train\.tsv:2: has 1 cell more than the header; remove the tab inside another cell",
    ),
    ("commonvoice", replaced("train.tsv", "\tann0.wav", "\tclips\\ann0.wav"), r"train\.tsv:2: .* is not the name"),
    ("commonvoice", replaced("train.tsv", "\tsentence", ""), r"train\.tsv:1: has no column sentence; it has client_id"),
    ("folder", removed("*.txt"), None),
    ("folder", removed("*.wav"), r"ann0\.phn: there is no audio file"),
    ("folder", replaced("ann0.phn", "0 1600 sil", "0 sil"), r"ann0\.phn:1: expected start, end and label"),
]


@pytest.mark.parametrize(("name", "breaks", "message"), BROKEN)
def test_a_mistake_is_one_line_with_its_place(
    name: str, breaks: Callable[[Path], None], message: str | None, tmp_path: Path, asr_command: Command
) -> None:
    BUILDERS[name](tmp_path / "corpus")
    breaks(tmp_path / "corpus")
    options = ["--text", "phones"] if name == "kaldi" else []
    outcome = asr_command("prepare", name, tmp_path / "corpus", tmp_path / "out", *options)
    if message is None:
        assert outcome.status == 0
        return
    [line] = outcome.err.splitlines()
    assert outcome.status == 1
    assert re.search(message, line), line
    assert not list((tmp_path / "out").glob("*.gz"))


def test_broken_utterances_are_left_out_and_counted(tmp_path: Path, asr_command: Command) -> None:
    BUILDERS["textgrid"](tmp_path / "corpus")
    too_long(tmp_path / "corpus")
    removed("bob0.TextGrid")(tmp_path / "corpus")
    outcome = asr_command("prepare", "textgrid", tmp_path / "corpus", tmp_path / "out", "--skip-bad")
    assert outcome.status == 0, outcome.err
    assert "2 utterances skipped" in outcome.err
    assert "skipped: bob/bob0: " in outcome.err
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert sum(split["utterances"] for split in summary["splits"].values()) == 10


def broken_json(root: Path) -> None:
    json_lines(root)
    (root / "mine.csv").unlink()
    replaced("mine.jsonl", '{"audio"', '"audio"')(root)


def broken_supervision(root: Path) -> None:
    path = root / "mine_supervisions_all.jsonl.gz"
    lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    lines[1], lines[3] = lines[1].replace('"start"', '"begin"'), lines[3][:-9]
    path.write_bytes(gzip.compress("\n".join(lines).encode()))


UNREADABLE = [
    ("csv", replaced("mine.csv", "sil sh iy sil", "sil sh iy sil, sil"), ["mine.csv:2"]),
    ("csv", replaced("mine.csv", "ann/ann0.wav", ""), ["mine.csv:2"]),
    ("csv", replaced("mine.csv", ",ann1,", ",ann0,"), ["mine.csv:3"]),
    ("csv", broken_json, ["mine.jsonl:1"]),
    ("kaldi", replaced("wav.scp", "audio/ann.wav", "sph2pipe ann.sph |"), ["ann0", "ann1"]),
    ("kaldi", replaced("segments", "ann1 ann 0.5 1.0", "ann1 ann x 1.0"), ["ann1"]),
    ("kaldi", replaced("segments", "ann1 ann 0.5 1.0", "ann1"), ["ann1"]),
    ("kaldi", replaced("segments", "ann1 ann 0.5 1.0", "ann1 ann 0.5 1.0\nann1 ann 0.5 0.9"), ["ann1"]),
    ("kaldi", replaced("utt2spk", "ann1 ann", "ann1"), ["ann1"]),
    ("kaldi", replaced("text", "ann1 sil sh iy sil", "ann1"), ["ann1"]),
    ("lhotse", broken_supervision, ["mine_supervisions_all.jsonl.gz:2", "mine_supervisions_all.jsonl.gz:4"]),
    ("lhotse", no_supervision, None),
    ("librispeech", replaced("ann-7.trans.txt", " SHE SAID", ""), ["ann-7-0000"]),
    ("librispeech", overwritten("ann-7.trans.txt", b""), ["ann-7-0000", "ann-7-0001"]),
    ("librispeech", overwritten("ann-7.trans.txt", b"ann-7-0000 CAF\xc9\n"), ["ann-7-0000", "ann-7-0001"]),
]


@pytest.mark.parametrize(("name", "breaks", "left_out"), UNREADABLE)
def test_rows_that_cannot_be_read_are_left_out_and_the_rest_is_read(
    name: str, breaks: Callable[[Path], None], left_out: list[str] | None, tmp_path: Path, asr_command: Command
) -> None:
    BUILDERS[name](tmp_path / "corpus")
    breaks(tmp_path / "corpus")
    (tmp_path / "lexicon.txt").write_text("she sh iy\nsaid s eh d\n")
    options = ["--text", "phones"] if name == "kaldi" else ["--lexicon", tmp_path / "lexicon.txt"]
    outcome = asr_command("prepare", name, tmp_path / "corpus", tmp_path / "out", "--skip-bad", *options)
    if left_out is None:
        assert "has no utterances that can be read; the first: " in outcome.err
        return
    assert outcome.status == 0, outcome.err
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert [each["utterance"] for each in summary["skipped"]] == left_out
    assert sum(split["utterances"] for split in summary["splits"].values()) == 12 - len(left_out)


def test_a_speaker_on_two_sides_is_refused_or_kept_on_one(tmp_path: Path, asr_command: Command) -> None:
    BUILDERS["librispeech"](tmp_path / "corpus")
    chapter = tmp_path / "corpus" / "test-clean" / "eve" / "7"
    chapter.rename(tmp_path / "corpus" / "test-clean" / "eve" / "8")
    known = tmp_path / "corpus" / "train-clean-5" / "eve" / "9"
    known.mkdir(parents=True)
    (known / "eve-9.trans.txt").write_text("eve-9-0000 SHE\n")
    ann = tmp_path / "corpus" / "train-clean-5" / "ann" / "7"
    (known / "eve-9-0000.flac").write_bytes((ann / "ann-7-0000.flac").read_bytes())
    outcome = asr_command("prepare", "librispeech", tmp_path / "corpus", tmp_path / "out")
    assert outcome.status == 1
    assert re.search(
        r"in train has the same (speaker|audio) as eve-7-0000 in test; move one, or --skip-bad", outcome.err
    )
    lexicon = tmp_path / "lexicon.txt"
    lexicon.write_text("she sh iy\nsaid s eh d\n")
    options = ("--skip-bad", "--lexicon", lexicon)
    outcome = asr_command("prepare", "librispeech", tmp_path / "corpus", tmp_path / "out", *options)
    assert outcome.status == 0, outcome.err
    assert (
        "skipped: eve-9-0000: utterance eve-9-0000 in train has the same speaker as eve-7-0000 in test" in outcome.err
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--dev", "10"], "--dev: use a share of the speech or minutes, such as 10% or 30min"),
        (["--dev", "60%", "--test", "50%"], "would take them all"),
        (["--phone-set", "timit40"], "--phone-set: phone set 'timit40': choose"),
        (["--tier", "vowels"], "tier is for corpus.name: textgrid"),
    ],
)
def test_options_that_are_not_allowed(options: list[str], message: str, tmp_path: Path, asr_command: Command) -> None:
    BUILDERS["csv"](tmp_path / "corpus")
    outcome = asr_command("prepare", "csv", tmp_path / "corpus", tmp_path / "out", *options)
    assert outcome.status == 1
    assert message in outcome.err


def test_one_speaker_needs_another_way_to_divide(tmp_path: Path, asr_command: Command) -> None:
    BUILDERS["csv"](tmp_path / "corpus")
    table = tmp_path / "corpus" / "mine.csv"
    table.write_text(re.sub(r"(\w+\d),\w+,", r"\1,ann,", table.read_text()))
    outcome = asr_command("prepare", "csv", tmp_path / "corpus", tmp_path / "out")
    assert "too few for train and test and dev; add speakers, or set corpus.split.by: recording" in outcome.err
    outcome = asr_command("prepare", "csv", tmp_path / "corpus", tmp_path / "out", "--split-by", "recording")
    assert outcome.status == 0, outcome.err


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mine.xlsx", r"mine\.xlsx: is not one of \.csv, \.tsv, \.jsonl, .*; save it as one of these"),
        ("mine.json", r"mine\.json:1: not valid JSON: .*; write JSON Lines, an object a line"),
    ],
)
def test_a_file_that_is_not_a_list(name: str, message: str, tmp_path: Path, asr_command: Command) -> None:
    (tmp_path / name).write_text("[\n")
    outcome = asr_command("prepare", "csv", tmp_path / name, tmp_path / "out")
    [line] = outcome.err.splitlines()
    assert re.search(message, line), line
