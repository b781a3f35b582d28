"""What decoding and alignment need of a trained model besides its network, read from its folder without PyTorch."""

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from asr.acoustics.bundle_manifest import lm_path
from asr.config import RecipeConfig
from asr.errors import InputError
from asr.storage.run_layout import DECODING_WEIGHTS, TIMING_CLASSES
from asr.storage.yaml_text import read_yaml

BESIDE = "recipe.yaml next to it"
DAMAGED_TUNING = (
    "damaged; it holds acoustic_scale, lm_weight and posterior_scale (above 0), prior_scale (0 or above), "
    "insertion_penalty, confidence_slope and confidence_offset, numbers: run asr decode again"
)


@dataclass(frozen=True)
class Tuning:
    """What the dev set chose for decoding.

    `acoustic_scale`, `lm_weight` and `prior_scale` are the factors of log scores, of the n-gram's log probabilities and
    of log priors, `insertion_penalty` is the cost (nats) of each phone. `posterior_scale` is the factor of all costs
    from which confidences are computed, and the last two are those of `asr.decoding.confidence.Recalibration`.
    """

    acoustic_scale: float = 1.0
    insertion_penalty: float = 0.0
    lm_weight: float = 1.0
    prior_scale: float = 1.0
    posterior_scale: float = 0.4
    confidence_slope: float = 1.0
    confidence_offset: float = 0.0


@dataclass(frozen=True)
class ClassStatistics:
    """Each class's prior and self-loop probability in the training labels, both [C]."""

    priors: npt.NDArray[np.float64]
    self_loops: npt.NDArray[np.float64]


class TrainedModel(Protocol):
    """A bundle, or a model that was exported from one; one output frame covers `subsampling` frames of features.

    `timing` has the statistics of the second output, if there is one: its frames are those of the features."""

    @property
    def folder(self) -> Path: ...
    @property
    def config(self) -> RecipeConfig: ...
    @property
    def statistics(self) -> ClassStatistics: ...
    @property
    def timing(self) -> ClassStatistics | None: ...
    @property
    def tuning(self) -> Tuning: ...
    @property
    def subsampling(self) -> int: ...
    @property
    def lm_path(self) -> Path: ...


def check_phones(path: Path, config: RecipeConfig) -> None:
    """Raises InputError where phones.txt does not hold the recipe's phone set."""
    try:
        phones = path.read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("missing or damaged; it holds the phone set, one symbol a line", path) from error
    if phones != list(config.targets.phone_set):
        raise InputError(f"its phones are not those of {config.targets.phone_set}, as in {BESIDE}", path)


def read_statistics(path: Path, names: Sequence[str]) -> ClassStatistics:
    """The statistics of these classes in classes.tsv. Raises InputError where it is missing or damaged."""
    try:
        rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()[1:]]
        values = np.array([[float(prior), float(loop)] for _, prior, loop in rows])
    except (OSError, ValueError) as error:
        raise InputError("missing or damaged; a line is class, prior, self_loop", path) from error
    if [row[0] for row in rows] != list(names):
        raise InputError(f"its classes are not those of {BESIDE}", path)
    if not ((values > 0) & (values <= 1)).all():
        raise InputError("damaged; priors and self-loops are probabilities above 0", path)
    return ClassStatistics(priors=values[:, 0], self_loops=values[:, 1])


def read_timing(folder: Path, config: RecipeConfig) -> ClassStatistics | None:
    """The statistics of the second output, if the recipe has one. Raises InputError as `read_statistics`."""
    return read_statistics(folder / TIMING_CLASSES, config.timing_names) if config.timing_names else None


def read_tuning(folder: Path) -> Tuning:
    """The weights in decoding.yaml, or the defaults of a model that is not tuned yet.

    Raises InputError where the file is damaged, or missing beside a language model.
    """
    path = folder / DECODING_WEIGHTS
    if not path.is_file():
        if lm_path(folder).is_file():
            raise InputError("missing; copy the bundle again, or run asr decode again", path)
        return Tuning()
    try:
        values = read_yaml(path).value
        tuning = Tuning(**{field.name: float(values.pop(field.name)) for field in fields(Tuning)})
    except (InputError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise InputError(DAMAGED_TUNING, path) from error
    scales = (tuning.acoustic_scale, tuning.lm_weight, tuning.posterior_scale)
    if values or not all(map(math.isfinite, astuple(tuning))) or min(scales) <= 0 or tuning.prior_scale < 0:
        raise InputError(DAMAGED_TUNING, path)
    return tuning
