"""Settings of the acoustic models, a file for each kind. A new model is a section in such a file and a name below."""

from typing import Annotated

from pydantic import Field

from asr.config.models.cnn import CnnConfig, ConvolutionConfig
from asr.config.models.conformer import ConformerConfig
from asr.config.models.crdnn import CrdnnConfig
from asr.config.models.deep_cnn import DeepCnnConfig
from asr.config.models.dnn import DnnConfig
from asr.config.models.encoder import EncoderArchitecture
from asr.config.models.recurrent import (
    GruConfig,
    LightGruConfig,
    LstmConfig,
    RecurrentCell,
    RecurrentSection,
    RnnConfig,
)
from asr.config.models.section import (
    Activation,
    Extent,
    FullyConnectedSection,
    Initializer,
    ModelSection,
    Normalization,
    PaddingExtent,
    Pooling,
)
from asr.config.models.tdnn import TdnnConfig
from asr.config.models.wav2vec2 import Wav2Vec2Config
from asr.config.section import type_if_absent

AnyModel = (
    DnnConfig
    | CnnConfig
    | DeepCnnConfig
    | RnnConfig
    | LstmConfig
    | GruConfig
    | LightGruConfig
    | CrdnnConfig
    | ConformerConfig
    | TdnnConfig
    | Wav2Vec2Config
)
"""Every model; its `type` says which."""

ModelConfig = Annotated[Annotated[AnyModel, Field(discriminator="type")], type_if_absent("dnn")]

__all__ = [
    "Activation",
    "CnnConfig",
    "ConformerConfig",
    "ConvolutionConfig",
    "CrdnnConfig",
    "DeepCnnConfig",
    "DnnConfig",
    "EncoderArchitecture",
    "Extent",
    "FullyConnectedSection",
    "GruConfig",
    "Initializer",
    "LightGruConfig",
    "LstmConfig",
    "ModelConfig",
    "ModelSection",
    "Normalization",
    "PaddingExtent",
    "Pooling",
    "RecurrentCell",
    "RecurrentSection",
    "RnnConfig",
    "TdnnConfig",
    "Wav2Vec2Config",
]
