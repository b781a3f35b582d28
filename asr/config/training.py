"""Settings of training: optimisers, schedules, averages and the loop."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from asr.config.section import Section, type_if_absent


class SgdConfig(Section):
    """Stochastic gradient descent with momentum."""

    type: Literal["sgd"] = "sgd"
    learning_rate: float = Field(0.1, gt=0)
    momentum: float = Field(0.9, ge=0, lt=1, description="weight of the step before in each step")
    weight_decay: float = Field(0.0, ge=0, description="times the weights, added to the gradient")


class AdagradConfig(Section):
    """Adagrad: a step of each weight's own, smaller with all its past gradients."""

    type: Literal["adagrad"] = "adagrad"
    learning_rate: float = Field(0.01, gt=0)
    weight_decay: float = Field(0.0, ge=0, description="times the weights, added to the gradient")


class RmspropConfig(Section):
    """RMSprop: gradients over the root of their running mean square."""

    type: Literal["rmsprop"] = "rmsprop"
    learning_rate: float = Field(0.001, gt=0)
    smoothing: float = Field(0.99, ge=0, lt=1, description="weight of the past in the mean square gradient")
    momentum: float = Field(0.0, ge=0, lt=1, description="weight of the step before in each step")
    weight_decay: float = Field(0.0, ge=0, description="times the weights, added to the gradient")


class AdamConfig(Section):
    """Adam."""

    type: Literal["adam"] = "adam"
    learning_rate: float = Field(0.001, gt=0)
    weight_decay: float = Field(0.0, ge=0, description="times the weights, added to the gradient")


class AdamwConfig(Section):
    """Adam with decoupled weight decay."""

    type: Literal["adamw"] = "adamw"
    learning_rate: float = Field(0.001, gt=0)
    weight_decay: float = Field(0.01, ge=0, description="taken off the weights themselves")


OptimizerConfig = Annotated[
    SgdConfig | AdagradConfig | RmspropConfig | AdamConfig | AdamwConfig,
    Field(discriminator="type"),
    type_if_absent("adam"),
]


class ConstantSchedule(Section):
    """The learning rate stays as it is."""

    type: Literal["constant"] = "constant"


class StepSchedule(Section):
    """The learning rate times `factor` after every `every` epochs."""

    type: Literal["step"] = "step"
    every: int = Field(5, gt=0, description="epochs")
    factor: float = Field(0.5, gt=0, lt=1, description="times the learning rate")


class NewbobSchedule(Section):
    """Halving of the learning rate after each epoch in which the dev set's error hardly fell.

    The error, here and below: of frames; under CTC the phone error rate of greedy decoding.
    """

    type: Literal["newbob"] = "newbob"
    factor: float = Field(0.5, gt=0, lt=1, description="times the learning rate")
    threshold: float = Field(0.0025, ge=0, description="relative fall of the error below which to halve")


class PlateauSchedule(Section):
    """The learning rate times `factor` after `patience` epochs without a new least error of the dev set."""

    type: Literal["plateau"] = "plateau"
    factor: float = Field(0.5, gt=0, lt=1, description="times the learning rate")
    patience: int = Field(2, gt=0, description="epochs")


class CosineSchedule(Section):
    """A linear rise over `warmup` epochs, then half a cosine down to `floor` at the last epoch."""

    type: Literal["cosine"] = "cosine"
    warmup: float = Field(1.0, ge=0, description="epochs")
    floor: float = Field(0.0, ge=0, lt=1, description="of the learning rate")


class OneCycleSchedule(Section):
    """Up from 1/25 of the learning rate and down to 1/10000 of that, each by half a cosine (Smith & Topin 2019)."""

    type: Literal["one_cycle"] = "one_cycle"
    rise: float = Field(0.3, gt=0, lt=1, description="share of the training")


ScheduleConfig = Annotated[
    ConstantSchedule | StepSchedule | NewbobSchedule | PlateauSchedule | CosineSchedule | OneCycleSchedule,
    Field(discriminator="type"),
    type_if_absent("newbob"),
]


class AverageConfig(Section):
    """Of which epochs the weights are kept; those of several are averaged."""

    of: Literal["last", "best"] = Field("best", description="epochs: the last, or those of least error on dev")
    count: int = Field(1, gt=0, description="epochs")


class TrainingConfig(Section):
    """How the model is trained."""

    epochs: int = Field(20, gt=0, description="passes over the training set, at most")
    batching: Literal["frames", "utterances"] | None = Field(
        None, description="minibatches of frames or of whole utterances; null: as the model needs"
    )
    batch_size: int = Field(256, ge=32, description="frames; of utterances at most so many, padding counted")
    loss: Literal["cross_entropy", "squared_error", "ctc"] = Field(
        "cross_entropy",
        description="of a frame; squared_error: of the posteriors; ctc: of the phone sequence, without phone "
        "times; it begins on a plateau of blanks, for which patience must be long enough",
    )
    label_smoothing: float = Field(
        0.0, ge=0, lt=1, description="share of a label that is spread over all classes; of the cross-entropy alone"
    )
    optimizer: OptimizerConfig = AdamConfig()
    schedule: ScheduleConfig = NewbobSchedule()
    clip_gradient: float | None = Field(None, gt=0, description="largest norm of the gradient")
    average: AverageConfig = AverageConfig()
    moving_average: float | None = Field(None, gt=0, lt=1, description="decay a step of averaged weights; null: none")
    patience: int = Field(5, gt=0, description="epochs without a lower error on dev before training stops")
    flat_start: bool = Field(
        False, description="first labels: the phones of an utterance spread evenly over it; needs no phone times"
    )
    align_with: Path | None = Field(
        None,
        description="first labels: an alignment by this model bundle or run, of the same phones and features; needs no "
        "phone times",
    )
    realign: int = Field(
        0, ge=0, le=20, description="times that the model aligns the training speech and is trained anew on its states"
    )
    precision: Literal["fp32", "bf16"] = Field("fp32", description="of products of matrices; weights are fp32")
    resident: bool | None = Field(
        None, description="features in the device's memory (true), memory-mapped (false), or as they fit (null)"
    )

    @model_validator(mode="after")
    def _frame_labels_fit(self) -> "TrainingConfig":
        if self.loss == "ctc" and (self.realign or self.flat_start or self.align_with):
            raise ValueError("realign, flat_start and align_with make labels of frames, which loss: ctc does not have")
        if self.flat_start and self.align_with:
            raise ValueError("flat_start and align_with exclude each other; choose where the first labels come from")
        return self

    @property
    def measure(self) -> Literal["frame_error", "phone_error"]:
        """The error by which epochs are compared on dev: wrong frames, or under CTC the PER of greedy decoding."""
        return "phone_error" if self.loss == "ctc" else "frame_error"
