"""Epochs of changed speech: unchanged where nothing is drawn, labels that follow the speed, the same bits again."""

import math
from collections import defaultdict
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from threading import Event

import numpy as np
import pytest
import soundfile
import torch
from pydantic import ValidationError

from asr.config import AugmentationConfig, RecipeConfig
from asr.corpora.cuts import phone_segments, read_cuts, utterance_cut, write_cuts
from asr.features.archive import Archive
from asr.features.dataset import Dataset
from asr.features.extract import extract
from asr.features.normalize import model_input
from asr.formats.transcript import PhoneSegment
from asr.phones.classes import UNLABELLED
from asr.training import augmented
from asr.training.augmented import AugmentedSets, EpochSpeech
from asr.training.batching import FrameBatching, UtteranceBatching
from asr.training.draws import draw
from asr.training.speech import Speech, load_speech
from asr.training.targets import frame_labels
from asr.training.train import train
from asr.training.waveforms import Waveforms

CPU = torch.device("cpu")
RATE = 16000
PHONES = ("sil", "aa", "s", "iy", "sil")
EVERYTHING = {
    "speed": [0.9, 1.0, 1.1],
    "vtlp": [0.9, 1.1],
    "alone": 0.3,
    "reverberation": {"probability": 0.5},
    "noise": {"probability": 0.5, "color": "any", "voices": 2},
    "gain": {"probability": 0.5},
    "channel": {"probability": 0.5},
    "pauses": {"probability": 0.5},
}


def write_split(folder: Path, split: str, utterances: int, seed: int) -> None:
    """Utterances of five phones, each a noise of its own colour, by two speakers."""
    generator = np.random.default_rng(seed)
    cuts = []
    for number in range(utterances):
        bounds = np.cumsum([0, *generator.integers(1500, 4000, len(PHONES))])
        pieces = [
            np.convolve(generator.standard_normal(end - start), np.ones(1 + 2 * index))[: end - start] * 0.02
            for index, (start, end) in enumerate(pairwise(bounds))
        ]
        name = f"spk{number % 2}-{split}{number}"
        samples = np.concatenate(pieces)
        soundfile.write(folder / f"{name}.wav", samples, RATE)
        times = bounds / RATE
        phones = [(phone, start, end) for phone, (start, end) in zip(PHONES, pairwise(times), strict=True)]
        cuts.append(
            utterance_cut(name, folder / f"{name}.wav", RATE, len(samples), speaker=f"spk{number % 2}", phones=phones)
        )
    write_cuts(folder / f"{split}.cuts.jsonl.gz", cuts)


def recipe(
    augmentation: dict[str, object], features: dict[str, object] | None = None, **training: object
) -> RecipeConfig:
    return RecipeConfig.model_validate(
        {
            "corpus": {"name": "timit"},
            "features": {"bins": 20, **(features or {})},
            "augmentation": augmentation,
            "model": {"layers": 1, "width": 16, "context": 2},
            "training": {"batch_size": 64, "epochs": 4, "patience": 9, **training},
        }
    )


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("augmented")
    write_split(folder, "train", 7, seed=0)
    write_split(folder, "dev", 2, seed=1)
    return folder


def load(config: RecipeConfig, corpus: Path, features: Path, edge: int = 2) -> Speech:
    for split in ("train", "dev"):
        extract(corpus / f"{split}.cuts.jsonl.gz", features / split, config.features)
    return load_speech(config, Dataset(corpus, features).split("train", config.features), edge, CPU)


class WatchedSpeech(EpochSpeech):
    """Says which epochs were made."""

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)
        self.made: defaultdict[int, Event] = defaultdict(Event)

    def __call__(self, epoch: int) -> Speech:
        speech = super().__call__(epoch)
        self.made[epoch].set()
        return speech


def epoch_speech(
    config: RecipeConfig, corpus: Path, features: Path, edge: int = 2, kind: type[EpochSpeech] = EpochSpeech
) -> EpochSpeech:
    clean = load(config, corpus, features, edge)
    return kind(config, clean, Dataset(corpus, features).split("train", config.features), CPU)


def copied(speech: Speech) -> Speech:
    """Kept when the next epochs overwrite it."""
    return replace(speech, rows=speech.rows.clone())


def same(one: Speech, other: Speech) -> bool:
    names = ("rows", "labels", "starts", "lengths")
    return all(torch.equal(getattr(one, name), getattr(other, name)) for name in names)


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
    ],
    ids=str,
)


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


def test_off_by_default() -> None:
    config = recipe({})
    assert config.augmentation == AugmentationConfig()
    assert not config.augmentation.changes_waveforms
    assert config.augmentation.spec_augment is None


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


@pytest.mark.parametrize("cmvn", ["speaker", "utterance"])
def test_changed_speech_is_normalised_by_its_own_statistics(corpus: Path, tmp_path: Path, cmvn: str) -> None:
    config = recipe(EVERYTHING | {"alone": 0}, {"cmvn": cmvn})
    speech = epoch_speech(config, corpus, tmp_path, edge=0)(1)
    owners = speech.utterances if cmvn == "utterance" else [name.split("-")[0] for name in speech.utterances]
    owner = np.repeat(owners, speech.lengths.numpy())
    for name in set(owners):
        rows = speech.rows[torch.from_numpy(owner == name)]
        assert rows.mean(dim=0).abs().max() < 1e-4
        assert (rows.std(dim=0, correction=0) - 1).abs().max() < 1e-4


def test_global_statistics_stay_those_of_the_unchanged_training_set(corpus: Path, tmp_path: Path) -> None:
    config = recipe({"noise": {"probability": 1, "snr": [0, 0]}}, {"cmvn": "global"})
    make = epoch_speech(config, corpus, tmp_path, edge=0)
    speech = make(0)
    statistics = Dataset(corpus, tmp_path).split("train", config.features).cmvn
    draws = make.draws(0)
    static = make.static_features(np.array([3]), draws)[0].numpy()
    expected = model_input(static, None, statistics, config.features)
    start = int(speech.starts[3])
    assert np.allclose(speech.rows[start : start + len(expected)], expected, atol=1e-4)


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


def test_where_the_audio_lies_changes_nothing(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = recipe(EVERYTHING, epochs=6)
    held = epoch_speech(config, corpus, tmp_path)
    monkeypatch.setattr(augmented, "fits_in_memory", lambda size, device: False)
    read = epoch_speech(config, corpus, tmp_path)
    assert not read.clean.resident
    assert held.clean.resident
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


def test_each_change_is_drawn_by_itself() -> None:
    """A recipe with one more kind of change draws the others as before."""
    plain = {"speed": [0.9, 1.0, 1.1], "vtlp": [0.9, 1.1], "noise": {"probability": 0.5}}
    before = draw(AugmentationConfig.model_validate(plain), seed=5, epoch=2, utterances=50)
    after = draw(AugmentationConfig.model_validate(EVERYTHING | plain), seed=5, epoch=2, utterances=50)
    for name in ("speed", "warp", "snr", "seed", "color"):
        assert np.array_equal(getattr(before, name), getattr(after, name), equal_nan=True)
    assert before.pauses is None
    assert before.apart.tolist() == (~np.isnan(before.snr)).tolist()
    one = np.random.default_rng([5, 2]).random((50, 5))  # what recipes of version 0.1 draw
    assert before.speed.tolist() == (one[:, 0] * 3).astype(int).tolist()
    assert before.snr[one[:, 2] < 0.5].tolist() == (10 + 20 * one[one[:, 2] < 0.5, 3]).tolist()


def test_rooms_levels_channels_and_pauses_are_spread_over_what_was_asked_for() -> None:
    sections = {
        "reverberation": {"probability": 0.4, "t60": [0.2, 0.5], "direct": [-1, 8]},
        "noise": {"probability": 0.5, "color": "any"},
        "gain": {"probability": 0.6, "decibels": [-20, 3], "clipping": 0.25, "overdrive": [1, 9]},
        "channel": {"probability": 0.3, "kinds": ["narrow", "mp3"]},
        "pauses": {"probability": 0.2, "length": [0.1, 0.6], "zeros": 0.4, "level": [-80, -50]},
    }
    draws = draw(AugmentationConfig.model_validate(sections), seed=1, epoch=0, utterances=30000)
    share = pytest.approx
    assert (~np.isnan(draws.t60)).mean() == share(0.4, abs=0.01)
    assert np.array_equal(np.isnan(draws.t60), np.isnan(draws.direct))
    assert (np.nanmin(draws.t60), np.nanmax(draws.t60)) == share((0.2, 0.5), abs=0.01)
    assert (np.nanmin(draws.direct), np.nanmax(draws.direct)) == share((-1, 8), abs=0.05)
    assert np.bincount(draws.color) / 30000 == share(np.full(3, 1 / 3), abs=0.01)
    assert (~np.isnan(draws.gain)).mean() == share(0.45, abs=0.01)
    assert (~np.isnan(draws.peak)).mean() == share(0.15, abs=0.01)
    assert not (~np.isnan(draws.gain) & ~np.isnan(draws.peak)).any()
    assert (np.nanmin(draws.peak), np.nanmax(draws.peak)) == share((1, 9), abs=0.05)
    assert np.bincount(draws.channel + 1) / 30000 == share([0.7, 0.15, 0.15], abs=0.01)
    pauses = draws.pauses
    assert pauses is not None
    inserted = pauses.lengths > 0
    assert inserted.mean(axis=0) == share(np.full(3, 0.2), abs=0.01)
    assert (pauses.lengths[inserted].min(), pauses.lengths.max()) == share((0.1, 0.6), abs=0.01)
    noisy = np.isfinite(pauses.levels)
    assert noisy.mean() == share(0.6, abs=0.01)
    assert (pauses.levels[noisy].min(), pauses.levels[noisy].max()) == share((-80, -50), abs=0.05)
    assert pauses.levels[noisy].mean() == share(-65, abs=0.2)


def test_only_recordings_like_the_others_share_a_speaker_s_statistics(corpus: Path, tmp_path: Path) -> None:
    """Those in another room are normalised alone, and the others as if there were no such recordings."""
    config = recipe({"gain": {"probability": 0.5, "clipping": 0}}, {"cmvn": "speaker"})
    make = epoch_speech(config, corpus, tmp_path, edge=0)
    epoch = next(epoch for epoch in range(9) if 2 < make.draws(epoch).apart.sum() < 5)
    speech, apart = make(epoch), make.draws(epoch).apart
    whole = {speaker: [] for speaker in ("spk0", "spk1")}
    for number, (start, length) in enumerate(zip(speech.starts.tolist(), speech.lengths.tolist(), strict=True)):
        rows = speech.rows[start : start + length]
        if apart[number]:
            assert torch.allclose(rows.mean(dim=0), torch.zeros(20), atol=1e-4)
        else:
            whole[make.archive.speakers[number]].append(rows)
    for rows in whole.values():
        assert not rows or torch.allclose(torch.cat(rows).mean(dim=0), torch.zeros(20), atol=1e-4)


def test_draws_are_spread_over_what_was_asked_for() -> None:
    config = AugmentationConfig.model_validate(EVERYTHING)
    draws = draw(config, seed=-3, epoch=1, utterances=30000)
    assert np.bincount(draws.speed) / 30000 == pytest.approx(np.full(3, 1 / 3), abs=0.02)
    assert (draws.warp.min(), draws.warp.max(), len(np.unique(draws.warp))) == (0.9, 1.1, 21)
    assert np.isnan(draws.snr).mean() == pytest.approx(0.5, abs=0.02)
    assert np.nanmin(draws.snr) >= 10
    assert np.nanmax(draws.snr) <= 30
    assert len(np.unique(draws.seed)) == 30000
    # Of an utterance's number, not of how many there are.
    assert (draw(config, -3, 1, 10).warp == draws.warp[:10]).all()


def test_waveforms_are_exact_in_sixteen_bits(corpus: Path) -> None:
    cut = next(iter(read_cuts(corpus / "train.cuts.jsonl.gz")))
    samples, _ = soundfile.read(cut.recording.sources[0].source, dtype="float32")
    for held in (True, False):
        waveforms = Waveforms(RATE, CPU, held)
        waveforms.add(cut, samples)
        assert np.array_equal(waveforms.padded([0])[0].numpy(), samples)


@pytest.mark.parametrize(
    ("augmentation", "features", "message"),
    [
        ({"vtlp": [1.1, 0.9]}, {}, "vtlp"),
        ({"noise": {"snr": [20, 10]}}, {}, "noise.snr"),
        ({"reverberation": {"t60": [0.5, 0.2]}}, {}, "reverberation.t60"),
        ({"pauses": {"length": [1, 0.5]}}, {}, "pauses.length"),
        ({"channel": {"kinds": []}}, {}, "channel.kinds"),
        ({"channel": {}}, {"sample_rate": 22050}, "mp3 and opus need a features.sample_rate of 8000"),
        ({"speed": []}, {}, "speed"),
        ({"speed": [0.0]}, {}, "speed"),
        ({"vtlp": [0.9, 1.1]}, {"backend": "librosa"}, "features.backend: torch"),
        ({"spec_augment": {}}, {"cmvn": "none"}, "features.cmvn"),
        ({"spec_augment": {}}, {"type": "mfcc"}, "frequency_masks must be 0"),
        ({"spec_augment": {"frequency_width": 20}}, {}, "less than features.bins"),
    ],
)
def test_contradictions_are_named(augmentation: dict[str, object], features: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        recipe(augmentation, features)
