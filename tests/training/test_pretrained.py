"""The weights from which a model starts, where its phones fold to theirs."""

from pathlib import Path

import torch

from asr import models
from asr.config import RecipeConfig
from asr.config.recipe_file import read_recipe
from asr.models import AcousticModel
from asr.phones.phone_set import Phone, PhoneSet, make_phone_set
from asr.storage.weights import read_weights
from asr.training.pretrained import pretrained_state, pretrained_weights

MORE = {"flap": "t", "click": None}


def with_two_more(known: PhoneSet) -> PhoneSet:
    """The set with a flap, which folds to its t, and a click, which is dropped, before its last phone."""
    phones = [*known.phones[:-1], Phone("flap"), Phone("click"), known.phones[-1]]
    pairs = {phone.symbol: MORE.get(phone.symbol, phone.symbol) for phone in phones}
    back = {symbol: symbol for symbol in known}
    return make_phone_set("larger", phones, {f"larger-{known}": pairs, f"{known}-larger": back})


def recipe_and_model(run: Path, phone_set: PhoneSet) -> tuple[RecipeConfig, AcousticModel]:
    config = read_recipe(run / "train" / "bundle" / "recipe.yaml")
    targets = config.targets.model_copy(update={"phone_set": phone_set})
    model = config.model.model_copy(update={"pretrained": run})
    config = config.model_copy(update={"targets": targets, "model": model})
    torch.manual_seed(1)
    return config, models.build_for(config)


def test_each_phone_begins_as_the_one_it_folds_to(tiny_run: Path) -> None:
    trained = read_recipe(tiny_run / "train" / "bundle" / "recipe.yaml")
    config, model = recipe_and_model(tiny_run, with_two_more(trained.targets.phone_set))
    weights = pretrained_weights(config)
    assert weights is not None
    before, state = read_weights(weights), pretrained_state(config, model, weights)
    random = model.state_dict()
    assert {name: tensor.shape for name, tensor in state.items()} == {
        name: tensor.shape for name, tensor in random.items()
    }
    (name,) = (name for name in state if name.endswith("bias") and len(state[name]) == len(config.class_names))
    theirs = dict(zip(trained.class_names, before[name].tolist(), strict=True))
    for label, value, drawn in zip(config.class_names, state[name].tolist(), random[name].tolist(), strict=True):
        expected = drawn if label.startswith("click") else theirs[label.replace("flap", "t")]
        assert value == expected, label


def test_phones_without_a_folding_begin_at_random(tiny_run: Path) -> None:
    config, model = recipe_and_model(tiny_run, make_phone_set("other", [Phone("sil", "silence"), Phone("t")], {}))
    weights = tiny_run / "train" / "bundle" / "model.safetensors"
    state = pretrained_state(config, model, weights)
    assert all(torch.equal(tensor, state[name]) for name, tensor in read_weights(weights).items())


def test_the_same_phones_start_from_the_weights_as_they_are(tiny_run: Path) -> None:
    trained = read_recipe(tiny_run / "train" / "bundle" / "recipe.yaml")
    config, model = recipe_and_model(tiny_run, trained.targets.phone_set)
    weights = tiny_run / "train" / "bundle" / "model.safetensors"
    state = pretrained_state(config, model, weights)
    assert all(torch.equal(tensor, state[name]) for name, tensor in read_weights(weights).items())
