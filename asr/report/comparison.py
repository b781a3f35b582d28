"""Runs to compare: their scores, sizes and times, and how far each is from the first."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from asr import models
from asr.acoustics.bundle_manifest import model_folders
from asr.config import RecipeConfig, ScoringConfig
from asr.config.recipe_file import read_recipe
from asr.errors import InputError
from asr.report.run_files import read_run
from asr.scoring.compare import Difference, difference
from asr.scoring.results import ScoreResult, read_utterances, summarize
from asr.scoring.silence import Treatment
from asr.storage.json_files import read_json
from asr.storage.run_layout import BUNDLE, DECODE, RECIPE, RESULTS, SPEED, TRAIN, UTTERANCES


@dataclass(frozen=True)
class Speed:
    """Real-time factors, seconds per second of audio: those in which the search waits for scores, and the others."""

    model: float
    search: float


@dataclass(frozen=True)
class Compared:
    """A run, or a score folder, which has scores only.

    `parameters` counts those of the acoustic model, or of all models of an ensemble; `training` is in seconds, summed
    over the folds; `speed` is that of decoding the test set.
    """

    name: str
    scores: ScoreResult
    recipe: RecipeConfig | None = None
    parameters: int | None = None
    training: float | None = None
    speed: Speed | None = None


def read_compared(folders: Sequence[Path]) -> list[Compared]:
    """Reads folders of runs and score folders. Raises InputError for a folder that is neither, or damaged."""
    return [_read(folder, name) for folder, name in zip(folders, names_of(folders), strict=True)]


def differences(
    compared: Sequence[Compared], samples: int = 10000, seed: int = 0
) -> list[tuple[Compared, dict[Treatment, Difference]]]:
    """All but the first, each with its difference from the first. Raises InputError for two that cannot be compared."""
    first, *others = compared
    found = []
    for other in others:
        try:
            found.append((other, difference(first.scores, other.scores, samples, seed)))
        except InputError as error:
            raise InputError(f"{first.name} and {other.name} cannot be compared: {error}") from error
    return found


def names_of(folders: Sequence[Path]) -> list[str]:
    """The name of each folder; its path where several have the same name."""
    own = [folder.resolve().name for folder in folders]
    times = Counter(own)
    return [name if times[name] == 1 else str(folder) for name, folder in zip(own, folders, strict=True)]


def _read(folder: Path, name: str) -> Compared:
    if (folder / UTTERANCES).is_file():
        return Compared(name, _read_score_folder(folder))
    run = read_run(folder)
    recipe = run.config
    return Compared(
        name=name,
        scores=summarize(run.utterances, recipe.scoring, recipe.seed),
        recipe=recipe,
        parameters=_parameters(recipe) + sum(map(_parameters, _ensemble(folder / run.folds[0].name))),
        training=run.results.get("seconds", {}).get(TRAIN),
        speed=_speed([folder / fold.name / DECODE / SPEED for fold in run.folds]),
    )


def _read_score_folder(folder: Path) -> ScoreResult:
    results = read_json(folder / RESULTS)
    try:
        config = ScoringConfig(phone_set=results["phone_set"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError("has no known phone_set; run asr score again", folder / RESULTS) from error
    return summarize(read_utterances(folder / UTTERANCES), config)


def _ensemble(fold: Path) -> list[RecipeConfig]:
    """The recipes of the other models in a fold's ensemble."""
    return [read_recipe(each / RECIPE) for each in model_folders(fold / DECODE / BUNDLE)[1:]]


def _parameters(recipe: RecipeConfig) -> int:
    model = models.build_for(recipe)
    return sum(parameter.numel() for parameter in model.parameters())


def _speed(paths: Sequence[Path]) -> Speed | None:
    """The speed over all folds; None where a fold has not been timed."""
    if not all(path.is_file() for path in paths):
        return None
    audio = model = search = 0.0
    for path in paths:
        row = read_json(path)
        try:
            seconds = [float(row[name]) for name in ("audio", "acoustic_model", "search")]
        except (KeyError, TypeError, ValueError) as error:
            raise InputError("not the times of decoding; run the decode stage again", path) from error
        audio, model, search = audio + seconds[0], model + seconds[1], search + seconds[2]
    return Speed(model / audio, search / audio) if audio else None
