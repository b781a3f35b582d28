"""Rooms, levels, channels and pauses: levels are exact, nothing is delayed, and nothing depends on the batch."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from asr.features.augmentation.channel import Channel, transmit
from asr.features.augmentation.gain import change_level
from asr.features.augmentation.noise import Voice, add_babble, add_noise
from asr.features.augmentation.pauses import Pause, insert_pauses
from asr.features.augmentation.reverberation import Room, reverberate

RATE = 16000


def noise(samples: int, seed: int = 0) -> Tensor:
    """White noise [S] of -20 dB."""
    return 0.1 * torch.randn(samples, generator=torch.Generator().manual_seed(seed))


def level(values: Tensor) -> float:
    """Mean power in dB."""
    return 10 * math.log10(values.double().square().mean().item())


def delay(changed: Tensor, original: Tensor) -> int:
    """By how many samples one is behind the other, from their cross-correlation."""
    size = 1 << (2 * len(original)).bit_length()
    product = torch.fft.rfft(changed, size) * torch.fft.rfft(original, size).conj()
    lag = int(torch.fft.irfft(product, size).argmax())
    return lag if lag < size // 2 else lag - size


CHANGES: dict[str, Callable[[Tensor, list[int], list[int]], Tensor]] = {
    "room": lambda x, lengths, seeds: reverberate(x, lengths, [Room(0.4, 3.0)] * len(lengths), seeds, RATE),
    "gain": lambda x, lengths, _: change_level(x, lengths, [-12.0] * len(lengths), [None] * len(lengths)),
    "clipped": lambda x, lengths, _: change_level(x, lengths, [None] * len(lengths), [6.0] * len(lengths)),
    **{
        kind: lambda x, lengths, _, kind=kind: transmit(
            x,
            lengths,
            [Channel(kind, 0.5, False)] * len(lengths),
            RATE,
        )
        for kind in ("narrow", "telephone", "mp3", "opus")
    },
}


@pytest.mark.parametrize("name", CHANGES)
def test_speech_keeps_its_place_and_length(name: str) -> None:
    """To a sample, so that labels stay right."""
    speech = torch.zeros(2, 40000)
    speech[0, :30000], speech[1] = noise(30000, 1), noise(40000, 2)
    changed = CHANGES[name](speech, [30000, 40000], [5, 6])
    assert changed.shape == speech.shape
    assert not changed[0, 30000:].any()
    assert abs(delay(changed[0, :30000], speech[0, :30000])) <= 1
    assert abs(delay(changed[1], speech[1])) <= 1
    assert not torch.equal(changed, speech)


@pytest.mark.parametrize("name", CHANGES)
def test_an_utterance_does_not_depend_on_its_batch(name: str) -> None:
    speech = torch.zeros(2, 9000)
    speech[0, :7000], speech[1] = noise(7000, 1), noise(9000, 2)
    together = CHANGES[name](speech, [7000, 9000], [5, 6])
    alone = CHANGES[name](speech[:1, :7000], [7000], [5])
    assert torch.allclose(together[0, :7000], alone[0], atol=1e-6)


@pytest.mark.parametrize("name", CHANGES)
def test_the_input_stays_as_it_was(name: str) -> None:
    speech = noise(5000)[None]
    before = speech.clone()
    CHANGES[name](speech, [5000], [1])
    assert torch.equal(speech, before)


@pytest.mark.parametrize("direct", [-3.0, 0.0, 10.0])
@pytest.mark.parametrize("t60", [0.2, 0.6])
def test_a_room_has_its_ratio_and_its_decay(t60: float, direct: float) -> None:
    click = torch.zeros(1, 2 * RATE)
    click[0, 100] = 1.0
    response = reverberate(click, [2 * RATE], [Room(t60, direct)], [3], RATE)[0, 100:]
    assert response[0] == pytest.approx(1.0, abs=1e-4)
    assert response[1:30].abs().max() < 1e-5  # before the first reflection
    energy = response[1:].double().square().sum().item()
    assert -10 * math.log10(energy) == pytest.approx(direct, abs=0.01)
    step = round(t60 / 4 * RATE)
    assert level(response[50 : 50 + step]) - level(response[50 + step : 50 + 2 * step]) == pytest.approx(15, abs=1.5)


def test_rooms_are_drawn_by_seed() -> None:
    speech = noise(4000).repeat(3, 1)
    changed = reverberate(speech, [4000] * 3, [Room(0.3, 0.0)] * 2 + [None], [1, 2, 3], RATE)
    assert not torch.allclose(changed[0], changed[1])
    assert torch.equal(changed[2], speech[2])
    again = reverberate(speech[1:2], [4000], [Room(0.3, 0.0)], [2], RATE)
    assert torch.allclose(again[0], changed[1], atol=1e-6)


@pytest.mark.parametrize("gain", [-30.0, -6.0, 6.0])
def test_a_gain_is_exact_and_in_sixteen_bits(gain: float) -> None:
    speech = noise(20000)[None]
    changed = change_level(speech, [20000], [gain], [None])
    assert level(changed) - level(speech) == pytest.approx(gain, abs=0.02)
    assert torch.equal(changed * 32768, (changed * 32768).round())


def test_a_peak_above_full_scale_is_clipped() -> None:
    speech = noise(20000)[None]
    changed = change_level(speech, [20000], [None], [6.0])
    whole = speech.abs() < speech.abs().max() / 10 ** (6 / 20) * 0.999
    factor = 10 ** (6 / 20) / speech.abs().max()
    assert torch.allclose(changed[whole], speech[whole] * factor, atol=1e-4)
    assert (changed[~whole].abs() >= 1 - 1e-3).all()
    assert changed.abs().max() <= 1


def test_levels_that_were_not_drawn_stay() -> None:
    speech = noise(2000)[None]
    assert torch.equal(change_level(speech, [2000], [None], [None]), speech)
    assert torch.equal(transmit(speech, [2000], [None], RATE), speech)


@pytest.mark.parametrize(
    ("kind", "passes", "stops"),
    [("narrow", [200.0, 3000.0], [4300.0, 7000.0]), ("telephone", [400.0, 3300.0], [80.0, 3700.0, 6000.0])],
)
def test_bands(kind: str, passes: list[float], stops: list[float]) -> None:
    time = torch.arange(RATE, dtype=torch.float64) / RATE
    for frequency in passes + stops:
        tone = torch.sin(2 * math.pi * frequency * time).float()[None]
        changed = transmit(tone, [RATE], [Channel(kind, 0.0, False)], RATE)[0, 2000:-2000]  # type: ignore[arg-type]
        lost = level(tone) - level(changed)
        assert lost == pytest.approx(0, abs=0.1) if frequency in passes else lost > 45


def test_a_narrow_band_is_narrower_where_it_is_worse() -> None:
    tone = torch.sin(2 * math.pi * 3800 / RATE * torch.arange(RATE))[None]
    levels = [level(transmit(tone, [RATE], [Channel("narrow", one, False)], RATE)) for one in (0.0, 1.0)]
    assert levels[0] - levels[1] > 20


@pytest.mark.parametrize("kind", ["mp3", "opus"])
def test_a_codec_of_a_lower_rate_is_worse(kind: str) -> None:
    speech = noise(2 * RATE)[None]
    errors = []
    for severity in (0.0, 1.0):
        changed = transmit(speech, [2 * RATE], [Channel(kind, severity, False)], RATE)  # type: ignore[arg-type]
        errors.append(level(changed - speech))
    assert -50 < errors[0] - level(speech) < errors[1] - level(speech) < 6


def test_a_rounded_channel_has_sixteen_bits() -> None:
    changed = transmit(noise(4000)[None], [4000], [Channel("telephone", 0.5, True)], RATE)
    assert torch.equal(changed * 32768, (changed * 32768).round())


def test_babble_has_its_level_and_equally_loud_voices() -> None:
    speech = torch.zeros(2, 6000)
    speech[0], speech[1, :5000] = noise(6000, 1), noise(5000, 2)
    tone = torch.sin(0.3 * torch.arange(1000))
    loud, soft = (Voice((30000 * each).short(), 0) for each in (noise(2500, 3), 0.1 * tone))
    noisy = add_babble(speech, [6000, 5000], [5.0, None], [[loud, soft], []])
    babble = noisy[0] - speech[0]
    assert level(speech[0] - speech[0].mean()) - level(babble) == pytest.approx(5, abs=0.01)
    assert torch.equal(noisy[1], speech[1])
    repeated = tone.repeat(6)
    share = (babble @ repeated) ** 2 / (babble.square().sum() * repeated.square().sum())
    assert share == pytest.approx(0.5, abs=0.05)


def test_colors_of_a_batch_are_each_utterance_s_own() -> None:
    speech = noise(8000).repeat(2, 1)
    both = add_noise(speech, [8000] * 2, [5.0] * 2, [4, 4], ["white", "pink"])
    for row, color in zip(both, ("white", "pink"), strict=True):
        assert torch.equal(row, add_noise(speech[:1], [8000], [5.0], [4], [color])[0])  # type: ignore[list-item]


def test_pauses_come_where_they_were_asked_for() -> None:
    speech = torch.zeros(2, 3000)
    speech[0], speech[1, :2000] = noise(3000, 1), noise(2000, 2)
    pauses = [[Pause(0, 400, -math.inf), Pause(1000, 160, -40.0), Pause(3000, 80, -60.0)], []]
    changed, lengths = insert_pauses(speech, [3000, 2000], pauses, [1, 2])
    assert lengths == [3640, 2000]
    assert changed.shape == (2, 3640)
    assert not changed[0, :400].any()
    assert torch.equal(changed[0, 400:1400], speech[0, :1000])
    assert level(changed[0, 1400:1560]) == pytest.approx(-40, abs=1.5)
    assert torch.equal(changed[0, 1560:3560], speech[0, 1000:])
    assert level(changed[0, 3560:]) == pytest.approx(-60, abs=2)
    assert torch.equal(changed[1, :2000], speech[1, :2000])
    assert not changed[1, 2000:].any()


def test_the_noise_of_a_pause_is_the_utterance_s_own() -> None:
    speech, pause = noise(500).repeat(2, 1), [Pause(100, 400, -40.0)]
    both, _ = insert_pauses(speech, [500] * 2, [pause] * 2, [1, 2])
    alone, _ = insert_pauses(speech[1:], [500], [pause], [2])
    assert not torch.equal(both[0], both[1])
    assert torch.equal(both[1], alone[0])
