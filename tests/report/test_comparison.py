import csv
import shutil
from pathlib import Path

import pytest
from support.commands.asr_command import Command

from asr import models
from asr.config import DnnConfig
from asr.report.comparison import differences, read_compared
from asr.report.comparison_tables import settings_table
from asr.scoring.silence import TREATMENTS
from asr.storage.json_files import read_json, read_jsonl, write_json


@pytest.fixture
def two_runs(run_with_folds: Path) -> tuple[Path, Path]:
    """A run, and one of another width with the same scores."""
    other = Path(shutil.copytree(run_with_folds, run_with_folds.parent / "other"))
    recipe = other / "recipe.yaml"
    recipe.write_text(recipe.read_text().replace("width: 1024", "width: 64"))
    return run_with_folds, other


def rows(markdown: str) -> list[list[str]]:
    return [[cell.strip() for cell in line[1:-1].split("|")] for line in markdown.splitlines() if line.startswith("|")]


def test_a_run_s_figures_are_those_of_its_results(two_runs: tuple[Path, Path]) -> None:
    results = read_json(two_runs[0] / "results.json")
    compared = read_compared(two_runs)[0]
    for treatment in TREATMENTS:
        assert compared.scores.treatments[treatment].counts.per == pytest.approx(results[treatment]["per"], abs=1e-3)
    assert compared.training == results["seconds"]["train"]
    model = models.build(DnnConfig(), 40, 48 * 3)
    assert compared.parameters == sum(parameter.numel() for parameter in model.parameters())
    assert compared.speed is None


def test_speed_is_over_all_folds(two_runs: tuple[Path, Path]) -> None:
    run = two_runs[0]
    for fold in range(1, 5):
        row = {"audio": 10.0 * fold, "acoustic_model": 1.0, "search": float(fold)}
        write_json(run / f"fold-{fold}" / "decode" / "speed.json", row)
    speed = read_compared([run])[0].speed
    assert speed is not None
    assert (speed.model, speed.search) == pytest.approx((4 / 100, 10 / 100))


def test_decoding_is_timed(tiny_run: Path) -> None:
    spoken = sum(row["duration"] for row in read_jsonl(tiny_run / "decode" / "test" / "references.jsonl"))
    timed = read_json(tiny_run / "decode" / "speed.json")
    assert timed["audio"] == pytest.approx(spoken, abs=1e-3)
    speed = read_compared([tiny_run])[0].speed
    assert speed is not None
    assert speed.model == pytest.approx(timed["acoustic_model"] / spoken, rel=1e-3)
    assert 0 < speed.search == pytest.approx(timed["search"] / spoken, rel=1e-3)


def test_settings_that_differ(two_runs: tuple[Path, Path]) -> None:
    assert settings_table(read_compared(two_runs)).rows == [["model.width", "1024", "64"]]


def test_a_score_folder_compares_with_a_run(run_without_folds: Path) -> None:
    compared = read_compared([run_without_folds, run_without_folds / "score"])
    [(other, found)] = differences(compared, samples=50)
    assert (other.parameters, other.training, other.speed) == (None, None, None)
    assert found["counted"].points == 0
    assert found["counted"].improvement == 0.5


def test_the_command_prints_what_fits_80_columns(
    two_runs: tuple[Path, Path], asr_command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    outcome = asr_command("compare", *two_runs, "--settings")
    assert outcome.status == 0
    assert "…" not in outcome.out
    for words in ("a run", "other", "no clear difference", "model.width", "8 speakers are few"):
        assert words in " ".join(outcome.out.split())


def test_runs_whose_names_look_like_markup_are_shown_as_named(
    two_runs: tuple[Path, Path], asr_command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    first, second = (
        run.rename(run.with_name(name)) for run, name in zip(two_runs, ("[red]a|b", "<i>[i]"), strict=True)
    )
    shown = " ".join(asr_command("compare", first, second, "--settings").out.split())
    # In the tables of errors and costs, and above the settings; the first also above and below the differences.
    assert (shown.count("[red]a|b"), shown.count("<i>[i]")) == (5, 4)
    written = asr_command("compare", first, second, "--settings", "--format", "markdown").out
    assert (written.count("\\[red]a\\|b"), written.count("&lt;i&gt;\\[i]")) == (3, 3)


def test_markdown_has_a_row_for_each_run(two_runs: tuple[Path, Path], asr_command: Command) -> None:
    outcome = asr_command("compare", *two_runs, "--format", "markdown")
    header, _, first, second, other_header, _, against = rows(outcome.out)
    assert (first[0], second[0], against[0]) == ("a run", "other", "other")
    assert (
        dict(zip(header, first, strict=True))["PER"]
        == f"{read_json(two_runs[0] / 'results.json')['counted']['per']:.1f}"
    )
    assert dict(zip(other_header, against, strict=True))["verdict"] == "no clear difference"


def test_latex_has_a_row_for_each_run_and_obeys_no_name(two_runs: tuple[Path, Path], asr_command: Command) -> None:
    other = two_runs[1].rename(two_runs[1].with_name(r"50%_\input{x}&y"))
    lines = asr_command("compare", two_runs[0], other, "--format", "latex").out.splitlines()
    assert lines[2] == r"\begin{tabular}{lrrrrrrrrrrr}"
    [row, against] = [line for line in lines if line.startswith(r"50\%\_\textbackslash{}input\{x\}\&y & ")]
    assert row.count(" & ") == 11
    assert row.endswith(r" \\")
    assert "no clear difference" in against


def test_csv_is_read_back(two_runs: tuple[Path, Path], asr_command: Command) -> None:
    other = two_runs[1].rename(two_runs[1].with_name('a, "b"'))
    scores, against = asr_command("compare", two_runs[0], other, "--format", "csv").out.split("\n\n")
    read = list(csv.DictReader(scores.splitlines()))
    assert [row["run"] for row in read] == ["a run", 'a, "b"']
    assert float(read[0]["PER"]) == pytest.approx(read_json(two_runs[0] / "results.json")["counted"]["per"], abs=0.05)
    assert read[0]["parameters"].isdigit()
    assert next(csv.DictReader(against.splitlines()))["MAPSSWE"] == "1.000"


def test_runs_with_the_same_name_are_distinguished(run_with_folds: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(run_with_folds, tmp_path / "elsewhere" / run_with_folds.name))
    assert [each.name for each in read_compared([run_with_folds, other])] == [str(run_with_folds), str(other)]


def test_mistakes_are_one_line(run_with_folds: Path, run_without_folds: Path, asr_command: Command) -> None:
    damaged = Path(shutil.copytree(run_with_folds, run_with_folds.parent / "damaged"))
    for fold in range(1, 5):
        write_json(damaged / f"fold-{fold}" / "decode" / "speed.json", {"audio": 1})
    cases = [
        ([run_with_folds], "give two or more runs to compare"),
        ([run_with_folds, "none"], "none: no such folder"),
        ([run_with_folds, run_without_folds], "a run and run cannot be compared: not the same test set"),
        ([run_with_folds, damaged], "speed.json: not the times of decoding"),
    ]
    for arguments, message in cases:
        outcome = asr_command("compare", *arguments)
        assert outcome.status == 1
        assert message in outcome.err
        assert outcome.err.count("\n") == 1
