"""What is drawn for each utterance in each epoch; only the seed, the epoch and the utterance's number decide it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asr.config import AugmentationConfig
from asr.training.data.layout import Numbers

COLORS = ("white", "pink", "babble")

Reals = NDArray[np.float64]


@dataclass(frozen=True)
class Pauses:
    """Pauses at the beginning, inside and at the end of each utterance: lengths [U, 3] (s; 0: none), levels [U, 3] (dB
    of full scale; -inf: zeros), and which of the possible places inside is taken [U], 0 to 1."""

    lengths: Reals
    levels: Reals
    place: Reals


@dataclass(frozen=True)
class Draws:
    """The changes to each utterance in one epoch, [U] each; NaN where there is none.

    speed is the index of a factor; snr (dB), t60 (s), direct (dB), gain (dB) and peak (dB of full scale, where clipped)
    are as in the recipe; color is an index into `COLORS`; channel one into the recipe's kinds (-1: none) and severity 0
    to 1; seed that of all noise.
    """

    speed: Numbers
    warp: Reals
    snr: Reals
    seed: Numbers
    color: Numbers
    t60: Reals
    direct: Reals
    gain: Reals
    peak: Reals
    channel: Numbers
    severity: Reals
    pauses: Pauses | None = None

    @property
    def apart(self) -> NDArray[np.bool_]:
        """Which utterances [U] are no longer as the others of their speaker were recorded."""
        numbers = (self.snr, self.t60, self.gain, self.peak)
        return np.any([~np.isnan(each) for each in numbers], axis=0) | (self.channel >= 0)


class _Chances:
    """Streams of chances [U, columns], 0 to 1. Each kind of change has its own, so that none moves another's."""

    def __init__(self, seed: int, epoch: int, utterances: int) -> None:
        self.seed, self.epoch, self.utterances = seed % 2**32, epoch, utterances

    def __call__(self, stream: int, columns: int) -> Reals:
        # Stream 0 would be that of [seed, epoch] again.
        key = [self.seed, self.epoch, stream] if stream else [self.seed, self.epoch]
        return np.random.default_rng(key).random((self.utterances, columns))


def draw(config: AugmentationConfig, seed: int, epoch: int, utterances: int) -> Draws:
    """What is drawn for all `utterances` in an epoch, counted from 0.

    It depends only on the seed, the epoch and the utterance's number, so that resumed training draws the same.
    """
    chances = _Chances(seed, epoch, utterances)
    chance = chances(0, 5)
    snr = np.full(utterances, np.nan)
    color = np.zeros(utterances, np.int64)
    if (noise := config.noise) is not None:
        snr = np.where(chance[:, 2] < noise.probability, _between(noise.snr, chance[:, 3]), np.nan)
        among = COLORS if noise.color == "any" else (noise.color,)
        numbers = np.array([COLORS.index(each) for each in among])
        color = numbers[(chances(2, 1)[:, 0] * len(among)).astype(np.int64)]
    t60, direct = _rooms(config, chances(3, 3))
    gain, peak = _levels(config, chances(4, 4))
    channel, severity = _channels(config, chances(5, 3))
    return Draws(
        speed=(chance[:, 0] * len(config.speed)).astype(np.int64),
        warp=np.round(_between(config.vtlp, chance[:, 1]), 2),
        snr=snr,
        seed=(chance[:, 4] * 2**53).astype(np.int64),
        color=color,
        t60=t60,
        direct=direct,
        gain=gain,
        peak=peak,
        channel=channel,
        severity=severity,
        pauses=_pauses(config, chances(6, 10)),
    )


def _between(limits: tuple[float, float], chance: Reals) -> Reals:
    low, high = limits
    return low + (high - low) * chance


def _rooms(config: AugmentationConfig, chance: Reals) -> tuple[Reals, Reals]:
    none = np.full(len(chance), np.nan)
    if (rooms := config.reverberation) is None:
        return none, none
    inside = chance[:, 0] < rooms.probability
    return (
        np.where(inside, _between(rooms.t60, chance[:, 1]), none),
        np.where(inside, _between(rooms.direct, chance[:, 2]), none),
    )


def _levels(config: AugmentationConfig, chance: Reals) -> tuple[Reals, Reals]:
    none = np.full(len(chance), np.nan)
    if (gain := config.gain) is None:
        return none, none
    changed, clipped = chance[:, 0] < gain.probability, chance[:, 1] < gain.clipping
    return (
        np.where(changed & ~clipped, _between(gain.decibels, chance[:, 2]), none),
        np.where(changed & clipped, _between(gain.overdrive, chance[:, 3]), none),
    )


def _channels(config: AugmentationConfig, chance: Reals) -> tuple[Numbers, Reals]:
    if (channel := config.channel) is None:
        return np.full(len(chance), -1), np.full(len(chance), np.nan)
    kind = (chance[:, 1] * len(channel.kinds)).astype(np.int64)
    return np.where(chance[:, 0] < channel.probability, kind, -1), chance[:, 2]


def _pauses(config: AugmentationConfig, chance: Reals) -> Pauses | None:
    pauses = config.pauses
    if pauses is None:
        return None
    inserted, zeros, length = chance[:, :3] < pauses.probability, chance[:, 3:6] < pauses.zeros, chance[:, 6:9]
    # The same chance decides whether it is noise, and of which level.
    share = (chance[:, 3:6] - pauses.zeros) / max(1 - pauses.zeros, 1e-9)
    return Pauses(
        lengths=np.where(inserted, _between(pauses.length, length), 0.0),
        levels=np.where(zeros, -np.inf, _between(pauses.level, share)),
        place=chance[:, 9],
    )
