"""Killed at any moment, or on a disk that fails at any write, a command comes to the same result when it is rerun."""

import re
import shutil
from pathlib import Path

import pytest
from support.commands.asr_command import snapshot
from support.commands.faults import ERRORS, EVERY, Case, FaultyCommand, sample

pytestmark = pytest.mark.faults

KILLS, FAILURES = 8, 3
"""Points of each command that are tried where not every one is."""

TIMED = re.compile(rb'"(seconds|frames_per_second|fingerprint)": ("\w*"|\{[^}]*\}|[\d.]+)')
NEVER_THE_SAME = re.compile(r"tfevents|speed\.json|report|\.asr\.jsonl|\.lock|stage\.json|checkpoints/")


def result(folder: Path) -> dict[str, bytes]:
    """What a command left, except for times and for what a later stage never reads."""
    files = snapshot(folder)
    return {name: TIMED.sub(b"", content) for name, content in files.items() if not NEVER_THE_SAME.search(name)}


def test_killed_at_any_moment(case: Case, faulty: FaultyCommand) -> None:
    points = faulty.points(case.arguments, case.out, "kill")
    whole = result(case.out)
    assert points > 5
    for point in sample(points, KILLS, EVERY):
        shutil.rmtree(case.out)
        assert faulty(case.arguments, case.out, "kill", point).status == -9, point
        again = faulty(case.arguments, case.out)
        assert again.status == 0, (point, again.err)
        assert result(case.out) == whole, point
        assert not [path for path in case.out.rglob("*") if path.name.endswith(".asr-part")], point


@pytest.mark.parametrize("error", ERRORS)
def test_a_disk_that_fails(case: Case, faulty: FaultyCommand, error: str) -> None:
    points = faulty.points(case.arguments, case.out, error)
    whole = result(case.out)
    for point in sample(points, FAILURES, EVERY):
        shutil.rmtree(case.out)
        failed = faulty(case.arguments, case.out, error, point)
        assert "Traceback" not in failed.err, (point, failed.err)
        if failed.status:
            *_, last = failed.err.splitlines()
            assert last.startswith("asr: "), (point, failed.err)
        again = faulty(case.arguments, case.out)
        assert again.status == 0, (point, again.err)
        assert result(case.out) == whole, point
