"""Transcribing into a folder that has results: nothing is done twice, and nothing is lost."""

import re
from pathlib import Path

import pytest
from support.commands.asr_command import Command, snapshot
from support.corpora.recordings import rows

from asr.storage.files import rename


def test_goes_on_after_an_interruption(tiny_run: Path, good: Path, tmp_path: Path, asr_command: Command) -> None:
    out = tmp_path / "out"
    command = ("transcribe", tiny_run, good, "-o", out)
    asr_command(*command)
    output, record = out / "transcripts.jsonl", out / ".asr.jsonl"
    whole = output.read_bytes()
    lines = whole.splitlines(keepends=True)
    # What a crash leaves: lines of which the record does not know yet, the last of them perhaps cut short.
    known = [
        row
        for row in record.read_text().splitlines(keepends=True)
        if '"transcripts.jsonl"' not in row or '"size": 0' in row
    ]
    for left in (b"", b"".join(lines[:2]), b"".join(lines[:2]) + lines[2][:50], lines[0][:-1]):
        output.write_bytes(left)
        record.write_text("".join(known))
        outcome = asr_command(*command)
        kept = left.count(b"\n")
        assert output.read_bytes() == whole
        assert outcome.err.startswith(f"{len(lines) - kept} transcribed")
    assert "0 transcribed" in asr_command(*command).err
    assert output.read_bytes() == whole


def test_results_of_another_bundle_are_kept_aside(
    tiny_run: Path, own_run: Path, good: Path, tmp_path: Path, asr_command: Command
) -> None:
    out = tmp_path / "out"
    asr_command("transcribe", tiny_run, good / "one.wav", "-o", out)
    first = rows(out)
    tuned = own_run / "decode/bundle/decoding.yaml"
    tuned.write_text(re.sub(r"insertion_penalty: .*", "insertion_penalty: 6.0", tuned.read_text()))
    outcome = asr_command("transcribe", own_run, good / "one.wav", "-o", out)
    warning, summary = outcome.err.splitlines()
    [aside] = out.glob("previous-*")
    assert warning == f"{out} holds results of another model or lexicon; they are now in {aside.name}"
    assert summary.startswith("1 transcribed, 0 failed")
    assert len(rows(out)) == 1
    assert rows(out) != first
    assert rows(aside) == first
    assert (aside / "textgrids" / "one.TextGrid").is_file()


def test_results_that_were_only_partly_moved_aside_are_not_taken_for_done(
    tiny_run: Path, own_run: Path, good: Path, tmp_path: Path, asr_command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    asr_command("transcribe", tiny_run, good / "one.wav", "-o", out)
    tuned = own_run / "decode/bundle/decoding.yaml"
    tuned.write_text(re.sub(r"insertion_penalty: .*", "insertion_penalty: 6.0", tuned.read_text()))
    moved: list[Path] = []

    def stopped(source: Path, target: Path) -> None:
        if moved:
            raise KeyboardInterrupt
        moved.append(source)
        rename(source, target)

    with monkeypatch.context() as patch:
        patch.setattr("asr.recordings.resume.rename", stopped)
        assert asr_command("transcribe", own_run, good / "one.wav", "-o", out).status == 130
    assert "1 transcribed, 0 failed" in asr_command("transcribe", own_run, good / "one.wav", "-o", out).err
    assert len(rows(out)) == 1
    assert len(list(out.glob("previous-*/**/*.TextGrid"))) == 1


def test_another_file_of_the_same_name_is_not_taken_for_done(
    tiny_run: Path, good: Path, tmp_path: Path, asr_command: Command
) -> None:
    out = tmp_path / "out"
    asr_command("transcribe", tiny_run, good / "one.wav", "-o", out)
    other = tmp_path / "other" / "one.wav"
    other.parent.mkdir()
    other.write_bytes((good / "24 bit.wav").read_bytes())
    outcome = asr_command("transcribe", tiny_run, other, good / "studio.WAV", "-o", out)
    assert outcome.status == 1
    line, summary = outcome.err.splitlines()
    assert line.startswith(f"asr: {other}: ")
    assert f"already has a result of {good / 'one.wav'} named one; choose another folder" in line
    assert summary.startswith("1 transcribed, 1 failed")


def test_a_file_that_is_not_ours_is_left_alone(
    tiny_run: Path, good: Path, tmp_path: Path, asr_command: Command
) -> None:
    (tmp_path / "transcripts.jsonl").write_text("mine\n")
    outcome = asr_command("transcribe", tiny_run, good, "-o", tmp_path)
    assert "holds files that asr transcribe did not write (my recordings, transcripts.jsonl)" in outcome.err
    assert outcome.err.count("\n") == 1
    assert (tmp_path / "transcripts.jsonl").read_text() == "mine\n"


def test_results_that_were_changed_since_are_refused(
    tiny_run: Path, own_run: Path, good: Path, tmp_path: Path, asr_command: Command
) -> None:
    out = tmp_path / "out"
    asr_command("transcribe", tiny_run, good / "one.wav", "-o", out)
    (out / "transcripts.jsonl").write_text("my own notes\nwithout an end of the last line")
    before = snapshot(out)
    outcome = asr_command("transcribe", tiny_run, good, "-o", out)
    assert (outcome.status, outcome.err.count("\n")) == (1, 1)
    assert "transcripts.jsonl: was not written by asr transcribe, or was changed since" in outcome.err
    assert {**snapshot(out), ".asr.jsonl": b""} == {**before, ".asr.jsonl": b""}


def test_a_bundle_is_not_its_own_output_folder(own_run: Path, good: Path, asr_command: Command) -> None:
    bundle = own_run / "decode" / "bundle"
    before = snapshot(own_run)
    for out in (bundle, own_run):
        outcome = asr_command("transcribe", bundle, good / "one.wav", "-o", out)
        assert (outcome.status, outcome.err.count("\n")) == (1, 1)
    assert snapshot(own_run) == before


def test_a_note_in_the_bundle_s_folder_makes_no_other_bundle(
    own_run: Path, good: Path, tmp_path: Path, asr_command: Command
) -> None:
    out = tmp_path / "out"
    asr_command("transcribe", own_run, good / "one.wav", "-o", out)
    (own_run / "decode" / "bundle" / "NOTES.txt").write_text("the best so far\n")
    outcome = asr_command("transcribe", own_run, good / "one.wav", "-o", out)
    assert outcome.err.startswith("0 transcribed, 1 already done, 0 failed")


def test_what_is_in_the_place_of_an_output_stays_and_costs_one_entry(
    tiny_run: Path, good: Path, tmp_path: Path, asr_command: Command
) -> None:
    out = tmp_path / "out"
    asr_command("transcribe", tiny_run, good / "one.wav", "-o", out)
    (out / "textgrids" / "studio.TextGrid").mkdir()
    (out / "textgrids" / "24 bit.TextGrid").write_text("by hand\n")
    (out / "textgrids" / "Übung 2").write_text("a file where a folder must be\n")
    (out / "textgrids" / "music.TextGrid").symlink_to(good / "one.wav")
    outcome = asr_command("transcribe", tiny_run, good, "-o", out)
    assert outcome.status == 1
    *lines, summary = outcome.err.splitlines()
    assert len(lines) == 4
    for name, reason in {
        "studio.TextGrid": "is a folder in the place of an output file",
        "24 bit.TextGrid": "was not written by asr transcribe, or was changed since",
        "Übung 2": "cannot make the folder",
        "music.TextGrid": "was not written by asr transcribe",
    }.items():
        assert any(line.startswith(f"asr: {out / 'textgrids' / name}: {reason}") for line in lines), (name, lines)
    assert ", 1 already done, 0 failed, 4 missing in a format: " in summary
    assert (out / "textgrids" / "24 bit.TextGrid").read_text() == "by hand\n"
    assert len(rows(out)) == len([path for path in good.rglob("*") if path.is_file()])
