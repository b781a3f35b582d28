"""`asr align --evaluate`: boundaries on the test sets of runs."""

import json
from pathlib import Path

import pytest
from support.commands.asr_command import Command

from asr.corpora.cuts import read_cuts, write_cuts
from asr.features.archive import Archive, ArchiveWriter


def test_evaluation_of_a_run(tiny_run: Path, tmp_path: Path, asr_command: Command) -> None:
    outcome = asr_command("align", tiny_run, "--evaluate", "-o", tmp_path / "out")
    assert outcome.status == 0
    found = json.loads((tmp_path / "out" / "accuracy.json").read_text())
    assert found["utterances"] == 6
    assert found["boundaries"] > 100
    assert found["within"]["5"] <= found["within"]["50"] <= 100
    # Better than guessing: a boundary of even phones would be some tens of milliseconds off.
    assert found["median"] < 25
    assert f"{found['within']['20']:.1f}%" in outcome.out


def test_one_fold_of_a_run_is_not_evaluated(own_run: Path, tmp_path: Path, asr_command: Command) -> None:
    fold = own_run.rename(tmp_path / "fold-1")
    (fold / "prepare").rename(tmp_path / "prepare")
    outcome = asr_command("align", fold, "--evaluate")
    assert outcome.status == 1
    assert "/fold-1: has no prepare/ with the test sets; give the folder of the run, not one fold of it" in outcome.err


@pytest.mark.parametrize("tested", [slice(None, -1), slice(1, None), slice(None, None, -1)])
def test_models_that_tested_other_utterances_are_not_evaluated_together(
    tiny_run: Path, own_run: Path, asr_command: Command, tested: slice
) -> None:
    cuts = own_run / "prepare" / "test.cuts.jsonl.gz"
    kept = list(read_cuts(cuts))[tested]
    write_cuts(cuts, kept)
    known = Archive(tiny_run / "features" / "test")
    with ArchiveWriter(own_run / "features" / "test", known.dim) as archive:
        for number in (known.utterances.index(cut.id) for cut in kept):
            archive.append(known.utterances[number], known.speakers[number], known[number])
    for runs in ((tiny_run, own_run), (own_run, tiny_run)):
        outcome = asr_command("align", runs[0], "--evaluate", "--model", runs[1])
        assert outcome.status == 1
        assert "they test other utterances; evaluate runs of the same corpus and folds" in outcome.err
        assert "Traceback" not in outcome.err
