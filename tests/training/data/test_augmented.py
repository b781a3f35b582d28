"""Epochs of changed speech: unchanged where nothing is drawn, labels that follow the speed, the same bits again."""

import math
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from threading import Event

import numpy as np
import pytest
import soundfile
import torch
from support.corpora.augmented_speech import CPU, EVERYTHING, RATE, epoch_speech, load, recipe, same

from asr.corpora.cuts import phone_segments, read_cuts, utterance_cut, write_cuts
from asr.features.archive import Archive
from asr.features.dataset import Dataset
from asr.features.normalize import model_input
from asr.formats.transcript import PhoneSegment
from asr.phones.classes import UNLABELLED
from asr.training.data.augmented import AugmentedSets, EpochSpeech
from asr.training.data.batching import FrameBatching
from asr.training.data.speech import Speech
from asr.training.data.targets import frame_labels
from asr.training.data.waveforms import Waveforms

FEATURES = pytest.mark.parametrize(
    "features",
    [
        {"cmvn": "speaker"},
        {"cmvn": "utterance", "deltas": 2},
        {"cmvn": "global", "deltas": 1},
        {"cmvn": "none"},
        {"cmvn": "speaker", "cmvn_variance": False, "type": "mfcc"},
        {"cmvn": "speaker", "snip_edges": False, "energy": True},
        {"cmvn": "utterance", "backend": "librosa"},
        {"cmvn": "utterance", "cmvn_frames": "speech", "cmvn_prior": 30, "floor": -2},
        {"cmvn": "speaker", "cmvn_frames": "speech", "cmvn_prior": 30, "energy": True},
    ],
    ids=str,
)


class WatchedSpeech(EpochSpeech):
    """Says which epochs were made."""

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)
        self.made: defaultdict[int, Event] = defaultdict(Event)

    def __call__(self, epoch: int) -> Speech:
        speech = super().__call__(epoch)
        self.made[epoch].set()
        return speech


@FEATURES
@pytest.mark.parametrize("resident", [True, False])
@pytest.mark.parametrize("edge", [0, 3])
def test_the_unchanged_set_is_to_the_bit_what_decoding_sees(
    corpus: Path, tmp_path: Path, features: dict[str, object], resident: bool, edge: int
) -> None:
    config = recipe({}, features, resident=resident)
    speech = load(config, corpus, tmp_path, edge)
    archive, cmvn = Archive(tmp_path / "train"), Dataset(corpus, tmp_path).split("train", config.features).cmvn
    inputs = [model_input(archive[n], archive.speakers[n], cmvn, config.features) for n in range(len(archive))]
    rows = np.concatenate([np.pad(each, ((edge, edge), (0, 0)), mode="edge") for each in inputs])
    assert speech.rows.numpy().tobytes() == rows.tobytes()
    assert speech.lengths.tolist() == [len(each) for each in inputs]
    for start, each in zip(speech.starts.tolist(), inputs, strict=True):
        assert np.array_equal(speech.rows[start : start + len(each)], each)


@FEATURES
@pytest.mark.parametrize("resident", [True, False])
@pytest.mark.parametrize("edge", [0, 3])
def test_without_changes_it_is_the_training_set(
    corpus: Path, tmp_path: Path, features: dict[str, object], resident: bool, edge: int
) -> None:
    config = recipe({}, features, resident=resident)
    clean = load(config, corpus, tmp_path, edge)
    again = EpochSpeech(config, clean, Dataset(corpus, tmp_path).split("train", config.features), CPU)(0)
    assert torch.allclose(again.rows, clean.rows, atol=1e-6)
    assert same(replace(again, rows=clean.rows), clean)
    assert (again.utterances, again.edge, again.resident) == (clean.utterances, edge, resident)


@pytest.mark.parametrize("factor", [0.9, 1.1, 1.37])
def test_labels_are_those_of_scaled_times(corpus: Path, tmp_path: Path, factor: float) -> None:
    config = recipe({"speed": [factor]})
    speech = epoch_speech(config, corpus, tmp_path)(0)
    for number, cut in enumerate(read_cuts(corpus / "train.cuts.jsonl.gz")):
        start, length = int(speech.starts[number]), int(speech.lengths[number])
        assert length == pytest.approx(cut.duration / factor * 100 - 1.5, abs=1)
        scaled = [PhoneSegment(s.phone, s.start / factor, s.end / factor) for s in phone_segments(cut)]
        expected = frame_labels(scaled, length, config.targets, config.features)
        assert speech.labels[start : start + length].tolist() == expected.tolist()
        edges = speech.labels[start - 2 : start], speech.labels[start + length : start + length + 2]
        assert all((edge == UNLABELLED).all() for edge in edges)


@pytest.mark.parametrize("factor", [0.8, 1.25])
def test_features_follow_the_labels_at_another_speed(tmp_path: Path, factor: float) -> None:
    """A loud phone between quiet ones is loud exactly in the frames that are labelled with it."""
    samples = np.random.default_rng(0).standard_normal(RATE) * 1e-4
    samples[6000:10000] *= 1e3
    soundfile.write(tmp_path / "a.wav", samples, RATE, subtype="FLOAT")
    phones = [("sil", 0.0, 6000 / RATE), ("aa", 6000 / RATE, 10000 / RATE), ("sil", 10000 / RATE, 1.0)]
    for split in ("train", "dev"):
        cut = utterance_cut(f"s-{split}", tmp_path / "a.wav", RATE, RATE, speaker="s", phones=phones)
        write_cuts(tmp_path / f"{split}.cuts.jsonl.gz", [cut])
    speech = epoch_speech(recipe({"speed": [factor]}, {"cmvn": "none"}), tmp_path, tmp_path, edge=0)(0)
    levels = speech.rows.mean(dim=1)
    loud = (levels > levels.quantile(0.9) - 1).nonzero()[:, 0]  # the window's middle is loud
    phone = speech.labels // 3
    labelled = (phone != phone[1]).logical_and(speech.labels != UNLABELLED).nonzero()[:, 0]
    first, after = (math.ceil(samples / RATE / factor * 100 - 1.25) for samples in (6000, 10000))
    assert labelled.tolist() == list(range(first, after))  # frame t is centred on 10 t + 12.5 ms
    assert abs(int(loud[0]) - int(labelled[0])) <= 1
    assert abs(int(loud[-1]) - int(labelled[-1])) <= 1


def test_an_epoch_is_the_same_whenever_it_is_made(corpus: Path, tmp_path: Path) -> None:
    config = recipe(EVERYTHING)
    one, other = (epoch_speech(config, corpus, tmp_path) for _ in range(2))
    for epoch in range(3):
        last = one(epoch)
    torch.manual_seed(99)  # other randomness does not come in
    assert same(last, other(2))
    assert not same(last, one(3))
    reseeded = config.model_copy(update={"seed": 1})
    assert not same(last, epoch_speech(reseeded, corpus, tmp_path)(2))


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_an_epoch_on_cuda_is_that_of_the_cpu(corpus: Path, tmp_path: Path) -> None:
    names = ("speed", "vtlp", "reverberation", "noise", "pauses")  # not what rounds to 16 bits
    config = recipe({name: EVERYTHING[name] for name in names})
    ours = epoch_speech(config, corpus, tmp_path)
    clean, split = load(config, corpus, tmp_path), Dataset(corpus, tmp_path).split("train", config.features)
    with AugmentedSets(EpochSpeech(config, clean, split, torch.device("cuda")), 3, FrameBatching) as sets:
        for epoch in range(3):
            theirs, expected = sets.for_epoch(epoch).speech, ours(epoch)
            assert theirs.rows.device.type == "cuda"
            torch.testing.assert_close(theirs.rows.cpu(), expected.rows, rtol=1e-3, atol=1e-3)
            for name in ("labels", "starts", "lengths"):
                assert torch.equal(getattr(theirs, name).cpu(), getattr(expected, name))


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_many_epochs_on_cuda(corpus: Path, tmp_path: Path) -> None:
    """Each has utterances in other groups, and so arrays of other shapes."""
    config = recipe({name: EVERYTHING[name] for name in ("speed", "vtlp")})
    clean, split = load(config, corpus, tmp_path), Dataset(corpus, tmp_path).split("train", config.features)
    make = EpochSpeech(config, clean, split, torch.device("cuda"))
    for epoch in range(60):
        rows = make(epoch).rows
        torch.cuda.synchronize()
        assert rows.isfinite().all(), epoch


def test_where_the_audio_lies_changes_nothing(corpus: Path, tmp_path: Path) -> None:
    held = epoch_speech(recipe(EVERYTHING, epochs=6), corpus, tmp_path)
    read = epoch_speech(recipe(EVERYTHING, epochs=6, memory=1e-6), corpus, tmp_path)
    assert not read.clean.resident
    assert not read.waveforms.held
    assert held.clean.resident
    assert held.waveforms.held
    assert same(held(5), read(5))


def test_memory_does_not_grow(corpus: Path, tmp_path: Path) -> None:
    make = epoch_speech(recipe(EVERYTHING, epochs=6), corpus, tmp_path)
    places = [make(epoch).rows.data_ptr() for epoch in range(6)]
    assert places == places[:2] * 3
    assert places[0] != places[1]


def test_the_next_epoch_does_not_touch_the_one_that_trains(corpus: Path, tmp_path: Path) -> None:
    config = recipe(EVERYTHING, epochs=5)
    make, alone = (epoch_speech(config, corpus, tmp_path, kind=kind) for kind in (WatchedSpeech, EpochSpeech))
    with AugmentedSets(make, 5, FrameBatching) as sets:
        for epoch in range(2, 5):
            batching = sets.for_epoch(epoch)
            if epoch < 4:
                assert make.made[epoch + 1].wait(60)
            assert same(batching.speech, alone(epoch))
    assert [epoch for epoch, event in make.made.items() if event.is_set()] == [2, 3, 4]


def test_utterances_too_short_for_a_speed_keep_theirs(tmp_path: Path) -> None:
    samples = np.random.default_rng(0).standard_normal(450) * 0.1  # one frame, and none when played faster
    soundfile.write(tmp_path / "a.wav", samples, RATE)
    phones = [("aa", 0.0, 450 / RATE)]
    for split in ("train", "dev"):
        cut = utterance_cut(f"s-{split}", tmp_path / "a.wav", RATE, 450, speaker="s", phones=phones)
        write_cuts(tmp_path / f"{split}.cuts.jsonl.gz", [cut])
    config = recipe({"speed": [2.0]}, {"cmvn": "none"})
    assert epoch_speech(config, tmp_path, tmp_path)(0).lengths.tolist() == [1]


def test_waveforms_are_exact_in_sixteen_bits(corpus: Path) -> None:
    cut = next(iter(read_cuts(corpus / "train.cuts.jsonl.gz")))
    samples, _ = soundfile.read(cut.recording.sources[0].source, dtype="float32")
    for held in (True, False):
        waveforms = Waveforms(RATE, CPU, held)
        waveforms.add(cut, samples)
        assert np.array_equal(waveforms.padded([0])[0].numpy(), samples)
