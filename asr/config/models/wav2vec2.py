"""Settings of a self-supervised encoder with fully connected layers on top."""

from pathlib import Path
from typing import Literal

from pydantic import Field, PositiveInt, model_validator

from asr.config.models.encoder import EncoderArchitecture, Probability
from asr.config.models.encoder_folder import read_architecture
from asr.config.models.section import Activation, FullyConnectedSection, Initializer, ModelSection
from asr.errors import InputError


class Wav2Vec2Config(FullyConnectedSection):
    """A self-supervised encoder (wav2vec 2.0, HuBERT or WavLM), then `layers` fully connected layers."""

    type: Literal["wav2vec2"] = Field("wav2vec2", description="this model")
    encoder: Path | None = Field(
        None,
        description="folder of the trained encoder: model.safetensors and config.json, of Hugging Face or torchaudio",
    )
    architecture: EncoderArchitecture = Field(
        EncoderArchitecture(), description="the encoder's sizes; left out, they are those of the folder's config.json"
    )
    layer: PositiveInt | Literal["last", "weighted"] = Field(
        "last",
        description="block whose output the fully connected layers read: its number from 1, the last, or a weighted"
        " sum of all and the first one's input, whose weights are learned; blocks after it are left out",
    )
    train_extractor: bool = Field(
        False, description="train the encoder's convolutions too, which otherwise stay as they are"
    )
    layer_drop: Probability | None = Field(
        None, description="probability with which a block is skipped in training; null: the architecture's"
    )
    layers: int = Field(2, ge=0, description="number of hidden layers after the encoder")
    activation: Activation = Field("leaky_relu", description="non-linearity of the hidden layers")
    initializer: Initializer = Field("glorot", description="distribution of the initial weights of these layers")
    dropout: float = Field(0.15, ge=0, lt=1, description="probability with which a hidden unit is dropped in training")

    @property
    def blocks(self) -> int:
        """The number of blocks that are used."""
        return self.layer if isinstance(self.layer, int) else self.architecture.layers

    @model_validator(mode="after")
    def _architecture_of_the_folder(self) -> "Wav2Vec2Config":
        if self.encoder is not None and "architecture" not in self.model_fields_set:
            try:
                self.__dict__["architecture"] = read_architecture(self.encoder)
            except InputError as error:
                raise ValueError(f"encoder: {error}") from error
        if self.blocks > self.architecture.layers:
            raise ValueError(f"layer: {self.layer} is more than the encoder's {self.architecture.layers} blocks")
        return self

    def portable(self) -> ModelSection:
        return super().portable().model_copy(update={"encoder": None})
