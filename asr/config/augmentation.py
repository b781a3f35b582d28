"""Settings of the changes to the training speech."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from asr.config.section import Section

Factor = Annotated[float, Field(ge=0.5, le=2)]


class NoiseConfig(Section):
    """Gaussian noise added to utterances of the training set."""

    probability: float = Field(
        0.5, ge=0, le=1, description="probability with which an utterance gets noise, in each epoch"
    )
    snr: tuple[float, float] = Field(
        (10.0, 30.0),
        description="least and greatest signal-to-noise ratio of the whole utterance (dB), between which one is drawn",
    )
    color: Literal["white", "pink"] = Field(
        "pink", description="white noise, or pink: with the same power in every octave"
    )


class SpecAugmentConfig(Section):
    """Masks on the model's input (Park et al. 2019, without time warping), each of a random width that may be 0."""

    time_masks: int = Field(
        2, ge=0, description="masks over time, for each utterance (or window, with training.batching: frames); 0: none"
    )
    time_width: int = Field(20, gt=0, description="greatest width of a time mask (frames)")
    time_share: float = Field(
        0.2, gt=0, le=1, description="greatest width of a time mask, as a share of the utterance (or window)"
    )
    frequency_masks: int = Field(2, ge=0, description="masks over frequency, for each utterance (or window); 0: none")
    frequency_width: int = Field(8, gt=0, description="greatest width of a frequency mask (mel filters)")


class AugmentationConfig(Section):
    """Changes to the training speech, drawn again in each epoch; by default none."""

    speed: list[Factor] = Field(
        [1.0], min_length=1, description="speeds, as factors rounded to 1/100; one of them is drawn for each utterance"
    )
    vtlp: tuple[Factor, Factor] = Field(
        (1.0, 1.0),
        description="least and greatest factor by which the frequency axis is warped, drawn in steps of 0.01",
    )
    alone: float = Field(
        0.0,
        ge=0,
        le=1,
        description="probability with which an utterance is normalised by its own statistics, not its speaker's",
    )
    noise: NoiseConfig | None = Field(None, description="noise added to the waveforms; null: none")
    spec_augment: SpecAugmentConfig | None = Field(None, description="masks on the features; null: none")

    @model_validator(mode="after")
    def _ranges_rise(self) -> "AugmentationConfig":
        ranges = {"vtlp": self.vtlp} | ({"noise.snr": self.noise.snr} if self.noise else {})
        for name, (low, high) in ranges.items():
            if low > high:
                raise ValueError(f"{name} [{low}, {high}]: the first must not be more than the second")
        return self

    @property
    def changes_waveforms(self) -> bool:
        """Whether the features are made again for each epoch."""
        return {*self.speed, *self.vtlp} != {1.0} or self.noise is not None or self.alone > 0
