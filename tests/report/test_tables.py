from io import StringIO

import pytest
from rich.console import Console
from rich.table import Table

from asr.config import ScoringConfig
from asr.formats.transcript import PhoneSegment, Transcript
from asr.report.tables import per_table, speaker_table
from asr.scoring.edit_alignment import Counts
from asr.scoring.results import ScoreResult, TreatmentScore
from asr.scoring.score import score
from asr.scoring.silence import NOTE, TREATMENTS, USED_BY


@pytest.fixture
def result() -> ScoreResult:
    def transcript(symbols: str) -> Transcript:
        return Transcript("f1-a", [PhoneSegment(symbol) for symbol in symbols.split()], "f1")

    return score([transcript("sil sh iy sil")], [transcript("sh ih sil")], ScoringConfig(bootstrap=10))


def lines(table: Table) -> list[list[str]]:
    console = Console(file=StringIO(), width=80)
    console.print(table)
    return [line.split() for line in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]


def test_three_treatments_side_by_side_fit_80_columns(result: ScoreResult) -> None:
    rows = {line[0]: line[1:] for line in lines(per_table(result)) if line}
    assert rows["counted"][:8] == ["50.0", "50.0", "to", "50.0", "1", "1", "0", "4"]
    assert rows["optional"][:8] == ["25.0", "25.0", "to", "25.0", "1", "0", "0", "4"]
    assert rows["removed"][:8] == ["50.0", "50.0", "to", "50.0", "1", "0", "0", "2"]
    assert rows["counted"][8:] == ["SpeechBrain"]
    assert not any(word.endswith("…") for row in rows.values() for word in row)


def test_the_figures_of_full_timit_fit_80_columns() -> None:
    treatment = TreatmentScore(Counts(1012, 1345, 1287, 7215), (48.1, 52.3))
    result = ScoreResult("timit39", "speakers", True, dict.fromkeys(TREATMENTS, treatment), {}, [])
    words = [word for line in lines(per_table(result)) for word in line]
    assert not any("…" in word for word in words)
    for user in (*USED_BY.values(), NOTE):
        assert set(user.split()) <= set(words)


def test_speakers(result: ScoreResult) -> None:
    assert ["f1", "50.0", "1", "1", "0", "4", "25.0", "50.0"] in lines(speaker_table(result))
