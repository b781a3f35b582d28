"""`model.pretrained`: the weights from which a model starts."""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from asr.acoustics.bundle import find_bundle
from asr.config import RecipeConfig
from asr.config.recipe_file import read_recipe
from asr.errors import InputError
from asr.models import AcousticModel
from asr.phones.classes import class_names
from asr.phones.folding import folding, folds_to, with_foldings
from asr.phones.symbols import NO_PHONE
from asr.storage.run_layout import RECIPE, WEIGHTS
from asr.storage.weights import read_weights


def pretrained_weights(config: RecipeConfig) -> Path | None:
    """The file of the initial weights; None without `model.pretrained`.

    Raises InputError when there is no such bundle.
    """
    if config.model.pretrained is None:
        return None
    try:
        return find_bundle(config.model.pretrained) / WEIGHTS
    except InputError as error:
        raise InputError(f"model.pretrained: {error}") from error


def pretrained_state(config: RecipeConfig, model: AcousticModel, weights: Path) -> dict[str, Tensor]:
    """The state of a trained network, to copy what fits into `model`.

    Where the recipe's phones fold to those of the trained network, the state has their classes: each begins as the
    class of the phone that it becomes, as a flap does as t. A phone that is dropped begins as it does in `model`.
    Raises InputError for weights or a recipe that cannot be read.
    """
    state, recipe = read_weights(weights), weights.with_name(RECIPE)
    if not recipe.is_file():
        return state
    trained = read_recipe(recipe)
    ours, theirs = config.targets.phone_set, trained.targets.phone_set
    alike = (config.topology, config.targets.states) == (trained.topology, trained.targets.states)
    known = with_foldings(theirs, ours)
    if ours == theirs or not alike or not folds_to(ours, known):
        return state
    folded = folding(known, ours)
    begins_as = class_names([folded[phone] or NO_PHONE for phone in ours], config.topology, config.targets.states)
    numbers = {name: number for number, name in enumerate(trained.class_names)}
    return state | _with_rows(state, model, [numbers.get(name) for name in begins_as], len(numbers))


def _with_rows(
    state: Mapping[str, Tensor], model: AcousticModel, rows: list[int | None], classes: int
) -> dict[str, Tensor]:
    """The tensors [C, ...] of the output layer of `model`, each class as its row of `state`, which has so many
    `classes`; as it is there where it has no row."""
    (place,) = (name for name, layer in model.named_modules() if layer is model.output_layer)
    ours = [own for own, row in enumerate(rows) if row is not None]
    theirs = [row for row in rows if row is not None]
    found = {}
    for name, tensor in model.output_layer.state_dict(prefix=f"{place}.").items():
        trained = state.get(name)
        if trained is not None and trained.shape == (classes, *tensor.shape[1:]):
            found[name] = tensor.clone()
            found[name][ours] = trained[theirs].to(tensor.dtype)
    return found
