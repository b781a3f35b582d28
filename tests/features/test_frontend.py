"""The front end: equal to Kaldi's, whatever the batch, the edges and the length."""

from collections.abc import Callable
from pathlib import Path

import kaldi_native_fbank as knf
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from asr.audio import read_audio
from asr.config import FeaturesConfig
from asr.errors import InputError
from asr.features import frontend, mel
from asr.features.framing import FLOOR
from asr.features.frontend import FEWEST_FRAMES, FrontEnd, of_few_sizes

SETTINGS: list[dict] = [
    {"type": "fbank", "bins": 40},
    {"type": "fbank", "bins": 40, "snip_edges": False},
    {"type": "fbank", "bins": 40, "energy": True},
    {"type": "fbank", "bins": 23, "window": "hamming", "high_frequency": -400.0},
    {"type": "fbank", "bins": 80, "window": "hanning", "preemphasis": 0.0},
    {"type": "fbank", "bins": 40, "window": "rectangular", "remove_dc_offset": False},
    {"type": "fbank", "bins": 40, "frame_length": 20.0, "frame_shift": 7.5, "snip_edges": False},
    {"type": "mfcc", "bins": 40},
    {"type": "mfcc", "bins": 23, "snip_edges": False},
    {"type": "mfcc", "bins": 23, "energy": True},
    {"type": "mfcc", "bins": 40, "cepstra": 40, "cepstral_lifter": 0.0},
]


def describe(changes: dict) -> str:
    return " ".join(f"{key}={value}" for key, value in changes.items())


def kaldi(config: FeaturesConfig) -> Callable[[np.ndarray], np.ndarray]:
    """kaldi_native_fbank with the same settings; samples in [-1, 1] -> [T, D]."""
    if config.type == "fbank":
        options, computer = knf.FbankOptions(), knf.OnlineFbank
    else:
        options, computer = knf.MfccOptions(), knf.OnlineMfcc
        options.num_ceps = config.cepstra
        options.cepstral_lifter = config.cepstral_lifter
    options.use_energy = config.energy
    frame = options.frame_opts
    frame.samp_freq = config.sample_rate
    frame.frame_length_ms = config.frame_length
    frame.frame_shift_ms = config.frame_shift
    frame.window_type = config.window
    frame.preemph_coeff = config.preemphasis
    frame.remove_dc_offset = config.remove_dc_offset
    frame.snip_edges = config.snip_edges
    frame.dither = 0.0
    options.mel_opts.num_bins = config.bins
    options.mel_opts.low_freq = config.low_frequency
    options.mel_opts.high_freq = config.high_frequency

    def compute(samples: np.ndarray) -> np.ndarray:
        online = computer(options)
        online.accept_waveform(config.sample_rate, (samples * 32768).tolist())
        online.input_finished()
        return np.array([online.get_frame(index) for index in range(online.num_frames_ready)])

    return compute


def ours(front_end: FrontEnd, samples: np.ndarray) -> np.ndarray:
    features, lengths = front_end(torch.from_numpy(samples)[None], torch.tensor([len(samples)]))
    assert lengths.tolist() == [features.shape[1]]
    return features[0].cpu().numpy()


def largest_difference(config: FeaturesConfig, files: list[Path], device: str = "cpu") -> float:
    front_end, reference = FrontEnd(config, device), kaldi(config)
    largest = 0.0
    for path in files:
        samples = read_audio(path, config.sample_rate)
        expected, computed = reference(samples), ours(front_end, samples)
        assert computed.shape == expected.shape
        largest = max(largest, float(np.abs(computed - expected).max()))
    return largest


def speech_like(seconds: float = 1.0, seed: int = 0) -> np.ndarray:
    """Noise with a slow envelope and a DC offset, in steps of 16 bits."""
    generator = np.random.default_rng(seed)
    count = round(16000 * seconds)
    envelope = 0.02 + np.abs(np.sin(np.arange(count) / 3000.0))
    return (np.round((generator.standard_normal(count) * envelope * 0.1 + 0.01) * 32768) / 32768).astype(np.float32)


@pytest.mark.parametrize("changes", SETTINGS, ids=describe)
def test_equals_kaldi(changes: dict) -> None:
    config = FeaturesConfig(**changes)
    samples = speech_like()
    expected = kaldi(config)(samples)
    computed = ours(FrontEnd(config), samples)
    assert computed.shape == expected.shape
    assert np.abs(computed - expected).max() < 1e-3


@pytest.mark.corpora
@pytest.mark.parametrize("changes", SETTINGS[:3] + SETTINGS[7:10], ids=describe)
def test_equals_kaldi_on_every_utterance_of_the_sample(timit_sample: Path, changes: dict) -> None:
    files = sorted(timit_sample.glob("*/*.wav"))
    assert len(files) == 160
    assert largest_difference(FeaturesConfig(**changes), files) < 1e-3


@pytest.mark.corpora
@pytest.mark.parametrize("changes", SETTINGS, ids=describe)
def test_equals_kaldi_on_speechocean762(speechocean762: Path, changes: dict) -> None:
    files = sorted(speechocean762.glob("WAVE/*/*.flac"))[::100]
    assert files
    assert largest_difference(FeaturesConfig(**changes), files) < 1e-3


@pytest.mark.parametrize("sample_rate", [8000, 11025, 44100])
def test_other_sample_rates(sample_rate: int) -> None:
    config = FeaturesConfig(sample_rate=sample_rate, bins=23)
    samples = speech_like()
    assert np.abs(ours(FrontEnd(config), samples) - kaldi(config)(samples)).max() < 1e-3


@pytest.mark.parametrize("snip_edges", [True, False])
def test_silence_is_the_floor(snip_edges: bool) -> None:
    config = FeaturesConfig(snip_edges=snip_edges)
    for level in (0.0, 0.25):
        features = ours(FrontEnd(config), np.full(4000, level, dtype=np.float32))
        assert np.allclose(features, np.log(FLOOR))


@given(samples=st.integers(1, 3000), snip_edges=st.booleans(), shift=st.sampled_from([5.0, 10.0, 12.5, 30.0]))
@settings(deadline=None, max_examples=60)
def test_frame_counts_and_edges_are_kaldis(samples: int, snip_edges: bool, shift: float) -> None:
    config = FeaturesConfig(snip_edges=snip_edges, frame_shift=shift, bins=10)
    waveform = speech_like(samples / 16000, seed=samples)
    front_end, expected = FrontEnd(config), kaldi(config)(waveform)
    computed = ours(front_end, waveform)
    assert front_end.frame_count(samples) == len(expected) == len(computed)
    if len(expected) > 0:
        assert np.abs(computed - expected).max() < 1e-3


@pytest.mark.parametrize(
    "changes", [{}, {"snip_edges": False, "energy": True}, {"type": "mfcc", "dither": 1.0}], ids=describe
)
def test_an_utterance_does_not_depend_on_its_batch(changes: dict) -> None:
    front_end = FrontEnd(FeaturesConfig(**changes))
    waveforms = [
        torch.from_numpy(speech_like(seconds, seed)) for seed, seconds in enumerate((6.0, 0.3, 0.02, 1.7, 0.0))
    ]
    lengths = torch.tensor([len(waveform) for waveform in waveforms])
    padded = torch.nn.utils.rnn.pad_sequence(waveforms, batch_first=True, padding_value=0.7)
    features, counts = front_end(padded, lengths)
    for row, waveform in enumerate(waveforms):
        alone, count = front_end(waveform[None], lengths[row : row + 1])
        assert counts[row] == count[0] == alone.shape[1]
        assert torch.equal(features[row, : counts[row]], alone[0])
        assert not features[row, counts[row] :].any()


def test_shorter_than_a_window() -> None:
    assert ours(FrontEnd(FeaturesConfig()), speech_like(399 / 16000)).shape == (0, 40)
    assert ours(FrontEnd(FeaturesConfig()), speech_like(400 / 16000)).shape == (1, 40)
    assert ours(FrontEnd(FeaturesConfig(snip_edges=False)), speech_like(79 / 16000)).shape == (0, 40)


def test_dither_is_small_and_repeatable() -> None:
    quiet = np.zeros(4000, dtype=np.float32)
    config = FeaturesConfig(dither=1.0, energy=True)
    first, again, other = (
        ours(FrontEnd(config), quiet),
        ours(FrontEnd(config), quiet),
        ours(FrontEnd(config, seed=1), quiet),
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert np.abs(first[:, 0] - np.log(400)).max() < 0.5  # the energy of 400 samples of variance 1


def test_the_input_is_left_as_it_was() -> None:
    for changes in ({}, {"dither": 1.0}, {"snip_edges": False}):
        samples = torch.from_numpy(speech_like())
        before = samples.clone()
        FrontEnd(FeaturesConfig(**changes))(samples[None], torch.tensor([len(samples)]))
        assert torch.equal(samples, before)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"low_frequency": 5000.0, "high_frequency": 4000.0}, "low_frequency"),
        ({"high_frequency": 9000.0}, "high_frequency"),
        ({"bins": 300}, "bins"),
        ({"frame_length": 0.01}, "frame_length"),
    ],
)
def test_settings_that_contradict_each_other(changes: dict, field: str) -> None:
    with pytest.raises(InputError, match=field):
        FrontEnd(FeaturesConfig(**changes))


def test_mel_filters_add_up_to_one_between_the_outer_centres() -> None:
    filters = mel.mel_filters(FeaturesConfig())
    total = filters.sum(axis=1)
    inner = slice(int(filters[:, 0].argmax()) + 1, int(filters[:, -1].argmax()))
    assert np.allclose(total[inner], 1.0)


@pytest.mark.parametrize("changes", SETTINGS, ids=describe)
def test_computing_as_on_a_gpu_gives_the_same(changes: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    config = FeaturesConfig(**changes)
    waveforms = [torch.from_numpy(speech_like(seconds, seed)) for seed, seconds in enumerate((3.0, 0.3, 0.01, 1.7))]
    lengths = torch.tensor([len(waveform) for waveform in waveforms])
    padded = torch.nn.utils.rnn.pad_sequence(waveforms, batch_first=True)
    expected, _ = FrontEnd(config)(padded, lengths)
    monkeypatch.setattr(frontend, "GPU_FRAMES", 100)
    front_end = FrontEnd(config)
    front_end.at_once = True
    computed, _ = front_end(padded, lengths)
    assert (computed - expected).abs().max() < 1e-3


@given(st.integers(1, 70_000))
def test_more_frames_for_a_gpu_repeat_the_last(number: int) -> None:
    places = torch.arange(2 * number).view(-1, 2)
    more = of_few_sizes(places)
    assert torch.equal(more[:number], places)
    assert (more[number:] == places[-1]).all()
    assert len(more) <= max(1.07 * number, FEWEST_FRAMES)


def test_a_gpu_sees_few_numbers_of_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    compute = FrontEnd._compute
    monkeypatch.setattr(FrontEnd, "_compute", lambda self, frames: (seen.append(len(frames)), compute(self, frames))[1])
    front_end = FrontEnd(FeaturesConfig())
    front_end.at_once = True
    front_end(torch.randn(2, 4000), torch.tensor([4000, 3000]))
    assert seen == [FEWEST_FRAMES]
    sizes = {len(of_few_sizes(torch.zeros(number, 2))) for number in range(1, frontend.GPU_FRAMES, 61)}
    assert len(sizes) <= 1 + 16 * 8  # 256 = 2^8 frames, and sixteen sizes up to each power of two to 2^16


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("changes", SETTINGS, ids=describe)
def test_cuda_equals_the_cpu(changes: dict) -> None:
    config = FeaturesConfig(**changes)
    waveforms = [torch.from_numpy(speech_like(seconds, seed)) for seed, seconds in enumerate((6.0, 0.3, 0.01, 1.7))]
    lengths = torch.tensor([len(waveform) for waveform in waveforms])
    padded = torch.nn.utils.rnn.pad_sequence(waveforms, batch_first=True)
    expected, counts = FrontEnd(config)(padded, lengths)
    computed, cuda_counts = FrontEnd(config, "cuda")(padded, lengths)
    assert torch.equal(counts, cuda_counts)
    assert (computed.cpu() - expected).abs().max() < 1e-3
