"""A self-supervised encoder from its folder to a bundle that is used without it."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from support.commands.asr_command import Command, done
from support.models.encoder_folder import write_hugging_face_folder, write_torchaudio_folder

import asr
from asr.formats.transcript import read_transcripts
from asr.storage.weights import read_weights

RECIPE = """\
corpus: {{name: demo, dir: {corpus}}}
features: {{type: waveform}}
augmentation: {{speed: [0.9, 1.0], spec_augment: {{time_masks: 1, frequency_masks: 0}}}}
targets: {{phone_set: timit39, states: 1}}
model: {{type: wav2vec2, encoder: {encoder}, layer: {layer}, layers: 1, width: 8}}
training:
  epochs: 2
  batch_size: 1500
  loss: {loss}
  freeze_encoder: 1
  encoder_learning_rate: 0.0001
  precision: {precision}
decoding: {{acoustic_scales: [1.0], insertion_penalties: [0.0]}}
scoring: {{bootstrap: 20}}
"""


@pytest.mark.parametrize(
    ("loss", "layer", "precision"), [("ctc", "weighted", "fp32"), ("cross_entropy", "last", "bf16")]
)
def test_is_trained_scored_and_used_without_its_folder(
    tiny_corpus: Path, tmp_path: Path, asr_command: Command, loss: str, layer: str, precision: str
) -> None:
    encoder = tmp_path / "encoder"
    if loss == "ctc":
        write_torchaudio_folder(encoder, "wavlm", large=True)
    else:
        write_hugging_face_folder(encoder)
    recipe, run = tmp_path / "recipe.yaml", tmp_path / "run"
    settings = {"corpus": tiny_corpus, "encoder": encoder, "loss": loss, "layer": layer, "precision": precision}
    recipe.write_text(RECIPE.format(**settings))
    outcome = asr_command("run", recipe, "--out", run)
    assert outcome.status == 0, outcome.err
    assert json.loads((run / "results.json").read_text())["counted"]["reference_phones"] > 0
    outcome = asr_command("run", recipe, "--out", run)
    assert (outcome.status, done(outcome.err)) == (0, []), "nothing has changed"

    bundle = Path(shutil.copytree(run / "decode" / "bundle", tmp_path / "elsewhere"))
    assert str(tmp_path) not in (bundle / "recipe.yaml").read_text()
    start = read_weights(encoder / "model.safetensors")
    trained = read_weights(bundle / "model.safetensors")
    convolution = "feature_extractor.conv_layers.1.conv.weight"
    np.testing.assert_array_equal(trained[f"encoder.{convolution}"], start[convolution])
    bias = "feed_forward.output_dense.bias"
    of_block = next(tensor for name, tensor in start.items() if name.endswith(f"layers.0.{bias}"))
    assert 0 < (trained[f"encoder.transformer.layers.0.{bias}"] - of_block).abs().max() < 0.01
    shutil.rmtree(encoder)

    audio = next(tiny_corpus.rglob("*.flac"))
    outcome = asr_command("transcribe", bundle, audio, "--out", tmp_path / "transcripts")
    assert outcome.status == 0, outcome.err
    (transcript,) = read_transcripts(tmp_path / "transcripts" / "transcripts.jsonl")
    recognizer = asr.load(bundle, device="cpu")
    aligned = recognizer.align(audio, phones=["sh", "iy", "sil"])
    assert [phone.phone for phone in aligned.phones] == ["sh", "iy", "sil"]
    times = [time for phone in aligned.phones for time in (phone.start, phone.end)]
    assert times == sorted(times)
    assert transcript.duration is not None
    assert times[-1] <= transcript.duration + 0.02


def test_a_recipe_for_features_of_another_kind(tmp_path: Path, asr_command: Command) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("corpus: {name: demo}\nmodel: {type: wav2vec2}\n")
    assert "model.type: wav2vec2 needs features.type: waveform" in asr_command("model", "show", recipe).err
    recipe.write_text("corpus: {name: demo}\nmodel: {type: wav2vec2}\nfeatures: {type: waveform, sample_rate: 8000}\n")
    outcome = asr_command("model", "show", recipe)
    assert "features.sample_rate: the encoder was trained at 16000 Hz; set it to that" in outcome.err


def test_an_encoder_that_is_missing_or_pickled_stops_before_the_first_stage(
    tiny_corpus: Path, tmp_path: Path, asr_command: Command
) -> None:
    encoder, recipe = write_hugging_face_folder(tmp_path / "encoder"), tmp_path / "recipe.yaml"
    settings = {"corpus": tiny_corpus, "encoder": encoder, "loss": "ctc", "layer": "last", "precision": "fp32"}
    recipe.write_text(RECIPE.format(**settings))
    (encoder / "model.safetensors").rename(encoder / "pytorch_model.bin")
    outcome = asr_command("run", recipe, "--out", tmp_path / "run")
    assert (outcome.status, done(outcome.err)) == (1, [])
    assert "is a pickle, which asr never opens" in outcome.err
    recipe.write_text(RECIPE.format(**settings).replace(f"encoder: {encoder}, ", "").replace("layer: last, ", ""))
    outcome = asr_command("run", recipe, "--out", tmp_path / "run")
    assert (outcome.status, done(outcome.err)) == (1, [])
    assert "model.encoder: is missing; give the folder of a trained encoder" in outcome.err
