"""Speed, noise and vocal tract length: what was asked for is what is measured."""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torchaudio.transforms import Resample

from asr.config import FeaturesConfig
from asr.features import mel
from asr.features.augmentation import speed
from asr.features.augmentation.noise import add_noise
from asr.features.augmentation.speed import perturb_speed, perturbed_length, resampled_by_products, speed_factor
from asr.features.frontend import FrontEnd

RATE = 16000


def tone(frequency: float, samples: int = RATE) -> Tensor:
    """[1, S]; the phase in double precision, for single is off by thousandths at the end."""
    return torch.sin(2 * math.pi * frequency / RATE * torch.arange(samples, dtype=torch.float64)).float()[None]


def level(values: Tensor) -> float:
    """Mean power in dB."""
    return 10 * math.log10(values.double().square().mean().item())


@pytest.mark.parametrize("factor", [0.5, 0.9, 0.95, 1.03, 1.1, 2.0])
@pytest.mark.parametrize("frequency", [100.0, 1000.0, 3000.0])
def test_speed_moves_a_tone_and_adds_nothing(factor: float, frequency: float) -> None:
    faster, (length,) = perturb_speed(tone(frequency), [RATE], speed_factor(factor))
    expected = tone(frequency * factor, length)
    inside = slice(500, -500)
    assert level((faster - expected)[:, inside]) < level(expected) - 80


@pytest.mark.parametrize("frequency", [7700.0, 7900.0])
def test_speed_folds_nothing_back_from_above_the_nyquist_frequency(frequency: float) -> None:
    faster, _ = perturb_speed(tone(frequency), [RATE], speed_factor(1.1))
    assert level(faster[:, 500:-500]) < level(tone(frequency)) - 80


def test_factor_one_is_no_change() -> None:
    waveforms = torch.randn(2, 400)
    assert speed_factor(1.0) == 1
    faster, lengths = perturb_speed(waveforms, [400, 300], Fraction(1))
    assert torch.equal(faster, waveforms)
    assert lengths == [400, 300]


@settings(deadline=None, max_examples=40)
@given(st.integers(50, 200), st.lists(st.integers(1, 3000), min_size=1, max_size=4))
def test_speed_of_an_utterance_does_not_depend_on_its_batch(percent: int, lengths: list[int]) -> None:
    factor = speed_factor(percent / 100)
    assert factor == Fraction(percent, 100)
    waveforms = torch.zeros(len(lengths), max(lengths))
    for row, length in zip(waveforms, lengths, strict=True):
        row[:length] = torch.randn(length)
    together, ends = perturb_speed(waveforms, lengths, factor)
    assert ends == [math.ceil(length / factor) for length in lengths]
    assert together.shape == (len(lengths), max(ends))
    for row, length, end, faster in zip(waveforms, lengths, ends, together, strict=True):
        alone, _ = perturb_speed(row[None, :length], [length], factor)
        assert torch.allclose(alone[0], faster[:end], atol=1e-5)
        assert not faster[end:].any()


@pytest.mark.parametrize("factor", [Fraction(9, 10), Fraction(11, 10), Fraction(137, 100)])
def test_products_play_as_torchaudio_s_convolution(factor: Fraction, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "WINDOWS", 700)  # two of three rows at a time
    resample = Resample(factor.numerator, factor.denominator, lowpass_filter_width=32, dtype=torch.float64)
    waveforms = torch.randn(3, 3000, dtype=torch.float64)
    expected = resample(waveforms)
    found = resampled_by_products(waveforms, resample)
    torch.testing.assert_close(found[:, : expected.shape[1]], expected)


def test_length_of_long_audio_is_exact() -> None:
    assert perturbed_length(100_000_001, Fraction(11, 10)) == 90_909_092


@pytest.mark.parametrize("color", ["white", "pink"])
@pytest.mark.parametrize("snr", [-5.0, 0.0, 10.0, 30.0])
def test_noise_has_the_level_that_was_asked_for(color: str, snr: float) -> None:
    speech = 0.1 * torch.randn(2, 9000) + 0.05  # the mean is not speech
    speech[1, 5000:] = 0
    noisy = add_noise(speech, [9000, 5000], [snr, None], [1, 2], [color] * 2)  # type: ignore[list-item]
    noise = noisy[0] - speech[0]
    assert level(speech[0] - speech[0].mean()) - level(noise) == pytest.approx(snr, abs=0.01)
    assert torch.equal(noisy[1], speech[1])


def test_noise_stays_inside_the_utterance_and_depends_on_seed_and_length_alone() -> None:
    speech = torch.zeros(3, 6000)
    speech[:, :5000] = torch.randn(5000)
    noisy = add_noise(speech, [5000, 5000, 5000], [10.0, 10.0, 10.0], [7, 8, 7], ["pink"] * 3)
    assert torch.equal(noisy[0], noisy[2])
    assert not torch.equal(noisy[0], noisy[1])
    assert not noisy[:, 5000:].any()
    assert torch.equal(add_noise(speech[:1, :5000], [5000], [10.0], [7], ["pink"])[0], noisy[0, :5000])


def test_silence_stays_silence() -> None:
    assert not add_noise(torch.zeros(1, 1000), [1000], [10.0], [1], ["white"]).any()


def test_pink_noise_has_as_much_power_in_every_octave() -> None:
    speech = torch.randn(1, 1 << 18)
    noise = add_noise(speech, [1 << 18], [0.0], [3], ["pink"]) - speech
    power = torch.fft.rfft(noise[0]).abs().square()
    octaves = [power[1 << k : 2 << k].sum().log10().item() * 10 for k in range(9, 17)]
    assert max(octaves) - min(octaves) < 1.5


@pytest.mark.parametrize("warp", [0.9, 0.95, 1.05, 1.1])
@pytest.mark.parametrize("frequency", [500.0, 1000.0, 2000.0, 4000.0])
def test_warp_moves_the_peak_of_a_tone(warp: float, frequency: float) -> None:
    plain = FrontEnd(FeaturesConfig(bins=60))
    length = torch.tensor([RATE])
    moved, _ = plain.warped(warp)(tone(frequency), length)
    expected, _ = plain(tone(frequency * warp), length)
    assert abs(int(moved[0, 50].argmax()) - int(expected[0, 50].argmax())) <= 1
    still, _ = plain(tone(frequency), length)
    assert (moved - expected).abs().mean() < (still - expected).abs().mean()


@pytest.mark.parametrize("kind", ["fbank", "mfcc"])
def test_warp_one_is_no_change_and_warping_leaves_the_front_end_as_it_was(kind: str) -> None:
    plain = FrontEnd(FeaturesConfig(type=kind))  # type: ignore[arg-type]
    speech, length = torch.randn(1, 8000), torch.tensor([8000])
    before, _ = plain(speech, length)
    warped, _ = plain.warped(1.1)(speech, length)
    assert not torch.equal(warped, before)
    assert torch.equal(plain(speech, length)[0], before)
    assert torch.equal(plain.warped(1.0)(speech, length)[0], before)


@given(st.floats(0.5, 2), st.lists(st.floats(0, 8000), min_size=2, max_size=20))
def test_warp_keeps_the_order_and_the_band(warp: float, frequencies: list[float]) -> None:
    moved = mel.warped(np.sort(frequencies), warp, 8000.0)
    assert (np.diff(moved) >= 0).all()
    assert moved.min() >= 0
    assert moved.max() <= 8000
    assert mel.warped(np.array([0.0, 8000.0]), warp, 8000.0).tolist() == [0.0, 8000.0]


def test_warp_is_that_of_the_paper() -> None:
    """Jaitly & Hinton 2013, section 3, with F_hi of 4800 Hz and a sampling rate of 16 kHz."""
    for warp in (0.9, 1.1):
        bend = 4800 * min(warp, 1)
        for frequency in (300.0, 2000.0, 4500.0, 6000.0, 7900.0):
            if frequency <= bend / warp:
                expected = frequency * warp
            else:
                expected = 8000 - (8000 - bend) / (8000 - bend / warp) * (8000 - frequency)
            assert mel.warped(np.array([frequency]), warp, 8000.0)[0] == pytest.approx(expected)
