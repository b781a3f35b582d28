"""The whole recipe, and what its sections require of each other."""

from pydantic import Field, model_validator

from asr.config.augmentation import CODEC_RATES, AugmentationConfig
from asr.config.corpus import CorpusConfig
from asr.config.decoding import DecodingConfig, LmConfig, ScoringConfig
from asr.config.features import FeaturesConfig
from asr.config.models import DnnConfig, ModelConfig, Wav2Vec2Config
from asr.config.section import Section
from asr.config.targets import TargetsConfig
from asr.config.training import TrainingConfig
from asr.errors import InputError, listed
from asr.phones.classes import Topology, class_names
from asr.phones.folding import folding, folds_to, with_foldings
from asr.phones.phone_set import PHONE_SETS, PhoneSet


class RecipeConfig(Section):
    """One experiment, from the corpus to the score."""

    seed: int = Field(0, ge=0, lt=2**32, description="seed of everything that is drawn at random")
    corpus: CorpusConfig
    features: FeaturesConfig = FeaturesConfig()
    augmentation: AugmentationConfig = AugmentationConfig()
    targets: TargetsConfig = TargetsConfig()
    model: ModelConfig = DnnConfig()
    training: TrainingConfig = TrainingConfig()
    lm: LmConfig = LmConfig()
    decoding: DecodingConfig = DecodingConfig()
    scoring: ScoringConfig = ScoringConfig()

    @property
    def topology(self) -> Topology:
        """How phones become classes of frames: by an HMM, or with the blanks of CTC."""
        return "ctc" if self.training.loss == "ctc" else "hmm"

    @property
    def class_names(self) -> list[str]:
        """The name of every class of the recipe's model."""
        return class_names(self.targets.phone_set, self.topology, self.targets.states)

    @property
    def frame_targets(self) -> TargetsConfig | None:
        """What each frame of the features is labelled as; None where frames have no labels."""
        if self.topology == "hmm":
            return self.targets
        timing = self.training.timing
        return None if timing is None else self.targets.model_copy(update={"states": timing.states})

    @property
    def timing_names(self) -> list[str]:
        """The name of every class of the second output, `training.timing`; none without it."""
        timing = self.training.timing
        return [] if timing is None else class_names(self.targets.phone_set, "hmm", timing.states)

    @model_validator(mode="after")
    def _phone_sets_fit(self) -> "RecipeConfig":
        targets = self.targets.phone_set
        if self.corpus.entry.own and self.corpus.phone_set is None:
            self.__dict__["corpus"] = self.corpus.model_copy(update={"phone_set": targets})
        spoken = self.corpus.transcribed_in
        if not folds_to(spoken, targets):
            raise ValueError(
                f"targets.phone_set: {self.corpus.name} is transcribed in {spoken} and cannot be folded to "
                f"{targets}; {_remedy(spoken, targets)}"
            )
        scored = self.scoring.phone_set
        if "phone_set" not in self.scoring.model_fields_set and not folds_to(targets, scored):
            scored = targets
        if not folds_to(targets, scored):
            raise ValueError(
                f"scoring.phone_set: the phones of targets.phone_set ({targets}) cannot be folded to {scored}; "
                f"{_remedy(targets, scored)}"
            )
        scored = scored if targets.ships else with_foldings(scored, targets)
        try:
            folding(targets), folding(scored)
        except InputError as error:
            raise ValueError(str(error)) from error
        if scored != self.scoring.phone_set:
            # The transcripts of a model whose phone set does not ship are folded by the set's own foldings.
            self.__dict__["scoring"] = self.scoring.model_copy(update={"phone_set": scored})
        return self

    @model_validator(mode="after")
    def _augmentation_fits(self) -> "RecipeConfig":
        features, masks = self.features, self.augmentation.spec_augment
        if self.augmentation.vtlp != (1.0, 1.0) and (features.backend != "torch" or features.type == "waveform"):
            raise ValueError("augmentation.vtlp needs features.backend: torch and mel filters (type: fbank or mfcc)")
        channel = self.augmentation.channel
        if channel and {"mp3", "opus"} & {*channel.kinds} and features.sample_rate not in CODEC_RATES:
            rates = listed(map(str, CODEC_RATES))
            raise ValueError(f"augmentation.channel.kinds: mp3 and opus need a features.sample_rate of {rates}")
        if self.training.timing and features.type == "waveform":
            raise ValueError("training.timing has a network on mel filters: features.type must be fbank or mfcc")
        if self.training.snap and features.type == "waveform":
            raise ValueError("training.snap compares spectra: features.type must be fbank or mfcc")
        if masks and features.cmvn == "none" and features.type != "waveform":
            raise ValueError("augmentation.spec_augment fills with the mean and so needs features.cmvn")
        if masks and masks.frequency_masks and features.type != "fbank":
            raise ValueError("augmentation.spec_augment.frequency_masks must be 0 unless features.type is fbank")
        if masks and masks.frequency_masks and masks.frequency_width >= features.bins:
            raise ValueError("augmentation.spec_augment.frequency_width must be less than features.bins")
        return self

    @model_validator(mode="after")
    def _encoder_fits(self) -> "RecipeConfig":
        if isinstance(self.model, Wav2Vec2Config):
            if self.features.type != "waveform":
                raise ValueError(f"model.type: {self.model.type} needs features.type: waveform")
            if self.features.sample_rate != (rate := self.model.architecture.sample_rate):
                raise ValueError(f"features.sample_rate: the encoder was trained at {rate} Hz; set it to that")
        return self

    @model_validator(mode="after")
    def _loss_fits(self) -> "RecipeConfig":
        training = self.training
        if training.loss == "ctc":
            if self.targets.states != 1:
                raise ValueError("training.loss: ctc needs targets.states: 1")
            if training.batching == "frames":
                raise ValueError("training.loss: ctc needs whole utterances, not training.batching: frames")
            if training.label_smoothing:
                raise ValueError("training.label_smoothing is of frame labels; with training.loss: ctc it must be 0")
        elif training.flat_start and not self.targets.phone_set.silences:
            raise ValueError(f"training.flat_start needs a silence in targets.phone_set ({self.targets.phone_set})")
        elif self.decoding.search != "graph":
            raise ValueError(f"decoding.search: {self.decoding.search} needs training.loss: ctc")
        return self


def _remedy(source: PhoneSet, target: PhoneSet) -> str:
    """What to do where there is no folding from one set to another."""
    use = "use " + " or ".join(name for name in PHONE_SETS if folds_to(source, name))
    if source.ships and target.ships:
        return use
    return f"write the folding to {source}-{target}.tsv, next to the phone set's file"
