"""Settings of the time-delay neural network."""

from typing import Literal

from pydantic import Field, PositiveInt, model_validator

from asr.config.models.section import Activation, Initializer, ModelSection, Normalization


class TdnnConfig(ModelSection):
    """Dilated convolutions over time with shortcuts."""

    type: Literal["tdnn"] = Field("tdnn", description="this model")
    subsampling: Literal[1, 2, 3, 4] = Field(1, description="frames that become one in the first convolution")
    dilations: list[PositiveInt] = Field(
        [1, 2, 4, 8, 1, 2, 4, 8],
        description="distance between the frames that each layer reads (frames after subsampling)",
    )
    width: int = Field(320, gt=0, description="units in each layer")
    kernel: int = Field(3, gt=0, description="frames that each layer reads, odd unless causal")
    causal: bool = Field(False, description="read no frames after those that an output frame covers")
    activation: Activation = Field("relu", description="non-linearity of the layers")
    initializer: Initializer = Field("he", description="distribution of the initial weights")
    normalization: Normalization = Field("batch", description="normalisation before each non-linearity")
    dropout: float = Field(
        0.1, ge=0, lt=1, description="probability with which an output of a layer is dropped in training"
    )

    @model_validator(mode="after")
    def _kernel_has_a_centre(self) -> "TdnnConfig":
        if self.kernel % 2 == 0 and not self.causal:
            raise ValueError(f"kernel ({self.kernel}) must be odd, or the model causal")
        return self
