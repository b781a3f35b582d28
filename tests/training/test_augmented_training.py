"""Training on changed speech: the same bits after a break, priors that count pauses, minibatches of every frame."""

from pathlib import Path

import pytest
import torch
from support.corpora.augmented_speech import CPU, EVERYTHING, epoch_speech, load, recipe, write_split
from support.models.recorded_steps import CpuRecorder, Plain

from asr.acoustics.bundle import read_bundle
from asr.phones.classes import UNLABELLED
from asr.training import train as stage
from asr.training.data.batching import UtteranceBatching
from asr.training.train import train


@pytest.mark.parametrize("batching", ["frames", "utterances"])
def test_replayed_steps_on_changed_speech_give_the_bits_of_plain_ones(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batching: str
) -> None:
    """Epochs differ in speech, labels and their place in memory; minibatches are those of a GPU."""
    masks = {"spec_augment": {"frequency_width": 4}}
    config = recipe(EVERYTHING | masks, batching=batching, epochs=3, batch_size=400)
    load(config, corpus, tmp_path / "features")
    monkeypatch.setattr(stage, "suits_graphs", lambda fabric: True)
    train(config, corpus, tmp_path / "features", tmp_path / "plain", CPU)
    recorder, fit = CpuRecorder(), stage.fit
    monkeypatch.setattr(stage, "fit", lambda *arguments: fit(*arguments, recorder))
    train(config, corpus, tmp_path / "features", tmp_path / "replayed", CPU)
    assert not recorder.failed
    assert recorder.replays
    paths = (tmp_path / "plain/bundle/model.safetensors", tmp_path / "replayed/bundle/model.safetensors")
    assert paths[0].read_bytes() == paths[1].read_bytes()


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("batching", ["frames", "utterances"])
def test_cuda_graphs_beside_the_next_epoch_give_the_bits_of_plain_steps(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, batching: str
) -> None:
    """Minibatches of new shapes are recorded in late epochs too, while the next one is made in another stream."""
    config = recipe(EVERYTHING, batching=batching, epochs=24, patience=24, batch_size=64)
    load(config, corpus, tmp_path / "features")
    fit, found = stage.fit, []
    for recorder in (Plain(), None):
        monkeypatch.setattr(stage, "fit", lambda *arguments, recorder=recorder: fit(*arguments, recorder))
        out = tmp_path / type(recorder).__name__
        train(config, corpus, tmp_path / "features", out, torch.device("cuda", 0))
        found.append((out / "bundle/model.safetensors").read_bytes())
    assert "without CUDA graphs" not in caplog.text
    assert found[0] == found[1]


@pytest.mark.parametrize("batching", ["frames", "utterances"])
def test_training_goes_on_to_the_same_bits(corpus: Path, tmp_path: Path, batching: str) -> None:
    def weights(out: Path, epochs: int) -> bytes:
        masks = {"spec_augment": {"frequency_width": 4}}
        config = recipe(EVERYTHING | masks, batching=batching, epochs=epochs)
        load(config, corpus, tmp_path / "features")
        train(config, corpus, tmp_path / "features", out, CPU)
        return (out / "bundle/model.safetensors").read_bytes()

    whole = weights(tmp_path / "whole", 4)
    weights(tmp_path / "parts", 2)
    assert weights(tmp_path / "parts", 4) == whole


def test_the_model_s_priors_count_pauses(corpus: Path, tmp_path: Path) -> None:
    def silence(pauses: dict[str, object] | None) -> float:
        config = recipe({"pauses": pauses}, epochs=1)
        load(config, corpus, tmp_path / "features")
        train(config, corpus, tmp_path / "features", tmp_path / "out", CPU)
        sil = config.class_names.index("sil_0")
        return float(read_bundle(tmp_path / "out/bundle").statistics.priors[sil : sil + 3].sum())

    assert silence({"probability": 1, "length": [0.5, 0.5]}) > 1.5 * silence(None)


def test_checkpoint_of_other_augmentation_is_not_used(corpus: Path, tmp_path: Path) -> None:
    for augmentation in ({}, {"vtlp": [0.9, 1.1]}):
        config = recipe(augmentation, epochs=1)
        load(config, corpus, tmp_path / "features")
        train(config, corpus, tmp_path / "features", tmp_path / "out", CPU)
    fresh = tmp_path / "fresh"
    train(config, corpus, tmp_path / "features", fresh, CPU)
    paths = (tmp_path / "out/bundle/model.safetensors", fresh / "bundle/model.safetensors")
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_utterance_batches_of_changed_speech(corpus: Path, tmp_path: Path) -> None:
    speech = epoch_speech(recipe(EVERYTHING), corpus, tmp_path, edge=0)(0)
    batching = UtteranceBatching(speech)
    frames = sum(int((batching.batch(members).labels != UNLABELLED).sum()) for members in batching.plan(500, True))
    assert frames == int((speech.labels != UNLABELLED).sum())


def test_checkpoint_of_other_speech_is_not_used(tmp_path: Path) -> None:
    config = recipe({}, epochs=1)
    write_split(tmp_path, "dev", 2, seed=1)
    for seed in (0, 2):
        write_split(tmp_path, "train", 3, seed)
        load(config, tmp_path, tmp_path / "features")
        train(config, tmp_path, tmp_path / "features", tmp_path / "out", CPU)
    train(config, tmp_path, tmp_path / "features", tmp_path / "fresh", CPU)
    paths = (tmp_path / "out/bundle/model.safetensors", tmp_path / "fresh/bundle/model.safetensors")
    assert paths[0].read_bytes() == paths[1].read_bytes()
