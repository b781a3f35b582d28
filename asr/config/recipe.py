"""The whole recipe, and what its sections demand of each other."""

from pydantic import Field, model_validator

from asr.config.augmentation import AugmentationConfig
from asr.config.corpus import TRANSCRIBED_IN, CorpusConfig
from asr.config.decoding import DecodingConfig, LmConfig, ScoringConfig
from asr.config.features import FeaturesConfig
from asr.config.models import DnnConfig, ModelConfig
from asr.config.section import Section
from asr.config.targets import TargetsConfig
from asr.config.training import TrainingConfig
from asr.phones.classes import Topology, class_names
from asr.phones.phone_set import PHONE_SETS, PhoneSetName, load_phone_set


class RecipeConfig(Section):
    """One experiment."""

    seed: int = Field(0, ge=0, lt=2**32, description="of all that is drawn by chance")
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
        """How the phones of a path become classes, one a frame: as the model was trained."""
        return "ctc" if self.training.loss == "ctc" else "hmm"

    @property
    def class_names(self) -> list[str]:
        """The name of every class of the recipe's model."""
        return class_names(load_phone_set(self.targets.phone_set), self.topology, self.targets.states)

    @model_validator(mode="after")
    def _phone_sets_fit(self) -> "RecipeConfig":
        spoken, targets, scored = TRANSCRIBED_IN[self.corpus.name], self.targets.phone_set, self.scoring.phone_set
        if PHONE_SETS.index(targets) < PHONE_SETS.index(spoken):
            raise ValueError(
                f"targets.phone_set: {self.corpus.name} is transcribed in {spoken} and cannot tell the phones of "
                f"{targets} apart; use {_or_smaller(spoken)}"
            )
        if PHONE_SETS.index(scored) < PHONE_SETS.index(targets):
            raise ValueError(
                f"scoring.phone_set: the phones of targets.phone_set ({targets}) cannot be told apart in {scored}; "
                f"use {_or_smaller(targets)}"
            )
        return self

    @model_validator(mode="after")
    def _augmentation_fits(self) -> "RecipeConfig":
        features, masks = self.features, self.augmentation.spec_augment
        if self.augmentation.vtlp != (1.0, 1.0) and features.backend != "torch":
            raise ValueError("augmentation.vtlp needs features.backend: torch")
        if masks and features.cmvn == "none":
            raise ValueError("augmentation.spec_augment fills with the mean and so needs features.cmvn")
        if masks and masks.frequency_masks and features.type != "fbank":
            raise ValueError("augmentation.spec_augment.frequency_masks must be 0 unless features.type is fbank")
        if masks and masks.frequency_masks and masks.frequency_width >= features.bins:
            raise ValueError("augmentation.spec_augment.frequency_width must be less than features.bins")
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
        elif self.decoding.search != "graph":
            raise ValueError(f"decoding.search: {self.decoding.search} needs training.loss: ctc")
        return self


def _or_smaller(phone_set: PhoneSetName) -> str:
    return " or ".join(PHONE_SETS[PHONE_SETS.index(phone_set) :])
