"""From static features to model input; the same for training, decoding and transcription."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from asr.config import FeaturesConfig
from asr.features.cmvn import Cmvn, Statistics
from asr.features.deltas import add_deltas

QUIETER = 5.0
"""Log energy (22 dB) below the level of speech at which half of a frame counts."""
SOFTNESS = 0.5
FAINT = 1e-10
"""Mean square (full scale is 1) of samples that count as silent: -100 dB."""
FAINTEST = -5.0
"""Log energy of frames that are digital silence in all but name: a thousandth of what rounding to 16 bits adds."""


def model_input(
    features: NDArray[np.float32], speaker: str | None, cmvn: Cmvn | None, config: FeaturesConfig
) -> NDArray[np.float32]:
    """CMVN, then deltas: static features [T, static_dim] of one utterance -> [T, dim].

    `cmvn` holds the speaker's statistics for `cmvn: speaker` and the training set's for `cmvn: global`. An unknown
    speaker (None or not in `cmvn`) is normalised by the utterance alone. Raises ValueError when global statistics, or a
    prior, are needed but missing.
    """
    statistics = utterance_statistics(features, speaker, cmvn, config)
    static = torch.from_numpy(np.array(features, dtype=np.float32))
    return np.asarray(normalized(static[None], None if statistics is None else [statistics], config)[0].numpy())


def recording_input(features: NDArray[np.float32], cmvn: Cmvn | None, config: FeaturesConfig) -> NDArray[np.float32]:
    """`model_input` of a recording that is normalised by itself, from static features [T, static_dim].

    Where energies have no `floor`, digital silence, which no training speech need have, does not count in the
    statistics and becomes as quiet as the quietest of the other frames.
    """
    if config.floor is not None or config.type == "waveform":
        return model_input(features, None, cmvn, config)
    static = torch.from_numpy(np.array(features, dtype=np.float32))[None]
    audible = audible_frames(static, config)
    statistics = utterance_statistics(features[audible[0].numpy()], None, cmvn, config)
    raised = without_digital_silence(static, audible)
    return np.asarray(normalized(raised, None if statistics is None else [statistics], config)[0].numpy())


def audible_frames(static: Tensor, config: FeaturesConfig, inside: Tensor | None = None) -> Tensor:
    """Which frames of static features [B, T, static_dim] are audible: [B, T]. Of digital silence alone, all are.

    `inside` [B, T] is False in padding, which is not audible.
    """
    inside = torch.ones(static.shape[:2], dtype=torch.bool) if inside is None else inside
    audible = inside & (loudness(static.double(), config) > FAINTEST)
    return audible | (inside & ~audible.any(dim=1, keepdim=True))  # ONNX Runtime has no torch.where of booleans


def without_digital_silence(static: Tensor, audible: Tensor) -> Tensor:
    """Static features [B, T, static_dim], none below the least of an utterance's `audible` frames [B, T]."""
    return static.maximum(static.masked_fill(~audible[:, :, None], torch.inf).amin(dim=1, keepdim=True))


def normalized(static: Tensor, statistics: Sequence[Statistics] | None, config: FeaturesConfig) -> Tensor:
    """CMVN by each utterance's own `statistics` (None: no CMVN), then deltas: [B, T, static_dim] -> [B, T, dim].

    Padding must repeat an utterance's last frame, because deltas read it.
    """
    if statistics is not None:
        mean = torch.from_numpy(np.stack([each.mean for each in statistics]))
        static = static - mean.to(static.device)[:, None]
        if config.cmvn_variance:
            deviation = torch.from_numpy(np.stack([each.deviation for each in statistics]))
            static = static / deviation.to(static.device)[:, None]
        if config.floor is not None:
            static = static.clamp(min=config.floor)
    return add_deltas(static.float(), config.deltas)


def utterance_statistics(
    features: NDArray[np.float32], speaker: str | None, cmvn: Cmvn | None, config: FeaturesConfig
) -> Statistics | None:
    """The statistics that normalise one utterance's static features [T, static_dim], chosen as in `model_input`, with
    its errors; None without CMVN."""
    if config.cmvn == "none":
        return None
    if config.cmvn == "global":
        if cmvn is None:
            raise ValueError("features.cmvn is global, but no statistics were given")
        return cmvn.total()
    if config.cmvn == "speaker" and cmvn is not None and speaker in cmvn.speakers:
        own = cmvn.speakers[speaker]
    else:
        own = counted(features, config)
    return smoothed(own, None if cmvn is None else cmvn.prior, config)


def counted(features: NDArray[np.float32], config: FeaturesConfig) -> Statistics:
    """The statistics of an utterance's static features [T, static_dim], of the frames that the settings count."""
    if config.cmvn_frames == "all":
        return Statistics.of(features)
    return Statistics.of(features, speech_weights(torch.from_numpy(np.array(features))[None], config)[0].numpy())


def speech_weights(static: Tensor, config: FeaturesConfig, inside: Tensor | None = None) -> Tensor:
    """How much each frame of static features [B, T, static_dim] is speech, from 0 to 1: [B, T], in double precision.

    By its loudness beside that of the utterance's louder frames, so that silence, however long, changes nothing.
    `inside` [B, T] is False in padding, which counts as silence.
    """
    level = loudness(static.double(), config)
    if inside is not None:
        level = level.masked_fill(~inside, -torch.inf)
    emphasis = (level / 2).softmax(dim=1)  # frames count by their amplitude
    speech = (emphasis * level.clamp(min=-1e9)).sum(dim=1, keepdim=True)
    return ((level - speech + QUIETER) / SOFTNESS).sigmoid() * (level > FAINTEST)


def loudness(static: Tensor, config: FeaturesConfig) -> Tensor:
    """The mean log energy of the mel filters, or the log energy where the features have that: [..., D] -> [...]."""
    if config.type == "waveform":
        return static.square().mean(dim=-1).clamp(min=FAINT).log()
    if config.energy:
        return static[..., 0]
    return static.mean(dim=-1) if config.type == "fbank" else static[..., 0] / config.bins**0.5


def smoothed(own: Statistics, prior: Statistics | None, config: FeaturesConfig) -> Statistics:
    """The statistics of a speaker's frames and of `config.cmvn_prior` frames like the training set's, as loud as the
    speaker's (maximum a posteriori, Gauvain and Lee 1994).

    Raises ValueError when the settings ask for a prior that is missing.
    """
    if not config.cmvn_prior:
        return own
    if prior is None:
        raise ValueError("features.cmvn_prior is above 0, but no statistics of the training set were given")
    if own.count < 1:  # not a frame of speech
        return prior
    difference = prior.mean - own.mean
    louder = np.zeros_like(difference)
    if config.type == "fbank":
        louder[:] = difference.mean()
    else:
        louder[0] = difference[0]
    share = config.cmvn_prior / (own.count + config.cmvn_prior)
    mean = own.mean + share * (difference - louder)
    variance = (1 - share) * own.deviation**2 + share * prior.deviation**2
    return Statistics(own.count, own.count * mean, own.count * (variance + mean**2))
