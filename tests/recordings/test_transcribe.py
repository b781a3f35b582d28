"""Batch transcription: every recording comes out, in the formats and with the messages it should."""

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
from praatio import textgrid
from support.commands.asr_command import Command
from support.corpora.recordings import names, rows, write_audio


def test_every_good_file_is_transcribed(tiny_run: Path, good: Path, tmp_path: Path, asr_command: Command) -> None:
    out = tmp_path / "out"
    outcome = asr_command("transcribe", tiny_run, good, "-o", out)
    assert outcome.status == 0
    files = [path for path in sorted(good.rglob("*")) if path.is_file()]
    assert sorted(row["audio"] for row in rows(out)) == sorted(map(str, files))
    assert {"one", "Übung 2/ʃøn été", "studio", "24 bit"} <= set(names(out))
    assert outcome.err == f"{len(files)} transcribed, 0 failed: {out / 'transcripts.jsonl'}\n"
    duration = {row["utterance"]: row["duration"] for row in rows(out)}
    assert all(abs(seconds - duration["one"]) < 0.1 for seconds in duration.values())


def test_textgrids_hold_the_same_phones_and_times(
    tiny_run: Path, good: Path, tmp_path: Path, asr_command: Command
) -> None:
    out = tmp_path / "out"
    asr_command("transcribe", tiny_run, good, "-o", out)
    for row in rows(out):
        grid = textgrid.openTextgrid(
            str(out / "textgrids" / f"{row['utterance']}.TextGrid"), includeEmptyIntervals=False
        )
        assert grid.maxTimestamp == row["duration"]
        entries = [(entry.label, entry.start, entry.end) for entry in grid.getTier("phones").entries]
        assert entries == [(item["phone"], item["start"], item["end"]) for item in row["phones"]]
    assert len(list(out.rglob("*.TextGrid"))) == len(rows(out))


def test_a_transcript_does_not_depend_on_the_other_files(
    tiny_run: Path, good: Path, tmp_path: Path, asr_command: Command
) -> None:
    asr_command("transcribe", tiny_run, good, "-o", tmp_path / "all")
    asr_command("transcribe", tiny_run / "decode" / "bundle", good / "one.wav", "-o", tmp_path / "one")
    assert rows(tmp_path / "one") == [row for row in rows(tmp_path / "all") if row["utterance"] == "one"]


def test_the_phones_of_a_single_file_are_printed(
    tiny_run: Path, good: Path, bad: Path, tmp_path: Path, asr_command: Command
) -> None:
    out = tmp_path / "out"
    fresh = asr_command("transcribe", tiny_run, good / "one.wav", "-o", out)
    phones = [item["phone"] for item in rows(out)[0]["phones"]]
    assert phones
    assert fresh.out == f"one: {' '.join(phones)}\n"
    assert asr_command("transcribe", tiny_run, good / "studio.WAV", "-o", out).out.startswith("studio: ")
    again = asr_command("transcribe", tiny_run, good / "one.wav", "-o", out)
    assert again.err.startswith("0 transcribed, 1 already done")
    assert again.out == fresh.out
    shown = asr_command("transcribe", tiny_run, good / "one.wav", "-o", out, "--format", "text", "--phones", "ipa")
    assert shown.out == f"one: {(out / 'text' / 'phones' / 'one.txt').read_text()}"
    assert shown.out != fresh.out
    assert asr_command("transcribe", tiny_run, good / "one.wav", good / "studio.WAV", "-o", out).out == ""
    assert asr_command("transcribe", tiny_run, bad / "text.wav", "-o", out).out == ""


def test_mistakes_are_one_line(tiny_run: Path, good: Path, tmp_path: Path, asr_command: Command) -> None:
    (tmp_path / "nothing").mkdir()
    for arguments, message in {
        (tmp_path / "nothing", good): "holds no model bundle (model.safetensors); name a bundle",
        (tmp_path / "none", good): "none: no such folder; give the folder of a run or a model",
        (tiny_run, tmp_path / "none"): "no such file or folder",
        (tiny_run, tmp_path / "nothing"): "no audio file; known suffixes: .aif",
        (tiny_run, good, "--device", "tpu"): "--device tpu: use auto, cpu, cuda or cuda:N",
    }.items():
        outcome = asr_command("transcribe", *arguments, "-o", tmp_path / "out")
        assert outcome.status == 1
        assert message in outcome.err
        assert outcome.err.count("\n") == 1


def test_a_name_that_is_not_utf8(tiny_run: Path, tmp_path: Path, speech: np.ndarray, asr_command: Command) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.wav")
    try:
        write_audio(tmp_path / "x.wav", speech).rename(path)
    except OSError:
        pytest.skip("the file system takes UTF-8 names only")
    outcome = asr_command("transcribe", tiny_run, path, "-o", tmp_path / "out")
    assert outcome.status == 0
    assert outcome.out.startswith("caf\\udce9: ")
    assert rows(tmp_path / "out")[0]["audio"] == str(path)
    assert "1 already done" in asr_command("transcribe", tiny_run, path, "-o", tmp_path / "out").err


def test_what_is_odd_about_a_recording_is_said_once_and_kept(
    tiny_run: Path, tmp_path: Path, asr_command: Command
) -> None:
    given, out = tmp_path / "telephone.wav", tmp_path / "out"
    soundfile.write(given, np.tile([0.1, 0.0001], 2).repeat(4000) * np.random.default_rng(0).normal(0, 1, 16000), 8000)
    for line in (f"{given}: its sample rate of 8000 Hz is below the model's 16000 Hz", None):
        outcome = asr_command("transcribe", tiny_run, given, "-o", out)
        assert outcome.status == 0
        assert outcome.err.splitlines()[:-1] == ([line] if line else [])
    assert rows(out)[0]["warnings"] == ["its sample rate of 8000 Hz is below the model's 16000 Hz"]
