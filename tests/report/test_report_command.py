"""`asr report` and `asr score`: what else they write."""

from pathlib import Path

from support.commands.asr_command import Command

from asr.formats.transcript import PhoneSegment, Transcript, write_transcripts
from asr.storage.output_folder import output_folder


def test_the_reports_of_all_folds(run_with_folds: Path, asr_command: Command, tmp_path: Path) -> None:
    with output_folder(tmp_path / "own", "run", "RUN"):
        pass
    for path in run_with_folds.iterdir():
        path.rename(tmp_path / "own" / path.name)
    outcome = asr_command("report", tmp_path / "own", "--sclite")
    assert outcome.status == 0, outcome.err
    assert outcome.out.splitlines()[-1].endswith("sclite.dtl")
    text = (tmp_path / "own" / "sclite.pra").read_text()
    assert text.count("id: (") == 32
    assert "System name:   timit_sample/dnn" in text


def test_scoring_needs_a_folder_for_them(asr_command: Command, tmp_path: Path) -> None:
    files = [tmp_path / "ref.jsonl", tmp_path / "hyp.jsonl"]
    for path in files:
        write_transcripts(path, [Transcript("u", [PhoneSegment("k"), PhoneSegment("ae")])])
    outcome = asr_command("score", *files, "--sclite")
    assert outcome.status == 1
    assert "give their folder with --out" in outcome.err
    assert asr_command("score", *files, "--sclite", "--out", tmp_path / "out").status == 0
    assert "Percent Total Error       =    0.0%" in (tmp_path / "out" / "sclite.dtl").read_text()


def test_what_beside_does_not_write_is_refused(run_with_folds: Path, asr_command: Command) -> None:
    for option in ("--sclite", "--tensorboard"):
        outcome = asr_command("report", run_with_folds, "--beside", run_with_folds, option)
        assert (outcome.status, outcome.out) == (1, "")
        assert outcome.err.startswith("asr: --beside writes a folder of its own")
