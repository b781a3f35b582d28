"""The waveforms of an epoch: those of the training set with all that was drawn for them."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from torch import Tensor

from asr.config import RecipeConfig
from asr.features.augmentation import gain, noise, reverberation, together
from asr.features.augmentation.channel import Channel, transmit
from asr.features.augmentation.noise import Color, Voice
from asr.features.augmentation.pauses import insert_pauses
from asr.features.augmentation.reverberation import Room
from asr.features.augmentation.speed import perturb_speed
from asr.training.data.draws import COLORS, Draws, Reals
from asr.training.data.layout import Numbers
from asr.training.data.pauses import PlacedPauses
from asr.training.data.waveforms import Waveforms

ROOM_SEED, PAUSE_SEED = 1, 2
"""Added to the seed of an utterance's noise."""


class ChangedWaveforms:
    """In the order in which recordings come about: the speaker's speed, the room, other sounds, the recorder's level,
    what it is sent through, and pauses, which are the last because editors and telephones make digital silence."""

    def __init__(
        self,
        config: RecipeConfig,
        waveforms: Waveforms,
        factors: Sequence[Fraction],
        at_once: bool | None = None,
    ) -> None:
        """`at_once`: all utterances of a batch together, by default on a GPU; the same within rounding."""
        self.config, self.augmentation = config, config.augmentation
        self.rate, self.waveforms, self.factors = config.features.sample_rate, waveforms, factors
        self.at_once = at_once = waveforms.device.type == "cuda" if at_once is None else at_once
        self.add_noise = together.add_noise if at_once else noise.add_noise
        self.add_babble = together.add_babble if at_once else noise.add_babble
        self.reverberate = together.reverberate if at_once else reverberation.reverberate
        self.change_level = together.change_level if at_once else gain.change_level

    def __call__(self, members: Numbers, draws: Draws, pauses: PlacedPauses | None) -> tuple[Tensor, list[int]]:
        """Samples [B, S] of some utterances, all with the speed of the first, and their lengths."""
        waveforms = self.waveforms.padded(members.tolist())
        lengths = [self.waveforms.lengths[number] for number in members]
        waveforms, lengths = perturb_speed(waveforms, lengths, self.factors[draws.speed[members[0]]])
        seeds = draws.seed[members].tolist()
        if self.augmentation.reverberation is not None:
            both = zip(_numbers(members, draws.t60), draws.direct[members].tolist(), strict=True)
            rooms = [None if t60 is None else Room(t60, direct) for t60, direct in both]
            waveforms = self.reverberate(waveforms, lengths, rooms, [seed + ROOM_SEED for seed in seeds], self.rate)
        if self.augmentation.noise is not None:
            waveforms = self._noisy(waveforms, lengths, members, draws)
        if self.augmentation.gain is not None:
            gains, peaks = _numbers(members, draws.gain), _numbers(members, draws.peak)
            waveforms = self.change_level(waveforms, lengths, gains, peaks)
        if self.augmentation.channel is not None:
            waveforms = transmit(waveforms, lengths, self._channels(members, draws), self.rate, self.at_once)
        if pauses is not None:
            inserted = [
                pauses.samples(number, length, self.config.features)
                for number, length in zip(members.tolist(), lengths, strict=True)
            ]
            return insert_pauses(waveforms, lengths, inserted, [seed + PAUSE_SEED for seed in seeds])
        return waveforms, lengths

    def _noisy(self, waveforms: Tensor, lengths: Sequence[int], members: Numbers, draws: Draws) -> Tensor:
        snrs = _numbers(members, draws.snr)
        colors = [COLORS[color] for color in draws.color[members]]
        gaussian = [None if color == "babble" else snr for color, snr in zip(colors, snrs, strict=True)]
        plain: list[Color] = ["pink" if color == "pink" else "white" for color in colors]
        waveforms = self.add_noise(waveforms, lengths, gaussian, draws.seed[members].tolist(), plain)
        if "babble" not in colors:
            return waveforms
        spoken = [snr if color == "babble" else None for color, snr in zip(colors, snrs, strict=True)]
        voices = [
            [] if snr is None else self._voices(number, int(draws.seed[number]))
            for number, snr in zip(members.tolist(), spoken, strict=True)
        ]
        return self.add_babble(waveforms, lengths, spoken, voices)

    def _voices(self, number: int, seed: int) -> list[Voice]:
        """Other utterances, each from some sample on."""
        assert self.augmentation.noise is not None
        generator, utterances = np.random.default_rng(seed), len(self.waveforms.lengths)
        steps = generator.integers(1, max(utterances, 2), self.augmentation.noise.voices)
        others = [self.waveforms.samples(int(other)) for other in (number + steps) % utterances]
        return [Voice(samples, int(generator.integers(len(samples)))) for samples in others]

    def _channels(self, members: Numbers, draws: Draws) -> list[Channel | None]:
        assert self.augmentation.channel is not None
        kinds = self.augmentation.channel.kinds
        return [
            None
            if draws.channel[number] < 0
            else Channel(kinds[draws.channel[number]], float(draws.severity[number]), bool(draws.seed[number] % 2))
            for number in members
        ]


def _numbers(members: Numbers, drawn: Reals) -> list[float | None]:
    """What was drawn for each utterance; None where that is NaN."""
    return [None if np.isnan(value) else value for value in drawn[members].tolist()]
