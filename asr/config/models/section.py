"""What the sections of several models share."""

from pathlib import Path
from typing import Literal

from pydantic import Field, NonNegativeInt, PositiveInt

from asr.config.section import Section

Activation = Literal["sigmoid", "tanh", "relu", "leaky_relu", "swish", "swish_learned", "gelu"]
Initializer = Literal["xavier", "glorot", "he", "orthogonal", "delta_orthogonal"]
Normalization = Literal["none", "batch", "layer"]
Pooling = Literal["none", "max", "average"]
Extent = PositiveInt | tuple[PositiveInt, PositiveInt]
PaddingExtent = NonNegativeInt | tuple[NonNegativeInt, NonNegativeInt]


class ModelSection(Section):
    """What every model's section has."""

    pretrained: Path | None = Field(
        None,
        description="model bundle, run or the name of a model (asr model list): layers of the same name and shape are "
        "initialised from its weights; the classes of the last one begin as the phones to which they fold",
    )

    def portable(self) -> "ModelSection":
        """Without the paths of this machine."""
        return self.model_copy(update={"pretrained": None})


class FullyConnectedSection(ModelSection):
    """Fully connected layers."""

    layers: int = Field(5, ge=0, description="number of hidden layers")
    width: int = Field(1024, gt=0, description="units in each hidden layer")
    activation: Activation = Field("relu", description="non-linearity of the hidden layers")
    initializer: Initializer = Field("he", description="distribution of the initial weights")
    normalization: Normalization = Field("none", description="normalisation before each non-linearity")
    dropout: float = Field(0.2, ge=0, lt=1, description="probability with which a hidden unit is dropped in training")
