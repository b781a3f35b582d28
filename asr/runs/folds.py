"""The recipe of one fold, using only models that were not trained on the fold's test speakers."""

from pathlib import Path

from asr.acoustics.bundle import find_bundle, of_one_fold, unlike_section
from asr.config import RecipeConfig
from asr.config.recipe_file import read_recipe
from asr.errors import InputError
from asr.storage.run_layout import RECIPE, has_folds


def of_fold(config: RecipeConfig, fold: str) -> RecipeConfig:
    """The recipe of one fold, or of a run without folds (""); a run with folds that it refers to becomes its same fold.

    Raises InputError for models that may have been trained on the test speakers, such as those of other folds, and
    where it is ambiguous which model is meant. Models of the ensemble must be of the same fold; others may be
    of another corpus.
    """

    def own(setting: str, path: Path | None) -> Path | None:
        return path if path is None else _model_of_fold(setting, path, fold, config)

    for path in config.decoding.ensemble if fold else ():
        if not (path / fold).is_dir():
            raise InputError(
                f"decoding.ensemble: is not a run with a {fold}; its model may know the test speakers",
                path,
            )
    sections = {
        "model": {"pretrained": own("model.pretrained", config.model.pretrained)},
        "training": {"align_with": own("training.align_with", config.training.align_with)},
        "decoding": {"ensemble": [own("decoding.ensemble", path) for path in config.decoding.ensemble]},
    }
    return config.model_copy(
        update={name: getattr(config, name).model_copy(update=update) for name, update in sections.items()}
    )


def _model_of_fold(setting: str, path: Path, fold: str, config: RecipeConfig) -> Path:
    if fold and has_folds(path):
        return path / fold
    if fold and _is_of_a_fold(path, config):
        raise InputError(
            f"{setting}: is of one fold, and may know the test speakers of others; give its run",
            path,
        )
    try:
        return of_one_fold(path)
    except InputError as error:
        raise InputError(f"{setting}: {error}") from error


def _is_of_a_fold(path: Path, config: RecipeConfig) -> bool:
    """Whether a model was trained on a fold of the recipe's corpus; a missing model is reported elsewhere."""
    try:
        corpus = read_recipe(find_bundle(path) / RECIPE).corpus
    except InputError:
        return False
    return corpus.name == config.corpus.name and corpus.folds > 1


def refuse_own(setting: str, path: Path, run_folder: Path) -> None:
    """Raises InputError where a run would start from its own output: it would never be up to date."""
    if run_folder.resolve() in path.resolve().parents:
        raise InputError(f"{setting}: belongs to this run itself; leave it out", path)


def find_ensemble(config: RecipeConfig, run_folder: Path) -> list[Path]:
    """The bundles of the other models that a recipe decodes with.

    Raises InputError where one is missing, of this run itself, or of a recipe that does not fit this one.
    """
    try:
        bundles = [find_bundle(path) for path in config.decoding.ensemble]
    except InputError as error:
        raise InputError(f"decoding.ensemble: {error}") from error
    for bundle in bundles:
        refuse_own("decoding.ensemble", bundle, run_folder)
        if section := unlike_section(read_recipe(bundle / RECIPE), config):
            raise InputError(f"decoding.ensemble: its settings in {section} differ; leave it out", bundle)
    return bundles
