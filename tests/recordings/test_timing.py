"""A CTC model with a second output: the times of phones in files, long ones, lists and evaluation."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from support.commands.asr_command import Command

import asr
from asr.audio import read_audio
from asr.config.recipe_file import read_recipe
from asr.corpora.cuts import phone_segments, read_cuts
from asr.runs.run import Run, execute

SETTINGS = [
    "model={type: tdnn, dilations: [1, 2], width: 48, subsampling: 3, normalization: layer}",
    "training={loss: ctc, epochs: 25, patience: 25, batch_size: 600, timing: {weight: 0.5}}",
    "training.optimizer={type: adam, learning_rate: 0.01}",
    "decoding={search: prefix_beam, prefixes: 8, acoustic_scales: [1.0], insertion_penalties: [0.0]}",
]


@pytest.fixture(scope="module")
def timed_run(tiny_recipe: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("timed") / "run"
    execute(Run(read_recipe(tiny_recipe, SETTINGS), "tiny/timed", folder, torch.device("cpu")))
    return folder


def test_phones_follow_each_other_where_ctc_only_spikes(timed_run: Path) -> None:
    recognizer = asr.load(timed_run, device="cpu")
    cut = next(read_cuts(timed_run / "prepare/test.cuts.jsonl.gz"))
    audio = cut.recording.sources[0].source
    found = recognizer.transcribe(audio)
    recognised = recognizer.decoder.best_path(recognizer.scorer.log_posteriors(read_audio(audio, 16_000)))
    assert found.symbols == [recognizer.decoder.phones[span.phone] for span in recognised.phones]
    starts, ends = (np.array([getattr(each, name) for each in found.phones]) for name in ("start", "end"))
    assert (starts[1:] >= ends[:-1]).all()
    assert (starts[1:] == ends[:-1]).mean() > 0.5
    assert ((1000 * starts[1:]) % 30 > 0.5).any()


def test_long_recordings_and_batches_have_times_of_the_same_kind(timed_run: Path, tmp_path: Path) -> None:
    recognizer = asr.load(timed_run, device="cpu")
    cuts = list(read_cuts(timed_run / "prepare/test.cuts.jsonl.gz"))
    audio = [read_audio(cut.recording.sources[0].source, 16_000) for cut in cuts]
    alone = [recognizer.transcribe(each, 16_000) for each in audio]
    for one, batched in zip(alone, recognizer.transcribe(audio, 16_000), strict=True):
        assert one.symbols == batched.symbols
        assert [each.end for each in one.phones] == pytest.approx([each.end for each in batched.phones], abs=2e-4)
    repeats = int(75 / (sum(map(len, audio)) / 16_000)) + 1
    long = np.concatenate(audio * repeats)
    assert len(long) > 60 * 16_000
    phones = recognizer.transcribe(long, 16_000).phones
    assert all(one.end <= other.start + 1e-9 for one, other in itertools.pairwise(phones))
    said = [each.phone for _ in range(repeats) for cut in cuts for each in phone_segments(cut)]
    aligned = recognizer.align(long, 16_000, phones=said)
    assert aligned.duration == pytest.approx(len(long) / 16_000, abs=1e-3)
    assert len(aligned.intervals) == len(aligned.phones) - 1


def test_boundaries_are_better_than_those_of_ctc(timed_run: Path, tmp_path: Path, asr_command: Command) -> None:
    within = {}
    for name in ("timed", "ctc"):
        run = timed_run
        if name == "ctc":
            run = tmp_path / "run"
            settings = [*SETTINGS, "training.timing=null"]
            recipe = read_recipe(timed_run / "recipe.yaml", settings)
            execute(Run(recipe, "tiny/ctc", run, torch.device("cpu")))
        outcome = asr_command("align", run, "--evaluate", "-o", tmp_path / name)
        assert outcome.status == 0, outcome.err
        within[name] = json.loads((tmp_path / name / "accuracy.json").read_text())["within"]["20"]
    assert within["timed"] > within["ctc"] + 5


def test_the_summary_lists_its_layers(tiny_recipe: Path, asr_command: Command) -> None:
    plain = [each for setting in SETTINGS for each in ("--set", setting)]
    outcome = asr_command("model", "show", tiny_recipe, *plain)
    assert outcome.status == 0, outcome.err
    assert "timing.front" in outcome.out
    assert "timing.output" in outcome.out
