"""Speech that does not fit in memory: read or made for each minibatch, to the same bits."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from support.corpora.augmented_speech import CPU, EVERYTHING, RATE, load, recipe, same
from torch.nn.utils.rnn import pad_sequence

from asr.config import RecipeConfig
from asr.corpora.cuts import read_cuts, utterance_cut, write_cuts
from asr.errors import InputError
from asr.features.dataset import Dataset
from asr.training.data.augmented import EpochSpeech
from asr.training.data.batching import UtteranceBatching, batches
from asr.training.data.minibatch import Batch
from asr.training.data.speech import Speech, Use, load_speech
from asr.training.data.streams import ChangedRows, RowFile
from asr.training.train import train

RESIDENT = {"resident": True, "memory": 10}
STREAMED = {"resident": False, "memory": 1e-6}
FEATURES = pytest.mark.parametrize(
    "features",
    [
        {"cmvn": "speaker", "deltas": 2},
        {"cmvn": "utterance", "cmvn_frames": "speech", "cmvn_prior": 30, "floor": -2},
        {"cmvn": "utterance", "deltas": 1},
        {"cmvn": "global", "deltas": 1},
        {"cmvn": "none"},
    ],
    ids=str,
)


def epochs_of(config: RecipeConfig, corpus: Path, features: Path) -> EpochSpeech:
    clean, split = load(config, corpus, features, edge=0), Dataset(corpus, features).split("train", config.features)
    return EpochSpeech(config, clean, split, CPU, use=Use.UTTERANCES)


def minibatches(speech: Speech) -> list[Batch]:
    """Those of three different orders, each made by the threads that read ahead where it is streamed."""
    made = []
    for seed in range(3):
        torch.manual_seed(seed)
        batching = UtteranceBatching(speech)
        plan = batching.plan(700, shuffled=True)
        made += [minibatch.gathered() for minibatch in batches(batching, plan, CPU)]
    return made


def alike(one: list[Batch], other: list[Batch]) -> bool:
    def equal(first: Batch, second: Batch) -> bool:
        assert first.lengths is not None
        assert second.lengths is not None
        both = ((first.inputs, second.inputs), (first.labels, second.labels), (first.lengths, second.lengths))
        return all(torch.equal(*each) for each in both)

    return len(one) == len(other) and all(map(equal, one, other))


@FEATURES
def test_minibatches_of_changed_speech_are_those_from_memory(
    corpus: Path, tmp_path: Path, features: dict[str, object]
) -> None:
    kept, streamed = (
        epochs_of(recipe(EVERYTHING, features, **training), corpus, tmp_path) for training in (RESIDENT, STREAMED)
    )
    for epoch in range(2):
        speech = streamed(epoch)
        assert speech.stream is not None
        assert not speech.rows.numel()
        assert alike(minibatches(speech), minibatches(kept(epoch)))
    assert not alike(minibatches(streamed(0)), minibatches(streamed(1)))


def test_statistics_of_an_utterance_are_summed_as_in_its_group(tmp_path: Path) -> None:
    """To the last bit, which depends on how far the utterance is padded, and which few features would show."""
    generator = np.random.default_rng(0)
    for split in ("train", "dev"):
        cuts = []
        for number in range(9):
            path, length = tmp_path / f"{split}{number}.wav", int(generator.integers(3 * RATE, 6 * RATE))
            level = np.repeat(generator.random(length // 1000 + 1), 1000)[:length]
            soundfile.write(path, generator.standard_normal(length) * 0.1 * level**4, RATE)
            phones = [("aa", 0.0, length / RATE)]
            cuts.append(utterance_cut(path.stem, path, RATE, length, speaker=path.stem, phones=phones))
        write_cuts(tmp_path / f"{split}.cuts.jsonl.gz", cuts)
    config = recipe({"gain": {"probability": 0.5}}, {"cmvn": "utterance"}, **STREAMED)
    stream = epochs_of(config, tmp_path, tmp_path)(0).stream
    assert isinstance(stream, ChangedRows)
    features, found = zip(*map(stream.make, range(9)), strict=True)
    values = pad_sequence(list(features), batch_first=True).double()
    for statistics, squares in zip(found, values.square().sum(dim=1), strict=True):
        assert np.array_equal(statistics.squares, squares)


@FEATURES
def test_minibatches_of_unchanged_speech_are_those_from_memory(
    corpus: Path, tmp_path: Path, features: dict[str, object]
) -> None:
    made = []
    for training in (RESIDENT, STREAMED):
        config = recipe({}, features, **training)
        load(config, corpus, tmp_path)
        split = Dataset(corpus, tmp_path).split("train", config.features)
        speech = load_speech(config, split, 0, CPU, use=Use.UTTERANCES)
        assert (speech.stream is None) == speech.resident
        made.append(minibatches(speech))
    assert alike(*made)


def test_frames_drawn_from_a_file_are_those_from_memory(corpus: Path, tmp_path: Path) -> None:
    kept, mapped = (
        EpochSpeech(
            config, load(config, corpus, tmp_path), Dataset(corpus, tmp_path).split("train", config.features), CPU
        )
        for config in (recipe(EVERYTHING, **training) for training in (RESIDENT, STREAMED))
    )
    assert not mapped.clean.resident
    assert same(kept(1), mapped(1))


@pytest.mark.parametrize("batching", ["frames", "utterances"])
@pytest.mark.parametrize("augmentation", [{}, EVERYTHING], ids=["unchanged", "changed"])
def test_a_model_is_the_same_and_training_goes_on_wherever_speech_is(
    corpus: Path, tmp_path: Path, batching: str, augmentation: dict[str, object]
) -> None:
    def weights(out: Path, epochs: int, training: dict[str, object]) -> bytes:
        masks = {"spec_augment": {"frequency_width": 4}}
        config = recipe(
            augmentation | masks, {"cmvn": "utterance"}, batching=batching, epochs=epochs, batch_size=400, **training
        )
        load(config, corpus, tmp_path / "features")
        train(config, corpus, tmp_path / "features", out, CPU)
        return (out / "bundle/model.safetensors").read_bytes()

    whole = weights(tmp_path / "whole", 3, RESIDENT)
    assert weights(tmp_path / "streamed", 3, STREAMED) == whole
    weights(tmp_path / "parts", 2, STREAMED)
    assert weights(tmp_path / "parts", 3, RESIDENT) == whole


def test_audio_that_changed_length_is_one_line(corpus: Path, tmp_path: Path) -> None:
    epochs = epochs_of(recipe({"speed": [0.9]}, {"cmvn": "none"}, **STREAMED), corpus, tmp_path)
    path = Path(next(iter(read_cuts(corpus / "train.cuts.jsonl.gz"))).recording.sources[0].source)
    content = path.read_bytes()
    samples, _ = soundfile.read(path)
    try:
        soundfile.write(path, np.concatenate([samples, samples]), RATE)
        with pytest.raises(InputError, match=rf"{path.name}: has \d+ samples and not \d+; rerun asr prepare"):
            minibatches(epochs(0))
    finally:
        path.write_bytes(content)


def test_a_file_of_rows(tmp_path: Path) -> None:
    rows = [torch.rand(length, 7) for length in (5, 1, 0, 30)]
    ends = np.cumsum([0, *map(len, rows)]).tolist()
    file = RowFile(tmp_path / ".rows", 7)
    for place, each in reversed(list(zip(ends, rows, strict=False))):
        file.write(place, each)
    for (first, end), each in zip(pairwise(ends), rows, strict=True):
        assert torch.equal(file.read(first, end - first), each)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(InputError, match="cannot read what was written"):
        file.read(ends[-1], 1)
