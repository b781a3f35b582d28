"""Settings of the recurrent networks."""

from typing import Literal

from pydantic import Field

from asr.config.models.section import Initializer, ModelSection, Normalization

RecurrentCell = Literal["rnn_tanh", "rnn_relu", "lstm", "gru", "ligru"]


class RecurrentSection(ModelSection):
    """Stacked recurrent layers and a linear output."""

    layers: int = Field(3, gt=0, description="number of recurrent layers")
    width: int = Field(256, gt=0, description="units in each layer, in each direction")
    bidirectional: bool = Field(True, description="read the utterance from both ends")
    initializer: Initializer = Field(
        "glorot", description="distribution of the initial input weights; recurrent weights are orthogonal"
    )
    normalization: Normalization = Field("layer", description="normalisation of each layer's output")
    dropout: float = Field(
        0.2, ge=0, lt=1, description="probability with which an output of a layer is dropped in training"
    )


class RnnConfig(RecurrentSection):
    """The vanilla recurrent network."""

    type: Literal["rnn"] = Field("rnn", description="this model")
    activation: Literal["tanh", "relu"] = Field("tanh", description="non-linearity of the recurrence")


class LstmConfig(RecurrentSection):
    """Long short-term memory."""

    type: Literal["lstm"] = Field("lstm", description="this model")


class GruConfig(RecurrentSection):
    """The gated recurrent unit."""

    type: Literal["gru"] = Field("gru", description="this model")


class LightGruConfig(RecurrentSection):
    """The light GRU: no reset gate, a rectified candidate."""

    type: Literal["ligru"] = Field("ligru", description="this model")
    normalization: Normalization = Field("batch", description="normalisation of each layer's products with its input")
