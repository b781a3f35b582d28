"""Recordings scored together, as on a GPU, come out as if each were alone."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.commands.asr_command import Command
from support.corpora.recordings import errors, rows

from asr.formats.transcript import Transcript
from asr.recognizer import Recognizer
from asr.recordings.together import by_length


@given(st.lists(st.integers(1, 50), max_size=30), st.integers(1, 200))
def test_each_is_in_one_batch_which_is_bounded(lengths: list[int], most: int) -> None:
    batches = list(by_length(lengths, most))
    assert sorted(place for batch in batches for place in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(lengths[place] for place in batch) <= most


def test_similar_lengths_are_together() -> None:
    assert list(by_length([9, 2, 8, 1, 2], 18)) == [[3, 1, 4], [2, 0]]
    assert list(by_length([9, 2, 8, 1, 2], 17)) == [[3, 1, 4], [2], [0]]


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
