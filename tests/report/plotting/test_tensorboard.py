"""`asr report --tensorboard`: the figures that TensorBoard shows of a run."""

from pathlib import Path
from typing import Any

import pytest
from support.commands.asr_command import Command

from asr.storage.json_files import read_jsonl

pytest.importorskip("matplotlib")


def images(run: Path) -> set[str]:
    """The tags of the images that a run's figures hold."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    (events,) = (run / "tensorboard").glob("*tfevents*")
    found = EventAccumulator(str(events))
    found.Reload()
    return set(found.Tags()["images"])


def error_rate(row: dict[str, Any]) -> float:
    """Of a line of utterances.jsonl, silence counted."""
    counts = row["counts"]["counted"]
    return float((counts["substitutions"] + counts["deletions"] + counts["insertions"]) / counts["reference_phones"])


def test_the_confusions_and_the_worst_utterances(
    own_run: Path, asr_command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asr.report.plotting.tensorboard.SHOWN", 2)
    rows = sorted(read_jsonl(own_run / "score" / "utterances.jsonl"), key=error_rate)
    assert len(rows) > 2
    expected = {"confusions", *(f"utterances/{row['utterance']}" for row in rows[-2:])}
    for _ in range(2):  # the second time they take the place of the first ones
        outcome = asr_command("report", own_run, "--tensorboard")
        assert outcome.status == 0, outcome.err
        assert outcome.out.splitlines()[-1] == str(own_run / "tensorboard")
        assert images(own_run) == expected


def test_a_file_of_the_user_is_named_and_stays(own_run: Path, asr_command: Command) -> None:
    mine = own_run / "tensorboard" / "mine.txt"
    mine.parent.mkdir()
    mine.write_text("mine")
    outcome = asr_command("report", own_run, "--tensorboard")
    assert outcome.status == 1
    assert outcome.err == f"asr: {mine}: is not a file that asr wrote, and would be replaced; move it away\n"
    assert mine.read_text() == "mine"
