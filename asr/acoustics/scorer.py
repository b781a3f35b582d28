"""Scores frames with the acoustic model of a bundle: features in, log posteriors out."""

import math

import numpy as np
import numpy.typing as npt
import torch

from asr.acoustics.bundle import Bundle

LogPosteriors = npt.NDArray[np.float32]
"""[T, C]; for several models that are searched as one, [M, T, C]."""


PIECE_FRAMES = 16_384
"""Frames scored at a time if the model needs only a fixed context: under three minutes of audio."""


class AcousticScorer:
    """The acoustic model of a bundle, or all of an ensemble, on a device."""

    def __init__(self, bundle: Bundle, device: torch.device | str = "cpu") -> None:
        self.features = bundle.config.features
        self.models = [each.model.to(device) for each in (bundle, *bundle.ensemble)]
        contexts = [model.context for model in self.models]
        self.context = None if None in contexts else max(filter(None, contexts), default=0)
        self.apart = len(self.models) > 1 and bundle.config.decoding.search == "prefix_beam"
        self.device = torch.device(device)

    def log_posteriors(self, features: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Log posteriors [T', C] of one utterance's model input [T, D].

        For an ensemble they are those of the models' mean or, for a prefix beam search, of each model [M, T', C].
        """
        context = self.context
        if context is None or len(features) <= PIECE_FRAMES:
            return self._score(features)
        # A recording of hours goes in pieces with their context: the same scores in bounded memory.
        pieces = []
        for start in range(0, len(features), PIECE_FRAMES):
            first, end = max(start - context, 0), min(start + PIECE_FRAMES, len(features))
            pieces.append(self._score(features[first : end + context])[..., start - first : end - first, :])
        return np.concatenate(pieces, axis=-2)

    @torch.inference_mode()
    def _score(self, features: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        batch = torch.from_numpy(features)[None].to(self.device)
        lengths = torch.tensor([len(features)], device=self.device)
        posteriors = torch.stack([model(batch, lengths)[0][0].float().log_softmax(dim=-1) for model in self.models])
        if not self.apart:
            posteriors = posteriors.logsumexp(dim=0) - math.log(len(self.models))
        return posteriors.cpu().numpy()
