"""Settings of the front end."""

from typing import Literal

from pydantic import Field, model_validator

from asr.config.section import Section


class FeaturesConfig(Section):
    """The front end; defaults are Kaldi's, without dither."""

    type: Literal["fbank", "mfcc", "waveform"] = Field(
        "fbank",
        description="log-mel filterbank energies (fbank), their cepstra (mfcc), or the samples themselves (waveform): a"
        " frame is the samples of one frame_shift, without overlap",
    )
    backend: Literal["torch", "librosa"] = Field(
        "torch", description="library that computes the features; torch runs on a GPU too"
    )
    sample_rate: int = Field(16000, gt=0, description="sample rate (Hz); audio at another rate is resampled")
    frame_length: float = Field(25.0, gt=0, description="length of a frame's window (ms); waveform: the frame_shift")
    frame_shift: float = Field(10.0, gt=0, description="step from one frame to the next (ms)")
    window: Literal["povey", "hamming", "hanning", "rectangular"] = Field(
        "povey", description="shape of the window; povey is Kaldi's"
    )
    preemphasis: float = Field(
        0.97, ge=0, le=1, description="share of the previous sample that is subtracted from each; 0: none"
    )
    remove_dc_offset: bool = Field(True, description="subtract its mean from each frame")
    dither: float = Field(0.0, ge=0, description="standard deviation of added noise (16-bit sample values); 0: none")
    snip_edges: bool = Field(True, description="only frames that lie wholly inside the audio, as in Kaldi")
    low_frequency: float = Field(20.0, ge=0, description="lower edge of the mel filters (Hz)")
    high_frequency: float = Field(
        0.0, description="upper edge of the mel filters (Hz); 0 or less counts from the Nyquist frequency"
    )
    bins: int = Field(40, gt=0, description="number of mel filters")
    cepstra: int = Field(13, gt=0, description="number of MFCC coefficients, with the first")
    cepstral_lifter: float = Field(
        22.0, ge=0, description="period of the sine that weights the cepstra (coefficients); 0: none"
    )
    energy: bool = Field(
        False, description="fbank: add a column of log energy; mfcc: log energy in place of the first cepstrum"
    )
    deltas: Literal[0, 1, 2] = Field(0, description="highest order of the time derivatives that are appended")
    cmvn: Literal["none", "utterance", "speaker", "global"] = Field(
        "speaker",
        description="whose statistics normalise the features; global: those of the training set; waveform: none",
    )
    cmvn_variance: bool = Field(True, description="normalise the variance as well as the mean")
    cmvn_frames: Literal["all", "speech"] = Field(
        "all",
        description="frames that the statistics count: all, or those that are not much quieter than the speech",
    )
    cmvn_prior: float = Field(
        0.0, ge=0, description="weight of the training set's statistics next to a speaker's own (frames); 0: none"
    )
    floor: float | None = Field(
        None, lt=0, description="least value of a normalised feature (standard deviations); null: none"
    )

    @model_validator(mode="after")
    def _waveform_is_plain(self) -> "FeaturesConfig":
        if self.type == "waveform":
            plain = {"frame_length": self.frame_shift, "cmvn": "none", "deltas": 0, "energy": False, "dither": 0.0}
            for name, value in plain.items():
                if name in self.model_fields_set and getattr(self, name) != value:
                    shown = str(value).lower() if isinstance(value, bool) else value
                    raise ValueError(f"{name} must be {shown} with type: waveform; leave it out")
            self.__dict__.update(plain)
        return self

    @model_validator(mode="after")
    def _cepstra_fit(self) -> "FeaturesConfig":
        if self.type == "mfcc" and self.cepstra > self.bins:
            raise ValueError(f"cepstra ({self.cepstra}) must not be more than bins ({self.bins})")
        return self

    @model_validator(mode="after")
    def _normalisation_is_used(self) -> "FeaturesConfig":
        if self.cmvn == "none" and (self.cmvn_frames != "all" or self.cmvn_prior or self.floor is not None):
            raise ValueError("cmvn is none, so that cmvn_frames, cmvn_prior and floor have no effect; leave them out")
        if self.cmvn == "global" and self.cmvn_prior:
            raise ValueError("cmvn_prior needs cmvn: speaker or utterance; global is the training set's already")
        return self

    def samples(self, milliseconds: float) -> int:
        """The whole samples in a time."""
        return int(milliseconds * self.sample_rate / 1000 + 1e-6)

    @property
    def frame_offset(self) -> float:
        """The time in seconds at which frame 0's step of `frame_shift` begins: frame t stands for
        [frame_offset + t * shift, frame_offset + (t + 1) * shift), the middle of its window."""
        return (self.frame_length - self.frame_shift) / 2000 if self.snip_edges else 0.0

    @property
    def static_dim(self) -> int:
        """Columns of one frame before deltas."""
        if self.type == "mfcc":
            return self.cepstra
        if self.type == "waveform":
            return self.samples(self.frame_shift)
        return self.bins + int(self.energy)

    @property
    def dim(self) -> int:
        """Columns of one frame as a model sees it (with deltas, before splicing)."""
        return self.static_dim * (1 + self.deltas)
