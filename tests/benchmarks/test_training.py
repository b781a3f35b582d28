"""The training benchmark: every system trains the same speech, and what it prints can be read."""

import importlib.util
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from asr.config import RecipeConfig
from asr.phones.classes import UNLABELLED
from asr.training.data.batching import FrameBatching, UtteranceBatching
from asr.training.data.speech import load_speech
from benchmarks import training
from benchmarks.training_sizes import sizes
from benchmarks.training_systems import (
    CPU,
    Part,
    SplicedFrames,
    Utterances,
    build,
    collate_frames,
    collate_utterances,
    load,
    repeated,
    stages,
)

WIDTH = 8
needs_speechbrain = pytest.mark.skipif(importlib.util.find_spec("speechbrain") is None, reason="no SpeechBrain")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the features of the tiny corpus are, once a test has asked for them."""
    return tmp_path_factory.mktemp("benchmark")


def recipe(model: str, corpus: Path) -> RecipeConfig:
    config = training.recipe(sizes(WIDTH)[model], None, "fp32").model_dump()
    config["training"]["batch_size"] = 400
    return RecipeConfig.model_validate(config | {"corpus": {"name": "demo", "dir": corpus}})


def options(*arguments: str):
    return training.parse(["--hours", "0", "--rounds", "1", "--seconds", "0", "--threads", "1", *arguments])


def test_repeated_speech_has_the_same_windows(tiny_corpus: Path, folder: Path) -> None:
    config = recipe("dnn", tiny_corpus)
    once = load_speech(config, stages(config, folder).split("train", config.features), 5, CPU)
    thrice = repeated(once, 3)
    count = len(once.starts)
    assert len(thrice.utterances) == len(thrice.starts) == 3 * count
    batch, again = (UtteranceBatching(thrice).batch(torch.arange(count) + first) for first in (0, 2 * count))
    assert torch.equal(batch.inputs, again.inputs)
    assert torch.equal(batch.labels, again.labels)
    assert not torch.equal(batch.inputs[0], again.inputs[1])


@pytest.mark.parametrize("model", ["dnn", "bigru"])
def test_the_data_loader_gives_our_minibatches(model: str, tiny_corpus: Path, folder: Path) -> None:
    batching = load(recipe(model, tiny_corpus), folder, CPU, frames=1)
    part = Part(batching, batching.plan(5000, shuffled=True)[:1])
    ours = part.batch(part.members[0])
    numbers = part.members[0].tolist()
    if isinstance(batching, FrameBatching):
        theirs = collate_frames([SplicedFrames(batching.speech)[number] for number in numbers])
        assert torch.equal(theirs.inputs, ours.inputs)
        assert part.frames == len(numbers)
    else:
        theirs = collate_utterances([Utterances(batching.speech)[number] for number in numbers])
        real = theirs.labels != UNLABELLED
        assert torch.equal(theirs.inputs[real], ours.inputs[real])
        assert part.frames == int(ours.lengths.sum()) < ours.labels.numel()
    assert torch.equal(theirs.labels, ours.labels)


@pytest.mark.parametrize("model", ["dnn", "bilstm"])
def test_measures_each_system(model: str, tiny_corpus: Path, folder: Path) -> None:
    names = ["asr", "bare", "dataloader"]
    rates, flops = training.measure(recipe(model, tiny_corpus), names, options(), folder)
    assert {name: len(values) for name, values in rates.items()} == dict.fromkeys(names, 1)
    assert min(values[0] for values in rates.values()) > 0
    assert flops > 0


@needs_speechbrain
@pytest.mark.parametrize("model", sorted(sizes()))
def test_speechbrain_trains_every_model(model: str, tiny_corpus: Path, folder: Path) -> None:
    rates, _ = training.measure(recipe(model, tiny_corpus), ["speechbrain"], options(), folder)
    assert rates["speechbrain"][0] > 0


@needs_speechbrain
@pytest.mark.parametrize("model", ["dnn", "cnn", "bilstm", "bigru"])
def test_speechbrain_s_model_has_our_shape(model: str, tiny_corpus: Path) -> None:
    from benchmarks.training_speechbrain import make_model

    config = recipe(model, tiny_corpus)
    body, _ = make_model(config.model, config.features.dim)
    ours = build(config)
    output = sum(parameter.numel() for parameter in list(ours.parameters())[-2:])
    assert sum(p.numel() for p in body.parameters()) == sum(p.numel() for p in ours.parameters()) - output


def test_prints_a_json_line_for_each_system_and_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    rates = {"asr": [10.0, 20.0, 60.0], "bare": [20.0, 25.0, 60.0]}
    training.show("dnn", sizes(WIDTH)["dnn"], rates, 1e6, options("--peak", "1"))
    printed = capsys.readouterr().out
    lines = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    assert [line["figure"] for line in lines] == [20.0, 25.0]
    assert {key: lines[0][key] for key in ("benchmark", "system", "unit", "threads")} == {
        "benchmark": "training-dnn", "system": "asr", "unit": "frames/s", "threads": 1
    }  # fmt: skip
    assert "0.80" in printed  # the median of 0.5, 0.8 and 1


@pytest.mark.parametrize("arguments", [["--models", "dnn,tdnn"], ["--systems", "kaldi"]])
def test_an_unknown_name_is_an_error(arguments: Sequence[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        training.parse(arguments)
    assert arguments[1].split(",")[-1] in capsys.readouterr().err


def test_says_how_to_install_what_is_absent(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = []
    monkeypatch.setattr(training, "has_speechbrain", lambda: False)
    monkeypatch.setattr(training, "measure", lambda config, names, *_: asked.append(names) or ({"asr": [1.0]}, 1.0))
    training.main(["--models", "dnn,ligru"])
    assert asked == [["asr", "bare", "dataloader"]] * 2
    assert "pip install 'asr-phones[bench]'" in capsys.readouterr().out
