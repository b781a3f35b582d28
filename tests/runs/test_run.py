"""A run: its stages, what it refuses, and what it writes."""

import fcntl
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from support.commands.asr_command import Command, done, snapshot

from asr.config.recipe_file import read_recipe
from asr.runs.run import Run, execute

STAGES = ("prepare", "features", "train", "decode", "score")


def test_runs_all_stages_and_prints_the_table(tiny_recipe: Path, tmp_path: Path, asr_command: Command) -> None:
    out = tmp_path / "a run [/of] ünïcode"
    outcome = asr_command("run", tiny_recipe, "--out", out, "--device", "cpu")
    assert outcome.status == 0
    assert done(outcome.err) == list(STAGES)
    for treatment in ("counted", "optional", "removed"):
        assert treatment in outcome.out
    assert f"Report: {out / 'report.html'}" in outcome.out
    assert (out / "report.html").is_file()


def test_a_stage_alone_needs_those_before_it_as_the_recipe_stands(
    tiny_recipe: Path, own_run: Path, tmp_path: Path, asr_command: Command
) -> None:
    outcome = asr_command("run", tiny_recipe, "--out", tmp_path / "new", "--stage", "train")
    assert outcome.err.count("\n") == 1
    assert "stage prepare has not been run" in outcome.err
    outcome = asr_command("run", tiny_recipe, "--out", own_run, "--stage", "decode", "--set", "features.bins=20")
    assert outcome.status == 1
    assert "features: stage features was run with other settings" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--stage", "fetch"], "stage 'fetch': choose prepare, features, train, decode, score or report"),
        (["--from", "fetch"], "stage 'fetch': choose prepare"),
        (["--stage", "train", "--from", "train"], "--stage and --from exclude each other"),
        (["--set", "model.depth=3"], "model.depth: unknown key; allowed here: "),
        (["--set", "model.layers=many"], "model.layers: 'many' is not allowed"),
        (["--set", "model"], "--set model: write it as key.key=value"),
        (["--set", "targets.phone_set=arpabet"], "targets.phone_set: 'arpabet' is not allowed"),
        (["--set", "corpus.folds=4"], "folds: 4 is for the TIMIT sample"),
        (["--set", "corpus.dir=/no/such/folder"], "/no/such/folder: corpus.dir: no such folder"),
        (["--set", "corpus.name=timit", "--set", "corpus.dir=null"], "corpus.dir: TIMIT is licensed"),
        (["--set", "model.pretrained=/no/such"], "model.pretrained: /no/such: no such folder"),
        (["--device", "gpu"], "--device gpu: use auto, cpu, cuda or cuda:N"),
        (["--device", "cuda:999"], "--device cuda:999: this machine has "),
    ],
)
def test_a_mistake_is_one_line(
    tiny_recipe: Path, tmp_path: Path, asr_command: Command, arguments: list[str], message: str
) -> None:
    outcome = asr_command("run", tiny_recipe, "--out", tmp_path / "run", *arguments)
    assert outcome.status == 1
    assert message in outcome.err.splitlines()[-1]
    assert [line for line in outcome.err.splitlines() if line != "prepare: running"] == [outcome.err.splitlines()[-1]]


def test_audio_that_is_not_numbers_stops_the_features_and_names_the_file(
    tiny_corpus: Path, tiny_recipe: Path, tmp_path: Path, asr_command: Command
) -> None:
    corpus = Path(shutil.copytree(tiny_corpus, tmp_path / "corpus"))
    audio = next(corpus.glob("dev/*/*/*.flac"), None) or next(corpus.glob("test/*/mkal1/*.flac"))
    samples, rate = soundfile.read(audio)
    samples[100] = np.nan
    soundfile.write(audio.with_suffix(".wav"), samples, rate, subtype="FLOAT")
    audio.unlink()
    command = ("run", tiny_recipe, "--out", tmp_path / "run", "--set", f"corpus.dir={corpus}")
    outcome = asr_command(*command)
    assert outcome.status == 1
    assert outcome.err.splitlines()[-1].startswith(
        f"asr: {audio.with_suffix('.wav')}: has samples that are not audio: nan"
    )
    skipping = (*command, "--set", "corpus.skip_bad=true")
    outcome = asr_command(*skipping)
    assert outcome.status == 0
    note = f"features: 1 utterance skipped, see {tmp_path / 'run/features/summary.json'}"
    assert note in outcome.err.splitlines()
    summary = json.loads((tmp_path / "run/features/summary.json").read_text())
    assert [row["utterance"] for row in summary["skipped"]] == [f"{audio.parent.name}-{audio.stem}"]
    assert json.loads((tmp_path / "run/results.json").read_text())["skipped"] == 1
    # Prepare leaves out another one; a stage that is up to date still reports what it left out.
    next(corpus.glob("train/*/fslt0/*.phn")).write_text("0 2000 zz\n")
    asr_command(*skipping)
    outcome = asr_command(*skipping)
    assert done(outcome.err) == []
    assert f"prepare: 1 utterance skipped, see {tmp_path / 'run/prepare/summary.json'}" in outcome.err.splitlines()
    assert note in outcome.err.splitlines()
    assert json.loads((tmp_path / "run/results.json").read_text())["skipped"] == 2


def test_the_corpus_may_be_in_the_users_own_folder(
    tiny_corpus: Path, tiny_recipe: Path, tmp_path: Path, asr_command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tiny_corpus.parent))
    out = tmp_path / "run"
    home = f"corpus.dir=~/{tiny_corpus.name}"
    assert asr_command("run", tiny_recipe, "--out", out, "--stage", "prepare", "--set", home).status == 0
    assert asr_command("run", tiny_recipe, "--out", out, "--stage", "features").status == 0


def test_missing_pretrained_weights_are_reported_before_any_stage_runs(
    tiny_recipe: Path, tmp_path: Path, asr_command: Command
) -> None:
    outcome = asr_command("run", tiny_recipe, "--out", tmp_path / "run", "--set", f"model.pretrained={tmp_path}")
    assert outcome.err.startswith(f"asr: model.pretrained: {tmp_path}: holds no model bundle (model.safetensors)")
    assert not (tmp_path / "run").exists()


def test_boundaries_without_alignments_are_reported_before_any_stage_runs(
    tiny_recipe: Path, tmp_path: Path, asr_command: Command
) -> None:
    outcome = asr_command("run", tiny_recipe, "--out", tmp_path / "run", "--set", "training.snap=50")
    assert outcome.err.startswith("asr: training.snap moves boundaries of alignments; set training.align_with")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("setting", ["model.pretrained", "training.align_with"])
def test_a_run_does_not_begin_with_what_it_makes(
    setting: str, tiny_recipe: Path, own_run: Path, asr_command: Command
) -> None:
    outcome = asr_command("run", tiny_recipe, "--out", own_run, "--set", f"{setting}={own_run}")
    assert outcome.status == 1
    assert f"{setting}: belongs to this run itself; leave it out" in outcome.err


@pytest.mark.parametrize(
    "settings",
    [
        ("corpus.dir=/no/such/folder",),  # refused before a stage
        ("corpus.folds=4",),  # refused in a stage
        ("features.bins=30", "training.optimizer.learning_rate=1e30"),
    ],
)
def test_a_run_that_fails_leaves_the_settings_of_the_results(
    tiny_recipe: Path, own_run: Path, asr_command: Command, settings: tuple[str, ...]
) -> None:
    files = ("recipe.yaml", "environment.json", "results.json")
    before = [(own_run / name).read_bytes() for name in files]
    outcome = asr_command("run", tiny_recipe, "--out", own_run, *(f"--set={setting}" for setting in settings))
    assert outcome.status == 1
    assert [(own_run / name).read_bytes() for name in files] == before
    assert asr_command("run", tiny_recipe, "--out", own_run).status == 0


def test_a_part_of_a_run_says_nothing_of_results(tiny_recipe: Path, tmp_path: Path, asr_command: Command) -> None:
    command = ("run", tiny_recipe, "--out", tmp_path / "run")
    for stage in ("prepare", "features"):
        assert asr_command(*command, "--stage", stage).status == 0
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [".asr.jsonl", ".lock", "features", "prepare"]


def test_an_error_browser_of_earlier_results_is_reported(
    tiny_recipe: Path, own_run: Path, asr_command: Command
) -> None:
    assert asr_command("report", own_run, "--audio", "none").status == 0
    page = own_run / "report" / "index.html"
    assert "earlier results" not in asr_command("run", tiny_recipe, "--out", own_run).err
    outcome = asr_command("run", tiny_recipe, "--out", own_run, "--set", "scoring.bootstrap=60")
    assert f"{page} shows earlier results; write it again with asr report --audio" in outcome.err
    assert asr_command("report", own_run, "--audio", "none").status == 0
    outcome = asr_command("run", tiny_recipe, "--out", own_run, "--set", "scoring.bootstrap=60")
    assert "earlier results" not in outcome.err


def test_the_engine_is_open_for_the_features_alone(tiny_recipe: Path, tmp_path: Path) -> None:
    said: list[str] = []

    @contextmanager
    def engine() -> Iterator[None]:
        said.append("open")
        yield
        said.append("closed" if (out / "features" / "train.npy").is_file() and not (out / "train").exists() else "late")

    out = tmp_path / "run"
    execute(Run(read_recipe(tiny_recipe), "tiny", out, torch.device("cpu"), engine()))
    assert said == ["open", "closed"]


def test_the_device_of_the_results_is_that_of_training(tiny_recipe: Path, own_run: Path, asr_command: Command) -> None:
    record = own_run / "train/stage.json"
    record.write_text(json.dumps(json.loads(record.read_text()) | {"device": "a GPU"}))
    assert asr_command("run", tiny_recipe, "--out", own_run, "--stage", "score", "--device", "cpu").status == 0
    for name in ("results.json", "environment.json"):
        assert json.loads((own_run / name).read_text())["device"] == "a GPU"


def test_a_folder_of_other_files_is_left_alone(tiny_recipe: Path, tmp_path: Path, asr_command: Command) -> None:
    (tmp_path / "features").mkdir()
    (tmp_path / "features/mine.txt").write_text("mine")
    outcome = asr_command("run", tiny_recipe, "--out", tmp_path, "--from", "prepare")
    refused = "holds files that asr run did not write (features); choose a new or empty folder with --out"
    assert outcome.err == f"asr: {tmp_path}: {refused}\n"
    assert (tmp_path / "features/mine.txt").read_text() == "mine"


def test_a_folder_in_use_is_one_line(tiny_recipe: Path, own_run: Path, asr_command: Command) -> None:
    before = snapshot(own_run)
    with open(own_run / ".lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        outcome = asr_command("run", tiny_recipe, "--out", own_run, "--from", "prepare")
    assert outcome.status == 1
    assert outcome.err.startswith(f"asr: {own_run}: Another asr process is using this folder")
    assert snapshot(own_run) == before


def test_results_hold_what_others_read(tiny_run: Path) -> None:
    results = json.loads((tiny_run / "results.json").read_text())
    expected = {"recipe": "tiny/dnn", "corpus": "demo", "split": "test", "seed": 0, "utterances": 6, "speakers": 2}
    expected["skipped"] = 0
    assert {key: results[key] for key in expected} == expected
    assert results["schema"] == 1
    assert results["device"].startswith("CPU")
    assert set(results["seconds"]) == set(STAGES)
    assert all(seconds >= 0 for seconds in results["seconds"].values())
    for treatment in ("counted", "optional", "removed"):
        figures = results[treatment]
        errors = figures["substitutions"] + figures["deletions"] + figures["insertions"]
        assert figures["per"] == pytest.approx(100 * errors / figures["reference_phones"], abs=1e-3)
        low, high = figures["interval"]
        assert low <= figures["per"] <= high
        assert set(results["by_speaker"]) == {"fslt2", "mawb0"}


def test_references_and_hypotheses_hold_what_others_read(tiny_run: Path) -> None:
    for split, utterances in (("dev", 3), ("test", 6)):
        for name in ("references", "hypotheses"):
            rows = [json.loads(line) for line in (tiny_run / f"decode/{split}/{name}.jsonl").read_text().splitlines()]
            assert len(rows) == utterances
            for row in rows:
                assert row["utterance"].startswith(row["speaker"] + "-")
                assert Path(row["audio"]).is_file()
                ends = [0.0] + [segment["end"] for segment in row["phones"]]
                starts = [segment["start"] for segment in row["phones"]] + [row["duration"]]
                assert all(end <= start + 1e-9 for end, start in zip(ends, starts, strict=True))
                if name == "hypotheses":
                    assert all(0 <= segment["score"] <= 1 for segment in row["phones"])
