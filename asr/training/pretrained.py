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
    return state | _other_classes(state, model.state_dict(), [numbers.get(name) for name in begins_as], len(numbers))


def _other_classes(
    state: Mapping[str, Tensor], model: Mapping[str, Tensor], rows: list[int | None], classes: int
) -> dict[str, Tensor]:
    """The tensors of the output layer [classes, ...] with the classes of `model`: each its row, or as it is there."""
    ours = [own for own, row in enumerate(rows) if row is not None]
    theirs = [row for row in rows if row is not None]
    found = {}
    for name, tensor in state.items():
        if name in model and tensor.shape[:1] == (classes,) and model[name].shape == (len(rows), *tensor.shape[1:]):
            found[name] = model[name].clone()
            found[name][ours] = tensor[theirs].to(found[name].dtype)
    return found
