"""Many recordings through one piece of work: what becomes of each, and what an interruption leaves."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support.corpora.recordings import RATE, errors, names, rows

from asr.engines.threads import Threads
from asr.formats.transcript import Transcript
from asr.recordings.batch import Summary, process
from asr.recordings.export import PLAIN, Exports
from asr.recordings.results import Row
from asr.recordings.sources import Source, find_sources
from asr.recordings.work import Read, one_by_one
from asr.storage.output_folder import output_folder

Work = Callable[[Source, Read], tuple[Transcript, Row]]


@pytest.fixture
def audio(tmp_path: Path) -> Path:
    """A folder of the recordings a, b and c, with noise at 8 kHz."""
    (tmp_path / "audio").mkdir()
    for name in "abc":
        soundfile.write(tmp_path / "audio" / f"{name}.wav", np.random.default_rng(0).normal(0, 0.1, 8000), 8000)
    return tmp_path / "audio"


def read_twice(source: Source, read: Read) -> tuple[Transcript, Row]:
    for _ in range(2):
        length = sum(len(block) for block in read())
    return Transcript(source.utterance, [], audio=str(source.path), duration=length / RATE), {}


def run(audio: Path, out: Path, work: Work) -> Summary:
    output = out / "transcripts.jsonl"
    with output_folder(out, "test", "--out") as folder:
        return process(
            find_sources([audio]),
            output,
            lambda device: one_by_one(work),
            RATE,
            lambda row, source: True,
            lambda failed: Exports(folder, output, ["textgrid"], PLAIN, "timit39", failed=failed),
            Threads(),
            "reading",
        )


def test_a_warning_is_kept_once_however_often_a_recording_is_read(audio: Path, tmp_path: Path) -> None:
    assert run(audio, tmp_path / "out", read_twice).text("read") == "3 read, 0 failed"
    for row in rows(tmp_path / "out"):
        assert len(set(row["warnings"])) == len(row["warnings"])
        assert "its sample rate of 8000 Hz is below the model's 16000 Hz" in row["warnings"]


def test_a_recording_that_changes_or_goes_while_it_is_read_fails(audio: Path, tmp_path: Path) -> None:
    def work(source: Source, read: Read) -> tuple[Transcript, Row]:
        outcome = read_twice(source, read)
        if source.utterance == "a":
            os.utime(source.path, (1, 1))
        if source.utterance == "b":
            source.path.unlink()
        return outcome

    assert run(audio, tmp_path / "out", work) == Summary(1, 0, 2, 0)
    assert names(tmp_path / "out") == ["c"]
    assert [row["what"] for row in errors(tmp_path / "out")] == ["changed while it was read", "no such audio file"]


def test_nothing_stays_of_a_recording_that_was_replaced_by_a_broken_one(audio: Path, tmp_path: Path) -> None:
    run(audio, tmp_path / "out", read_twice)
    (audio / "b.wav").write_text("no audio")
    assert run(audio, tmp_path / "out", read_twice) == Summary(0, 2, 1, 0)
    assert names(tmp_path / "out") == ["a", "c"]
    assert {path.stem for path in (tmp_path / "out" / "textgrids").iterdir()} == {"a", "c"}


def test_an_interruption_keeps_results_and_digests(audio: Path, tmp_path: Path) -> None:
    def work(source: Source, read: Read) -> tuple[Transcript, Row]:
        if source.utterance == "b":
            raise KeyboardInterrupt
        return read_twice(source, read)

    with pytest.raises(KeyboardInterrupt):
        run(audio, tmp_path / "out", work)
    assert names(tmp_path / "out") == ["a"]
    assert rows(tmp_path / "out", "audio.jsonl")[0]["audio"] == str(audio / "a.wav")
    assert run(audio, tmp_path / "out", read_twice) == Summary(2, 1, 0, 0)
    assert names(tmp_path / "out") == ["a", "b", "c"]


def test_all_is_on_the_disk_at_the_end(audio: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[int] = []
    grids = tmp_path / "out" / "textgrids"
    monkeypatch.setattr(os, "sync", lambda: written.append(len(list(grids.iterdir()))), raising=False)
    run(audio, tmp_path / "out", read_twice)
    assert written == [3]
