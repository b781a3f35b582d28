"""Settings of training: optimiser, schedule, averaging and the loop."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from asr.config.section import Section, type_if_absent


class SgdConfig(Section):
    """Stochastic gradient descent with momentum."""

    type: Literal["sgd"] = Field("sgd", description="this optimiser")
    learning_rate: float = Field(0.1, gt=0, description="size of a step, which the schedule changes")
    momentum: float = Field(0.9, ge=0, lt=1, description="weight of the previous step in each step")
    weight_decay: float = Field(0.0, ge=0, description="factor of the weights that is added to the gradient")


class AdagradConfig(Section):
    """Adagrad: a step size for each weight, which shrinks with all its past gradients."""

    type: Literal["adagrad"] = Field("adagrad", description="this optimiser")
    learning_rate: float = Field(0.01, gt=0, description="size of a step, which the schedule changes")
    weight_decay: float = Field(0.0, ge=0, description="factor of the weights that is added to the gradient")


class RmspropConfig(Section):
    """RMSprop: gradients over the root of their running mean square."""

    type: Literal["rmsprop"] = Field("rmsprop", description="this optimiser")
    learning_rate: float = Field(0.001, gt=0, description="size of a step, which the schedule changes")
    smoothing: float = Field(0.99, ge=0, lt=1, description="weight of the past in the mean square gradient")
    momentum: float = Field(0.0, ge=0, lt=1, description="weight of the previous step in each step")
    weight_decay: float = Field(0.0, ge=0, description="factor of the weights that is added to the gradient")


class AdamConfig(Section):
    """Adam: gradients over the root of their running mean square, with momentum (Kingma & Ba 2015)."""

    type: Literal["adam"] = Field("adam", description="this optimiser")
    learning_rate: float = Field(0.001, gt=0, description="size of a step, which the schedule changes")
    weight_decay: float = Field(0.0, ge=0, description="factor of the weights that is added to the gradient")


class AdamwConfig(Section):
    """Adam with decoupled weight decay."""

    type: Literal["adamw"] = Field("adamw", description="this optimiser")
    learning_rate: float = Field(0.001, gt=0, description="size of a step, which the schedule changes")
    weight_decay: float = Field(
        0.01, ge=0, description="share of the weights that is subtracted in each step, times the learning rate"
    )


OptimizerConfig = Annotated[
    SgdConfig | AdagradConfig | RmspropConfig | AdamConfig | AdamwConfig,
    Field(discriminator="type"),
    type_if_absent("adam"),
]


class ConstantSchedule(Section):
    """Keeps the learning rate as it is."""

    type: Literal["constant"] = Field("constant", description="this schedule")


class StepSchedule(Section):
    """Multiplies the learning rate by `factor` after every `every` epochs."""

    type: Literal["step"] = Field("step", description="this schedule")
    every: int = Field(5, gt=0, description="epochs after which the learning rate is multiplied by the factor")
    factor: float = Field(0.5, gt=0, lt=1, description="factor of the learning rate")


class NewbobSchedule(Section):
    """Halves the learning rate after each epoch in which the error on dev hardly fell.

    The error, here and below, is that of frames, or under CTC the phone error rate of greedy decoding.
    """

    type: Literal["newbob"] = Field("newbob", description="this schedule")
    factor: float = Field(0.5, gt=0, lt=1, description="factor of the learning rate where it is halved")
    threshold: float = Field(0.0025, ge=0, description="relative fall of the error below which it is halved")


class PlateauSchedule(Section):
    """Multiplies the learning rate by `factor` after `patience` epochs without a new least error on dev."""

    type: Literal["plateau"] = Field("plateau", description="this schedule")
    factor: float = Field(0.5, gt=0, lt=1, description="factor of the learning rate")
    patience: int = Field(2, gt=0, description="epochs without a new least error")


class CosineSchedule(Section):
    """Raises the learning rate linearly over `warmup` epochs, then lowers it by half a cosine to `floor`."""

    type: Literal["cosine"] = Field("cosine", description="this schedule")
    warmup: float = Field(1.0, ge=0, description="length of the linear rise (epochs)")
    floor: float = Field(0.0, ge=0, lt=1, description="learning rate at the last epoch, as a share of the highest")


class OneCycleSchedule(Section):
    """Rises from 1/25 of the learning rate and falls to 1/10000 of that, by half a cosine each (Smith & Topin 2019)."""

    type: Literal["one_cycle"] = Field("one_cycle", description="this schedule")
    rise: float = Field(0.3, gt=0, lt=1, description="share of the training in which the learning rate rises")


ScheduleConfig = Annotated[
    ConstantSchedule | StepSchedule | NewbobSchedule | PlateauSchedule | CosineSchedule | OneCycleSchedule,
    Field(discriminator="type"),
    type_if_absent("newbob"),
]


class AverageConfig(Section):
    """Which epochs' weights become the model; those of several are averaged."""

    of: Literal["last", "best"] = Field(
        "best", description="which epochs: the last ones, or those with the least error on dev"
    )
    count: int = Field(1, gt=0, description="number of epochs whose weights are averaged")


class TimingConfig(Section):
    """A second output of a CTC model, which says what phone each frame of the features is in.

    Phones have their times from it: CTC only says that a phone is there, and hardly when it begins. It learns from an
    alignment by an HMM (align_with), as whose network it begins where they are alike, or from the corpus's phone times.
    """

    states: Literal[1, 3] = Field(1, description="HMM states of each phone in this output")
    dilations: list[PositiveInt] = Field(
        [1, 1, 1],
        description="layers of its network, a narrow TDNN on the features: distance between the frames that each reads",
    )
    width: int = Field(192, gt=0, description="units in each layer of its network")
    dropout: float = Field(
        0.1, ge=0, lt=1, description="probability with which an output of its layers is dropped in training"
    )
    weight: float = Field(
        0.3,
        gt=0,
        le=1,
        description="share of its loss, the cross-entropy of frames, in the whole; CTC has the rest. 1: nothing else is"
        " trained, with freeze_encoder: all, and what is recognised stays the same",
    )


class TrainingConfig(Section):
    """How the model is trained."""

    epochs: int = Field(20, gt=0, description="greatest number of passes over the training set")
    batching: Literal["frames", "utterances"] | None = Field(
        None, description="minibatches of frames or of whole utterances; null: as the model needs"
    )
    batch_size: int = Field(
        256, ge=32, description="frames in a minibatch; of utterances at most as many, padding counted"
    )
    loss: Literal["cross_entropy", "squared_error", "ctc"] = Field(
        "cross_entropy",
        description="cross_entropy of each frame's class; squared_error of its posteriors; ctc: of the phone sequence,"
        " without phone times (it begins on a plateau of blanks, for which patience must be long enough)",
    )
    label_smoothing: float = Field(
        0.0, ge=0, lt=1, description="share of a frame's label that is spread over all classes; for cross_entropy alone"
    )
    optimizer: OptimizerConfig = Field(AdamConfig(), description="how the gradient becomes a step")
    schedule: ScheduleConfig = Field(NewbobSchedule(), description="how the learning rate changes")
    clip_gradient: float | None = Field(None, gt=0, description="greatest norm of the gradient; null: any")
    average: AverageConfig = Field(AverageConfig(), description="which epochs' weights become the model")
    moving_average: float | None = Field(
        None, gt=0, lt=1, description="decay in each step of a moving average of the weights; null: none"
    )
    patience: int = Field(5, gt=0, description="epochs without a lower error on dev after which training stops")
    flat_start: bool = Field(
        False,
        description="first labels: the phones of each utterance spread evenly over its speech; needs no phone times",
    )
    align_with: Path | None = Field(
        None,
        description="first labels: an alignment by this model bundle or run, of the same phones and features; needs no"
        " phone times; under loss: ctc the alignment only chooses among the pronunciations of words, and labels frames"
        " for timing",
    )
    realign: int = Field(
        0,
        ge=0,
        le=20,
        description="times that the model aligns the training speech and is trained again on the states it found, or "
        "under loss: ctc on the pronunciations",
    )
    snap: float | None = Field(
        None,
        gt=0,
        description="ms within which the boundaries of an alignment (align_with, realign) move to where the features"
        " change most, close to where phoneticians put them; null: they stay",
    )
    timing: TimingConfig | None = Field(
        None, description="second output of a CTC model, for the times of phones; null: none"
    )
    freeze_encoder: NonNegativeInt | Literal["all"] = Field(
        0,
        description="first updates in which only the layers that give scores are trained, and the others, as from"
        " model.pretrained, stay as they are; all: in the whole training",
    )
    encoder_learning_rate: float | None = Field(
        None,
        gt=0,
        description="learning rate of the layers before those that give scores, changed by the schedule as the"
        " optimizer's is; null: the optimizer's",
    )
    precision: Literal["fp32", "tf32", "bf16"] = Field(
        "tf32",
        description="format of products, in recurrent layers too; weights are fp32 in all. A CPU computes tf32 as fp32",
    )
    resident: bool | None = Field(
        None, description="keep the features in the device's memory (true) or on disk (false); null: as they fit"
    )
    memory: float | None = Field(
        None,
        gt=0,
        description="GB that the features and audio of a set may take; what does not fit is read from disk ahead of"
        " each step, to the same results; null: half of the free memory",
    )

    @model_validator(mode="after")
    def _frame_labels_fit(self) -> "TrainingConfig":
        if self.loss == "ctc" and self.flat_start:
            raise ValueError("flat_start makes labels of frames, which loss: ctc does not have")
        if self.flat_start and self.align_with:
            raise ValueError("flat_start and align_with exclude each other; choose where the first labels come from")
        return self

    @model_validator(mode="after")
    def _timing_fits(self) -> "TrainingConfig":
        if self.timing and self.loss != "ctc":
            raise ValueError("timing is for loss: ctc; other models know when each phone is said")
        if self.trains_timing_alone and self.freeze_encoder != "all":
            raise ValueError("timing.weight: 1 trains nothing by CTC and so needs freeze_encoder: all")
        return self

    @property
    def trains_timing_alone(self) -> bool:
        """Whether all but the output of `timing` stays as it is."""
        return self.timing is not None and self.timing.weight == 1

    @property
    def measure(self) -> Literal["frame_error", "phone_error"]:
        """The error by which epochs are compared on dev: wrong frames, or where CTC is trained the PER of greedy
        decoding."""
        return "phone_error" if self.loss == "ctc" and not self.trains_timing_alone else "frame_error"
