"""Scores frames with the acoustic model of a bundle: features in, log posteriors out."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from asr.acoustics.bundle import Bundle
from asr.acoustics.posteriors import LogPosteriors, Scored
from asr.device import single_precision
from asr.models import AcousticModel

PIECE_FRAMES = 16_384
"""Frames scored at a time if the model needs only a fixed context: under three minutes of audio."""


class AcousticScorer:
    """The acoustic model of a bundle, or all of an ensemble, on a device.

    The log posteriors are those of the first output or, with `timing`, of the first model's second.
    """

    def __init__(self, bundle: Bundle, device: torch.device | str = "cpu", timing: bool = False) -> None:
        self.features = bundle.config.features
        self.models = [each.model.to(device) for each in (bundle, *bundle.ensemble)]
        self.timing = timing
        contexts = [_context(model) for model in self.models]
        self.context = None if None in contexts else max(filter(None, contexts), default=0)
        self.apart = len(self.models) > 1 and bundle.config.decoding.search == "prefix_beam"
        self.device = torch.device(device)

    def log_posteriors(self, features: npt.NDArray[np.float32]) -> LogPosteriors:
        """Log posteriors [T', C] of one utterance's model input [T, D].

        For an ensemble they are those of the models' mean or, for a prefix beam search, of each model [M, T', C].
        """
        return self._chosen(self.scored(features))

    def batch(self, features: Sequence[npt.NDArray[np.float32]]) -> list[LogPosteriors]:
        """Those of several utterances' model inputs [T, D], computed together: the same within rounding."""
        return [self._chosen(each) for each in self.batch_scored(features)]

    def _chosen(self, scored: Scored) -> LogPosteriors:
        if not self.timing:
            return scored.log_posteriors
        assert scored.timing is not None
        return scored.timing

    def scored(self, features: npt.NDArray[np.float32]) -> Scored:
        """Log posteriors of all outputs for one utterance's model input [T, D]."""
        context = self.context
        if context is None or len(features) <= PIECE_FRAMES:
            return self._score(features)
        # A recording of hours goes in pieces with their context: the same scores in bounded memory.
        pieces, timing = [], []
        for start in range(0, len(features), PIECE_FRAMES):
            first, end = max(start - context, 0), min(start + PIECE_FRAMES, len(features))
            scored, inside = self._score(features[first : end + context]), slice(start - first, end - first)
            pieces.append(scored.log_posteriors[..., inside, :])
            timing += [] if scored.timing is None else [scored.timing[inside]]
        return Scored(np.concatenate(pieces, axis=-2), np.concatenate(timing) if timing else None)

    @single_precision()
    @torch.inference_mode()
    def batch_scored(self, features: Sequence[npt.NDArray[np.float32]]) -> list[Scored]:
        """Those of several utterances' model inputs [T, D], computed together: the same within rounding."""
        counts = torch.tensor([len(each) for each in features], device=self.device)
        padded = pad_sequence([torch.from_numpy(each) for each in features], batch_first=True).to(self.device)
        posteriors, timing, lengths = self._outputs(padded, counts)
        rows = [row[..., :count, :] for row, count in zip(posteriors, lengths.tolist(), strict=True)]
        if timing is None:
            return [Scored(row) for row in rows]
        return [Scored(row, of[: len(each)]) for row, of, each in zip(rows, timing, features, strict=True)]

    @single_precision()
    @torch.inference_mode()
    def _score(self, features: npt.NDArray[np.float32]) -> Scored:
        lengths = torch.tensor([len(features)], device=self.device)
        posteriors, timing, _ = self._outputs(torch.from_numpy(features)[None].to(self.device), lengths)
        return Scored(posteriors[0], None if timing is None else timing[0])

    def _outputs(self, batch: Tensor, lengths: Tensor) -> tuple[LogPosteriors, LogPosteriors | None, Tensor]:
        """Log posteriors [B, T', C] (or [B, M, T', C]) of features [B, T, D], those of the second output [B, T, F], and
        the lengths [B] of the former."""
        first, *others = self.models
        logits, frames, *timing = first(batch, lengths) if first.timing is None else first.forward_timed(batch, lengths)
        stacked = torch.stack([logits, *(model(batch, lengths)[0] for model in others)], dim=-3)
        second = [each.float().log_softmax(dim=-1).cpu().numpy() for each in timing]
        return self._combined(stacked).cpu().numpy(), second[0] if second else None, frames

    def _combined(self, logits: Tensor) -> Tensor:
        """The models' logits [..., M, T, C] -> log posteriors [..., T, C] of their mean, or [..., M, T, C] apart."""
        posteriors = logits.float().log_softmax(dim=-1)
        return posteriors if self.apart else posteriors.logsumexp(dim=-3) - math.log(len(self.models))


def _context(model: AcousticModel) -> int | None:
    """The frames on each side that all outputs of a frame depend on; None where that may be the whole utterance."""
    if model.context is None or model.timing is None:
        return model.context
    reach = model.timing.receptive_field
    return None if reach is None else max(model.context, reach // 2)
