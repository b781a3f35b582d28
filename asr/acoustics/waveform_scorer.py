"""From a recording's samples to log posteriors with a bundle: front end, normalisation and network, by PyTorch."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
import torch

from asr.acoustics.bundle import Bundle
from asr.acoustics.pieces import ScoredPiece, scored_pieces
from asr.acoustics.posteriors import LogPosteriors, Scored
from asr.acoustics.scorer import PIECE_FRAMES, AcousticScorer
from asr.audio.waveform import Waveform
from asr.features.frontend import build_front_end
from asr.features.mel import check_length
from asr.features.normalize import recording_input


class WaveformScorer:
    """The front end and the acoustic models of a bundle on a device; each recording is normalised by itself."""

    def __init__(self, bundle: Bundle, device: torch.device | str = "cpu") -> None:
        self.bundle = bundle
        self.acoustic = AcousticScorer(bundle, device)
        self._front_end = build_front_end(bundle.config.features, torch.device(device))

    def static_features(self, waveform: Waveform) -> npt.NDArray[np.float32]:
        """The static features [T, static_dim] of samples [S]."""
        static, _ = self._front_end(torch.from_numpy(waveform)[None], torch.tensor([len(waveform)]))
        return np.asarray(static[0].cpu().numpy())

    def log_posteriors(self, waveform: Waveform) -> LogPosteriors:
        """The log posteriors [T, C] of samples [S]. Raises InputError when they are fewer than one frame."""
        return self.scored(waveform).log_posteriors

    def scored(self, waveform: Waveform) -> Scored:
        """Those of all outputs."""
        return self.acoustic.scored(self._model_input(waveform))

    def pieces(self, blocks: Iterable[Waveform], step: int = 1) -> Iterator[ScoredPiece]:
        """Those of a recording of any length; each piece is normalised by itself."""
        features, subsampling = self.bundle.config.features, self.bundle.subsampling
        return scored_pieces(blocks, self.scored, features, subsampling, step)

    def batch(self, waveforms: Sequence[Waveform]) -> list[Scored]:
        """Those of several recordings, computed together where none is too long for that."""
        features = [self._model_input(waveform) for waveform in waveforms]
        if any(len(each) > PIECE_FRAMES for each in features):
            return [self.acoustic.scored(each) for each in features]
        return self.acoustic.batch_scored(features)

    def _model_input(self, waveform: Waveform) -> npt.NDArray[np.float32]:
        config = self.bundle.config.features
        check_length(len(waveform), config)
        return recording_input(self.static_features(waveform), self.bundle.cmvn, config)
