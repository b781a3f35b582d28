"""Runs side by side: what each scored and cost, how far it is from the first, and in which settings they differ."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asr import models
from asr.acoustics.bundle import model_folders
from asr.config import RecipeConfig, ScoringConfig
from asr.config.recipe_file import read_recipe
from asr.errors import InputError
from asr.report.run_files import read_run
from asr.report.tables import count, percent
from asr.scoring.compare import Difference, difference
from asr.scoring.results import UNKNOWN_SPEAKER, ScoreResult, read_utterances, summarize
from asr.scoring.silence import TREATMENTS, UNTRANSCRIBED, Treatment
from asr.storage.files import read_json
from asr.storage.run_layout import BUNDLE, DECODE, RECIPE, RESULTS, SPEED, UTTERANCES

MISSING = "–"
FEW_BLOCKS = 10
"""Of so few, a bootstrap's interval is too narrow."""
SAME_EVERYWHERE = ("corpus.dir",)
"""Settings that say nothing of the experiment."""


@dataclass(frozen=True)
class Speed:
    """Real-time factors: seconds that the acoustic model and the search take for a second of audio."""

    model: float
    search: float


@dataclass(frozen=True)
class Compared:
    """A run, or a score folder, of which only the scores are known.

    `parameters` of the acoustic model, or of all that decode together; `training` in seconds, summed over the folds;
    `speed` of decoding the test set.
    """

    name: str
    scores: ScoreResult
    recipe: RecipeConfig | None = None
    parameters: int | None = None
    training: float | None = None
    speed: Speed | None = None


@dataclass(frozen=True)
class Cells:
    """A table as text: the first column names the row, the others are figures."""

    title: str
    header: list[str]
    rows: list[list[str]]
    note: str

    def beside(self, other: "Cells") -> "Cells":
        """Both tables as one; they have the same rows."""
        rows = [[*row, *more[1:]] for row, more in zip(self.rows, other.rows, strict=True)]
        return Cells(self.title, [*self.header, *other.header[1:]], rows, f"{self.note} {other.note}")

    def markdown(self) -> str:
        alignment = ["---", *["---:"] * (len(self.header) - 1)]
        return "\n".join(f"| {' | '.join(_escaped(row))} |" for row in (self.header, alignment, *self.rows))


def read_compared(folders: Sequence[Path]) -> list[Compared]:
    """Reads runs' folders and score folders. Raises InputError that names the folder or file which is neither."""
    return [_read(folder, name) for folder, name in zip(folders, _names(folders), strict=True)]


def differences(
    compared: Sequence[Compared], samples: int = 10000, seed: int = 0
) -> list[tuple[Compared, dict[Treatment, Difference]]]:
    """Each but the first, with its difference from the first. Raises InputError that names two that do not compare."""
    first, *others = compared
    found = []
    for other in others:
        try:
            found.append((other, difference(first.scores, other.scores, samples, seed)))
        except InputError as error:
            raise InputError(f"{first.name} and {other.name} do not compare: {error}") from error
    return found


def errors_table(compared: Sequence[Compared]) -> Cells:
    """A row a run: its error rates in the three treatments."""
    rows = []
    for each in compared:
        treatments = each.scores.treatments
        counted = treatments["counted"]
        low, high = counted.interval
        numbers = counted.counts.substitutions, counted.counts.deletions, counted.counts.insertions
        rates = (percent(treatments[treatment].counts) for treatment in TREATMENTS[1:])
        counts = (f"{number:,}" for number in numbers)
        rows.append([each.name, percent(counted.counts), f"{low:.1f} to {high:.1f}", *rates, *counts])
    first = compared[0].scores
    speakers = len(first.by_speaker.keys() - {UNKNOWN_SPEAKER})
    note = (
        f"{count(len(first.utterances), 'utterance')}, {count(speakers, 'speaker')}; silence counted, but for the "
        f"columns optional and removed."
    )
    if not first.silence_transcribed:
        note += f" {UNTRANSCRIBED}"
    header = ["run", "PER", "95% interval", *TREATMENTS[1:], "sub", "del", "ins"]
    return Cells("Phone error rate (%)", header, rows, note)


def costs_table(compared: Sequence[Compared]) -> Cells:
    """A row a run: the size of its model, and the time of training and decoding."""
    rows = [
        [
            each.name,
            MISSING if each.parameters is None else f"{each.parameters:,}",
            MISSING if each.training is None else f"{each.training:,.0f}",
            *((MISSING, MISSING) if each.speed is None else (f"{each.speed.model:.4f}", f"{each.speed.search:.4f}")),
        ]
        for each in compared
    ]
    note = (
        "Training: all folds together. Real-time factor: seconds of computing a second of test audio, features not "
        "counted. Each run's times are of the machine that it ran on."
    )
    return Cells("Size and speed", ["run", "parameters", "training (s)", "RTF, model", "RTF, search"], rows, note)


def differences_table(first: Compared, found: Iterable[tuple[Compared, dict[Treatment, Difference]]]) -> Cells:
    """A row a run: its PER minus the first one's, silence counted, and what that says."""
    rows = []
    for other, by_treatment in found:
        counted = by_treatment["counted"]
        low, high = counted.interval
        bounds = f"{low:+.1f} to {high:+.1f}"
        rows.append([other.name, f"{counted.points:+.1f}", bounds, f"{counted.improvement:.3f}", counted.verdict])
    note = (
        f"Paired bootstrap over {first.scores.resampled}, silence counted. P: probability that the run has fewer "
        f"errors than {first.name}; better or worse: the interval is on one side of zero. Not in it: that another "
        f"seed trains another model."
    )
    if (blocks := len(first.scores.blocks)) < FEW_BLOCKS:
        note += f" {blocks} {first.scores.resampled} are few: the intervals are too narrow."
    return Cells(f"PER minus that of {first.name}", ["run", "points", "95% interval", "P", "verdict"], rows, note)


def settings_table(compared: Sequence[Compared]) -> Cells:
    """A row a setting in which the runs' recipes differ."""
    settings = [_flat(each.recipe.model_dump(mode="json")) if each.recipe else {} for each in compared]
    keys = dict.fromkeys(key for each in settings for key in each)
    rows = []
    for key in keys:
        values = [str(each.get(key, MISSING)) for each in settings]
        if len(set(values)) > 1 and key not in SAME_EVERYWHERE:
            rows.append([key, *values])
    note = "" if rows else "None."
    return Cells("Settings that differ", ["setting", *(each.name for each in compared)], rows, note)


def _read(folder: Path, name: str) -> Compared:
    if (folder / UTTERANCES).is_file():
        return Compared(name, _read_score_folder(folder))
    run = read_run(folder)
    recipe = read_recipe(folder / RECIPE)
    return Compared(
        name=name,
        scores=summarize(run.utterances, recipe.scoring, recipe.seed),
        recipe=recipe,
        parameters=_parameters(recipe) + sum(map(_parameters, _ensemble(folder / run.folds[0].name))),
        training=run.results.get("seconds", {}).get("train"),
        speed=_speed([folder / fold.name / DECODE / SPEED for fold in run.folds]),
    )


def _read_score_folder(folder: Path) -> ScoreResult:
    results = read_json(folder / RESULTS)
    try:
        config = ScoringConfig(phone_set=results["phone_set"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError("names no known phone_set; run asr score again", folder / RESULTS) from error
    return summarize(read_utterances(folder / UTTERANCES), config)


def _ensemble(fold: Path) -> list[RecipeConfig]:
    """The recipes of the further models with which a fold's model decodes."""
    return [read_recipe(each / RECIPE) for each in model_folders(fold / DECODE / BUNDLE)[1:]]


def _parameters(recipe: RecipeConfig) -> int:
    model = models.build(recipe.model, recipe.features.dim, len(recipe.class_names))
    return sum(parameter.numel() for parameter in model.parameters())


def _speed(paths: Sequence[Path]) -> Speed | None:
    """Over all folds; None where decoding has not been timed in each."""
    if not all(path.is_file() for path in paths):
        return None
    audio = model = search = 0.0
    for path in paths:
        row = read_json(path)
        try:
            audio, model, search = audio + row["audio"], model + row["acoustic_model"], search + row["search"]
        except (KeyError, TypeError) as error:
            raise InputError("not the times of decoding; run the decode stage again", path) from error
    return Speed(model / audio, search / audio) if audio else None


def _names(folders: Sequence[Path]) -> list[str]:
    """Each folder's own name; its path where several have that name."""
    own = [folder.resolve().name for folder in folders]
    times = Counter(own)
    return [name if times[name] == 1 else str(folder) for name, folder in zip(own, folders, strict=True)]


def _flat(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return flat


def _escaped(cells: Iterable[str]) -> list[str]:
    return [cell.replace("|", "\\|") for cell in cells]
