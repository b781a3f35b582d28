"""The weights from which a model starts, where its phone set adds phones to theirs."""

from pathlib import Path

import torch

from asr import models
from asr.config import RecipeConfig
from asr.config.recipe_file import read_recipe
from asr.models import AcousticModel
from asr.phones.folding import folding
from asr.phones.phone_set import Phone, PhoneSet, load_phone_set, make_phone_set
from asr.storage.weights import read_weights
from asr.training.pretrained import extends, pretrained_state, pretrained_weights


def with_a_flap(known: PhoneSet, **changed: str) -> PhoneSet:
    """The set with a flap before its last phone, which folds to its t; `changed` are kinds of some phones."""
    phones = [Phone(each.symbol, changed.get(each.symbol, each.kind), each.ipa, each.closure) for each in known.phones]  # type: ignore[arg-type]
    phones.insert(-1, Phone("flap"))
    pairs = {phone.symbol: "t" if phone.symbol == "flap" else phone.symbol for phone in phones}
    back = {symbol: symbol for symbol in known}
    return make_phone_set("flapped", phones, {f"flapped-{known}": pairs, f"{known}-flapped": back})


def recipe_and_model(run: Path, phone_set: PhoneSet) -> tuple[RecipeConfig, AcousticModel]:
    config = read_recipe(run / "train" / "bundle" / "recipe.yaml")
    targets = config.targets.model_copy(update={"phone_set": phone_set})
    model = config.model.model_copy(update={"pretrained": run})
    config = config.model_copy(update={"targets": targets, "model": model})
    torch.manual_seed(1)
    return config, models.build_for(config)


def test_an_added_phone_begins_as_the_one_it_folds_to(tiny_run: Path) -> None:
    trained = read_recipe(tiny_run / "train" / "bundle" / "recipe.yaml")
    phones = with_a_flap(trained.targets.phone_set)
    config, model = recipe_and_model(tiny_run, phones)
    weights = pretrained_weights(config)
    assert weights is not None
    before, state = read_weights(weights), pretrained_state(config, model, weights)
    assert {name: tensor.shape for name, tensor in state.items()} == {
        name: tensor.shape for name, tensor in model.state_dict().items()
    }
    (name,) = (name for name in state if name.endswith("bias") and len(state[name]) == len(config.class_names))
    theirs = dict(zip(trained.class_names, before[name].tolist(), strict=True))
    for label, value in zip(config.class_names, state[name].tolist(), strict=True):
        assert value == theirs[label.replace("flap", "t")], label


def test_the_same_phones_start_from_the_weights_as_they_are(tiny_run: Path) -> None:
    trained = read_recipe(tiny_run / "train" / "bundle" / "recipe.yaml")
    config, model = recipe_and_model(tiny_run, trained.targets.phone_set)
    weights = tiny_run / "train" / "bundle" / "model.safetensors"
    state = pretrained_state(config, model, weights)
    assert all(torch.equal(tensor, state[name]) for name, tensor in read_weights(weights).items())


def test_a_set_extends_another_whose_phones_are_the_same_in_it() -> None:
    known = load_phone_set("cmu39")
    assert extends(with_a_flap(known), known)
    assert not extends(known, with_a_flap(known))
    assert not extends(with_a_flap(known, k="phone"), known)
    assert not extends(load_phone_set("timit48"), known), "there a stop is its release alone"
    assert folding(known, with_a_flap(known))["flap"] == "t"
