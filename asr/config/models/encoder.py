"""The architecture of a self-supervised encoder."""

import math
from typing import Annotated, Literal

from pydantic import Field, model_validator

from asr.config.section import Section

Size = Annotated[int, Field(gt=0, le=65_536)]
Probability = Annotated[float, Field(ge=0, lt=1)]


class EncoderArchitecture(Section):
    """An encoder of the wav2vec 2.0 family; the defaults are wav2vec 2.0 Base (Baevski et al. 2020), as in
    Hugging Face's Wav2Vec2Config."""

    family: Literal["wav2vec2", "hubert", "wavlm"] = Field(
        "wav2vec2", description="wav2vec 2.0; HuBERT, built alike; or WavLM, whose attention has relative positions"
    )
    sample_rate: int = Field(16000, gt=0, description="sample rate of the speech that it was trained on (Hz)")
    normalize: bool = Field(True, description="bring each utterance's samples to mean 0 and variance 1")
    convolutions: list[tuple[Size, Size, Size]] = Field(
        [(512, 10, 5), (512, 3, 2), (512, 3, 2), (512, 3, 2), (512, 3, 2), (512, 2, 2), (512, 2, 2)],
        min_length=1,
        max_length=32,
        description="maps, kernel and stride of each convolution of the feature extractor",
    )
    convolution_bias: bool = Field(False, description="biases in these convolutions")
    extractor_normalization: Literal["group", "layer"] = Field(
        "group", description="group: the first convolution's output, over time; layer: the output of each, over maps"
    )
    width: Size = Field(768, description="units between blocks")
    layers: int = Field(12, gt=0, le=256, description="number of blocks")
    heads: Size = Field(12, description="attention heads in each block")
    feed_forward: Size = Field(3072, description="units in the feed-forward part of each block")
    layer_norm_first: bool = Field(
        False, description="layer normalisation before each part of a block, not after it, and after the last block"
    )
    position_kernel: Size = Field(128, description="kernel of the convolution that adds positions (frames)")
    position_groups: Size = Field(16, description="groups of that convolution")
    position_buckets: Size = Field(320, description="wavlm: number of relative positions that differ")
    position_distance: Size = Field(800, description="wavlm: distance from which positions are alike (frames)")
    projection_dropout: Probability = Field(0.0, description="dropout before the first block")
    attention_dropout: Probability = Field(0.1, description="dropout of attention weights")
    activation_dropout: Probability = Field(0.1, description="dropout inside the feed-forward parts")
    dropout: Probability = Field(0.1, description="dropout of each part's output")
    layer_drop: Probability = Field(0.1, description="probability with which a block is skipped in training")

    @property
    def stride(self) -> int:
        """Samples from one output frame to the next."""
        return math.prod(stride for _, _, stride in self.convolutions)

    @property
    def receptive_field(self) -> int:
        """Samples that an output frame of the convolutions reads."""
        field = 1
        for _, kernel, stride in reversed(self.convolutions):
            field = (field - 1) * stride + kernel
        return field

    @model_validator(mode="after")
    def _sizes_fit(self) -> "EncoderArchitecture":
        for _, kernel, stride in self.convolutions:
            if kernel < stride:
                raise ValueError(f"convolutions: a stride ({stride}) must not be more than its kernel ({kernel})")
        for name in ("heads", "position_groups"):
            if self.width % getattr(self, name):
                raise ValueError(f"width ({self.width}) must be a multiple of {name} ({getattr(self, name)})")
        return self
