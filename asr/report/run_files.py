"""The files of a run that a report is made from, read and checked."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asr.config import RecipeConfig, TrainingConfig
from asr.config.recipe_file import read_recipe
from asr.errors import InputError
from asr.phones.phone_set import PhoneSet
from asr.scoring.results import UtteranceScore, read_utterances
from asr.scoring.silence import TREATMENTS
from asr.storage.json_files import read_json
from asr.storage.run_layout import ENVIRONMENT, METRICS, RECIPE, RESULTS, SCORE, TRAIN, UTTERANCES, fold_name
from asr.training.averaging import epochs_to_keep
from asr.training.metrics import read_metrics

SPEAKER_FIELDS = ("per", "substitutions", "deletions", "insertions", "reference_phones")
LEARNING = {"learning_rate": "Learning rate", "gradient_norm": "Gradient norm, mean of the epoch"}
SPEED = {"frames_per_second": "Frames per second", "gpu_memory": "GPU memory at most, MiB"}
"""Fields of metrics.jsonl that older runs may lack, with their titles; those of SPEED differ between equal runs."""
FIGURE_FIELDS = (*SPEAKER_FIELDS, "interval")


@dataclass(frozen=True)
class Fold:
    """One fold: its name (empty in a run without folds), the epochs of its training, and its scored utterances.

    `kept` are the epochs whose weights were averaged into the model.
    """

    name: str
    epochs: list[dict[str, Any]]
    kept: list[dict[str, Any]]
    utterances: list[UtteranceScore]


@dataclass(frozen=True)
class RunFiles:
    """The contents of a run's files; `environment` is empty where environment.json is missing."""

    results: dict[str, Any]
    recipe: str
    config: RecipeConfig
    environment: dict[str, Any]
    folds: list[Fold]

    @property
    def utterances(self) -> list[UtteranceScore]:
        return [utterance for fold in self.folds for utterance in fold.utterances]

    @property
    def phone_set(self) -> PhoneSet:
        return self.config.scoring.phone_set

    @property
    def training(self) -> TrainingConfig:
        return self.config.training


def curve_fields(training: TrainingConfig) -> tuple[str, ...]:
    """The fields of metrics.jsonl that are drawn as curves."""
    counted = ("dev",) if training.measure == "phone_error" else ("train", "dev")
    return "train_loss", "dev_loss", *(f"{side}_{training.measure}" for side in counted)


def require_run(run_dir: Path) -> None:
    """Raises InputError for a folder that is not a finished run's."""
    if not run_dir.is_dir():
        raise InputError("no such folder; give the folder that asr run wrote", run_dir)
    for path in (run_dir / RESULTS, run_dir / RECIPE):
        if not path.is_file():
            raise InputError("is missing, so this is not a finished run; finish it with asr run", path)


def read_run(run_dir: Path) -> RunFiles:
    """Reads a run's folder. Raises InputError with the file and the problem where something is missing or damaged."""
    require_run(run_dir)
    results_path, recipe_path = run_dir / RESULTS, run_dir / RECIPE
    results = read_json(results_path)
    if not isinstance(results, dict):
        raise InputError("expected a JSON object; run the score stage again", results_path)
    config = read_recipe(recipe_path)
    _check_results(results, results_path, config.scoring.phone_set)
    environment = run_dir / ENVIRONMENT
    names = [fold_name(number) for number in range(1, len(results.get("folds", ())) + 1)] or [""]
    return RunFiles(
        results=results,
        recipe=recipe_path.read_text(encoding="utf-8"),
        config=config,
        environment=_read_environment(environment) if environment.is_file() else {},
        folds=[_read_fold(run_dir / name, name, config.training) for name in names],
    )


def read_epochs(train_dir: Path, training: TrainingConfig) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The epochs of a training, and those of them whose weights are averaged into the model; none where there is no
    metrics.jsonl. Raises InputError with the line and the field that is missing or not a number."""
    metrics = train_dir / METRICS
    epochs = read_metrics(metrics) if metrics.is_file() else []
    fields = ("epoch", *curve_fields(training))
    for number, row in enumerate(epochs, 1):
        _require(row, fields, metrics, number)
        for field in (*fields, *(name for name in (*LEARNING, *SPEED) if name in row)):
            if not isinstance(row[field], int | float) or not math.isfinite(row[field]):
                raise InputError(f"field {field} must be a number, not {row[field]!r}", metrics, number)
    errors = [row[f"dev_{training.measure}"] for row in epochs]
    return epochs, [epochs[number - 1] for number in epochs_to_keep(training.average, errors)]


def _read_fold(folder: Path, name: str, training: TrainingConfig) -> Fold:
    epochs, kept = read_epochs(folder / TRAIN, training)
    return Fold(name, epochs, kept, read_utterances(folder / SCORE / UTTERANCES))


def _check_results(results: Any, path: Path, phone_set: PhoneSet, inside: str = "") -> None:
    """Checks the figures of a run, or of one fold: what stands `inside` a field of the file."""
    fields = ("phone_set", "utterances", "speakers", "resampled", "by_speaker", *TREATMENTS)
    _require(results, fields, path, inside=inside)
    _check_figures(results, path, inside)
    for field in ("utterances", "speakers"):
        _check_number(results[field], path, f"{inside}{field}")
    for field, kind in (
        ("by_speaker", dict),
        ("by_corpus", dict),
        ("folds", list),
        ("rounds", list),
        ("seconds", dict),
    ):
        if not isinstance(results.get(field, kind()), kind):
            raise InputError(f"field {inside}{field} has the wrong type; run the score stage again", path)
    for groups in ("by_speaker", "by_corpus"):
        for name, row in results.get(groups, {}).items():
            _check_figures(row, path, f"{inside}{groups}.{name}.", SPEAKER_FIELDS)
    for number, row in enumerate(results.get("rounds", ())):
        _check_figures(row, path, f"{inside}rounds[{number}].")
    for name, seconds in results.get("seconds", {}).items():
        _check_number(seconds, path, f"{inside}seconds.{name}")
    if results["phone_set"] != str(phone_set):
        message = f"{results['phone_set']!r} is not {phone_set}, as in {RECIPE}; run the score stage again"
        raise InputError(f"{inside}phone_set: {message}", path)
    for number, fold in enumerate(results.get("folds", ())):
        _check_results(fold, path, phone_set, f"{inside}folds[{number}].")


def _check_figures(row: Any, path: Path, inside: str, fields: Sequence[str] = FIGURE_FIELDS) -> None:
    """Checks the figures of each treatment of silence."""
    _require(row, TREATMENTS, path, inside=inside)
    for treatment in TREATMENTS:
        figures, within = row[treatment], f"{inside}{treatment}."
        _require(figures, fields, path, inside=within)
        for field in fields:
            if field == "interval":
                if not isinstance(figures[field], list) or len(figures[field]) != 2:
                    raise InputError(f"field {within}interval must be two numbers; run the score stage again", path)
                for bound in figures[field]:
                    _check_number(bound, path, f"{within}interval")
            elif field != "per" or figures[field] is not None or "interval" in fields:
                _check_number(figures[field], path, f"{within}{field}")


def _check_number(value: Any, path: Path, field: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"field {field} must be a number; run the score stage again", path)


def _read_environment(path: Path) -> dict[str, Any]:
    environment = read_json(path)
    if not isinstance(environment, dict) or not isinstance(environment.get("packages", {}), dict):
        raise InputError("expected an object, with the object packages; run the score stage again", path)
    return environment


def _require(row: Any, fields: Sequence[str], path: Path, line: int | None = None, inside: str = "") -> None:
    for field in fields:
        if not isinstance(row, dict) or field not in row:
            raise InputError(f"field {inside}{field} is missing; rerun the stage that writes this file", path, line)
