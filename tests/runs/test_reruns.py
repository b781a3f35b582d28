"""A run's stages run once, and again when something they depend on changes."""

import json
import os
import re
import shutil
from pathlib import Path

import pytest
import soundfile
from safetensors.torch import load_file, save_file
from support.commands.asr_command import Command, done, snapshot

STAGES = ("prepare", "features", "train", "decode", "score")


def test_a_second_run_changes_no_byte(tiny_recipe: Path, own_run: Path, asr_command: Command) -> None:
    before = snapshot(own_run)
    outcome = asr_command("run", tiny_recipe, "--out", own_run)
    assert outcome.status == 0
    assert done(outcome.err) == []
    assert outcome.err.splitlines() == [f"{name}: up to date" for name in STAGES]
    assert snapshot(own_run) == before


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("training.memory=1.5", []),
        ("scoring.bootstrap=60", ["score"]),
        ("decoding.beam=10", ["decode"]),
        ("lm.order=3", ["decode", "score"]),
        ("model.width=16", ["train", "decode", "score"]),
        ("features.bins=30", ["features", "train", "decode", "score"]),
    ],
)
def test_a_setting_runs_what_depends_on_it(
    tiny_recipe: Path, own_run: Path, asr_command: Command, setting: str, expected: list[str]
) -> None:
    outcome = asr_command("run", tiny_recipe, "--out", own_run, "--set", setting)
    assert outcome.status == 0
    # Score is skipped where decoding gives the same hypotheses.
    assert [name for name in done(outcome.err) if name != "score"] == [name for name in expected if name != "score"]
    key, value = setting.split("=")
    assert f"{key.split('.')[1]}: {value}" in (own_run / "recipe.yaml").read_text()


def test_changed_audio_of_the_same_length_and_time_is_noticed(
    tiny_corpus: Path, tiny_recipe: Path, tmp_path: Path, asr_command: Command
) -> None:
    corpus = Path(shutil.copytree(tiny_corpus, tmp_path / "corpus"))
    command = ("run", tiny_recipe, "--out", tmp_path / "run", "--set", f"corpus.dir={corpus}")
    assert asr_command(*command).status == 0
    first = (tmp_path / "run/train/bundle/model.safetensors").read_bytes()
    audio = next(corpus.glob("train/*/fslt0/*.flac"))
    times = audio.stat()
    samples, rate = soundfile.read(audio)
    soundfile.write(audio, samples[::-1] * 0.5, rate)
    os.utime(audio, ns=(times.st_atime_ns, times.st_mtime_ns))
    outcome = asr_command(*command)
    assert done(outcome.err)[:3] == ["prepare", "features", "train"]
    assert (tmp_path / "run/train/bundle/model.safetensors").read_bytes() != first


def test_changed_labels_retrain(tiny_corpus: Path, tiny_recipe: Path, tmp_path: Path, asr_command: Command) -> None:
    corpus = Path(shutil.copytree(tiny_corpus, tmp_path / "corpus"))
    command = ("run", tiny_recipe, "--out", tmp_path / "run", "--set", f"corpus.dir={corpus}")
    assert asr_command(*command).status == 0
    first = (tmp_path / "run/train/bundle/model.safetensors").read_bytes()
    for labels in corpus.glob("train/*/*/*.phn"):
        labels.write_text(re.sub(r"\b(iy|ih|eh|ae)\b", "aa", labels.read_text()))
    assert asr_command(*command).status == 0
    assert (tmp_path / "run/train/bundle/model.safetensors").read_bytes() != first


def test_fewer_epochs_are_those_of_a_fresh_run(tiny_recipe: Path, own_run: Path, asr_command: Command) -> None:
    one = ("run", tiny_recipe, "--set", "training.epochs=1", "--out")
    assert asr_command(*one, own_run).status == 0
    fresh = own_run.with_name("fresh")
    assert asr_command(*one, fresh).status == 0
    name = "train/bundle/model.safetensors"
    assert (own_run / name).read_bytes() == (fresh / name).read_bytes()


def test_stage_reruns_only_that_stage(tiny_recipe: Path, own_run: Path, asr_command: Command) -> None:
    command = ("run", tiny_recipe, "--out", own_run)
    assert done(asr_command(*command, "--stage", "decode").err) == ["decode"]
    outcome = asr_command(*command, "--stage", "score")
    assert done(outcome.err) == ["score"]
    assert "counted" in outcome.out
    outcome = asr_command(*command, "--stage", "report")
    assert (done(outcome.err), outcome.status) == ([], 0)


def test_from_reruns_a_stage_and_all_later_ones(tiny_recipe: Path, own_run: Path, asr_command: Command) -> None:
    outcome = asr_command("run", tiny_recipe, "--out", own_run, "--from", "train")
    assert done(outcome.err) == ["train", "decode", "score"]


def test_a_lost_output_is_made_again_and_a_damaged_one_is_named(
    tiny_recipe: Path, own_run: Path, asr_command: Command
) -> None:
    before = snapshot(own_run)
    (own_run / "decode/test/hypotheses.jsonl").unlink()
    damaged = own_run / "features/dev.npy"
    damaged.write_bytes(before["features/dev.npy"][:-4])
    outcome = asr_command("run", tiny_recipe, "--out", own_run)
    assert outcome.err == (
        f"prepare: up to date\nfeatures: running\nasr: {damaged}: was changed since asr wrote it; "
        "move it away to run this stage\n"
    )
    damaged.unlink()
    outcome = asr_command("run", tiny_recipe, "--out", own_run)
    # Features come out the same, so training is not repeated.
    assert done(outcome.err) == ["features", "decode"]
    after = snapshot(own_run)
    assert after["features/dev.npy"] == before["features/dev.npy"]
    assert after["decode/test/hypotheses.jsonl"] == before["decode/test/hypotheses.jsonl"]


def test_a_corpus_that_moved_is_prepared_again(
    tiny_corpus: Path, tiny_recipe: Path, tmp_path: Path, asr_command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ("run", tiny_recipe, "--out", tmp_path / "run", "--set", "corpus.dir=corpus")
    for name in ("one", "two"):
        shutil.copytree(tiny_corpus, tmp_path / name / "corpus")
        monkeypatch.chdir(tmp_path / name)
        assert done(asr_command(*command).err)[:2] == ["prepare", "features"]
        rows = (tmp_path / "run/decode/test/references.jsonl").read_text().splitlines()
        assert all(Path(json.loads(row)["audio"]).is_relative_to(tmp_path / name) for row in rows)
    absolute = (*command[:-1], f"corpus.dir={tmp_path / 'two/corpus'}")
    assert done(asr_command(*absolute).err) == []


def test_other_pretrained_weights_retrain(
    tiny_recipe: Path, tiny_run: Path, tmp_path: Path, asr_command: Command
) -> None:
    start, out = Path(shutil.copytree(tiny_run / "train/bundle", tmp_path / "start")), tmp_path / "run"
    command = ("run", tiny_recipe, "--out", out, "--set", f"model.pretrained={start}")
    assert asr_command(*command).status == 0
    assert done(asr_command(*command).err) == []
    first = (out / "train/bundle/model.safetensors").read_bytes()
    weights = load_file(start / "model.safetensors")
    save_file({name: tensor * 0.5 for name, tensor in weights.items()}, start / "model.safetensors")
    outcome = asr_command(*command)
    assert done(outcome.err)[0] == "train"
    assert "epoch 1:" in outcome.err, "it must not go on from the checkpoint of the other weights"
    assert (out / "train/bundle/model.safetensors").read_bytes() != first


def test_lost_alignments_are_made_again(tiny_recipe: Path, tmp_path: Path, asr_command: Command) -> None:
    out = tmp_path / "run"
    command = ("run", tiny_recipe, "--out", out, "--set", "training.flat_start=true", "--set", "training.realign=1")
    assert asr_command(*command).status == 0
    before, decoded = snapshot(out / "train" / "alignments"), (out / "decode/tuning.json").read_bytes()
    (out / "train" / "alignments" / "train.jsonl").unlink()
    outcome = asr_command(*command)
    assert outcome.status == 0, outcome.err
    assert done(outcome.err) == ["train"], "nothing after it has changed"
    assert "epoch 1:" not in outcome.err
    assert snapshot(out / "train" / "alignments") == before
    copy = shutil.copytree(out / "train" / "bundle", tmp_path / "copy" / "bundle")
    alone = asr_command("decode", copy, out / "prepare", out / "features", tmp_path / "out")
    assert alone.status == 1
    assert "alignments/train.jsonl: missing; the language model is estimated on it" in alone.err
    assert (out / "decode/tuning.json").read_bytes() == decoded


def test_lost_metrics_retrain(tiny_recipe: Path, own_run: Path, asr_command: Command) -> None:
    before = (own_run / "train/bundle/model.safetensors").read_bytes()
    (own_run / "train/metrics.jsonl").unlink()
    outcome = asr_command("run", tiny_recipe, "--out", own_run)
    assert done(outcome.err) == ["train"]
    assert len((own_run / "train/metrics.jsonl").read_text().splitlines()) == 2
    assert (own_run / "train/bundle/model.safetensors").read_bytes() == before
