"""From static features to model input; the same for training, decoding and transcription."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from asr.config import FeaturesConfig
from asr.features.cmvn import Cmvn, Statistics
from asr.features.deltas import add_deltas


def model_input(
    features: NDArray[np.float32], speaker: str | None, cmvn: Cmvn | None, config: FeaturesConfig
) -> NDArray[np.float32]:
    """CMVN, then deltas: static features [T, static_dim] of one utterance -> [T, dim].

    `cmvn` holds the speaker's statistics for `cmvn: speaker` and the training set's for `cmvn: global`. An unknown
    speaker (None or not in `cmvn`) is normalised by the utterance alone. Raises ValueError when global statistics are
    needed but missing.
    """
    statistics = utterance_statistics(features, speaker, cmvn, config)
    static = torch.from_numpy(np.array(features, dtype=np.float32))
    return np.asarray(normalized(static[None], None if statistics is None else [statistics], config)[0].numpy())


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
    return add_deltas(static.float(), config.deltas)


def utterance_statistics(
    features: NDArray[np.float32], speaker: str | None, cmvn: Cmvn | None, config: FeaturesConfig
) -> Statistics | None:
    """The statistics that normalise one utterance, chosen as in `model_input`; None without CMVN."""
    if config.cmvn == "none":
        return None
    if config.cmvn == "global":
        if cmvn is None:
            raise ValueError("features.cmvn is global, but no statistics were given")
        return cmvn.total()
    if config.cmvn == "speaker" and cmvn is not None and speaker in cmvn.speakers:
        return cmvn.speakers[speaker]
    return Statistics.of(features)
