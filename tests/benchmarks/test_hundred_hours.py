"""The corpus of the hundred hours: copies by links, which are one speaker's each and never on two sides."""

import json
from pathlib import Path

import pytest
from support.commands.asr_command import Command
from support.corpora.own_corpora import BUILDERS

from asr.corpora.cuts import read_cuts
from benchmarks.hundred_hours import commands, link_copies, parse, run


def test_copies_are_utterances_of_their_own(tmp_path: Path, asr_command: Command) -> None:
    BUILDERS["librispeech"](tmp_path / "corpus")
    linked = link_copies(tmp_path / "corpus", tmp_path / "linked", 3)
    for folder in ("corpus", "linked"):
        outcome = asr_command("prepare", "librispeech", tmp_path / folder, tmp_path / f"prepared-{folder}")
        assert outcome.status == 0, outcome.err
    for split in ("train", "dev", "test"):
        once, thrice = (
            list(read_cuts(tmp_path / f"prepared-{folder}" / f"{split}.cuts.jsonl.gz"))
            for folder in ("corpus", "linked")
        )
        assert len(thrice) == 3 * len(once)
        assert {Path(cut.recording.sources[0].source).resolve() for cut in thrice} == {
            Path(cut.recording.sources[0].source).resolve() for cut in once
        }
        assert len({cut.supervisions[0].speaker for cut in thrice}) == 3 * len(
            {cut.supervisions[0].speaker for cut in once}
        )
    assert link_copies(tmp_path / "corpus", linked, 3) == linked


def test_a_stage_is_measured_and_a_failure_ends_all() -> None:
    figures, output = run(["python", "-c", "print('{}'); x = bytearray(300_000_000)"])
    assert output == ["{}"]
    assert list(figures) == ["s", "CPU s", "GB"]
    assert figures["GB"] > 0.3
    with pytest.raises(SystemExit, match="3"):
        run(["python", "-c", "raise SystemExit(3)"])
    assert parse([]).hours == 100


def test_every_stage_is_a_command_with_options_that_exist(tmp_path: Path, asr_command: Command) -> None:
    options = parse(["--stages", "prepare,features,train,decode,score", "--set", "training.memory=2"])
    for name, command in commands(options, tmp_path / "corpus", tmp_path):
        outcome = asr_command(*command[command.index("asr") + 1 :])
        assert outcome.status == 1, f"{name}: {outcome.err}"
        assert str(tmp_path) in outcome.err, "only the input is missing"


def test_reading_alone_reads_every_utterance_once(tmp_path: Path, asr_command: Command) -> None:
    BUILDERS["librispeech"](tmp_path / "corpus")
    assert asr_command("prepare", "librispeech", tmp_path / "corpus", tmp_path / "prepare").status == 0
    options = parse(["--stages", "read"])
    [(name, command)] = commands(options, tmp_path / "corpus", tmp_path)
    figures, [output] = run(command)
    cuts = [cut for path in (tmp_path / "prepare").glob("*.cuts.jsonl.gz") for cut in read_cuts(path)]
    assert name == "read"
    assert json.loads(output) == {"s of audio": pytest.approx(sum(cut.duration for cut in cuts), abs=0.1)}
    assert figures["CPU s"] > 0
    assert len(cuts) > 1
