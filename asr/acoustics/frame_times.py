"""When the frames of a model's output are."""

from dataclasses import dataclass

from asr.config import FeaturesConfig


@dataclass(frozen=True, slots=True)
class FrameTimes:
    """Frame t of the model's output stands for [offset + t * shift, offset + (t + 1) * shift) in seconds."""

    offset: float
    shift: float

    @classmethod
    def of(cls, features: FeaturesConfig, subsampling: int = 1) -> "FrameTimes":
        """Of a model whose output frame stands for `subsampling` frames of these features."""
        return cls(features.frame_offset, subsampling * features.frame_shift / 1000)
