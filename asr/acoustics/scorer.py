"""Scores frames with the acoustic model of a bundle: features in, log posteriors out."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from asr.acoustics.bundle import Bundle
from asr.device import single_precision

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

    @single_precision()
    @torch.inference_mode()
    def batch(self, features: Sequence[npt.NDArray[np.float32]]) -> list[npt.NDArray[np.float32]]:
        """Those of several utterances' model inputs [T, D], computed together: the same within rounding."""
        counts = torch.tensor([len(each) for each in features], device=self.device)
        padded = pad_sequence([torch.from_numpy(each) for each in features], batch_first=True).to(self.device)
        scored = [model(padded, counts) for model in self.models]
        frames = scored[0][1].tolist()
        posteriors = self._combined(torch.stack([logits for logits, _ in scored], dim=-3)).cpu().numpy()
        return [row[..., :count, :] for row, count in zip(posteriors, frames, strict=True)]

    @single_precision()
    @torch.inference_mode()
    def _score(self, features: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        batch = torch.from_numpy(features)[None].to(self.device)
        lengths = torch.tensor([len(features)], device=self.device)
        logits = torch.stack([model(batch, lengths)[0][0] for model in self.models])
        return np.asarray(self._combined(logits).cpu().numpy())

    def _combined(self, logits: Tensor) -> Tensor:
        """The models' logits [..., M, T, C] -> log posteriors [..., T, C] of their mean, or [..., M, T, C] apart."""
        posteriors = logits.float().log_softmax(dim=-1)
        return posteriors if self.apart else posteriors.logsumexp(dim=-3) - math.log(len(self.models))
