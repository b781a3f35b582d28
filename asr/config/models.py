"""Settings of the acoustic models."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from asr.config.section import Section, type_if_absent

Activation = Literal["sigmoid", "tanh", "relu", "leaky_relu", "swish", "swish_learned", "gelu"]
Initializer = Literal["xavier", "glorot", "he", "orthogonal", "delta_orthogonal"]
Normalization = Literal["none", "batch", "layer"]
Pooling = Literal["none", "max", "average"]
RecurrentCell = Literal["rnn_tanh", "rnn_relu", "lstm", "gru", "ligru"]
Extent = PositiveInt | tuple[PositiveInt, PositiveInt]
PaddingExtent = NonNegativeInt | tuple[NonNegativeInt, NonNegativeInt]


class ModelSection(Section):
    """What every model's section has."""

    pretrained: Path | None = Field(
        None, description="a model bundle or run: layers of the same name and shape start from its weights"
    )


class FullyConnectedSection(ModelSection):
    """Fully connected layers."""

    layers: int = Field(5, ge=0, description="hidden layers")
    width: int = Field(1024, gt=0, description="units of a layer")
    activation: Activation = "relu"
    initializer: Initializer = Field("he", description="of the weights")
    normalization: Normalization = Field("none", description="before each non-linearity")
    dropout: float = Field(0.2, ge=0, lt=1, description="of hidden units")


class DnnConfig(FullyConnectedSection):
    """A fully connected network on spliced frames; no layers make it a softmax regression."""

    type: Literal["dnn"] = "dnn"
    context: int = Field(5, ge=0, description="frames spliced on each side")
    input_dropout: float = Field(0.0, ge=0, lt=1, description="of the spliced features")


class ConvolutionConfig(Section):
    """A convolutional layer. Sizes are one number for both directions or [time, frequency] in frames and bins."""

    filters: int = Field(64, gt=0, description="output maps")
    kernel: Extent = 3
    stride: Extent = 1
    padding: PaddingExtent = Field(0, description="zeros on each side")
    dilation: Extent = Field(1, description="step between the taps of the kernel")
    pooling: Pooling = "none"
    pool_size: Extent = 2
    pool_stride: Extent | None = Field(None, description="null: pool_size; a smaller one makes the pools overlap")
    dropout: float = Field(0.0, ge=0, lt=1, description="of what the layer gives on")


class CnnConfig(FullyConnectedSection):
    """Convolutions over a window of frames, then `layers` fully connected layers."""

    type: Literal["cnn"] = "cnn"
    context: int = Field(7, ge=0, description="frames on each side of the one that is scored")
    dimensions: Literal[1, 2] = Field(2, description="2: over time and frequency; 1: over time, features as maps")
    channels: int = Field(1, gt=0, description="input maps in two dimensions: 1 + features.deltas, or 1")
    convolutions: list[ConvolutionConfig] = Field(
        [
            ConvolutionConfig(filters=64, kernel=(5, 5), pooling="max", pool_size=(1, 3), pool_stride=(1, 2)),
            ConvolutionConfig(filters=64, kernel=(3, 3), pooling="max", pool_size=(1, 3), pool_stride=(1, 2)),
        ],
        min_length=1,
    )
    layers: int = Field(2, ge=0, description="fully connected layers")

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


class DeepCnnConfig(ModelSection):
    """A plain CNN over time of a hundred layers and more, with tanh and neither shortcuts nor normalisation."""

    type: Literal["deep_cnn"] = "deep_cnn"
    layers: int = Field(100, gt=0, description="convolutions")
    width: int = Field(64, gt=0, description="maps of each convolution")
    kernel: int = Field(3, gt=0, description="frames, an odd number")
    initializer: Initializer = "delta_orthogonal"
    bias_variance: float = Field(2e-5, gt=0, le=0.1, description="of the first biases; the weights' follows from it")

    @model_validator(mode="after")
    def _kernel_has_a_centre(self) -> "DeepCnnConfig":
        if self.kernel % 2 == 0:
            raise ValueError(f"kernel ({self.kernel}) must be odd")
        return self


class RecurrentSection(ModelSection):
    """Stacked recurrent layers and a linear output."""

    layers: int = Field(3, gt=0, description="recurrent layers")
    width: int = Field(256, gt=0, description="units of a layer, in each direction")
    bidirectional: bool = Field(True, description="read the utterance from both ends")
    initializer: Initializer = Field("glorot", description="of input weights; recurrent ones are orthogonal")
    normalization: Normalization = Field("layer", description="of each layer's output")
    dropout: float = Field(0.2, ge=0, lt=1, description="of each layer's output")


class RnnConfig(RecurrentSection):
    """The vanilla recurrent network."""

    type: Literal["rnn"] = "rnn"
    activation: Literal["tanh", "relu"] = "tanh"


class LstmConfig(RecurrentSection):
    """Long short-term memory."""

    type: Literal["lstm"] = "lstm"


class GruConfig(RecurrentSection):
    """The gated recurrent unit."""

    type: Literal["gru"] = "gru"


class LightGruConfig(RecurrentSection):
    """The light GRU: no reset gate, a rectified candidate."""

    type: Literal["ligru"] = "ligru"
    normalization: Normalization = Field("batch", description="of each layer's products with its input")


class CrdnnConfig(ModelSection):
    """Convolutions over time and frequency, then recurrent, then fully connected layers."""

    type: Literal["crdnn"] = "crdnn"
    channels: int = Field(1, gt=0, description="input maps: 1 + features.deltas, or 1")
    filters: list[PositiveInt] = Field([32, 64], description="of each block: two convolutions and a max pooling")
    kernel: Extent = Field(3, description="frames and bins, odd numbers")
    frequency_pooling: int = Field(2, gt=0, description="bins that each block makes one of")
    subsampling: Literal[1, 2, 3, 4] = Field(1, description="frames that become one before the recurrent layers")
    recurrent: RecurrentCell = Field("ligru", description="type of the recurrent layers")
    recurrent_layers: int = Field(3, gt=0)
    recurrent_width: int = Field(256, gt=0, description="units of a layer, in each direction")
    bidirectional: bool = Field(True, description="read the utterance from both ends")
    layers: int = Field(2, ge=0, description="fully connected")
    width: int = Field(256, gt=0, description="units of a fully connected layer")
    activation: Activation = Field("leaky_relu", description="of convolutions and fully connected layers")
    initializer: Initializer = Field("glorot", description="of all but recurrent weights, which are orthogonal")
    normalization: Normalization = Field("batch", description="of convolutions, recurrent and fully connected layers")
    dropout: float = Field(0.15, ge=0, lt=1, description="of each block's and each layer's output")

    @model_validator(mode="after")
    def _kernel_has_a_centre(self) -> "CrdnnConfig":
        sides = self.kernel if isinstance(self.kernel, tuple) else (self.kernel,)
        if not all(side % 2 for side in sides):
            raise ValueError(f"kernel ({self.kernel}) must be odd")
        return self


ModelConfig = Annotated[
    Annotated[
        DnnConfig | CnnConfig | DeepCnnConfig | RnnConfig | LstmConfig | GruConfig | LightGruConfig | CrdnnConfig,
        Field(discriminator="type"),
    ],
    type_if_absent("dnn"),
]
