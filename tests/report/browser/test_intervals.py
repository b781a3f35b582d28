"""Boundary intervals of the error browser, and references that the run's model places in time."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.commands.asr_command import Command

from asr.errors import InputError
from asr.formats.transcript import PhoneSegment, read_transcripts, write_transcripts
from asr.report.browser.folder import report_folder


def rows(run: Path) -> list[dict[str, Any]]:
    report_folder(run, "none", intervals=True)
    text = (run / "report" / "data" / "utterances-0.js").read_text(encoding="ascii")
    found: list[dict[str, Any]] = json.loads(json.loads(text[len("receiveUtterances(") : -2]))
    return found


def test_hypotheses_have_intervals_and_hand_labels_have_none(own_run: Path) -> None:
    for row in rows(own_run):
        assert len(row["intervals"]) == len(row["pairs"]) == len(row["late"])
        known = [(pair, interval) for pair, interval in zip(row["pairs"], row["intervals"], strict=True) if pair[1]]
        assert all(interval[:2] == [None, None] for interval in row["intervals"])
        assert all(interval[2] is not None for _, interval in known[1:])
        assert all(low < high for _, interval in known for low, high in filter(None, interval))
        off = [abs(pair[4] - sum(interval[2]) / 2) for pair, interval in known[1:]]
        assert sorted(off)[len(off) // 2] < 40  # around where the decoder puts them


def test_references_without_times_are_placed_and_have_intervals_but_no_errors(own_run: Path) -> None:
    path = own_run / "decode" / "test" / "references.jsonl"
    before = {row["name"]: row for row in rows(own_run)}
    untimed = [
        replace(each, phones=[PhoneSegment(phone.phone) for phone in each.phones]) for each in read_transcripts(path)
    ]
    write_transcripts(path, untimed)
    for row in rows(own_run):
        assert "late" not in row
        assert all(pair[2] is not None for pair in row["pairs"] if pair[0])
        labelled = [pair for pair in before[row["name"]]["pairs"] if pair[0]]
        placed = [pair for pair in row["pairs"] if pair[0]]
        off = sorted(abs(pair[2] - label[2]) for pair, label in zip(placed, labelled, strict=True))
        assert off[len(off) // 2] < 60
        assert all(
            interval[0] for pair, interval in list(zip(row["pairs"], row["intervals"], strict=True))[1:] if pair[0]
        )


def test_intervals_are_asked_for_with_the_error_browser(own_run: Path, asr_command: Command) -> None:
    outcome = asr_command("report", own_run, "--intervals")
    assert outcome.status == 1
    assert "give --audio link, embed or none too" in outcome.err


def test_a_run_whose_model_is_gone_is_one_clear_line(own_run: Path) -> None:
    for path in (own_run / "decode" / "bundle").iterdir():
        path.unlink()
    with pytest.raises(InputError, match="bundle"):
        report_folder(own_run, "none", intervals=True)


def test_utterances_that_do_not_fit_are_counted(own_run: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = own_run / "decode" / "test" / "hypotheses.jsonl"
    first, *others = read_transcripts(path)
    write_transcripts(path, [replace(first, phones=first.phones * 100), *others])
    with caplog.at_level("WARNING"):
        rows(own_run)
    assert "as they do not fit their audio: 1 of" in caplog.text
