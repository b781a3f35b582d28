"""The benchmark of long recordings runs on a finished run and counts what it says."""

import json
from pathlib import Path

import pytest

from benchmarks.long_recordings import main


def test_it_has_a_row_for_each_kind_of_transcript_and_for_the_long_recording(
    tiny_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main([str(tiny_run), "--hour", "61"])
    *fits, hour = map(json.loads, capsys.readouterr().out.splitlines())
    assert [row["transcript"] for row in fits] == ["right", "of the next", "one of two", "one of three"]
    assert all(row["least"] <= row["greatest"] for row in fits)
    assert hour["audio_s"] >= 61
    assert hour["figure"] > 25  # of a model that has hardly been trained
