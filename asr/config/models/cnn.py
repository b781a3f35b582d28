"""Settings of the CNN on windows of frames."""

from typing import Literal

from pydantic import Field, model_validator

from asr.config.models.section import Extent, FullyConnectedSection, PaddingExtent, Pooling
from asr.config.section import Section


class ConvolutionConfig(Section):
    """A convolutional layer. A size is one number for both directions or [time, frequency] (frames, mel filters)."""

    filters: int = Field(64, gt=0, description="output maps")
    kernel: Extent = Field(3, description="size of the kernel")
    stride: Extent = Field(1, description="step of the kernel")
    padding: PaddingExtent = Field(0, description="zeros added on each side")
    dilation: Extent = Field(1, description="step between the taps of the kernel")
    pooling: Pooling = Field("none", description="pooling after the non-linearity")
    pool_size: Extent = Field(2, description="size of a pool")
    pool_stride: Extent | None = Field(
        None, description="step between pools; null: pool_size; a smaller one makes pools overlap"
    )
    dropout: float = Field(
        0.0, ge=0, lt=1, description="probability with which an output of the layer is dropped in training"
    )


class CnnConfig(FullyConnectedSection):
    """Convolutions over a window of frames, then `layers` fully connected layers."""

    type: Literal["cnn"] = Field("cnn", description="this model")
    context: int = Field(7, ge=0, description="frames on each side of the one that is scored")
    dimensions: Literal[1, 2] = Field(
        2, description="2: convolutions over time and frequency; 1: over time, with a map for each feature"
    )
    channels: int = Field(
        1,
        gt=0,
        description="input maps in two dimensions: 1, or 1 + features.deltas for a map of each order of derivatives",
    )
    convolutions: list[ConvolutionConfig] = Field(
        [
            ConvolutionConfig(filters=64, kernel=(5, 5), pooling="max", pool_size=(1, 3), pool_stride=(1, 2)),
            ConvolutionConfig(filters=64, kernel=(3, 3), pooling="max", pool_size=(1, 3), pool_stride=(1, 2)),
        ],
        min_length=1,
        description="the convolutional layers, in order",
    )
    layers: int = Field(2, ge=0, description="number of fully connected layers after the convolutions")

    @model_validator(mode="after")
    def _time_alone(self) -> "CnnConfig":
        if self.dimensions == 1:
            if self.channels != 1:
                raise ValueError("channels is for dimensions: 2; with dimensions: 1 every feature is an input map")
            for number, layer in enumerate(self.convolutions):
                for name in ("kernel", "stride", "padding", "dilation", "pool_size", "pool_stride"):
                    if isinstance(getattr(layer, name), tuple):
                        raise ValueError(
                            f"convolutions.{number}.{name}: with dimensions: 1 it is one number, of frames"
                        )
        return self
