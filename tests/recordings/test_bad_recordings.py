"""What cannot be read or written: one line each, and the rest goes on."""

import errno
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from support.commands.asr_command import Command
from support.corpora.recordings import RATE, errors, names, write_audio

from asr.audio import read_audio
from asr.cli.messages import codecs_silenced
from asr.errors import InputError
from asr.formats.transcript import Transcript
from asr.recognizer import Recognizer


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


def test_an_odd_path_is_one_line(tiny_run: Path, good: Path, tmp_path: Path, asr_command: Command) -> None:
    pipe, lines, listed, out = (tmp_path / name for name in ("pipe.wav", "two\nlines.wav", "x.jsonl", "out"))
    os.mkfifo(pipe)
    lines.touch()
    listed.write_text('{"path": "nul\\u0000.wav"}\n{"path": "half\\ud800.wav"}\n')
    outcome = asr_command("transcribe", tiny_run, pipe, lines, listed, good / "one.wav", "-o", out)
    assert (outcome.status, outcome.err.count("\n"), names(out)) == (1, 5, ["one"])
    assert [row["what"] for row in errors(out)] == [
        "is a pipe or a device, not an audio file",
        "is an empty file",
        *["is not the name of a file"] * 2,
    ]


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
    command = ("transcribe", tiny_run, good / "one.wav", good / "studio.WAV", "-o", tmp_path / "out")
    outcome = asr_command(*command)
    line, summary = outcome.err.splitlines()
    assert outcome.status == 1
    assert line.startswith(f"asr: {good / 'one.wav'}: {reason}")
    assert summary.startswith("1 transcribed, 1 failed")
    assert "Traceback" in asr_command(*command, "--debug").err


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


def test_a_gpu_that_fails_ends_the_batch(
    tiny_run: Path, good: Path, tmp_path: Path, asr_command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise torch.AcceleratorError("CUDA error: an illegal memory access was encountered\nSearch for more")

    monkeypatch.setattr(Recognizer, "recognize_blocks", fails)
    outcome = asr_command("transcribe", tiny_run, good, "-o", tmp_path / "out")
    assert outcome.status == 1
    assert outcome.err.startswith("asr: the GPU failed: an illegal memory access was encountered; rerun ")
    assert outcome.err.count("\n") == 1
    assert not (tmp_path / "out" / "errors.jsonl").exists(), "no recording is at fault"


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
        assert (
            f"asr: {link}: is a link to a file that does not exist; restore the file, or remove the link\n"
            in outcome.err
        )
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
    path = write_audio(tmp_path / "broken.mp3", speech)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] + bytes(len(whole) // 2))
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


def test_a_name_that_no_output_can_have_is_one_line(
    tiny_run: Path, good: Path, tmp_path: Path, asr_command: Command
) -> None:
    given, out = tmp_path / "list.csv", tmp_path / "a" / "out"
    one = good / "one.wav"
    given.write_text(f"path,utterance\n{one},../../out of it\n{one},{tmp_path / 'absolute'}\n{one},fine\n")
    outcome = asr_command("transcribe", tiny_run, given, "-o", out, "--format", "textgrid", "--format", "elan")
    assert outcome.status == 1
    assert names(out) == ["fine"]
    *lines, _ = outcome.err.splitlines()
    assert [line.split(": ")[1] for line in lines] == [str(one)] * 2
    assert all("cannot be the name of an output file; rename it" in line for line in lines)
    assert not list(tmp_path.glob("out of it*")) + list(tmp_path.glob("absolute*"))
