"""Changes of a whole batch at once: what one utterance after another gets, in as few kernels, without reading any."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from asr.features.augmentation import gain, noise, reverberation, together
from asr.features.augmentation.channel import Channel, transmit
from asr.features.augmentation.noise import Voice
from asr.features.augmentation.pauses import Pause, insert_pauses
from asr.features.augmentation.reverberation import Room
from asr.features.augmentation.rows import joined

RATE = 16000
LENGTHS = [9000, 5000, 4096, 7001, 1]


def speech(device: str = "cpu", times: int = 1) -> tuple[Tensor, list[int]]:
    lengths = LENGTHS * times
    waveforms = torch.zeros(len(lengths), max(lengths))
    for row, length in zip(waveforms, lengths, strict=True):
        row[:length] = 0.1 * torch.randn(length, generator=torch.Generator().manual_seed(length)) + 0.02
    return waveforms.to(device), lengths


def voice(samples: int, first: int, device: str) -> Voice:
    drawn = torch.randn(samples, generator=torch.Generator().manual_seed(samples))
    return Voice((3000 * drawn).short().to(device), first)


def noisy(module: Any, color: str) -> Callable[[Tensor, list[int]], Tensor]:
    def change(waveforms: Tensor, lengths: list[int]) -> Tensor:
        times = len(lengths) // len(LENGTHS)
        colors = ["white", "pink", "pink", "white", "pink"] if color == "both" else [color] * len(LENGTHS)
        return module.add_noise(
            waveforms, lengths, [10.0, None, -3.0, 20.0, 5.0] * times, [1, 2, 3, 4, 5] * times, colors * times
        )

    return change


def babbling(module: Any) -> Callable[[Tensor, list[int]], Tensor]:
    def change(waveforms: Tensor, lengths: list[int]) -> Tensor:
        times, device = len(lengths) // len(LENGTHS), waveforms.device.type
        one, two, three = voice(2500, 17, device), voice(12000, 0, device), voice(7001, 7000, device)
        voices = [[one, two], [], [three, one], [two, three], []]
        return module.add_babble(waveforms, lengths, [5.0, None, 0.0, 12.0, None] * times, voices * times)

    return change


def in_rooms(module: Any) -> Callable[[Tensor, list[int]], Tensor]:
    def change(waveforms: Tensor, lengths: list[int]) -> Tensor:
        times = len(lengths) // len(LENGTHS)
        rooms = [Room(0.3, 3.0), None, Room(0.7, -2.0), Room(0.2, 10.0), Room(0.3, 0.0)] * times
        return module.reverberate(waveforms, lengths, rooms, [5, 6, 7, 8, 9] * times, RATE)

    return change


def louder(module: Any) -> Callable[[Tensor, list[int]], Tensor]:
    def change(waveforms: Tensor, lengths: list[int]) -> Tensor:
        times = len(lengths) // len(LENGTHS)
        gains, peaks = [-12.0, None, 6.0, None, -1.0], [None, None, None, 6.0, None]
        return module.change_level(waveforms, lengths, gains * times, peaks * times)

    return change


def in_bands(at_once: bool, rounded: bool = False) -> Callable[[Tensor, list[int]], Tensor]:
    def change(waveforms: Tensor, lengths: list[int]) -> Tensor:
        narrow, telephone = Channel("narrow", 0.3, rounded), Channel("telephone", 0.0, rounded)
        channels = [telephone, None, narrow, telephone._replace(rounded=False), narrow._replace(severity=1.0)]
        return transmit(waveforms, lengths, channels * (len(lengths) // len(LENGTHS)), RATE, at_once)

    return change


def with_pauses(waveforms: Tensor, lengths: list[int]) -> Tensor:
    pauses = [[Pause(0, 50, -70.0), Pause(100, 20, -50.0)], [], [], [], [Pause(1, 9, -90.0)]]
    times = len(lengths) // len(LENGTHS)
    return insert_pauses(waveforms, lengths, pauses * times, [1, 2, 3, 4, 5] * times)[0]


def padded(waveforms: Tensor, lengths: list[int]) -> Tensor:
    return joined([[row[:length]] for row, length in zip(waveforms, lengths, strict=True)])


CHANGES = {
    "white": (noisy(noise, "white"), noisy(together, "white"), 1e-5),
    "pink": (noisy(noise, "pink"), noisy(together, "pink"), 1e-5),
    "both": (noisy(noise, "both"), noisy(together, "both"), 1e-5),
    "babble": (babbling(noise), babbling(together), 1e-5),
    "room": (in_rooms(reverberation), in_rooms(together), 1e-5),
    "level": (louder(gain), louder(together), 1.01 / 32768),  # rounding of 16 bits may go the other way
    "band": (in_bands(False), in_bands(True), 1e-5),
    "rounded band": (in_bands(False, True), in_bands(True, True), 1.01 / 32768),
}
AT_ONCE = {name: at_once for name, (_, at_once, _) in CHANGES.items()} | {"pauses": with_pauses, "rows": padded}


@pytest.mark.parametrize("name", CHANGES)
def test_together_is_one_after_another(name: str) -> None:
    alone, at_once, tolerance = CHANGES[name]
    waveforms, lengths = speech()
    expected, found = alone(waveforms, lengths), at_once(waveforms, lengths)
    assert not torch.allclose(expected[0], waveforms[0], atol=1e-3)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=tolerance)
    assert torch.equal(found[1], waveforms[1]), "nothing was drawn for it"
    assert all(not row[length:].any() for row, length in zip(found, lengths, strict=True))
    assert torch.equal(waveforms, speech()[0])


@pytest.mark.parametrize("name", AT_ONCE)
def test_a_larger_batch_takes_no_more_kernels(name: str) -> None:
    """On a meta device, which has no values: what reads one, or draws noise there, fails."""
    counts = []
    for times in (1, 4):
        waveforms, lengths = speech("meta", times)
        with Kernels() as kernels:
            assert AT_ONCE[name](waveforms, lengths).device.type == "meta"
        counts.append(kernels.count)
    assert counts[0] == counts[1] <= 100


class Kernels(TorchDispatchMode):
    """Counts the operations on a meta device, without views."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = operation(*args, **(kwargs or {}))
        view = any(value.alias_info and not value.alias_info.is_write for value in operation._schema.returns)
        if isinstance(result, Tensor) and result.device.type == "meta" and not view:
            self.count += 1
        return result


def test_without_bands_nothing_is_filtered() -> None:
    waveforms, lengths = speech()
    assert torch.equal(transmit(waveforms, lengths, [None] * len(lengths), RATE, at_once=True), waveforms)
