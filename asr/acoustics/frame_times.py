"""The times of a model's output frames."""

from dataclasses import dataclass

from asr.config import FeaturesConfig


@dataclass(frozen=True, slots=True)
class FrameTimes:
    """Frame t of the model's output covers [offset + t * shift, offset + (t + 1) * shift) in seconds."""

    offset: float
    shift: float

    @classmethod
    def of(cls, features: FeaturesConfig, subsampling: int = 1) -> "FrameTimes":
        """The times for a model whose output frame covers `subsampling` frames of these features."""
        return cls(features.frame_offset, subsampling * features.frame_shift / 1000)
