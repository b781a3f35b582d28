"""Settings of the changes to the training speech."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, model_validator

from asr.config.section import Section

CODEC_RATES = (8000, 12_000, 16_000, 24_000, 48_000)
"""Hz; the sample rates that both MP3 and Opus have."""

Factor = Annotated[float, Field(ge=0.5, le=2)]
Chance = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0.05, le=5)]


class NoiseConfig(Section):
    """Noise added to utterances of the training set."""

    probability: Chance = Field(0.5, description="probability with which an utterance gets noise, in each epoch")
    snr: tuple[float, float] = Field(
        (10.0, 30.0),
        description="least and greatest signal-to-noise ratio of the whole utterance (dB), between which one is drawn",
    )
    color: Literal["white", "pink", "babble", "any"] = Field(
        "pink",
        description="white noise; pink: with the same power in every octave; babble: other utterances of the training "
        "set at once; any: one of these three, drawn for each utterance",
    )
    voices: int = Field(5, ge=1, le=20, description="utterances in a babble")


class ReverberationConfig(Section):
    """Rooms around utterances of the training set. Labels stay right: the direct sound is not delayed."""

    probability: Chance = Field(0.3, description="probability with which an utterance is in a room, in each epoch")
    t60: tuple[Seconds, Seconds] = Field(
        (0.1, 0.7), description="least and greatest time (s) in which reverberation decays by 60 dB"
    )
    direct: tuple[float, float] = Field(
        (-2.0, 12.0),
        description="least and greatest ratio (dB) of the direct sound to the reverberation: the closer the "
        "microphone, the greater",
    )


class GainConfig(Section):
    """Recordings of another level, rounded to 16 bits, and clipped where they are above full scale."""

    probability: Chance = Field(0.3, description="probability with which an utterance's level changes, in each epoch")
    decibels: tuple[float, float] = Field((-30.0, 6.0), description="least and greatest change of the level (dB)")
    clipping: Chance = Field(
        0.2, description="share of these utterances that instead become so loud that their peaks are clipped"
    )
    overdrive: tuple[float, float] = Field(
        (0.0, 12.0), description="where clipped: least and greatest height of the peak above full scale (dB)"
    )


class ChannelConfig(Section):
    """Narrow bands and lossy codecs."""

    probability: Chance = Field(
        0.3, description="probability with which an utterance goes through one of the kinds, in each epoch"
    )
    kinds: list[Literal["narrow", "telephone", "mp3", "opus"]] = Field(
        ["narrow", "telephone", "mp3", "opus"],
        min_length=1,
        description="of which one is drawn; narrow: nothing above 3.3 to 4 kHz, as recorded at 8 kHz; telephone: "
        "300 to 3400 Hz; mp3: 20 to 60 kbit/s, and opus: 10 to 45, which take most of the time of all changes",
    )


class PausesConfig(Section):
    """Pauses inserted into utterances of the training set, labelled as silence."""

    probability: Chance = Field(
        0.3,
        description="probability of a pause, in each epoch, at the beginning, at the end, and in a silence inside; "
        "inside only where frames have labels, under CTC with training.timing alone",
    )
    length: tuple[Seconds, Seconds] = Field((0.05, 1.0), description="least and greatest length (s)")
    zeros: Chance = Field(0.5, description="share of digital silence; the others are white noise")
    level: tuple[float, float] = Field(
        (-90.0, -60.0), description="least and greatest level of that noise (dB of full scale)"
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
    reverberation: ReverberationConfig | None = Field(None, description="rooms around the speech; null: none")
    noise: NoiseConfig | None = Field(None, description="noise added to the waveforms; null: none")
    gain: GainConfig | None = Field(None, description="other levels, with clipping; null: none")
    channel: ChannelConfig | None = Field(None, description="narrow bands and codecs; null: none")
    pauses: PausesConfig | None = Field(None, description="pauses inserted into the speech; null: none")
    spec_augment: SpecAugmentConfig | None = Field(None, description="masks on the features; null: none")

    @model_validator(mode="after")
    def _ranges_rise(self) -> "AugmentationConfig":
        for name, (low, high) in self._ranges():
            if low > high:
                raise ValueError(f"{name} [{low}, {high}]: the first must not be more than the second")
        return self

    def _ranges(self) -> Iterator[tuple[str, tuple[float, float]]]:
        yield "vtlp", self.vtlp
        for name, section in self._waveform_changes.items():
            for setting, value in section or ():
                if isinstance(value, tuple):
                    yield f"{name}.{setting}", value

    @property
    def _waveform_changes(self) -> dict[str, Section | None]:
        names = ("reverberation", "noise", "gain", "channel", "pauses")
        return {name: getattr(self, name) for name in names}

    @property
    def changes_waveforms(self) -> bool:
        """Whether the features are made again for each epoch."""
        sections = any(section is not None for section in self._waveform_changes.values())
        return {*self.speed, *self.vtlp} != {1.0} or sections
