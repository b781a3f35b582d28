"""Settings of the fully connected network."""

from typing import Literal

from pydantic import Field

from asr.config.models.section import FullyConnectedSection


class DnnConfig(FullyConnectedSection):
    """A fully connected network on spliced frames; without hidden layers it is a softmax regression."""

    type: Literal["dnn"] = Field("dnn", description="this model")
    context: int = Field(5, ge=0, description="frames spliced on each side")
    input_dropout: float = Field(
        0.0, ge=0, lt=1, description="probability with which a spliced feature is dropped in training"
    )
