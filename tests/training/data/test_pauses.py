"""Pauses in the training speech: frames and labels agree with what is heard, and all phones stay."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from asr.config import RecipeConfig, TargetsConfig
from asr.corpora.cuts import utterance_cut, write_cuts
from asr.features.dataset import Dataset
from asr.features.extract import extract
from asr.phones.classes import UNLABELLED
from asr.training.data.augmented import EpochSpeech
from asr.training.data.pauses import silence_labels, silent_classes
from asr.training.data.speech import Speech, load_speech
from asr.training.statistics import class_statistics

CPU = torch.device("cpu")
RATE = 16000
ALWAYS = {"probability": 1, "zeros": 1, "length": [0.3, 0.3]}
WITH_SILENCE = ("sil", "aa", "s", "sil", "iy", "sil")
WITHOUT = ("aa", "s", "iy")


def recipe(pauses: dict[str, object], **sections: object) -> RecipeConfig:
    return RecipeConfig.model_validate(
        {
            "corpus": {"name": "timit"},
            "features": {"bins": 20, "cmvn": "none"},
            "augmentation": {"pauses": pauses},
            "targets": {"phone_set": "timit39", "states": 3},
            **sections,
        }
    )


def speech(
    folder: Path, config: RecipeConfig, phones: Sequence[str], utterances: int = 3
) -> tuple[EpochSpeech, Speech]:
    """Loud noise of 0.12 s for each phone, none in silences."""
    generator = np.random.default_rng(0)
    cuts = []
    for number in range(utterances):
        length = 1920 + 160 * number
        pieces = [generator.standard_normal(length) * (0.01 if phone == "sil" else 0.3) for phone in phones]
        path = folder / f"{number}.wav"
        soundfile.write(path, np.concatenate(pieces).clip(-1, 1), RATE)
        times = [(phone, k * length / RATE, (k + 1) * length / RATE) for k, phone in enumerate(phones)]
        cuts.append(utterance_cut(str(number), path, RATE, length * len(phones), speaker="s", phones=times))
    write_cuts(folder / "train.cuts.jsonl.gz", cuts)
    extract(folder / "train.cuts.jsonl.gz", folder / "train", config.features)
    split = Dataset(folder, folder).split("train", config.features)
    clean = load_speech(config, split, 0, CPU)
    return EpochSpeech(config, clean, split, CPU), clean


def utterance(made: Speech, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Its rows [T, D] and labels [T]."""
    start, length = int(made.starts[number]), int(made.lengths[number])
    return made.rows[start : start + length].numpy(), made.labels[start : start + length].numpy()


def silent(labels: np.ndarray, config: RecipeConfig) -> np.ndarray:
    return labels // config.targets.states == config.targets.phone_set.numbers["sil"]


@pytest.mark.parametrize("speed", [[1.0], [0.9, 1.1]])
@pytest.mark.parametrize("snip_edges", [True, False])
def test_zeros_are_labelled_as_silence_and_sound_is_not(tmp_path: Path, speed: list[float], snip_edges: bool) -> None:
    features = {"bins": 20, "cmvn": "none", "snip_edges": snip_edges}
    config = recipe(ALWAYS, features=features, augmentation={"pauses": ALWAYS, "speed": speed})
    make, _ = speech(tmp_path, config, WITH_SILENCE)
    for epoch in range(4):
        made = make(epoch)
        for number in range(3):
            rows, labels = utterance(made, number)
            floor = rows.mean(axis=1) < math.log(1e-6)
            assert floor.sum() >= 3 * 30 - 9  # windows of 25 ms reach over the edges of each pause
            assert silent(labels[floor], config).all()
            loud = rows.mean(axis=1) > 21
            wrong = silent(labels[loud], config).sum()
            assert loud.any()
            assert wrong <= 2 * 5  # at the edges of phones


def test_each_pause_adds_whole_frames_and_no_phone_is_lost(tmp_path: Path) -> None:
    config = recipe(ALWAYS)
    make, clean = speech(tmp_path, config, WITH_SILENCE)
    for epoch in range(3):
        made = make(epoch)
        assert made.lengths.tolist() == (clean.lengths + 3 * 30).tolist()
        for number in range(3):
            _, labels = utterance(made, number)
            _, before = utterance(clean, number)
            spoken = [each[~silent(each, config)] for each in (labels, before)]
            assert np.array_equal(*spoken)
            changes = labels[np.flatnonzero(np.diff(labels, prepend=-1))]
            known = before[np.flatnonzero(np.diff(before, prepend=-1))]
            assert changes.tolist() == known.tolist()  # every state once, in order


def test_inner_pauses_are_in_a_silence_and_move(tmp_path: Path) -> None:
    config = recipe(ALWAYS)
    make, _ = speech(tmp_path, config, WITH_SILENCE, utterances=1)
    places = set()
    for epoch in range(12):
        rows, _ = utterance(make(epoch), 0)
        zero = np.flatnonzero(rows.mean(axis=1) < math.log(1e-6))
        inner = [frame for frame in zero if 40 < frame < len(rows) - 40]
        places.add(inner[0] if inner else None)
    assert len(places) > 4


def test_an_utterance_without_silence_gets_it_at_the_ends_only(tmp_path: Path) -> None:
    config = recipe(ALWAYS)
    make, clean = speech(tmp_path, config, WITHOUT)
    made = make(0)
    assert made.lengths.tolist() == (clean.lengths + 2 * 30).tolist()
    _, labels = utterance(made, 0)
    sil = 3 * config.targets.phone_set.numbers["sil"]
    states = np.repeat([sil, sil + 1, sil + 2], 10).tolist()
    assert labels[:30].tolist() == states
    assert labels[-30:].tolist() == states
    assert np.array_equal(labels[30:-30], utterance(clean, 0)[1])


def test_a_phone_set_without_silence_leaves_pauses_unlabelled(tmp_path: Path) -> None:
    (tmp_path / "bare.txt").write_text("aa\ns\n")
    targets = TargetsConfig.model_validate({"phone_set": str(tmp_path / "bare.txt")})
    assert silence_labels(np.arange(4), np.full(4, 4), targets).tolist() == [UNLABELLED] * 4
    assert not len(silent_classes(targets))


def test_under_ctc_only_the_ends_have_pauses(tmp_path: Path) -> None:
    targets, training = {"phone_set": "timit39", "states": 1}, {"loss": "ctc", "batching": "utterances"}
    config = recipe(ALWAYS, targets=targets, training=training, model={"type": "lstm", "layers": 1, "width": 8})
    make, clean = speech(tmp_path, config, WITH_SILENCE)
    made = make(0)
    assert made.lengths.tolist() == (clean.lengths + 2 * 30).tolist()
    assert torch.equal(made.labels, clean.labels)


def test_pauses_that_are_not_drawn_change_nothing(tmp_path: Path) -> None:
    make, clean = speech(tmp_path, recipe({"probability": 0}), WITH_SILENCE)
    made = make(0)
    assert torch.equal(made.labels, clean.labels)
    assert torch.allclose(made.rows, clean.rows, atol=1e-5)


def test_labels_alone_are_those_of_the_epoch_and_count_for_priors(tmp_path: Path) -> None:
    config = recipe(ALWAYS)
    make, clean = speech(tmp_path, config, WITH_SILENCE)
    alone, made = make.labelled(2), make(2)
    assert torch.equal(alone.labels, made.labels)
    assert torch.equal(alone.starts, made.starts)
    classes = len(config.class_names)
    sil = 3 * config.targets.phone_set.numbers["sil"]
    more, less = (class_statistics(each, classes).priors[sil : sil + 3].sum() for each in (alone, clean))
    assert more > less + 0.1


@pytest.mark.parametrize("level", [-50.0, -70.0])
def test_noise_in_pauses_has_its_level(tmp_path: Path, level: float) -> None:
    heard = []
    for one in (level, level - 6):
        config = recipe({**ALWAYS, "zeros": 0, "level": [one, one]})
        make, _ = speech(tmp_path, config, WITH_SILENCE)
        rows, _ = utterance(make(0), 0)
        heard.append(rows[5:25].mean())
    assert heard[0] - heard[1] == pytest.approx(6 / 10 * math.log(10), abs=1e-2)
