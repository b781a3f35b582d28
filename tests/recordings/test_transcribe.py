"""Batch transcription: every good file comes out, every bad one is one line, and nothing is done twice or lost."""

import errno
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from praatio import textgrid
from support.asr_command import Command, snapshot

from asr.audio import read_audio
from asr.cli.messages import codecs_silenced
from asr.errors import InputError
from asr.formats.transcript import Transcript
from asr.recognizer import Recognizer
from asr.storage.files import rename

RATE = 16000


@pytest.fixture(scope="session")
def speech(tiny_corpus: Path) -> np.ndarray:
    return soundfile.read(next(tiny_corpus.glob("test/*/fslt2/*.flac")), dtype="float32")[0]


def write(path: Path, samples: np.ndarray, rate: int = RATE, **options: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, **options)
    return path


def rows(out: Path) -> list[dict]:
    return [json.loads(line) for line in (out / "transcripts.jsonl").read_text(encoding="utf-8").splitlines()]


def errors(out: Path) -> list[dict]:
    path = out / "errors.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def names(out: Path) -> list[str]:
    return [row["utterance"] for row in rows(out)]


@pytest.fixture
def good(tmp_path: Path, speech: np.ndarray) -> Path:
    """A folder of recordings as people have them."""
    folder = tmp_path / "my recordings"
    write(folder / "one.wav", speech)
    write(folder / "Übung 2" / "ʃøn été.flac", speech)
    write(folder / "telephone.WAV", speech[::2], 8000)
    times = np.arange(0, len(speech), RATE / 44100)
    write(folder / "music.wav", np.stack([np.interp(times, np.arange(len(speech)), speech)] * 2, axis=1), 44100)
    write(folder / "24 bit.wav", speech, subtype="PCM_24")
    write(folder / "float.aiff", speech, subtype="FLOAT")
    for name, options in {"vorbis.ogg": {}, "opus.opus": {"format": "OGG", "subtype": "OPUS"}, "mp3.mp3": {}}.items():
        if options.get("format", Path(name).suffix[1:].upper()) in soundfile.available_formats():
            write(folder / name, speech, **options)
    return folder


@pytest.fixture
def bad(tmp_path: Path, speech: np.ndarray) -> Path:
    """A folder of files that are not what they seem."""
    folder = tmp_path / "bad"
    folder.mkdir()
    (folder / "text.wav").write_text("This is not audio.\n")
    (folder / "empty.wav").touch()
    whole = write(folder / "truncated.wav", speech)
    whole.write_bytes(whole.read_bytes()[:-1000])
    write(folder / "nan.wav", np.array([0.0, np.nan] * 8000, np.float32), subtype="FLOAT")
    write(folder / "short.wav", speech[:100])
    write(folder / "silent.wav", speech[:0])
    write(folder / ("n" * 235 + ".wav"), speech)
    return folder


def test_every_good_file_is_transcribed(tiny_run: Path, good: Path, tmp_path: Path, asr_command: Command) -> None:
    out = tmp_path / "out"
    outcome = asr_command("transcribe", tiny_run, good, "-o", out)
    assert outcome.status == 0
    files = [path for path in sorted(good.rglob("*")) if path.is_file()]
    assert sorted(row["audio"] for row in rows(out)) == sorted(map(str, files))
    assert {"one", "Übung 2/ʃøn été", "telephone", "24 bit"} <= set(names(out))
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


def test_each_bad_file_is_one_line_and_the_rest_goes_on(
    tiny_run: Path, good: Path, bad: Path, tmp_path: Path, asr_command: Command
) -> None:
    out = tmp_path / "out"
    outcome = asr_command("transcribe", tiny_run, bad, good / "one.wav", "-o", out)
    assert outcome.status == 1
    assert names(out) == ["one"]
    *lines, summary = outcome.err.splitlines()
    files = sorted(bad.iterdir())
    assert sorted(line.split(": ")[1] for line in lines) == sorted(map(str, files))
    assert all(line.startswith("asr: ") for line in lines)
    assert summary.startswith(f"1 transcribed, {len(files)} failed: ")
    listed = errors(out)
    assert [row["path"] for row in listed] == [str(path) for path in files]
    assert all(row["what"] and row["fix"] and str(bad) not in row["what"] for row in listed)
    again = asr_command("transcribe", tiny_run, bad, good / "one.wav", "-o", out)
    assert (again.status, names(out)) == (1, ["one"])
    assert "0 transcribed, 1 already done" in again.err
    assert errors(out) == listed
    assert asr_command("transcribe", tiny_run, good / "one.wav", "-o", out).status == 0
    assert not (out / "errors.jsonl").exists()


def test_a_transcript_does_not_depend_on_the_other_files(
    tiny_run: Path, good: Path, tmp_path: Path, asr_command: Command
) -> None:
    asr_command("transcribe", tiny_run, good, "-o", tmp_path / "all")
    asr_command("transcribe", tiny_run / "decode" / "bundle", good / "one.wav", "-o", tmp_path / "one")
    assert rows(tmp_path / "one") == [row for row in rows(tmp_path / "all") if row["utterance"] == "one"]


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


def test_the_phones_of_a_single_file_are_printed(
    tiny_run: Path, good: Path, bad: Path, tmp_path: Path, asr_command: Command
) -> None:
    out = tmp_path / "out"
    fresh = asr_command("transcribe", tiny_run, good / "one.wav", "-o", out)
    phones = [item["phone"] for item in rows(out)[0]["phones"]]
    assert phones
    assert fresh.out == f"one: {' '.join(phones)}\n"
    assert asr_command("transcribe", tiny_run, good / "telephone.WAV", "-o", out).out.startswith("telephone: ")
    again = asr_command("transcribe", tiny_run, good / "one.wav", "-o", out)
    assert again.err.startswith("0 transcribed, 1 already done")
    assert again.out == fresh.out
    assert asr_command("transcribe", tiny_run, good / "one.wav", good / "telephone.WAV", "-o", out).out == ""
    assert asr_command("transcribe", tiny_run, bad / "text.wav", "-o", out).out == ""


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
    outcome = asr_command("transcribe", tiny_run, other, good / "telephone.WAV", "-o", out)
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
    (out / "textgrids" / "telephone.TextGrid").mkdir()
    (out / "textgrids" / "24 bit.TextGrid").write_text("by hand\n")
    (out / "textgrids" / "Übung 2").write_text("a file where a folder must be\n")
    (out / "textgrids" / "music.TextGrid").symlink_to(good / "one.wav")
    outcome = asr_command("transcribe", tiny_run, good, "-o", out)
    assert outcome.status == 1
    *lines, summary = outcome.err.splitlines()
    assert len(lines) == 4
    for name, reason in {
        "telephone.TextGrid": "is a folder in the place of an output file",
        "24 bit.TextGrid": "was not written by asr transcribe, or was changed since",
        "Übung 2": "cannot make the folder",
        "music.TextGrid": "was not written by asr transcribe",
    }.items():
        assert any(line.startswith(f"asr: {out / 'textgrids' / name}: {reason}") for line in lines), (name, lines)
    assert ", 1 already done, 0 failed, 4 missing in a format: " in summary
    assert (out / "textgrids" / "24 bit.TextGrid").read_text() == "by hand\n"
    assert len(rows(out)) == len([path for path in good.rglob("*") if path.is_file()])


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (MemoryError(), "does not fit in memory; split it into parts, or choose another --device"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: tried 9 GB"), "does not fit in memory"),
        (RuntimeError("CUDA out of memory. Tried to allocate"), "does not fit in memory"),
        (KeyError("odd"), "KeyError: 'odd'"),
        (ValueError("two\nlines"), "ValueError: two lines"),
    ],
)
def test_what_goes_wrong_inside_is_the_file_s_error(
    tiny_run: Path,
    good: Path,
    tmp_path: Path,
    asr_command: Command,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    reason: str,
) -> None:
    recognize = Recognizer.recognize_blocks

    def fail(self: Recognizer, blocks: Iterable[np.ndarray], utterance: str, audio: str, nbest: int) -> Transcript:
        if utterance == "one":
            raise error
        return recognize(self, blocks, utterance, audio, nbest)

    monkeypatch.setattr(Recognizer, "recognize_blocks", fail)
    command = ("transcribe", tiny_run, good / "one.wav", good / "telephone.WAV", "-o", tmp_path / "out")
    outcome = asr_command(*command)
    line, summary = outcome.err.splitlines()
    assert outcome.status == 1
    assert line.startswith(f"asr: {good / 'one.wav'}: {reason}")
    assert summary.startswith("1 transcribed, 1 failed")
    assert "Traceback" in asr_command(*command, "--debug").err


def test_recordings_that_are_scored_together_have_the_same_transcripts(
    tiny_run: Path, good: Path, bad: Path, tmp_path: Path, asr_command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    asr_command("transcribe", tiny_run, good, bad, "-o", tmp_path / "alone")
    monkeypatch.setattr(Recognizer, "on_gpu", True)
    batches: list[int] = []
    together = Recognizer.recognize_batch

    def counted(self: Recognizer, waveforms: list[np.ndarray], *more: object) -> list[Transcript]:
        batches.append(len(waveforms))
        return together(self, waveforms, *more)

    monkeypatch.setattr(Recognizer, "recognize_batch", counted)
    asr_command("transcribe", tiny_run, good, bad, "-o", tmp_path / "together", "--jobs", 1)
    assert max(batches) == len(rows(tmp_path / "alone")) > 1
    assert errors(tmp_path / "together") == errors(tmp_path / "alone")
    for one, other in zip(rows(tmp_path / "alone"), rows(tmp_path / "together"), strict=True):
        assert [phone.pop("score") for phone in one["phones"]] == pytest.approx(
            [phone.pop("score") for phone in other["phones"]], abs=2e-4
        )
        assert one == other


def test_a_batch_that_fails_is_done_one_by_one(
    tiny_run: Path, good: Path, tmp_path: Path, asr_command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = Recognizer.recognize_batch

    def small(self: Recognizer, waveforms: list[np.ndarray], names: list[tuple[str, str]], nbest: int) -> object:
        if len(waveforms) > 1 or names[0][0] == "one":
            raise RuntimeError("CUDA out of memory")
        return together(self, waveforms, names, nbest)

    monkeypatch.setattr(Recognizer, "on_gpu", True)
    monkeypatch.setattr(Recognizer, "recognize_batch", small)
    out = tmp_path / "out"
    asr_command("transcribe", tiny_run, good, "-o", out)
    assert [row["path"] for row in errors(out)] == [str(good / "one.wav")]
    assert len(rows(out)) == len([path for path in good.rglob("*") if path.is_file()]) - 1


@pytest.mark.parametrize("wrapped", [False, True])
def test_ctrl_c_ends_the_batch(
    tiny_run: Path, good: Path, tmp_path: Path, asr_command: Command, monkeypatch: pytest.MonkeyPatch, wrapped: bool
) -> None:
    def interrupted(*_: object) -> None:
        if wrapped:
            raise SystemError("returned a result with an exception set") from KeyboardInterrupt()
        raise KeyboardInterrupt

    monkeypatch.setattr(Recognizer, "recognize_blocks", interrupted)
    outcome = asr_command("transcribe", tiny_run, good, "-o", tmp_path / "out")
    assert (outcome.status, outcome.err) == (130, "asr: Interrupted; rerun the same command to resume\n")


def test_other_containers_in_a_folder_are_never_passed_over(
    tiny_run: Path, good: Path, tmp_path: Path, asr_command: Command
) -> None:
    for name in ("a.m4a", "b.M4A", "Übung 2/c.m4a", "d.mp4", "e.webm", "notes.txt", ".hidden.m4a"):
        (good / name).touch()
    (tmp_path / "elsewhere").mkdir()
    (good / "linked").symlink_to(tmp_path / "elsewhere")
    outcome = asr_command("transcribe", tiny_run, good, "-o", tmp_path / "out")
    links, *lines, _ = outcome.err.splitlines()
    assert links == f"linked folders are not searched: {good / 'linked'}; name them to search them"
    named = sorted(str(good / name) for name in ("a.m4a", "b.M4A", "Übung 2/c.m4a", "d.mp4", "e.webm"))
    assert sorted(line.split(": ")[1] for line in lines) == named
    assert sorted(row["path"] for row in errors(tmp_path / "out")) == named
    assert outcome.status == 1


def test_links_to_nowhere_and_missing_files_are_one_line_each(
    tiny_run: Path, good: Path, tmp_path: Path, asr_command: Command
) -> None:
    links = [good / "dangling.wav", tmp_path / "named.wav"]
    for link in links:
        link.symlink_to(tmp_path / "nowhere")
    outcome = asr_command("transcribe", tiny_run, good, links[1], tmp_path / "typo.wav", "-o", tmp_path / "out")
    assert outcome.status == 1
    for link in links:
        assert f"asr: {link}: is a link to a file that does not exist\n" in outcome.err
    assert f"asr: {tmp_path / 'typo.wav'}: no such audio file; check the path\n" in outcome.err
    assert " transcribed, 3 failed: " in outcome.err


def test_a_folder_that_cannot_be_read_is_one_line_and_counts(
    tiny_run: Path, good: Path, tmp_path: Path, asr_command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed, scandir = good / "Übung 2", os.scandir

    def scan(path: str) -> object:
        if Path(path) == closed:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", scan)
    outcome = asr_command("transcribe", tiny_run, good, "-o", tmp_path / "out")
    line, summary = outcome.err.splitlines()
    assert line == f"asr: {closed}: cannot read the folder: Permission denied"
    assert ", 1 failed: " in summary
    assert outcome.status == 1


def test_codecs_do_not_write_to_the_terminal(
    tiny_run: Path, good: Path, tmp_path: Path, speech: np.ndarray, capfd: pytest.CaptureFixture[str]
) -> None:
    if "MP3" not in soundfile.available_formats():
        pytest.skip("this libsndfile has no MP3")
    path = write(tmp_path / "broken.mp3", speech)
    path.write_bytes(path.read_bytes()[:1500])
    with codecs_silenced():
        print("ours", file=sys.stderr)
        with pytest.raises(InputError):
            read_audio(path, RATE)
    assert capfd.readouterr().err == "ours\n"
    with pytest.raises(InputError):
        read_audio(path, RATE)
    assert capfd.readouterr().err != ""


def test_a_full_disk_is_one_line_and_loses_nothing(
    tiny_run: Path, good: Path, tmp_path: Path, asr_command: Command
) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(small)], capture_output=True)
    if mounted.returncode:
        pytest.skip("may not mount a small file system here")
    try:
        out = small / "out"
        (small / "filler").write_bytes(bytes(36 * 1024))
        outcome = asr_command("transcribe", tiny_run, good, "-o", out)
        assert outcome.status == 1
        assert outcome.err.count("\n") == 1
        assert "cannot write: No space left on device; free disk space or choose another folder" in outcome.err
        (small / "filler").unlink()
        before = (out / "transcripts.jsonl").read_bytes()
        assert asr_command("transcribe", tiny_run, good / "one.wav", good / "24 bit.wav", "-o", out).status == 0
        assert set(before.splitlines()[:-1]) <= set((out / "transcripts.jsonl").read_bytes().splitlines())
        assert not list(small.rglob("*-part"))
    finally:
        subprocess.run(["umount", str(small)], check=True)


@pytest.mark.parametrize("out", ["/dev/null", "/dev/null/out", "/proc/out"])
def test_a_folder_that_cannot_be_written_is_one_line(
    tiny_run: Path, good: Path, asr_command: Command, out: str
) -> None:
    outcome = asr_command("transcribe", tiny_run, good, "-o", out)
    assert outcome.status == 1
    assert outcome.err.startswith((f"asr: {out}: cannot make the folder: ", f"asr: {out}: is not a folder; "))
    assert outcome.err.count("\n") == 1


def test_mistakes_are_one_line(tiny_run: Path, good: Path, tmp_path: Path, asr_command: Command) -> None:
    (tmp_path / "nothing").mkdir()
    for arguments, message in {
        (tmp_path / "nothing", good): "holds no model bundle (model.safetensors); name a bundle",
        (tmp_path / "none", good): "holds no model bundle",
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
        write(tmp_path / "x.wav", speech).rename(path)
    except OSError:
        pytest.skip("the file system takes UTF-8 names only")
    outcome = asr_command("transcribe", tiny_run, path, "-o", tmp_path / "out")
    assert outcome.status == 0
    assert outcome.out.startswith("caf\\udce9: ")
    assert rows(tmp_path / "out")[0]["audio"] == str(path)
    assert "1 already done" in asr_command("transcribe", tiny_run, path, "-o", tmp_path / "out").err
