"""Settings of the very deep CNN."""

from typing import Literal

from pydantic import Field, model_validator

from asr.config.models.section import Initializer, ModelSection


class DeepCnnConfig(ModelSection):
    """A plain CNN over time of a hundred layers and more, with tanh, without shortcuts or normalisation."""

    type: Literal["deep_cnn"] = Field("deep_cnn", description="this model")
    layers: int = Field(100, gt=0, description="number of convolutions")
    width: int = Field(64, gt=0, description="maps of each convolution")
    kernel: int = Field(3, gt=0, description="width of each kernel (frames), an odd number")
    initializer: Initializer = Field("delta_orthogonal", description="distribution of the initial weights")
    bias_variance: float = Field(
        2e-5, gt=0, le=0.1, description="variance of the initial biases, from which that of the weights follows"
    )

    @model_validator(mode="after")
    def _kernel_has_a_centre(self) -> "DeepCnnConfig":
        if self.kernel % 2 == 0:
            raise ValueError(f"kernel ({self.kernel}) must be odd")
        return self
