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
from asr.phones.phone_set import PhoneSet
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

    Where the recipe's phone set adds phones to that of the trained network, the state has their classes too: each
    begins as the class of the phone to which it folds, as a flap does as t.
    """
    state, recipe = read_weights(weights), weights.with_name(RECIPE)
    if not recipe.is_file():
        return state
    trained = read_recipe(recipe)
    ours, theirs = config.targets.phone_set, trained.targets.phone_set
    alike = (config.topology, config.targets.states) == (trained.topology, trained.targets.states)
    if ours == theirs or not alike or not extends(ours, theirs):
        return state
    folded = folding(with_foldings(theirs, ours), ours)
    begins_as = class_names([str(folded[phone]) for phone in ours], config.topology, config.targets.states)
    numbers = {name: number for number, name in enumerate(trained.class_names)}
    return state | _added_rows(state, model.state_dict(), [numbers[name] for name in begins_as], len(numbers))


def extends(larger: PhoneSet, smaller: PhoneSet) -> bool:
    """Whether a phone set has all phones of another, which are the same there, and folds to it."""
    alike = {(phone.symbol, phone.kind, phone.closure) for phone in larger.phones}
    same = all((phone.symbol, phone.kind, phone.closure) in alike for phone in smaller.phones)
    return same and folds_to(larger, smaller) and None not in folding(with_foldings(smaller, larger), larger).values()


def _added_rows(
    state: Mapping[str, Tensor], model: Mapping[str, Tensor], rows: list[int], classes: int
) -> dict[str, Tensor]:
    """The tensors of the output layer [classes, ...] with the classes of `model`, each a copy of its row."""
    return {
        name: tensor[rows]
        for name, tensor in state.items()
        if name in model and tensor.shape[:1] == (classes,) and model[name].shape == (len(rows), *tensor.shape[1:])
    }
