"""Settings of the Conformer."""

from typing import Literal

from pydantic import Field, model_validator

from asr.config.models.section import Initializer, ModelSection, Normalization


class ConformerConfig(ModelSection):
    """Blocks of self-attention and convolution over time (Gulati et al. 2020)."""

    type: Literal["conformer"] = Field("conformer", description="this model")
    channels: int = Field(
        1, gt=0, description="input maps: 1, or 1 + features.deltas for a map of each order of derivatives"
    )
    subsampling: Literal[1, 2, 3, 4] = Field(4, description="frames that become one before the blocks")
    filters: int = Field(64, gt=0, description="maps of the two convolutions that subsample")
    layers: int = Field(8, gt=0, description="number of blocks")
    width: int = Field(144, gt=0, description="units between blocks, heads times an even number")
    heads: int = Field(4, gt=0, description="attention heads in each block")
    feed_forward: int = Field(576, gt=0, description="units in each feed-forward module")
    kernel: int = Field(31, gt=0, description="kernel of the convolution module (frames after subsampling), odd")
    initializer: Initializer = Field("glorot", description="distribution of the initial weights")
    normalization: Normalization = Field(
        "batch", description="normalisation in the convolution module; the other modules have layer normalisation"
    )
    dropout: float = Field(
        0.1, ge=0, lt=1, description="probability with which an output of a module is dropped in training"
    )

    @model_validator(mode="after")
    def _heads_and_kernel_fit(self) -> "ConformerConfig":
        if self.width % (2 * self.heads):
            raise ValueError(f"width ({self.width}) must be heads ({self.heads}) times an even number")
        if self.kernel % 2 == 0:
            raise ValueError(f"kernel ({self.kernel}) must be odd")
        return self
