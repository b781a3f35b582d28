"""Settings of the convolutional recurrent network."""

from typing import Literal

from pydantic import Field, PositiveInt, model_validator

from asr.config.models.recurrent import RecurrentCell
from asr.config.models.section import Activation, Extent, Initializer, ModelSection, Normalization


class CrdnnConfig(ModelSection):
    """Convolutions over time and frequency, then recurrent layers, then fully connected layers."""

    type: Literal["crdnn"] = Field("crdnn", description="this model")
    channels: int = Field(
        1, gt=0, description="input maps: 1, or 1 + features.deltas for a map of each order of derivatives"
    )
    filters: list[PositiveInt] = Field(
        [32, 64], description="maps of each block; a block is two convolutions and a max pooling"
    )
    kernel: Extent = Field(
        3, description="kernel of the convolutions: one odd number, or [time, frequency] (frames, mel filters)"
    )
    frequency_pooling: int = Field(2, gt=0, description="bins that the pooling of each block makes one of")
    subsampling: Literal[1, 2, 3, 4] = Field(1, description="frames that become one before the recurrent layers")
    recurrent: RecurrentCell = Field("ligru", description="type of the recurrent layers")
    recurrent_layers: int = Field(3, gt=0, description="number of recurrent layers")
    recurrent_width: int = Field(256, gt=0, description="units in each recurrent layer, in each direction")
    bidirectional: bool = Field(True, description="read the utterance from both ends")
    layers: int = Field(2, ge=0, description="number of fully connected layers")
    width: int = Field(256, gt=0, description="units in each fully connected layer")
    activation: Activation = Field(
        "leaky_relu", description="non-linearity of the convolutions and the fully connected layers"
    )
    initializer: Initializer = Field(
        "glorot", description="distribution of the initial weights; recurrent weights are orthogonal"
    )
    normalization: Normalization = Field(
        "batch", description="normalisation of the convolutions, the recurrent and the fully connected layers"
    )
    dropout: float = Field(
        0.15, ge=0, lt=1, description="probability with which an output of a block or layer is dropped in training"
    )

    @model_validator(mode="after")
    def _kernel_has_a_centre(self) -> "CrdnnConfig":
        sides = self.kernel if isinstance(self.kernel, tuple) else (self.kernel,)
        if not all(side % 2 for side in sides):
            raise ValueError(f"kernel ({self.kernel}) must be odd")
        return self
