"""`asr align` on files: every form of transcript in, every format out, and a line for what cannot be aligned."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
from praatio import textgrid
from support.commands.asr_command import Command
from support.corpora.ctm import read_ctm
from support.corpora.recordings import rows

from asr.formats.phn import read_labels
from asr.formats.transcript import read_transcripts


def symbols(path: Path) -> list[str]:
    return [label.symbol for label in read_labels(path)]


def test_label_files_beside_the_audio_are_aligned_into_every_format(
    tiny_run: Path, spoken: Path, tmp_path: Path, asr_command: Command
) -> None:
    out = tmp_path / "out"
    outcome = asr_command(
        "align", tiny_run, spoken, "-o", out, "--format", "textgrid", "--format", "ctm", "--format", "phn"
    )
    assert outcome.status == 0
    assert "3 aligned, 0 failed" in outcome.err
    alignments = {alignment.utterance: alignment for alignment in read_transcripts(out / "alignments.jsonl")}
    assert set(alignments) == {path.stem for path in spoken.glob("*.phn")}
    ctm = {transcript.utterance: transcript for transcript in read_ctm(out / "phones.ctm")}
    for name, alignment in alignments.items():
        phones, info = alignment.phones, soundfile.info(spoken / f"{name}.flac")
        said = len([symbol for symbol in symbols(spoken / f"{name}.phn") if symbol != "q"])
        assert len(phones) == said
        assert phones[0].start == 0
        assert phones[-1].end == pytest.approx(info.duration, abs=1e-4)
        assert all(one.end == other.start for one, other in pairwise(phones))
        assert all(0 <= (phone.score or -1) <= 1 for phone in phones)
        for (low, high), phone in zip(alignment.intervals, phones, strict=False):
            assert low <= (phone.end or 0) <= high
        grid = textgrid.openTextgrid(str(out / "textgrids" / f"{name}.TextGrid"), includeEmptyIntervals=False)
        assert [entry.label for entry in grid.getTier("phones").entries] == [phone.phone for phone in phones]
        labels = read_labels(out / "labels" / f"{name}.phn")
        assert [label.symbol for label in labels] == [phone.phone for phone in phones]
        assert info.frames - 1 <= labels[-1].end <= info.frames
        assert [label.start for label in labels] == [round((phone.start or 0) * info.samplerate) for phone in phones]
        assert ctm[name].symbols == [phone.phone for phone in phones]


def test_words_are_aligned_through_a_lexicon(
    tiny_run: Path, spoken: Path, tmp_path: Path, asr_command: Command
) -> None:
    audio = sorted(spoken.glob("*.flac"))[0]
    (tmp_path / "lexicon.txt").write_text("HELLO  HH AH0 L OW1\nHELLO(1)  HH EH0 L OW1\nWORLD  W ER1 L D\n")
    common = ("--lexicon", tmp_path / "lexicon.txt", "--text", "Hello, world!")
    outcome = asr_command("align", tiny_run, audio, "-o", tmp_path / "out", *common, "--format", "phn")
    assert outcome.status == 0
    [alignment] = read_transcripts(tmp_path / "out" / "alignments.jsonl")
    phones = alignment.phones
    spans = {word.word: (word.start, word.end) for word in alignment.words}
    assert list(spans) == ["hello", "world"]
    inside = {
        name: [phone.phone for phone in phones if start <= (phone.start or 0) and (phone.end or 0) <= end]
        for name, (start, end) in spans.items()
    }
    assert inside["hello"] in (["hh", "ah", "l", "ow"], ["hh", "eh", "l", "ow"])
    assert [phone for phone in inside["world"] if phone != "sil"][:3] == ["w", "er", "l"]
    assert symbols(tmp_path / "out" / "labels" / f"{audio.stem}.wrd") == ["hello", "world"]


def test_numbers_are_named_or_spelled(tiny_run: Path, spoken: Path, tmp_path: Path, asr_command: Command) -> None:
    audio = sorted(spoken.glob("*.flac"))[0]
    lexicon = tmp_path / "lexicon.txt"
    lexicon.write_text("hello 1.0 HH AH L OW\ntwenty 1.0 T W EH N T IY\ntwo 0.5 T UW\n")
    common = ("--tier", "words", "--lexicon", lexicon, "--text", "Hello, 22!")
    refused = asr_command("align", tiny_run, audio, "-o", tmp_path / "out", *common)
    assert refused.status == 1
    assert f"asr: {audio}: not in the lexicon: 22; spell numbers out, or use --spell-numbers" in refused.err
    assert asr_command("align", tiny_run, audio, "-o", tmp_path / "out", *common, "--spell-numbers").status == 0
    [row] = rows(tmp_path / "out", "alignments.jsonl")
    assert [word["word"] for word in row["words"]] == ["hello", "twenty", "two"]
    assert row["said"] == "Hello, 22!"


def test_an_aligners_own_textgrid_is_a_transcript(
    tiny_run: Path, spoken: Path, tmp_path: Path, asr_command: Command
) -> None:
    """As MFA writes them: capitals, stress, empty intervals, sp and spn, and the speaker in the tier's name."""
    audio = sorted(spoken.glob("*.flac"))[0]
    labels = ["", "M", "OW1", "", "spn", "S", "sp", "T", "sil", "AH0", ""]
    entries = "".join(f'{n / 10}\n{(n + 1) / 10}\n"{label}"\n' for n, label in enumerate(labels))
    header = 'File type = "ooTextFile"\nObject class = "TextGrid"\n\n0\n1.1\n<exists>\n1\n'
    grid = f'{header}"IntervalTier"\n"anna - phones"\n0\n1.1\n{len(labels)}\n{entries}'
    audio.with_suffix(".TextGrid").write_text(grid, encoding="utf-16")
    assert asr_command("align", tiny_run, audio, "-o", tmp_path / "out").status == 0
    [row] = rows(tmp_path / "out", "alignments.jsonl")
    assert row["said"] == "M OW1 <eps> spn S sp T sil AH0"
    phones = [phone["phone"] for phone in row["phones"]]
    assert [phone for phone in phones if phone != "sil"] == ["m", "ow", "s", "t", "ah"]
    assert "sil" in phones[phones.index("t") : phones.index("ah")]


def test_transcripts_of_every_form_say_the_same(
    tiny_run: Path, spoken: Path, tmp_path: Path, asr_command: Command
) -> None:
    asr_command("align", tiny_run, spoken, "-o", tmp_path / "beside")
    expected = rows(tmp_path / "beside", "alignments.jsonl")
    listed = tmp_path / "listed.jsonl"
    listed.write_text(
        "".join(json.dumps({"utterance": row["utterance"], "phones": row["phones"]}) + "\n" for row in expected)
    )
    plain = tmp_path / "plain"
    plain.mkdir()
    for row in expected:
        (plain / f"{row['utterance']}.lab").write_text(" ".join(phone["phone"] for phone in row["phones"]))
    for number, transcripts in enumerate([listed, plain, tmp_path / "beside" / "textgrids"]):
        out = tmp_path / f"out {number}"
        assert asr_command("align", tiny_run, spoken, "-o", out, "--transcripts", transcripts).status == 0
        assert [row["phones"] for row in rows(out, "alignments.jsonl")] == [row["phones"] for row in expected]


def test_what_cannot_be_aligned_is_named_and_the_rest_is_done(
    tiny_run: Path, spoken: Path, tmp_path: Path, asr_command: Command
) -> None:
    first, second, third = sorted(spoken.glob("*.flac"))
    second.with_suffix(".phn").write_text("0 800 xx\n")
    third.with_suffix(".phn").write_text("".join(f"{10 * n} {10 * n + 10} aa\n" for n in range(2000)))
    soundfile.write(spoken / "unknown.wav", np.zeros(16000, np.float32), 16000)
    (spoken / "broken.wav").write_text("no audio")
    (spoken / "broken.phn").write_text("0 100 aa\n")
    soundfile.write(spoken / "short.wav", np.zeros(100, np.float32), 16000)
    (spoken / "short.phn").write_text("0 100 aa\n")
    outcome = asr_command("align", tiny_run, spoken, "-o", tmp_path / "out")
    assert outcome.status == 1
    assert "1 aligned, 5 failed" in outcome.err
    assert [row["utterance"] for row in rows(tmp_path / "out", "alignments.jsonl")] == [first.stem]
    for path, reason in [
        (second, "; correct it or, if it has words, use --lexicon cmudict or a file"),
        (third, "too few for its phones"),
        (spoken / "unknown.wav", "has no transcript"),
        (spoken / "broken.wav", "not an audio file"),
        (spoken / "short.wav", "shorter than one frame"),
    ]:
        assert any(str(path) in line and reason in line for line in outcome.err.splitlines()), (path, outcome.err)
    assert "Traceback" not in outcome.err


def test_a_name_that_ctm_cannot_hold_is_one_line_and_the_others_are_written(
    tiny_run: Path, spoken: Path, tmp_path: Path, asr_command: Command
) -> None:
    first, *others = sorted(spoken.glob("*.flac"))
    for suffix in (".flac", ".phn"):
        first.with_suffix(suffix).rename(spoken / f"two words{suffix}")
    out = tmp_path / "out"
    outcome = asr_command("align", tiny_run, spoken, "-o", out, "--format", "ctm", "--format", "textgrid")
    assert outcome.status == 1
    assert outcome.err.splitlines() == [
        f"asr: {spoken / 'two words.flac'}: utterance 'two words': CTM allows no spaces in names; rename it; "
        "it is left out of its ctm",
        f"3 aligned, 0 failed, 1 missing in a format: {out / 'alignments.jsonl'}",
    ]
    assert rows(out, "errors.jsonl") == [
        {
            "path": str(spoken / "two words.flac"),
            "what": "utterance 'two words': CTM allows no spaces in names; it is left out of its ctm",
            "fix": "rename it",
        }
    ]
    assert [transcript.utterance for transcript in read_ctm(out / "phones.ctm")] == [path.stem for path in others]
    assert (out / "textgrids" / "two words.TextGrid").is_file()


def test_an_odd_transcript_is_one_line_and_the_rest_is_done(
    tiny_run: Path, spoken: Path, tmp_path: Path, asr_command: Command
) -> None:
    first, second, third = sorted(spoken.glob("*.flac"))
    first.with_suffix(".TextGrid").write_text("[1]\n")
    second.with_suffix(".TextGrid").mkdir()
    third.with_suffix(".TextGrid").write_text("[]")
    outcome = asr_command("align", tiny_run, spoken, "-o", tmp_path / "out")
    assert outcome.status == 1
    *lines, summary = outcome.err.splitlines()
    assert [line.split(": ")[0] for line in lines] == ["asr", "asr"]
    assert [path.stem in line for path, line in zip((first, third), lines, strict=True)] == [True, True]
    assert summary.startswith("1 aligned, 2 failed: ")
    assert [row["utterance"] for row in rows(tmp_path / "out", "alignments.jsonl")] == [second.stem]


def test_several_models_give_the_median_and_the_widest_interval(
    tiny_run: Path, spoken: Path, tmp_path: Path, asr_command: Command
) -> None:
    asr_command("align", tiny_run, spoken, "-o", tmp_path / "one")
    outcome = asr_command("align", tiny_run, spoken, "-o", tmp_path / "two", "--model", tiny_run)
    assert outcome.status == 0
    for one, two in zip(
        rows(tmp_path / "one", "alignments.jsonl"), rows(tmp_path / "two", "alignments.jsonl"), strict=True
    ):
        assert one == two  # twice the same model
    grid = textgrid.openTextgrid(str(next((tmp_path / "two").rglob("*.TextGrid"))), includeEmptyIntervals=False)
    assert grid.tierNames == ("phones", "boundaries")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--tier", "words"], "needs --lexicon"),
        (["--tier", "phones", "--lexicon", "cmudict"], "does not take one"),
        (["--transcripts", "missing.jsonl"], "no such file"),
        (["--text", "aa"], "one audio file"),
        (["--evaluate"], "leave the audio out"),
        (["--spell-numbers"], "--spell-numbers needs --lexicon"),
    ],
)
def test_a_wrong_call_is_one_line(
    tiny_run: Path, spoken: Path, tmp_path: Path, asr_command: Command, arguments: list[str], message: str
) -> None:
    outcome = asr_command("align", tiny_run, spoken, "-o", tmp_path / "out", *arguments)
    assert outcome.status == 1
    assert message in outcome.err
    assert len(outcome.err.strip().splitlines()) == 1
