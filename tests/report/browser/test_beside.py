"""Two runs side by side: what is written; test_beside_page.py has the page in a browser."""

import json
from pathlib import Path

import pytest

from asr.config import ScoringConfig
from asr.errors import InputError
from asr.formats.transcript import PhoneSegment, Transcript, read_transcripts, write_transcripts
from asr.report.browser.folder import beside_folder
from asr.scoring.score import score_files


def test_each_utterance_has_the_pairs_of_both(run: Path, beside: Path) -> None:
    assert beside == run / "beside-other"
    text = (beside / "data" / "utterances-0.js").read_text(encoding="ascii")
    rows = {row["name"]: row for row in json.loads(json.loads(text[len("receiveUtterances(") : -2]))}
    row = rows["fair-1"]
    assert [pair[7] for pair in row["pairs"]] == [0, 0, 0, 1, 0, 0]
    assert [pair[7] for pair in row["other"]["pairs"]] == [0, 0, 0, 2, 0, 0]
    assert row["other"]["counts"] == [0, 0, 0, 6]
    assert row["other"]["pairs"][3][:2] == ["s", "s"]


def test_the_page_says_who_is_better_and_who_is_right(beside: Path) -> None:
    page = (beside / "index.html").read_text(encoding="utf-8")
    assert "MAPSSWE p" in page
    for differ, times in (("first", 2), ("second", 2), ("neither", 0)):
        assert f"errors.html#differ={differ}" in page
        row = page.split(f"errors.html#differ={differ}")[1].split("</tr>")[0]
        assert f'<td class="n">{times}</td>' in row


def test_runs_with_other_references_are_refused_and_the_utterance_is_named(run: Path, other_run: Path) -> None:
    test = other_run / "decode" / "test"
    changed = [
        Transcript(each.utterance, [*each.phones[:-1], PhoneSegment("z", 0.5, 0.6)], each.speaker)
        for each in read_transcripts(test / "references.jsonl")
    ]
    write_transcripts(test / "references.jsonl", changed)
    config = ScoringConfig(bootstrap=10)
    score_files(test / "references.jsonl", test / "hypotheses.jsonl", other_run / "score", config)
    with pytest.raises(InputError, match=r"run and other cannot be compared: utterance .* has different reference"):
        beside_folder(run, other_run, "none")
    assert not (run / "beside-other").exists()
